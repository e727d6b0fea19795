import Layers
import Models
import Tensors
import TestSupport
import Testing

@Suite("The MoE vision transformer")
struct MoEViTTests {
  static let classes = 5
  /// 17 tokens of an image.
  static let config = MoEViTConfig(
    layers: 2, d: 24, heads: 3, experts: 6, k: 2, hidden: 20, patch: 8, balanceWeight: 0.3,
    zWeight: 0.1)
  static let rows = 9

  /// With weights large enough for every part to matter.
  static func model(
    _ config: MoEViTConfig = config, capacity: Int = rows, threads: Int = 1
  ) throws -> MoEViT {
    try BLAS.load()
    let model = MoEViT(
      config, classes: classes, capacity: capacity, seed: 0, workers: Workers(threads))
    var random = RandomStream(test: 5)
    for parameter in model.parameters {
      let scale = parameter.value.shape.count > 1 ? 0.2 : Float(0.3)
      for i in 0..<parameter.value.count { parameter.value.data[i] += scale * random.normal() }
    }
    return model
  }

  static func images(_ count: Int = rows, seed: UInt64 = 6) -> Tensor {
    var random = RandomStream(test: seed)
    return Tensor(shape: [count, 3072], values: random.normals(count * 3072))
  }

  static let labels: [Int32] = (0..<rows).map { Int32($0 % classes) }

