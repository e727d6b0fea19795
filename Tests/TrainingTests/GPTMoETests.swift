import Layers
import Models
import Tensors
import TestSupport
import Testing

@Suite("The MoE language model")
struct GPTMoETests {
  static let vocabulary = 30
  static let config = GPTMoEConfig(
    layers: 2, d: 24, heads: 3, experts: 6, k: 2, hidden: 20, context: 11, balanceWeight: 0.3,
    zWeight: 0.1)
  static let rows = 5

  /// With weights large enough for every part to matter.
  static func model(_ config: GPTMoEConfig = config, threads: Int = 1) throws -> GPTMoE {
    try BLAS.load()
    let model = GPTMoE(
      config, vocabulary: vocabulary, capacity: rows, seed: 0, workers: Workers(threads))
    var random = RandomStream(test: 5)
    for parameter in model.parameters {
      let scale = parameter.value.shape.count > 1 ? 0.2 : Float(0.3)
      for i in 0..<parameter.value.count { parameter.value.data[i] += scale * random.normal() }
    }
    return model
  }

  static func text(_ config: GPTMoEConfig = config) -> (inputs: Tensor, targets: [Int32]) {
    var random = RandomStream(test: 7)
    let inputs = Tensor(rows, config.context)
    for i in 0..<inputs.count { inputs.data[i] = Float(random.below(UInt32(vocabulary))) }
    return (inputs, (0..<inputs.count).map { _ in Int32(random.below(UInt32(vocabulary))) })
  }

  @Test("names and shapes of the reference's tensors, in its order")
  func parameters() throws {
    let model = try Self.model()
    let block = [
      "norm1.weight", "norm1.bias", "qkv.weight", "qkv.bias", "proj.weight", "proj.bias",
      "norm2.weight", "norm2.bias", "moe.w1", "moe.b1", "moe.w2", "moe.b2", "moe.router.weight",
    ]
    #expect(
      model.parameters.map(\.name)
        == ["tok_embed.weight", "pos_embed.weight"]
        + (0..<2).flatMap { i in block.map { "blocks.\(i).\($0)" } }
        + ["norm.weight", "norm.bias", "head.weight"])
    #expect(model.parameters[0].value.shape == [30, 24])
    #expect(model.parameters[1].value.shape == [11, 24])
    #expect(model.parameters.last?.value.shape == [30, 24])
    #expect(
      model.parameters.filter { $0.expertLayer != nil }.map(\.name)
        == (0..<2).flatMap { i in ["w1", "b1", "w2", "b2"].map { "blocks.\(i).moe.\($0)" } })
    #expect(
      Self.config.parameterCount(vocabulary: Self.vocabulary)
        == model.parameters.reduce(0) { $0 + $1.value.count })
  }

  /// The published sizes, in millions cut off, are all met with a bias on the head, which the
  /// reference does not have; without it 23 of 25 are, and two lie 40 and 23 thousand below.
  @Test("all sizes of the paper's Table 2")
  func tableSizes() {
    let published: [Int: [Int]] = [
      4: [77, 83, 89, 102, 115], 8: [89, 102, 115, 140, 165], 16: [115, 140, 165, 216, 266],
      32: [165, 216, 266, 367, 468], 64: [266, 367, 468, 670, 871],
    ]
    let vocabulary = 50257
    var short: [Int] = []
    for (experts, sizes) in published.sorted(by: { $0.key < $1.key }) {
      for (hidden, size) in zip([256, 384, 512, 768, 1024], sizes) {
        let config = GPTMoEConfig(experts: experts, hidden: hidden)
        let count = config.parameterCount(vocabulary: vocabulary) ?? 0
        #expect((count + vocabulary) / 1_000_000 == size, "E \(experts), F \(hidden)")
        if count / 1_000_000 != size { short.append(count) }
      }
    }
    #expect(short == [215_959_552, 669_976_576])
  }

  @Test("sizes beyond what can be addressed have no count")
  func tooLarge() {
    let config = GPTMoEConfig(layers: 1000, d: 1_000_000, experts: 1_000_000, hidden: 1_000_000)
    #expect(config.parameterCount(vocabulary: 50257) == nil)
  }

  @Test("a token changes nothing before it, and something after it", arguments: [11, 140])
  func looksBackOnly(context: Int) throws {
    // 140 is more than the queries that attention takes at a time.
    var config = Self.config
    config.context = context
    let model = try Self.model(config)
    let (inputs, _) = Self.text(config)
    let place = context - 5
    func logits(_ row: Int) -> [Float] { Array(model.logits(row: row)) }
    model.forward(inputs, rows: Self.rows)
    let before = (0..<context).map(logits)
    let token = inputs.data[place]
    inputs.data[place] = token == 0 ? 1 : 0
    model.forward(inputs, rows: Self.rows)
    let after = (0..<context).map(logits)
    #expect(before[..<place] == after[..<place])
    for row in place..<context { #expect(before[row] != after[row], "\(row)") }
  }

  @Test("threads change no bit")
  func threads() throws {
    func step(threads: Int) throws -> [Float] {
      let model = try Self.model(threads: threads)
      let (inputs, targets) = Self.text()
      model.forward(inputs, rows: Self.rows)
      let loss = model.loss(targets: targets, rows: Self.rows, forTraining: true)
      model.backward(inputs, rows: Self.rows)
      return model.parameters.flatMap(\.gradient.values) + [Float(loss.mean)]
    }
    let one = try step(threads: 1)
    #expect(try step(threads: 2) == one)
    #expect(try step(threads: 5) == one)
  }

  @Test("a second step on other tokens leaves no trace of the first step's gradients")
  func gradientsAreSet() throws {
    let (first, second) = (try Self.model(), try Self.model())
    let (inputs, targets) = Self.text()
    let other = Tensor(Self.rows, Self.config.context)
    for i in 0..<other.count { other.data[i] = Float((i * 7) % 9) }
    for (model, batches) in [(first, [inputs, other]), (second, [other])] {
      for batch in batches {
        model.forward(batch, rows: Self.rows)
        _ = model.loss(targets: targets, rows: Self.rows, forTraining: true)
        model.backward(batch, rows: Self.rows)
      }
    }
    for (a, b) in zip(first.parameters, second.parameters) {
      #expect(a.gradient.values == b.gradient.values, "\(a.name)")
      #expect(
        a.activity.map { Array($0.hasGradient) } == b.activity.map { Array($0.hasGradient) },
        "\(a.name)")
    }
  }
}
