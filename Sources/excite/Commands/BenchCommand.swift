import ArgumentParser
import Experiments
import Foundation

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Time the engine.", subcommands: [Step.self])

  struct Step: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Median time of one training step on a batch in memory.")

    @Option(help: ArgumentHelp("Samples per step.")) var batchSize = 512
    @Option(help: ArgumentHelp("sgd, momentum, adam, adamw, rmsprop or adagrad.")) var optimizer =
      "sgd"
    @Option(help: ArgumentHelp("A variant of Φ.")) var variant = "zero-sum"
    @Option(help: ArgumentHelp("Top-K layers.")) var hiddenLayers = 4
    @Option(help: ArgumentHelp("Neurons per layer.")) var width = 128
    @Option(help: ArgumentHelp("Share of silenced neurons.")) var sparsity = 0.9
    @Option(help: ArgumentHelp("BLAS threads.")) var threads = 1
    @Option(help: ArgumentHelp("Timed repetitions.")) var repetitions = 20
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
      let timing: StepTiming
      do {
        let experiment = try ExperimentConfig.standard(
          overrides: ConfigOverrides(
            set: [
              "optimizer.name=\(optimizer)", "model.hidden_layers=\(hiddenLayers)",
              "model.width=\(width)", "model.sparsity=\(sparsity)", "batch_size=\(batchSize)",
              "dataset.name=synthetic",
            ], seeds: "0", variants: variant))
        timing = try timeStep(
          experiment.runs[0].config, threads: threads, repetitions: repetitions)
      } catch let error as ConfigError {
        throw Failure.exit(error)
      } catch let error as RunnerError {
        throw Failure.exit(error)
      }
      if json {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        print(String(decoding: try encoder.encode(timing), as: UTF8.self))
      } else {
        print(
          String(
            format: "median %.3f ms per step (%.3f–%.3f over %d), %.1f µs per sample",
            timing.medianSeconds * 1e3, timing.minSeconds * 1e3, timing.maxSeconds * 1e3,
            timing.repetitions, timing.medianSeconds * 1e6 / Double(batchSize)))
      }
    }
  }
}
