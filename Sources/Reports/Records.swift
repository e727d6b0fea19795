/// One axis along which an experiment's settings differ, as a config path and its value in text.
public struct SettingAxis: Codable, Hashable, Sendable {
  /// The path in YAML (`optimizer.lr`) or its last word (`lr`).
  public let key: String
  public let value: String

  public init(_ key: String, _ value: String) {
    self.key = key
    self.value = value
  }
}

/// What a run was trained with, apart from its variant, γ and seed. Runs of equal settings
/// are compared with each other: they form one group of the table.
public struct SettingRecord: Codable, Hashable, Sendable {
  public var model: String
  public var dataset: String
  public var optimizer: String
  public var lr: Double
  /// μ, for the optimizer `momentum`.
  public var momentum: Double?
  public var batchSize: Int
  /// Share of silenced neurons, in [0, 1), for models that have one.
  public var sparsity: Double?
  public var schedule: String
  public var hiddenLayers: Int?
  public var width: Int?
  /// Epochs planned.
  public var epochs: Int
  /// Steps after which runs stop, where that was asked for.
  public var maxSteps: Int?
  /// Batches that utilization is averaged over, where more than one.
  public var window: Int?
  /// The first so many images of each split, where not all.
  public var limit: Int?
  public var testLimit: Int?
  /// Of a transformer: experts of a block, their hidden width, attention heads; the side of a patch
  /// of an image, or the tokens that it looks back on.
  public var experts: Int?
  public var hidden: Int?
  public var heads: Int?
  public var patch: Int?
  public var context: Int?
  /// Experts or neurons that are picked, where the config gives their number.
  public var picked: Int?
  /// The axes that vary in this experiment, with this setting's values. Axes of γ, variants
  /// and seeds are ignored: those have their own places in the table.
  public var varying: [SettingAxis]
  /// Whether the rest of the recipe (data set, augmentation, epochs, optimizer constants) is the
  /// one under which published values may stand beside ours; false shows none.
  public var comparable: Bool

  public init(
    model: String, dataset: String, optimizer: String, lr: Double, momentum: Double? = nil,
    batchSize: Int, sparsity: Double?, schedule: String, hiddenLayers: Int?, width: Int?,
    epochs: Int, varying: [SettingAxis] = [], comparable: Bool
  ) {
    self.model = model
    self.dataset = dataset
    self.optimizer = optimizer
    self.lr = lr
    self.momentum = momentum
    self.batchSize = batchSize
    self.sparsity = sparsity
    self.schedule = schedule
    self.hiddenLayers = hiddenLayers
    self.width = width
    self.epochs = epochs
    self.varying = varying
    self.comparable = comparable
  }

  enum CodingKeys: String, CodingKey {
    case model, dataset, optimizer, lr, momentum
    case batchSize = "batch_size"
    case sparsity, schedule
    case hiddenLayers = "hidden_layers"
    case width, epochs
    case maxSteps = "max_steps"
    case window, limit
    case testLimit = "test_limit"
    case experts, hidden, heads, patch, context
    case picked = "k"
    case varying, comparable
  }
}

/// What became of one run: one setting, one variant, one seed.
public struct RunOutcome: Codable, Hashable, Sendable {
  public enum Status: Hashable, Sendable {
    case finished
    case failed(reason: String)
    case interrupted
  }

  /// The run's name in messages, unique within its experiment.
  public var label: String
  public var setting: SettingRecord
  public var variant: String
  /// γ; without meaning for `vanilla`.
  public var gamma: Double?
  public var seed: UInt64
  public var status: Status
  /// Test accuracy at the last epoch, percent.
  public var accuracy: Double?
  /// Of a language model, exp of the mean cross entropy per token of the test text at the last epoch,
  /// and the same spread over its words.
  public var perplexity: Double?
  public var wordPerplexity: Double?
  /// As `perplexity`, of the validation text.
  public var validationPerplexity: Double?
  /// Training loss of the last epoch, nats.
  public var trainLoss: Double?
  public var secondsPerEpoch: Double?
  /// Epochs done.
  public var epochs: Int
  /// Images that it was trained and tested on; nil where not told.
  public var trainImages: Int?
  public var testImages: Int?
  /// The engine's numerics version, of a run that the store has; not part of what is kept.
  public var numerics: Int?
  /// The fingerprint of its data, of a run that the store has; not part of what is kept.
  public var data: String?
  /// What it was made on, of a run that the store has; not part of what is kept.
  public var machine: String?

