import Datasets
import Excitation
import Foundation
import Models
import Optimizers
import Tensors
import TestSupport
import Testing
import Text
import Training

/// A language model that PyTorch trained and wrote by its `state_dict`'s keys, and what PyTorch makes
/// of a text with it (scripts/golden/gpt_moe.py).
@Suite("A checkpoint of PyTorch")
struct CheckpointGoldenTests {
  struct Facts: Decodable {
    let vocabulary: Int
    let context: Int
    let d: Int
    let layers: Int
    let heads: Int
    let hidden: Int
    let experts: Int
    let k: Int
    let float32Error: Float

    var config: GPTMoEConfig {
      GPTMoEConfig(
        layers: layers, d: d, heads: heads, experts: experts, k: k, hidden: hidden,
        context: context)
    }
  }

  struct Bytes: TokenSource {
    let numbers: [Int]
    var count: Int { numbers.count }
    subscript(place: Int) -> Int { numbers[place] }
  }

  private let weights: SafetensorsFile
  private let says: SafetensorsFile
  private let facts: Facts

  init() throws {
    weights = try openFixture("gpt_moe_checkpoint")
    let golden = try GoldenFile<Facts>("gpt_moe_checkpoint_says")
    says = golden.tensors
    facts = try #require(golden.cases["checkpoint"])
  }

  /// As for the forward pass of `GPTMoEGoldenTests`.
  private var bound: Float { TransformerGolden.bound(facts.float32Error) }

  private func trainer() throws -> Trainer {
    let text = Bytes(numbers: try says.integers("text").map { Int($0) })
    let config = RunConfig(
      dataset: DatasetConfig(name: .synthetic), corpus: CorpusConfig(name: .synthetic),
      model: .gptMoE(facts.config), optimizer: OptimizerConfig(.adam), schedule: ScheduleConfig(),
      excitation: ExcitationConfig(variant: .zeroSum), batchSize: 2, epochs: 1, seed: 0)
    return try Trainer(
      config,
      dataset: TextDataset(
        vocabulary: facts.vocabulary, train: text, test: text, testWords: 1, fingerprint: ""),
      initial: weights)
  }

  @Test("its logits")
  func logits() throws {
    let expected = try says.tensor("logits", shape: [2, facts.context, facts.vocabulary])
    let model = try #require(try trainer().model as? GPTMoE)
    let inputs = Tensor(2, facts.context)
    let text = try says.integers("text")
    for row in 0..<2 {
      for place in 0..<facts.context {
        inputs.data[row * inputs.rowLength + place] = Float(text[row * facts.context + place])
      }
    }
    model.forward(inputs, rows: 2)
    let logits = (0..<2 * facts.context).flatMap { Array(model.logits(row: $0)) }
    expectClose(logits, expected.values, atol: bound, name: "logits")
    // They are far from alike, so that a wrong weight shows.
    #expect((expected.values.map(\.magnitude).max() ?? 0) > 1e5 * bound)
  }

  /// The cross entropy of a token moves by at most twice what its logits do.
  @Test("its perplexity on a text")
  func perplexity() throws {
    let measured = try trainer().evaluate()
    let text = try says.integers("text")
    #expect(measured.rows == text.count - 1)
    let loss = try says.tensor("loss").values[0]
    expectClose([Float(measured.mean)], [loss], atol: 2 * bound, name: "loss")
    // Of 256 bytes, PyTorch's model hesitates between about two.
    #expect(exp(measured.mean) > 2 && exp(measured.mean) < 2.5)
  }

  @Test("written again it has PyTorch's names, shapes and bits")
  func wayBack() throws {
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent("excite-\(UUID().uuidString).safetensors").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try trainer().save(to: path, metadata: [:])
    let written = try SafetensorsFile(path: path)
    #expect(written.names.sorted() == weights.names.sorted())
    for name in weights.names {
      let (ours, theirs) = (try written.tensor(name), try weights.tensor(name))
      #expect(ours.shape == theirs.shape, "\(name)")
      #expect(ours.values.map(\.bitPattern) == theirs.values.map(\.bitPattern), "\(name)")
    }
  }
}
