import ArgumentParser
import Experiments
import Foundation

extension BenchCommand {
  /// One training step.
  struct Step: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Median time of one training step on a batch in memory.",
      discussion: """
        The preparation of a batch and a large matrix product are timed in turn with the step, for \
        comparison; the step's time contains neither. Of a transformer the step's parts follow, \
        timed on as many steps more, their shares over all threads.

        Examples:
          excite bench step --batch-size 512 --optimizer adam --variant zero-sum
          excite bench step --model moe_vit --batch-size 64 --threads 2
        """)

    @OptionGroup var model: BenchModel
    @OptionGroup var timed: BenchRepetitions

    func run() throws {
      let config = try model.experiment().runs[0].config
      let timing: StepTiming
      do {
        timing = try timeStep(config, threads: timed.threads, repetitions: timed.repetitions)
      } catch {
        throw Failure.exit(error)
      }
      show(timing, batchSize: config.batchSize)
    }

    private func show(_ timing: StepTiming, batchSize: Int) {
      let (step, preparation) = (timing.step, timing.preparation)
      if timed.json {
        var values = [
          "median_seconds": step.median, "min_seconds": step.fastest,
          "max_seconds": step.slowest, "repetitions": Double(step.repetitions),
          "preparation_median_seconds": preparation.median,
          "useful_gflops": timing.usefulGFLOPS, "gemm_gflops": timing.gemmGFLOPS,
          "gemm_fraction": timing.usefulGFLOPS / timing.gemmGFLOPS,
        ]
        if let breakdown = timing.breakdown {
          for part in breakdown.parts {
            values["\(part.key)_fraction"] = part.share
            values["\(part.key)_seconds"] = part.share * breakdown.step
          }
        }
        return printJSON(values)
      }
      printMeasure(
        "step", "%.3f ms (%.3f–%.3f over %d repetitions), %.2f µs per sample", step.median * 1e3,
        step.fastest * 1e3, step.slowest * 1e3, step.repetitions,
        step.median * 1e6 / Double(batchSize))
      printMeasure(
        "preparation", "%.3f ms per batch, %.1f %% of a step", preparation.median * 1e3,
        100 * preparation.median / step.median)
      printMeasure(
        "useful", "%.1f GFLOP/s, %.0f %% of a large matrix product's %.1f", timing.usefulGFLOPS,
        100 * timing.usefulGFLOPS / timing.gemmGFLOPS, timing.gemmGFLOPS)
      guard let breakdown = timing.breakdown else { return }
      print()
      for part in breakdown.parts {
        print(
          "  " + part.name.padding(toLength: 18, withPad: " ", startingAt: 0)
            + String(
              format: "%9.3f ms  %5.1f %%", part.share * breakdown.step * 1e3, 100 * part.share))
      }
    }
  }
}
