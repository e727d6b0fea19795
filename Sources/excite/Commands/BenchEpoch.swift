import ArgumentParser
import Datasets
import Experiments
import Foundation

extension BenchCommand {
  /// One epoch as `run` carries it out.
  struct Epoch: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Median time of one epoch: every batch made and trained on, then the evaluation.",
      discussion: """
        Without a config the embedded images are trained on.

        Examples:
          excite bench epoch
          excite bench epoch configs/cifar10_topk.yaml --data-dir DIR --repetitions 3
        """)

    @OptionGroup var model: BenchModel
    @Option(
      help: ArgumentHelp(
        "Where the data sets are; else EXCITE_DATA, else the cache folder.", valueName: "dir"))
    var dataDir: String?
    @OptionGroup var timed: BenchRepetitions

    func run() throws {
      let experiment = try model.experiment(standard: ["dataset.name=synthetic"])
      let directory = DataDirectory.resolve(
        flag: dataDir, environment: ProcessInfo.processInfo.environment)
      do {
        try show(
          timeEpoch(
            experiment, dataDirectory: directory, threads: timed.threads,
            repetitions: timed.repetitions))
      } catch {
        throw Failure.exit(error)
      }
    }

    private func show(_ timing: EpochTiming) {
      let epoch = timing.epoch
      if timed.json {
        return printJSON([
          "median_seconds": epoch.median, "min_seconds": epoch.fastest,
          "max_seconds": epoch.slowest, "repetitions": Double(epoch.repetitions),
          "preparation_median_seconds": timing.preparation.median,
          "evaluation_median_seconds": timing.evaluation.median,
          "preparation_fraction": timing.preparation.median / epoch.median,
          "evaluation_fraction": timing.evaluation.median / epoch.median,
          "expert_metrics_median_seconds": timing.expertMetrics.median,
          "expert_metrics_fraction": timing.expertMetrics.median / epoch.median,
          "train_samples": Double(timing.trainSamples), "test_samples": Double(timing.testSamples),
          "samples_per_second": timing.samplesPerSecond,
        ])
      }
      printMeasure(
        "epoch", "%.3f s (%.3f–%.3f over %d repetitions), %.0f samples/s", epoch.median,
        epoch.fastest, epoch.slowest, epoch.repetitions, timing.samplesPerSecond)
      printMeasure(
        "preparation", "%.3f s for %d samples, %.1f %% of an epoch", timing.preparation.median,
        timing.trainSamples, 100 * timing.preparation.median / epoch.median)
      printMeasure(
        "evaluation", "%.3f s for %d samples, %.1f %% of an epoch", timing.evaluation.median,
        timing.testSamples, 100 * timing.evaluation.median / epoch.median)
      printMeasure(
        "metrics", "%.4f s (%.4f–%.4f) for the experts, %.2f %% of an epoch",
        timing.expertMetrics.median, timing.expertMetrics.fastest, timing.expertMetrics.slowest,
        100 * timing.expertMetrics.median / epoch.median)
    }
  }
}
