import Datasets
import Excitation
import Models
import Optimizers
import Text

/// Raised with every change after which some run leaves other bits, so that results of different
/// engines are never mixed.
public let numericsVersion = 1

/// Everything that determines the numbers of one run: one setting, one variant, one seed.
public struct RunConfig: Codable, Hashable, Sendable {
  public enum Order: String, CaseIterable, Codable, Hashable, Sendable {
    /// A new permutation of the records each epoch, from the seed.
    case shuffled
    /// The records as they stand in the files.
    case sequential
  }

  /// Of a run on images.
  public var dataset: DatasetConfig
  /// Of a run on text; nil for one on images.
  public var corpus: CorpusConfig?
  public var model: ModelConfig
  public var optimizer: OptimizerConfig
  public var schedule: ScheduleConfig
  public var excitation: ExcitationConfig
  /// Samples of a step.
  public var batchSize: Int
  /// Samples whose activations are in memory at once; the step sums their parts' gradients and
  /// utilization. nil for the whole batch.
  public var microBatch: Int?
  /// The gradient is scaled down to this norm over all parameters where it is longer.
  public var clipNorm: Double?
  public var epochs: Int
  /// Stop after so many steps in all, where given.
  public var maxSteps: Int?
  public var order: Order
  public var seed: UInt64

  public init(
    dataset: DatasetConfig, corpus: CorpusConfig? = nil, model: ModelConfig,
    optimizer: OptimizerConfig,
    schedule: ScheduleConfig, excitation: ExcitationConfig, batchSize: Int, microBatch: Int? = nil,
    clipNorm: Double? = nil, epochs: Int, maxSteps: Int? = nil, order: Order = .shuffled,
    seed: UInt64
  ) {
    self.dataset = dataset
    self.corpus = corpus
    self.model = model
    self.optimizer = optimizer
    self.schedule = schedule
    self.excitation = excitation
    self.batchSize = batchSize
    self.microBatch = microBatch
    self.clipNorm = clipNorm
    self.epochs = epochs
    self.maxSteps = maxSteps
    self.order = order
    self.seed = seed
  }
}
