import Datasets
import Excitation
import Foundation
import Models
import Optimizers
import Reports
import Training

/// An experiment, fully resolved: settings × variants × seeds, every default filled in.
public struct ExperimentConfig: Sendable {
  /// Values that one key takes in turn.
  public struct Axis: Hashable, Sendable {
    /// The key, as the `sweep` section names it.
    public let keyPath: String
    /// Its values as YAML.
    public let values: [String]
  }

  /// The file's base name, or `default`.
  public let name: String
  /// Whether flags changed what the file says.
  public let isOverridden: Bool
  /// The comment lines at the top of the file, without `#`: its source, command, time, accuracy.
  public let header: [String]
  /// The first setting, as a run of vanilla with the first seed.
  public let base: RunConfig
  /// The keys that a grid runs over, the outermost first.
  public let axes: [Axis]
  /// What the grid leaves out, each as YAML.
  let exclusions: [String]
  /// The grid's points, the last axis moving fastest. At least one.
  public let settings: [Setting]
  /// At least one; no two are equal. So too the intensities and the seeds.
  public let variants: [ExcitationVariant]
  public let gammas: [Double]
  public let seeds: [UInt64]
  /// Lower clamp on u for `inverted`.
  public let epsilon: Double

  /// Where each setting's values were given, by key path.
  private let origins: [Setting: [String: ConfigOrigin]]

  // MARK: Loading

  /// Reads an experiment file and applies flags to it.
  ///
  /// - Throws: `ConfigError`, all that is wrong at once where it can be told apart.
  public static func load(
    path: String, overrides: ConfigOverrides = ConfigOverrides()
  ) throws(ConfigError) -> ExperimentConfig {
    try parse(yaml: try YAMLReader.text(ofFile: path), file: path, overrides: overrides)
  }

  /// As `load`, from text.
  /// - Parameter file: names the text in messages; its base name becomes the experiment's, and its
  ///   folder is where a file that it extends is looked for.
  public static func parse(
    yaml: String, file: String, overrides: ConfigOverrides = ConfigOverrides()
  ) throws(ConfigError) -> ExperimentConfig {
    let root = try Composition.node(of: yaml, file: file)
    let name = URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
    return try resolved(
      ExperimentDraft(root), name: name, header: header(of: yaml), overrides: overrides)
  }

  /// The experiment that an empty file would mean: Table 1's first row.
  public static func standard(
    overrides: ConfigOverrides = ConfigOverrides()
  ) throws(ConfigError) -> ExperimentConfig {
    let root = ConfigNode(content: .map([]), origin: .standard)
    return try resolved(ExperimentDraft(root), name: "default", header: [], overrides: overrides)
  }

  private static func resolved(
    _ draft: ExperimentDraft, name: String, header: [String], overrides: ConfigOverrides
  ) throws(ConfigError) -> ExperimentConfig {
    var draft = draft
    draft.apply(overrides)
    var reader = ExperimentReader(draft)
    let parts = try reader.read()
    return ExperimentConfig(
      name: name, isOverridden: overrides != ConfigOverrides(), header: header, parts: parts)
  }

  private init(
    name: String, isOverridden: Bool, header: [String], parts: ExperimentReader.Parts
  ) {
    self.name = name
    self.isOverridden = isOverridden
    self.header = header
    var base = parts.points[0].config
    base.seed = parts.seeds[0]
    self.base = base
    axes = parts.axes
    exclusions = parts.exclusions
    variants = parts.variants
    gammas = parts.gammas
    seeds = parts.seeds
    epsilon = parts.epsilon
    settings = parts.points.map { Setting($0.config, varying: $0.varying) }
    origins = Dictionary(
      zip(settings, parts.points.map(\.origins)), uniquingKeysWith: { first, _ in first })
  }

  /// The settings of several experiments that share variants, intensities and seeds, each once.
  /// - Parameter parts: at least one.
  static func joined(_ parts: [ExperimentConfig], name: String) -> ExperimentConfig {
    ExperimentConfig(joining: parts, name: name)
  }

  private init(joining parts: [ExperimentConfig], name: String) {
    self.name = name
    isOverridden = false
    header = []
    base = parts[0].base
    axes = []
    exclusions = []
    variants = parts[0].variants
    gammas = parts[0].gammas
    seeds = parts[0].seeds
    epsilon = parts[0].epsilon
    settings = distinct(parts.flatMap(\.settings))
    origins = parts.reduce(into: [:]) { all, part in
      all.merge(part.origins, uniquingKeysWith: { first, _ in first })
    }
  }

  private static func header(of yaml: String) -> [String] {
    var lines: [String] = []
    for line in yaml.split(whereSeparator: \.isNewline) {
      let text = line.drop { $0 == " " || $0 == "\u{FEFF}" }
      guard text.first == "#" else { break }
      let words = text.drop { $0 == "#" }
      lines.append(String(words.first == " " ? words.dropFirst() : words))
    }
    return lines
  }

  // MARK: Against the data

  /// Checks a run against the data it will read, once they are loaded.
  ///
  /// - Parameter trainCount: training records after `dataset.limit`.
  /// - Throws: `ConfigError.conflict` where a batch is larger than that.
  public func validate(run: PlannedRun, trainCount: Int) throws(ConfigError) {
    guard run.config.batchSize > trainCount else { return }
    let origins = origins[run.setting] ?? [:]
    throw ExperimentReader.batchTooLarge(run.config, records: trainCount, origins: origins)
  }
}
