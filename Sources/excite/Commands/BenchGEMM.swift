import ArgumentParser
import Experiments
import Foundation
import Reports

extension BenchCommand {
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
    @OptionGroup var timed: BenchRepetitions
    @Flag(help: "Only the core type in use.") var current = false

    func run() throws {
      var speeds: [String: Double] = [:]
      do {
        let core = try EnvironmentRecord.current(jobs: 1).blasCore ?? "unknown"
        speeds[core] = try timeGEMM(threads: timed.threads, repetitions: timed.repetitions)
      } catch {
        throw Failure.exit(error)
      }
      if !current {
        // The core type is chosen while the library loads, so each needs a process of its own.
        for core in cores.split(separator: ",").map(String.init) where speeds[core] == nil {
          speeds.merge(try measure(core)) { first, _ in first }
        }
      }
      if timed.json { return printJSON(speeds) }
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
        "bench", "gemm", "--current", "--json", "--threads", "\(timed.threads)",
        "--repetitions", "\(timed.repetitions)",
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
