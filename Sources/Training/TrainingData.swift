import Datasets
import Models
import Tensors

/// The parts of a data set; accuracy and perplexity are measured on `test`, perplexity also on
/// `validation`, which images do not have.
public enum DataSplit: Sendable { case train, validation, test }

/// What a run can be trained on.
public protocol TrainingData: Sendable {
  /// What a prediction chooses from: classes, or a vocabulary.
  var outcomes: Int { get }
  /// Numbers of a sample, for a model that takes any: a Top-K MLP.
  var inputs: Int { get }
  /// Classes that label whole samples; 1 where samples have none.
  var sampleClasses: Int { get }
  /// A hash of all that training reads: a changed byte gives another.
  var fingerprint: String { get }
  /// For perplexity per word; nil where samples are no text.
  var tokensPerTestWord: Double? { get }
  var hasValidation: Bool { get }
  /// Samples of a split as a run reads it.
  func sampleCount(_ split: DataSplit, of config: RunConfig) -> Int
  /// A split as a run reads it.
  /// - Parameter batchSize: samples at once.
  func batches(
    _ split: DataSplit, for config: RunConfig, batchSize: Int, kernels: Kernels
  ) -> any BatchSource
}

extension TrainingData {
  public var inputs: Int { ImageSplit.imageBytes }
}

extension ImageDataset: TrainingData {
  public var outcomes: Int { classes }
  public var sampleClasses: Int { classes }
  public var tokensPerTestWord: Double? { nil }
  public var hasValidation: Bool { false }

  public func sampleCount(_ split: DataSplit, of config: RunConfig) -> Int {
    split == .train ? train.count : test.count
  }

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
  public var tokensPerTestWord: Double? { Double(test.count - 1) / Double(max(1, testWords)) }
  public var hasValidation: Bool { validation != nil }

  public func batches(
    _ split: DataSplit, for config: RunConfig, batchSize: Int, kernels: Kernels
  ) -> any BatchSource {
    TextLoader(
      tokens(of: split), context: Self.context(of: config), batchSize: batchSize,
      forTraining: split == .train, isShuffled: config.order == .shuffled, seed: config.seed)
  }

  public func sampleCount(_ split: DataSplit, of config: RunConfig) -> Int {
    TextLoader.sampleCount(
      tokens: tokens(of: split).count, context: Self.context(of: config),
      forTraining: split == .train)
  }

  private func tokens(of split: DataSplit) -> any TokenSource {
    switch split {
    case .train: train
    case .validation: validation ?? test
    case .test: test
    }
  }

  private static func context(of config: RunConfig) -> Int {
    guard case .gptMoE(let gpt) = config.model else {
      preconditionFailure("text for a \(config.model.name.rawValue)")
    }
    return gpt.context
  }
}
