import Datasets
import Excitation
import Models
import Optimizers
import Tensors
import Text
import Training

/// What a row of a table stands for besides the variant: all that a run's numbers depend on but
/// variant, γ and seed.
public struct Setting: Hashable, Sendable {
  /// One value that differs between the settings of an experiment.
  public struct Varying: Hashable, Sendable {
    /// Short, for a column's head: `lr`, `optimizer`, `batch_size`.
    public let key: String
    /// As YAML; "–" where this setting has no such value.
    public let value: String
  }

  public let dataset: DatasetConfig
  public let corpus: CorpusConfig?
  public let model: ModelConfig
  public let optimizer: OptimizerConfig
  public let schedule: ScheduleConfig
  public let batchSize: Int
  public let microBatch: Int?
  public let clipNorm: Double?
  public let epochs: Int
  public let maxSteps: Int?
  public let order: RunConfig.Order
  /// W, over which excited variants average utilization.
  public let window: Int
  /// The values of the axes that vary in this experiment, in the axes' order. Empty without a grid.
  public let varying: [Varying]

  init(_ config: RunConfig, varying: [Varying]) {
    dataset = config.dataset
    corpus = config.corpus
    model = config.model
    optimizer = config.optimizer
    schedule = config.schedule
    batchSize = config.batchSize
    microBatch = config.microBatch
    clipNorm = config.clipNorm
    epochs = config.epochs
    maxSteps = config.maxSteps
    order = config.order
    window = config.excitation.window
    self.varying = varying
  }

  /// This setting's run with one variant and seed.
  public func run(_ excitation: ExcitationConfig, seed: UInt64) -> RunConfig {
    var excitation = excitation
    excitation.window = window
    return RunConfig(
      dataset: dataset, corpus: corpus, model: model, optimizer: optimizer, schedule: schedule,
      excitation: excitation, batchSize: batchSize, microBatch: microBatch, clipNorm: clipNorm,
      epochs: epochs, maxSteps: maxSteps, order: order, seed: seed
    ).canonical
  }
}

/// A run that an experiment asks for.
public struct PlannedRun: Hashable, Sendable {
  public let setting: Setting
  public let config: RunConfig
  /// `<optimizer>-<variant>-seed<seed>-<8 hex digits of the config's hash>`: the same for the same
  /// numbers, in any experiment; fit for a file name.
  public let label: String

  init(setting: Setting, config: RunConfig) {
    self.setting = setting
    self.config = config
    label = [
      config.optimizer.name.rawValue, config.excitation.variant.rawValue, "seed\(config.seed)",
      String(config.fingerprint.prefix(8)),
    ].joined(separator: "-")
  }
}

extension ExperimentConfig {
  /// All runs: settings, then variants, then intensities, then seeds. Vanilla has no γ, so it runs
  /// once whatever the number of γ.
  public var runs: [PlannedRun] {
    var runs: [PlannedRun] = []
    for setting in settings {
      var seen: Set<RunConfig> = []
      for variant in variants {
        for gamma in gammas {
          for seed in seeds {
            let excitation = ExcitationConfig(variant: variant, gamma: gamma, epsilon: epsilon)
            let config = setting.run(excitation, seed: seed)
            guard seen.insert(config).inserted else { continue }
            runs.append(PlannedRun(setting: setting, config: config))
          }
        }
      }
    }
    return runs
  }
}

extension RunConfig {
  /// Bytes of memory that the run takes, about.
  /// - Parameter classes: of its data, or its vocabulary; nil where they are not known yet.
  public func trainingBytes(classes: Int? = nil, threads: Int = 1) -> Double {
    model.trainingBytes(
      inputs: ImageSplit.imageBytes, classes: classes ?? StepSample.outcomes(of: self),
      batchSize: microBatch ?? batchSize,
      optimizerStates: optimizer.stateCount + (microBatch.map { $0 < batchSize } ?? false ? 1 : 0),
      threads: threads)
  }

  /// The values that matter to the run, as JSON with sorted keys; key paths as in YAML.
  public var canonicalJSON: String {
    let config = canonical
    var values = ConfigKey.all.compactMap { key in key.write(config).map { (key.path, $0) } }
    // Runs had no window once: those that need none keep their names.
    if config.excitation.window == 1 { values.removeAll { $0.0 == ConfigKey.window } }
    values.append(("excitation.variant", config.excitation.variant.rawValue))
    values.append((ConfigKey.gamma, yaml(config.excitation.gamma)))
    values.append(("seed", String(config.seed)))
    let fields = values.sorted { $0.0 < $1.0 }.map { path, text in
      let isBare = Double(text) != nil || text == "true" || text == "false"
      return "\"\(path)\":" + (isBare ? text : quoted(text))
    }
    return "{" + fields.joined(separator: ",") + "}"
  }

  /// A hash of `canonicalJSON`.
  var fingerprint: String {
    var hash = ContentHash()
    hash.add(canonicalJSON)
    return hash.hexadecimal
  }
}