  /// Everything a step leaves in a model.
  static func step(_ model: MoEViT) -> (logits: [Float], gradients: [Float], loss: Double) {
    model.forward(images(), rows: rows)
    let loss = model.loss(targets: labels, rows: rows, forTraining: true)
    model.backward(images(), rows: rows)
    return (
      Array(model.head.logits.values.prefix(rows * classes)),
      model.parameters.flatMap(\.gradient.values), loss.mean + model.auxiliaryLoss
    )
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
        == ["cls", "pos_embed", "patch_embed.weight", "patch_embed.bias"]
        + (0..<2).flatMap { i in block.map { "blocks.\(i).\($0)" } }
        + ["norm.weight", "norm.bias", "head.weight", "head.bias"])
    #expect(
      model.parameters.prefix(4).map(\.value.shape) == [[1, 24], [17, 24], [24, 192], [24]])
    #expect(
      model.parameters[12..<17].map(\.value.shape) == [
        [6, 20, 24], [6, 20], [6, 24, 20], [6, 24], [6, 24],
      ])
    #expect(
      model.parameters.filter { $0.expertLayer != nil }.map(\.name)
        == (0..<2).flatMap { i in ["w1", "b1", "w2", "b2"].map { "blocks.\(i).moe.\($0)" } })
  }

  @Test("the numbers of parameters that the paper's sizes make")
  func counts() throws {
    // As PyTorch counts them in the reference.
    #expect(MoEViTConfig().parameterCount(classes: 10) == 17_190_794)
    let small = MoEViTConfig(layers: 2, d: 512, heads: 8, experts: 32, k: 8, hidden: 32)
    #expect(small.parameterCount(classes: 10) == 4_335_114)
    let model = try Self.model()
    #expect(
      Self.config.parameterCount(classes: Self.classes)
        == model.parameters.reduce(0) { $0 + $1.value.count })
    let huge = MoEViTConfig(layers: 1000, d: 1_000_000, experts: 1_000_000, hidden: 1_000_000)
    #expect(huge.parameterCount(classes: 10) == nil)
  }

  @Test("initialization: normal 0.02, residual projections less, biases 0, gains 1")
  func initialization() {
    let model = MoEViT(MoEViTConfig(layers: 2), classes: 10, capacity: 1, seed: 3)
    for parameter in model.parameters {
      let (name, values) = (parameter.name, parameter.value.values)
      if parameter.value.shape.count == 1 || name.hasSuffix(".b1") || name.hasSuffix(".b2") {
        let isGain = name.contains("norm") && name.hasSuffix("weight")
        #expect(values.allSatisfy { $0 == (isGain ? 1 : 0) }, "\(name)")
        continue
      }
      let isResidual = name.hasSuffix("proj.weight") || name.hasSuffix("moe.w2")
      // 0.02/√(2·2) is 0.01.
      let expected = isResidual ? 0.01 : 0.02
      let square = values.reduce(0) { $0 + Double($1) * Double($1) } / Double(values.count)
      // A normal's x² varies by √2 of its mean.
      let error = 5 * (2 / Double(values.count)).squareRoot()
      #expect((square / (expected * expected) - 1).magnitude < error, "\(name)")
    }
    let again = MoEViT(
      MoEViTConfig(layers: 2), classes: 10, capacity: 1, seed: 3, workers: Workers(2))
    #expect(again.parameters.map(\.value.values) == model.parameters.map(\.value.values))
  }

  @Test("K different experts per token, gates that sum to 1, slots that lead back to their tokens")
  func routing() throws {
    let model = try Self.model()
    model.forward(Self.images(), rows: Self.rows)
    let (k, tokens) = (Self.config.k, 17)
    for (index, block) in model.blocks.enumerated() {
      let routing = block.router.routing
      var counts = [Int32](repeating: 0, count: Self.config.experts)
      var seen: Set<Int32> = []
      for row in 0..<Self.rows * tokens {
        let picks = (0..<k).map { routing.picks[row * routing.pickDistance + $0] }
        let scores = (0..<routing.experts).map {
          routing.scores[row * routing.scoreDistance + $0]
        }
        // The K largest scores, all different here.
        #expect(
          Set(picks)
            == Set(
              (0..<Int32(routing.experts)).sorted { scores[Int($0)] > scores[Int($1)] }
                .prefix(k)))
        for pick in picks { counts[Int(pick)] += 1 }
        let gates = (0..<k).map { block.router.gates.data[row * k + $0] }
        #expect((gates.reduce(0, +) - 1).magnitude < 3e-7)
        // The last block's experts work on class tokens alone.
        let isWorkedOn = index == 0 || row % tokens == 0
        for j in 0..<k {
          let slot = block.dispatch.slots.data[row * k + j]
          guard isWorkedOn else {
            #expect(slot == -1)
            continue
          }
          let expert = Int(picks[j])
          #expect(seen.insert(slot).inserted)
          #expect(block.dispatch.tokens.data[Int(slot)] == Int32(row))
          #expect(block.dispatch.gates.data[Int(slot)] == gates[j])
          #expect(
            (block.dispatch.starts.data[expert]..<block.dispatch.starts.data[expert + 1])
              .contains(slot))
        }
      }
      #expect(Array(block.counts) == counts)
      #expect(seen.count == block.dispatch.count)
      #expect(seen.count == (index == 0 ? Self.rows * tokens * k : Self.rows * k))
    }
  }

  @Test("experts in another order make the same network")
  func permutation() throws {
    let (one, other) = (try Self.model(), try Self.model())
    let order = [3, 0, 5, 1, 4, 2]
    for (source, target) in zip(one.parameters, other.parameters)
    where source.name.contains(".moe.") {
      let length = source.value.rowLength
      for (place, expert) in order.enumerated() {
        (target.value.data + place * length).update(
          from: source.value.data + expert * length, count: length)
      }
    }
    let (first, second) = (Self.step(one), Self.step(other))
    // Sums over a token's experts run in another order.
    expectClose(second.logits, first.logits, atol: 1e-5, name: "logits")
    #expect((first.loss - second.loss).magnitude < 1e-5)
    for (source, target) in zip(one.parameters, other.parameters) {
      let rows = source.name.contains(".moe.") ? order : Array(0..<source.value.rows)
      let length = source.value.rowLength
      let expected = rows.flatMap { row in
        Array(UnsafeBufferPointer(start: source.gradient.data + row * length, count: length))
      }
      expectClose(target.gradient.values, expected, atol: 1e-5, name: source.name)
    }
  }

  @Test("any number of threads leaves the same bits")
  func threads() throws {
    let single = Self.step(try Self.model(threads: 1))
    for threads in [2, 3, 5] {
      let many = Self.step(try Self.model(threads: threads))
      expectSameBits(many.logits, single.logits, name: "logits of \(threads) threads")
      expectSameBits(many.gradients, single.gradients, name: "gradients of \(threads) threads")
    }
  }

  @Test("an image's logits ignore the rest of its batch, and the batches before")
  func independence() throws {
    let model = try Self.model()
    model.forward(Self.images(seed: 7), rows: Self.rows)
    let images = Self.images()
    model.forward(images, rows: Self.rows)
    let together = model.head.logits.values
    for row in 0..<Self.rows {
      let image = Tensor(
        shape: [1, 3072], values: Array(images.values[row * 3072..<(row + 1) * 3072]))
      model.forward(image, rows: 1)
      // Products of fewer rows may add in another order.
      expectClose(
        Array(model.head.logits.values.prefix(Self.classes)),
        Array(together[row * Self.classes..<(row + 1) * Self.classes]), atol: 1e-5,
        name: "image \(row)")
    }
  }

  @Test("every gradient against differences of the loss, experts without tokens having none")
  func gradients() throws {
    var config = Self.config
    config.experts = 12
    config.patch = 16
    let model = try Self.model(config)
    func loss() -> Double {
      model.forward(Self.images(), rows: Self.rows)
      return model.loss(targets: Self.labels, rows: Self.rows, forTraining: true).mean
        + model.auxiliaryLoss
    }
    func counts() -> [[Int32]] { model.expertCounts.map { Array($0) } }
    _ = loss()
    let picked = counts()
    model.backward(Self.images(), rows: Self.rows)
    var random = RandomStream(test: 8)
    for parameter in model.parameters {
      // Along a random direction the loss, of float32 sums good to 1e-6, moves by up to 2·step·|g|.
      let direction = random.normals(parameter.value.count)
      let norm = direction.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let unit = direction.map { $0 / norm }
      let expected = zip(parameter.gradient.values, unit).reduce(0) {
        $0 + Double($1.0) * Double($1.1)
      }
      let before = parameter.value.values
      let step: Float = 5e-3
      func move(_ by: Float) -> Double {
        for i in before.indices { parameter.value.data[i] = before[i] + by * unit[i] }
        return loss()
      }
      let (above, abovePicks) = (move(step), counts())
      let (below, belowPicks) = (move(-step), counts())
      for i in before.indices { parameter.value.data[i] = before[i] }
      // Where a token changes its expert on the way the loss jumps.
      guard abovePicks == picked, belowPicks == picked else { continue }
      let slope = (above - below) / Double(2 * step)
      #expect(
        (slope - expected).magnitude < 2e-3 + 0.01 * expected.magnitude,
        "\(parameter.name): \(slope) by differences, \(expected) by the backward pass")
    }
    _ = loss()
    for (layer, block) in model.blocks.enumerated() where layer == 0 {
      for (expert, count) in block.counts.enumerated() where count == 0 {
        let length = block.experts.w1.value.rowLength
        let gradient = (0..<length).map {
          block.experts.w1.gradient.data[expert * length + $0]
        }
        #expect(gradient.allSatisfy { $0 == 0 })
      }
    }
  }

  @Test("an expert that loses its tokens loses its gradient")
  func idle() throws {
    let model = try Self.model()
    _ = Self.step(model)
    // A router that scores expert 0 lowest whatever the token: a gain of 0 makes the norm's output
    // its offset.
    let names = ["blocks.0.norm2.weight", "blocks.0.norm2.bias", "blocks.0.moe.router.weight"]
    for parameter in model.parameters where names.contains(parameter.name) {
      let isGain = parameter.name.hasSuffix("norm2.weight")
      for i in 0..<parameter.value.count {
        let expert = i / parameter.value.rowLength
        parameter.value.data[i] = isGain ? 0 : parameter.name.hasSuffix("bias") ? 1 : Float(expert)
      }
    }
    _ = Self.step(model)
    // Experts 4 and 5 are everyone's.
    #expect(Array(model.blocks[0].counts) == [0, 0, 0, 0, 153, 153])
    for parameter in model.blocks[0].experts.tensors {
      let length = parameter.value.rowLength
      let values = parameter.gradient.values
      #expect(values.prefix(4 * length).allSatisfy { $0 == 0 }, "\(parameter.name)")
      #expect(values.suffix(2 * length).contains { $0 != 0 }, "\(parameter.name)")
      #expect(
        parameter.activity.map { Array($0.hasGradient) } == [
          false, false, false, false, true, true,
        ])
    }
  }
}
