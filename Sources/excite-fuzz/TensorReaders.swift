import Datasets
import Excitation
import Experiments
import Foundation
import Layers
import Models
import Optimizers
import Tensors
import Training

/// A safetensors file as `--from` takes it.
struct SafetensorsReader: Reader {
  private let sandbox: Sandbox
  let seeds: [[UInt8]]
  let words = [
    "__metadata__", "dtype", "shape", "data_offsets", "F32", "I64", "BF16", "[0,0]",
    "1152921504606846976", "-1", "1e300",
  ]

  init(_ sandbox: Sandbox) throws {
    self.sandbox = sandbox
    let path = sandbox.path("seed")
    try writeSafetensors(
      [("a", Tensor(shape: [2, 3], values: [1, 2, 3, 4, 5, 6])), ("b", Tensor(0))],
      metadata: ["position": "{}"], path: path)
    seeds = [[UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))]
  }

  func read(_ input: [UInt8]) throws {
    try sandbox.write(input, to: "input.safetensors")
    do {
      let file = try SafetensorsFile(path: sandbox.path("input.safetensors"))
      _ = file.fingerprint
      for name in file.names + ["missing"] {
        do { _ = try file.tensor(name) } catch { try check(error) }
        do { _ = try file.integers(name) } catch { try check(error) }
      }
    } catch let error as SafetensorsError {
      try check(error)
    }
  }
}

/// A language model's weights, with the config that they say they are of.
struct WeightsReader: Reader {
  private let sandbox: Sandbox
  let seeds: [[UInt8]]
  let words = [
    "\"model.d\":", "\"model.context\":", "\"dataset.tokenizer\":", "\"model.name\":\"moe_vit\"",
    "1000000", "65536", "\\\"", "\"config\":",
  ]

  init(_ sandbox: Sandbox) throws {
    self.sandbox = sandbox
    try sandbox.write(String(repeating: "a line of text\n", count: 40), to: "text")
    let yaml = """
      dataset: {name: files, tokenizer: byte, train: \(sandbox.path("text"))}
      model: {name: gpt_moe, layers: 1, d: 4, heads: 1, experts: 2, k: 1, hidden: 4, context: 8}
      """
    let run = try ExperimentConfig.parse(yaml: yaml, file: "fuzz.yaml").runs[0]
    let model = try run.config.model.load(nil, classes: 256)
    let path = sandbox.path("seed")
    try writeSafetensors(
      model.parameters.map { ($0.name, $0.value) }, metadata: ["config": run.config.canonicalJSON],
      path: path)
    seeds = [[UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))]
  }

  func read(_ input: [UInt8]) throws {
    try sandbox.write(input, to: "input.safetensors")
    var options = SamplingOptions()
    options.tokens = 3
    do {
      let file = try SafetensorsFile(path: sandbox.path("input.safetensors"))
      _ = try sampleText(file, prompt: "a", options: options, dataDirectory: sandbox.url)
    } catch let error as SafetensorsError {
      try check(error)
    } catch let error as RunnerError {
      try check(error, lines: .max)
    }
  }
}

/// A checkpoint, or the position in one whose checksum is right: damage is one thing, malice another.
struct CheckpointReader: Reader {
  private static let identity = "fuzz"
  private let sandbox: Sandbox
  private let isPosition: Bool
  private let dataset: ImageDataset
  let seeds: [[UInt8]]
  let words = [
    "\"history\":[]", "\"batch\":", "\"step\":", "\"windows\":", "\"experts\":",
    "9223372036854775807",
    "-1", "null", "\"inf\"", "1e308",
  ]

  init(_ sandbox: Sandbox, isPosition: Bool) throws {
    self.sandbox = sandbox
    self.isPosition = isPosition
    let images = ImageSplit(
      images: (0..<6 * ImageSplit.imageBytes).map { UInt8(truncatingIfNeeded: $0 &* 31) },
      labels: [0, 1, 2, 3, 0, 1])
    dataset = ImageDataset(name: .synthetic, classes: 4, train: images, test: images)
    seeds = try Self.checkpoints(dataset, path: sandbox.path("seed"), isPosition: isPosition)
  }

  /// At the start, within the first epoch, within the second.
  private static func checkpoints(
    _ dataset: ImageDataset, path: String, isPosition: Bool
  ) throws -> [[UInt8]] {
    let trainer = try trainer(dataset)
    return try [0, 2, 4].map { steps in
      // Ends in being interrupted, as it is meant to.
      try? trainer.run(onEpoch: { _, _ in }, shouldStop: { trainer.position.step >= steps })
      try trainer.writeCheckpoint(to: path, identity: identity)
      let position = try SafetensorsFile(path: path).metadata["position"] ?? ""
      return isPosition
        ? Array(position.utf8) : [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    }
  }

  /// Three steps an epoch, with a window, so that a position has every part.
  private static func trainer(_ dataset: ImageDataset) throws -> Trainer {
    try Trainer(
      RunConfig(
        dataset: DatasetConfig(name: .synthetic),
        model: .topKMLP(
          TopKMLPConfig(hiddenLayers: 1, width: 4, sparsity: 0.5, normalization: .none)),
        optimizer: OptimizerConfig(.sgd), schedule: ScheduleConfig(),
        excitation: ExcitationConfig(variant: .zeroSum, gamma: 1, window: 2), batchSize: 2,
        epochs: 3, maxSteps: nil, order: .shuffled, seed: 0),
      dataset: dataset)
  }

  func read(_ input: [UInt8]) throws {
    let path = sandbox.path("input.safetensors")
    let trainer = try Self.trainer(dataset)
    if isPosition {
      // A string that is no UTF-8 cannot stand in JSON.
      let text = String(decoding: input, as: UTF8.self)
      var hash = ContentHash()
      hash.add(text)
      for parameter in trainer.model.parameters {
        hash.add(parameter.name)
        hash.add(UnsafeRawBufferPointer(parameter.value.buffer))
      }
      try writeSafetensors(
        trainer.model.parameters.map { ($0.name, $0.value) },
        metadata: [
          "identity": Self.identity, "position": text, "checksum": hash.hexadecimal,
        ], path: path)
    } else {
      try sandbox.write(input, to: "input.safetensors")
    }
    do {
      try trainer.restore(try SafetensorsFile(path: path), identity: Self.identity)
      try trainer.run(onEpoch: { _, _ in })
      try trainer.writeCheckpoint(to: sandbox.path("output"), identity: Self.identity)
    } catch let error as TrainingError {
      try check(error)
    } catch let error as SafetensorsError {
      try check(error)
    }
  }
}
