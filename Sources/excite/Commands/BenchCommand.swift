import ArgumentParser
import Excitation
import Experiments
import Foundation
import Optimizers
import Reports

extension OptimizerName: ExpressibleByArgument {}
extension ExcitationVariant: ExpressibleByArgument {}

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Time the engine.",
    discussion: """
      Examples:
        excite bench step --optimizer adam
        excite bench gemm
      """, subcommands: [Step.self, GEMM.self])

  /// One training step.
  struct Step: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Median time of one training step on a batch in memory.",
      discussion: """
        The preparation of a batch and a large matrix product are timed in turn with the step, for
        comparison; the step's time contains neither.

        Example:
          excite bench step --batch-size 512 --optimizer adam --variant zero-sum
        """)

    @Argument(
      help: ArgumentHelp("An experiment whose first run gives the model.", valueName: "config"),
      completion: .experiments)
    var config: String?
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
    @Option(help: ArgumentHelp("Threads of a matrix product.", valueName: "n")) var threads = 1
    @Option(help: ArgumentHelp("Timed repetitions.", valueName: "n")) var repetitions = 20
    @Flag(help: "Print JSON.") var json = false

    mutating func validate() throws { try checkCounts(repetitions, threads) }

    func run() throws {
      let timing: StepTiming
      let experiment: ExperimentConfig
      do {
        let flags: [(String, String?)] = [
          ("optimizer", optimizer?.rawValue), ("batch_size", batchSize.map(String.init)),
          ("model.hidden_layers", hiddenLayers.map(String.init)),
          ("model.width", width.map(String.init)), ("model.sparsity", sparsity.map { "\($0)" }),
        ]
        let overrides = ConfigOverrides(
          set: flags.compactMap { key, value in value.map { "\(key)=\($0)" } } + set, seeds: "0",
          variants: variant.rawValue)
        experiment =
          if let config {
            try ExperimentConfig.load(path: config, overrides: overrides)
          } else {
            try ExperimentConfig.standard(overrides: overrides)
          }
      } catch {
        throw Failure.exit(error)
      }
      do {
        timing = try timeStep(
          experiment.runs[0].config, threads: threads, repetitions: repetitions)
      } catch {
        throw Failure.exit(error)
      }
      try show(timing, batchSize: experiment.runs[0].config.batchSize)
    }

    private func show(_ timing: StepTiming, batchSize: Int) throws {
      let (step, preparation) = (timing.step, timing.preparation)
      if json {
        try printJSON([
          "median_seconds": step.median, "min_seconds": step.fastest,
          "max_seconds": step.slowest, "repetitions": Double(step.repetitions),
          "preparation_median_seconds": preparation.median,
          "useful_gflops": timing.usefulGFLOPS, "gemm_gflops": timing.gemmGFLOPS,
        ])
        return
      }
      func line(_ label: String, _ format: String, _ values: any CVarArg...) {
        print(
          label.padding(toLength: 13, withPad: " ", startingAt: 0)
            + String(format: format, arguments: values))
      }
      line(
        "step", "%.3f ms (%.3f–%.3f over %d repetitions), %.2f µs per sample", step.median * 1e3,
        step.fastest * 1e3, step.slowest * 1e3, step.repetitions,
        step.median * 1e6 / Double(batchSize))
      line(
        "preparation", "%.3f ms per batch, %.1f %% of a step", preparation.median * 1e3,
        100 * preparation.median / step.median)
      line(
        "useful", "%.1f GFLOP/s, %.0f %% of a large matrix product's %.1f", timing.usefulGFLOPS,
        100 * timing.usefulGFLOPS / timing.gemmGFLOPS, timing.gemmGFLOPS)
    }
  }

  /// Large matrix products, with every set of kernels the library has for this CPU.
  struct GEMM: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "gemm",
      abstract: "Speed of large matrix products, by BLAS core type.",
      discussion: """
        Example:
          excite bench gemm --cores SkylakeX,Haswell
        """)

    @Option(help: ArgumentHelp("Core types to try beside the one in use.", valueName: "list"))
    var cores = "Haswell,SkylakeX"
    @Option(help: ArgumentHelp("Threads of a matrix product.", valueName: "n")) var threads = 1
    @Option(help: ArgumentHelp("Timed repetitions.", valueName: "n")) var repetitions = 10
    @Flag(help: "Only the core type in use.") var current = false
    @Flag(help: "Print JSON.") var json = false

    mutating func validate() throws { try checkCounts(repetitions, threads) }

    func run() throws {
      var speeds: [String: Double] = [:]
      do {
        let core = try EnvironmentRecord.current(jobs: 1).blasCore ?? "unknown"
        speeds[core] = try timeGEMM(threads: threads, repetitions: repetitions)
      } catch {
        throw Failure.exit(error)
      }
      if !current {
        // The core type is chosen while the library loads, so each needs a process of its own.
        for core in cores.split(separator: ",").map(String.init) where speeds[core] == nil {
          speeds.merge(try measure(core)) { first, _ in first }
        }
      }
      if json { return try printJSON(speeds) }
      for (core, speed) in speeds.sorted(by: { $0.value > $1.value }) {
        print(
          core.padding(toLength: 16, withPad: " ", startingAt: 0)
            + String(format: "%.1f GFLOP/s", speed))
      }
    }

    private func measure(_ core: String) throws -> [String: Double] {
      let process = Process()
      process.executableURL = Bundle.main.executableURL
      process.arguments = [
        "bench", "gemm", "--current", "--json", "--threads", "\(threads)", "--repetitions",
        "\(repetitions)",
      ]
      process.environment = ProcessInfo.processInfo.environment.merging(
        ["OPENBLAS_CORETYPE": core]) { _, new in new }
      let output = Pipe()
      process.standardOutput = output
      try process.run()
      let text = output.fileHandleForReading.readDataToEndOfFile()
      process.waitUntilExit()
      return (try? JSONDecoder().decode([String: Double].self, from: text)) ?? [:]
    }
  }
}

private func checkCounts(_ repetitions: Int, _ threads: Int) throws {
  if repetitions < 1 { throw ValidationError("--repetitions \(repetitions): give 1 or more") }
  if threads < 1 { throw ValidationError("--threads \(threads): give 1 or more") }
}

private func printJSON(_ values: [String: Double]) throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
  print(String(decoding: try encoder.encode(values), as: UTF8.self))
}
