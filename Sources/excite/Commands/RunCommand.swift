import ArgumentParser
import Experiments

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run an experiment and print its accuracy table.",
    discussion: """
      Examples:
        excite run configs/quickstart.yaml
        excite run configs/cifar10_topk.yaml --seeds 0,1,2 --jobs 2
        excite run configs/cifar10_topk.yaml --set model.hidden_layers=10 --set optimizer.lr=0.1
        excite run configs/smoke.yaml --format markdown > table.md
        excite run configs/cifar10_topk.yaml --slurm --time 2:00:00 --max-running 8
      """)

  @Argument(
    help: ArgumentHelp("The experiment, a YAML file.", valueName: "config"),
    completion: .experiments)
  var config: String

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "Change a value of the config; may be repeated.", valueName: "key.path=value"))
  var set: [String] = []

  @OptionGroup var options: ExperimentOptions

  func run() throws {
    let experiment: ExperimentConfig
    do {
      experiment = try ExperimentConfig.load(path: config, overrides: options.overrides(set: set))
    } catch {
      throw Failure.exit(error)
    }
    try options.carryOut(experiment)
  }
}
