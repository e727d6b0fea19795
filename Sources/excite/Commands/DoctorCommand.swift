import ArgumentParser
import Datasets
import Experiments
import Foundation

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Say what this machine offers, what is wrong with it, and what to do about that.",
    discussion: """
      Looks at CPU, memory, kernels and BLAS, reads every data set that is here, and tries to write \
      where results and data go. Exits with 0 when nothing stops a run, else with 1.

      Examples:
        excite doctor
        excite doctor --data-dir /mnt/data --out /mnt/results
      """)

  @Option(
    help: ArgumentHelp(
      "Where the data sets are; else EXCITE_DATA, else the cache folder.", valueName: "dir"),
    completion: .directory)
  var dataDir: String?

  @Option(
    help: ArgumentHelp("Where run files would go.", valueName: "dir"), completion: .directory)
  var out = RunStore.standardDirectory

  func run() throws {
    let diagnosis = Diagnosis(
      dataDirectory: DataDirectory.resolve(
        flag: dataDir, environment: ProcessInfo.processInfo.environment),
      resultsDirectory: out)
    for finding in diagnosis.findings {
      print(finding.label.padding(toLength: 12, withPad: " ", startingAt: 0) + finding.text)
    }
    for problem in diagnosis.problems {
      print("\n\(problem.stopsRuns ? "problem" : "note"): \(problem.text)\n  do: \(problem.remedy)")
    }
    guard diagnosis.problems.contains(where: \.stopsRuns) else {
      print("\nNothing stops a run\(diagnosis.hasRealData ? "" : " on the embedded images").")
      return
    }
    throw Failure.failedRun
  }
}
