import ArgumentParser
import Excitation
import Experiments
import Foundation
import Models
import Optimizers

extension OptimizerName: ExpressibleByArgument {}
extension ExcitationVariant: ExpressibleByArgument {}

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Time the engine.",
    discussion: """
      Examples:
        excite bench step --optimizer adam
        excite bench epoch configs/cifar10_topk.yaml
        excite bench overhead --only mlp-2048x2
        excite bench scale --axis experts
        excite bench gemm
      """,
    subcommands: [
      Step.self, Epoch.self, Overhead.self, Scale.self, Start.self, GEMM.self,
    ])
}

/// What is timed, for the commands that train a model.
struct BenchModel: ParsableArguments {
  @Argument(
    help: ArgumentHelp("An experiment whose first run gives the model.", valueName: "config"),
    completion: .experiments)
  var config: String?
  @Option(help: ArgumentHelp("The model, as topk_mlp.", valueName: "name")) var model: String?
  @Option(help: ArgumentHelp("Samples per step.", valueName: "n")) var batchSize: Int?
  @Option(help: "The optimizer.") var optimizer: OptimizerName?
  @Option(help: "The variant of Φ.") var variant = ExcitationVariant.zeroSum
  @Option(help: ArgumentHelp("Top-K layers.", valueName: "n")) var hiddenLayers: Int?
  @Option(help: ArgumentHelp("Neurons per layer.", valueName: "n")) var width: Int?
  @Option(help: ArgumentHelp("Share of silenced neurons.", valueName: "share"))
  var sparsity: Double?
  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Change another value; may be repeated.", valueName: "key.path=value"))
  var set: [String] = []

  /// Whether config or flags describe a model; batch, optimizer and variant alone do not.
  var isGiven: Bool {
    config != nil || model != nil || hiddenLayers != nil || width != nil || sparsity != nil
      || !set.isEmpty
  }

  /// The experiment that config and flags make.
  /// - Parameters:
  ///   - standard: changes to the experiment that stands in where no config is given.
  ///   - varied: changes that come last.
  func experiment(
    standard: [String] = [], varied: [String] = []
  ) throws -> ExperimentConfig {
    let flags: [(String, String?)] = [
      ("model.name", model), ("optimizer", optimizer?.rawValue),
      ("batch_size", batchSize.map(String.init)),
      ("model.hidden_layers", hiddenLayers.map(String.init)),
      ("model.width", width.map(String.init)), ("model.sparsity", sparsity.map { "\($0)" }),
    ]
    let changes = flags.compactMap { key, value in value.map { "\(key)=\($0)" } } + set + varied
    func overrides(_ set: [String]) -> ConfigOverrides {
      ConfigOverrides(set: set, seeds: "0", variants: variant.rawValue)
    }
    do {
      guard let config else {
        // Of text only the vocabulary's size matters here.
        let text = model == ModelName.gptMoE.rawValue ? ["dataset.name=wikitext2"] : []
        return try .standard(overrides: overrides(standard + text + changes))
      }
      return try .load(path: config, overrides: overrides(changes))
    } catch {
      throw Failure.exit(error)
    }
  }
}

/// How it is timed and told.
struct BenchRepetitions: ParsableArguments {
  @Option(help: ArgumentHelp("Threads of a matrix product.", valueName: "n")) var threads = 1
  @Option(help: ArgumentHelp("Timed repetitions.", valueName: "n")) var repetitions = 10
  @Flag(help: "Print JSON.") var json = false

  mutating func validate() throws {
    if repetitions < 1 { throw ValidationError("--repetitions \(repetitions): give 1 or more") }
    try checkThreads(threads)
  }
}

/// - Throws: for a number of threads that no machine has.
func checkThreads(_ threads: Int, flag: String = "--threads") throws {
  guard 1...mostThreads ~= threads else {
    throw ValidationError("\(flag) \(threads): give 1 to \(mostThreads)")
  }
}

func printJSON(_ values: [String: Double]) {
  let lines = values.sorted { $0.key < $1.key }.map { "  \"\($0.key)\" : \($0.value)" }
  print("{\n" + lines.joined(separator: ",\n") + "\n}")
}

/// Prints a label and what was measured under it.
func printMeasure(_ label: String, _ format: String, _ values: any CVarArg...) {
  print(
    label.padding(toLength: 13, withPad: " ", startingAt: 0)
      + String(format: format, arguments: values))
}
