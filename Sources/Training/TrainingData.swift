import Datasets
import Models
import Tensors

/// The parts of a data set; accuracy and perplexity are measured on `test`.
public enum DataSplit: Sendable { case train, test }

/// What a run can be trained on.
public protocol TrainingData: Sendable {
  /// What a prediction chooses from: classes, or a vocabulary.
  var outcomes: Int { get }
  /// Classes that label whole samples; 1 where samples have none.
  var sampleClasses: Int { get }
  /// A hash of all that training reads: a changed byte gives another.
  var fingerprint: String { get }
  /// A split as a run reads it.
  /// - Parameter batchSize: samples at once.
  func batches(
    _ split: DataSplit, for config: RunConfig, batchSize: Int, kernels: Kernels
  ) -> any BatchSource
}

extension ImageDataset: TrainingData {
  public var outcomes: Int { classes }
  public var sampleClasses: Int { classes }

  public func batches(
    _ split: DataSplit, for config: RunConfig, batchSize: Int, kernels: Kernels
  ) -> any BatchSource {
    BatchLoader(
      split == .train ? train : test, config: config.dataset, batchSize: batchSize,
      forTraining: split == .train, isShuffled: config.order == .shuffled, seed: config.seed,
      kernels: kernels)
  }
}

extension TextDataset: TrainingData {
  public var outcomes: Int { vocabulary }
  public var sampleClasses: Int { 1 }

  public var fingerprint: String {
    var hash = ContentHash()
    hash.add("\(vocabulary)")
    for split in [train, validation, test] {
      var numbers: [UInt32] = []
      numbers.reserveCapacity(split.count)
      for place in 0..<split.count { numbers.append(UInt32(split[place])) }
      numbers.withUnsafeBytes { hash.add($0) }
    }
    return hash.hexadecimal
  }

  public func batches(
    _ split: DataSplit, for config: RunConfig, batchSize: Int, kernels: Kernels
  ) -> any BatchSource {
    guard case .gptMoE(let gpt) = config.model else {
      preconditionFailure("text for a \(config.model.name.rawValue)")
    }
    return TextLoader(
      split == .train ? train : test, context: gpt.context, batchSize: batchSize,
      forTraining: split == .train, isShuffled: config.order == .shuffled, seed: config.seed)
  }
}
