import ArgumentParser
import Experiments

/// What an axis flag without a list stands for.
private let paperGrid = "the paper's grid"

struct SweepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep",
    abstract: "Run an experiment over the grid of all given axes.",
    discussion: """
      An axis flag with a list takes those values; without one it takes the paper's own grid, so \
      `excite sweep --lr` is Table 3 (SGD) on the default experiment. Give CONFIG before the axes.

      Examples:
        excite sweep --lr
        excite sweep --lr --optimizer adam
        excite sweep configs/quickstart.yaml --sparsity 0.9,0.5 --gamma 1,2
        excite sweep configs/cifar10_topk.yaml --set dataset.augmentation=none,flip,flip+crop
      """)

  @Argument(
    help: ArgumentHelp(
      "The experiment; by default the paper's Table 1 on CIFAR-10.",
      valueName: "config"),
    completion: .experiments)
  var config: String?

  @Option(
    defaultAsFlag: paperGrid, help: ArgumentHelp("Learning rates (Table 3).", valueName: "list"))
  var lr: String?

  @Option(
    defaultAsFlag: paperGrid, help: ArgumentHelp("Intensities γ (Table 7).", valueName: "list"))
  var gamma: String?

  @Option(defaultAsFlag: paperGrid, help: ArgumentHelp("Sparsities (Table 4).", valueName: "list"))
  var sparsity: String?

  @Option(defaultAsFlag: paperGrid, help: ArgumentHelp("Batch sizes (Table 5).", valueName: "list"))
  var batchSize: String?

  @Option(
    defaultAsFlag: paperGrid, help: ArgumentHelp("Optimizers (Table 1).", valueName: "list"),
    completion: .optimizers)
  var optimizer: String?

  @Option(
    defaultAsFlag: paperGrid,
    help: ArgumentHelp("Learning rate schedules (Table 6).", valueName: "list"),
    completion: .schedules)
  var schedule: String?

  @Option(
    defaultAsFlag: paperGrid,
    help: ArgumentHelp("Numbers of Top-K layers (depths of Figures 3-5).", valueName: "list"))
  var hiddenLayers: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "An axis over any key, or one value for it; may be repeated.", valueName: "key.path=a,b,c"))
  var set: [String] = []

  @OptionGroup var options: ExperimentOptions

  /// The axis flags that were given, each with its list.
  private var flags: [(axis: PaperGrid.Axis, list: String)] {
    let all: [(PaperGrid.Axis, String?)] = [
      (.optimizer, optimizer), (.lr, lr), (.batchSize, batchSize), (.sparsity, sparsity),
      (.schedule, schedule), (.hiddenLayers, hiddenLayers), (.gamma, gamma),
    ]
    return all.compactMap { axis, list in list.map { (axis, $0) } }
  }

  func validate() throws {
    guard config == nil else { return }
    for (axis, list) in flags where list.hasSuffix(".yaml") || list.hasSuffix(".yml") {
      throw ValidationError(
        "--\(axis.rawValue) takes \(list) for its list: put the config before the axes, as in "
          + "excite sweep \(list) --\(axis.rawValue)")
    }
  }

  func run() throws {
    let experiment: ExperimentConfig
    do {
      var axes = flags.map { SweepAxis($0.axis, list: $0.list == paperGrid ? nil : $0.list) }
      for text in set { axes.append(try SweepAxis(set: text)) }
      let overrides = options.overrides(set: [], axes: axes)
      if let config {
        experiment = try ExperimentConfig.load(path: config, overrides: overrides)
      } else {
        experiment = try ExperimentConfig.standard(overrides: overrides)
      }
    } catch {
      throw Failure.exit(error)
    }
    if flags.isEmpty, experiment.settings.count == 1, experiment.gammas.count == 1 {
      let names = PaperGrid.Axis.allCases.map { "--\($0.rawValue)" }.joined(separator: ", ")
      printError(
        "nothing to sweep over: give an axis (\(names), or --set key.path=a,b), or a config with "
          + "a sweep section; excite run does a config as it is")
      throw ExitCode.validationFailure
    }
    try options.carryOut(experiment)
  }
}