  public init(
    label: String, setting: SettingRecord, variant: String, gamma: Double?, seed: UInt64,
    status: Status, accuracy: Double?, trainLoss: Double?, secondsPerEpoch: Double?, epochs: Int
  ) {
    self.label = label
    self.setting = setting
    self.variant = variant
    self.gamma = gamma
    self.seed = seed
    self.status = status
    self.accuracy = accuracy
    self.trainLoss = trainLoss
    self.secondsPerEpoch = secondsPerEpoch
    self.epochs = epochs
  }

  enum CodingKeys: String, CodingKey {
    case label, setting, variant, gamma, seed, status, accuracy, perplexity
    case wordPerplexity = "word_perplexity"
    case validationPerplexity = "validation_perplexity"
    case trainLoss = "train_loss"
    case secondsPerEpoch = "seconds_per_epoch"
    case epochs
    case trainImages = "train_images"
    case testImages = "test_images"
  }
}

/// In files: `{"state": "finished"}`, or `{"state": "failed", "reason": "…"}`.
extension RunOutcome.Status: Codable {
  enum CodingKeys: String, CodingKey { case state, reason }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    switch try container.decode(String.self, forKey: .state) {
    case "finished": self = .finished
    case "failed": self = .failed(reason: try container.decode(String.self, forKey: .reason))
    case "interrupted": self = .interrupted
    case let other:
      throw DecodingError.dataCorruptedError(
        forKey: .state, in: container,
        debugDescription: "'\(other)' is not one of finished, failed, interrupted")
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .finished: try container.encode("finished", forKey: .state)
    case .failed(let reason):
      try container.encode("failed", forKey: .state)
      try container.encode(reason, forKey: .reason)
    case .interrupted: try container.encode("interrupted", forKey: .state)
    }
  }
}

/// The machine and the program that made the numbers.
public struct EnvironmentRecord: Codable, Hashable, Sendable {
  public var cpu: String
  public var cores: Int
  /// The BLAS library's name, such as `OpenBLAS`.
  public var blasLibrary: String
  public var blasVersion: String?
  /// The core type whose kernels BLAS chose, such as `SkylakeX`.
  public var blasCore: String?
  /// BLAS threads per run.
  public var blasThreads: Int
  /// The instruction set of our own kernels, such as `avx512`.
  public var kernels: String
  public var os: String
  public var swift: String?
  /// Build configuration, `release` or `debug`.
  public var build: String?
  public var commit: String?
  public var version: String
  /// Runs at once.
  public var jobs: Int

  public init(
    cpu: String, cores: Int, blasLibrary: String, blasVersion: String?, blasCore: String?,
    blasThreads: Int, kernels: String, os: String, swift: String? = nil, build: String? = nil,
    commit: String?, version: String, jobs: Int
  ) {
    self.cpu = cpu
    self.cores = cores
    self.blasLibrary = blasLibrary
    self.blasVersion = blasVersion
    self.blasCore = blasCore
    self.blasThreads = blasThreads
    self.kernels = kernels
    self.os = os
    self.swift = swift
    self.build = build
    self.commit = commit
    self.version = version
    self.jobs = jobs
  }

  enum CodingKeys: String, CodingKey {
    case cpu, cores
    case blasLibrary = "blas_library"
    case blasVersion = "blas_version"
    case blasCore = "blas_core"
    case blasThreads = "blas_threads"
    case kernels, os, swift, build, commit, version, jobs
  }
}

/// What was asked for.
public struct ExperimentRecord: Codable, Hashable, Sendable {
  public var name: String
  /// The comment lines on top of the config, without `#`.
  public var header: [String]
  /// The command that repeats this experiment.
  public var command: String
  /// The resolved config as YAML.
  public var config: String
  public var seeds: [UInt64]
  public var variants: [String]
  /// What a reader must know of all rows, one sentence each, printed under the table.
  public var notes: [String]

  public init(
    name: String, header: [String], command: String, config: String, seeds: [UInt64],
    variants: [String], notes: [String] = []
  ) {
    self.name = name
    self.header = header
    self.command = command
    self.config = config
    self.seeds = seeds
    self.variants = variants
    self.notes = notes
  }
}
