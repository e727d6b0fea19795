import ArgumentParser
import Experiments
import Foundation

extension BenchCommand {
  /// What a run costs before it gets going.
  struct Start: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract:
        "Say how long it takes to build a model and do its first step, and the whole process.",
      discussion: """
        Examples:
          excite bench start
          time excite bench start --model gpt_moe --batch-size 4 --set model.context=256
        """)

    @OptionGroup var model: BenchModel
    @Option(help: ArgumentHelp("Threads.", valueName: "n")) var threads = 1
    @Flag(help: "Print JSON.") var json = false

    mutating func validate() throws {
      try checkThreads(threads)
    }

    func run() throws {
      let config = try model.experiment().runs[0].config
      do throws(RunnerError) {
        let (build, step) = try timeStart(config, threads: threads)
        if json { return printJSON(["build_seconds": build, "first_step_seconds": step]) }
        printMeasure("build", "%.3f s, the weights drawn and a batch made", build)
        printMeasure("first step", "%.3f s", step)
      } catch {
        throw Failure.exit(error)
      }
    }
  }
}
