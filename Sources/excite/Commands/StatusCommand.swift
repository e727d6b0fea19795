import ArgumentParser
import Experiments
import Foundation

struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "List the runs of a store: finished, running, partial, failed, not begun.",
    discussion: """
      Examples:
        excite status
        excite status results --json
        excite status results/experiments/cifar10_topk
        excite status --out /mnt/results
      """)

  @Argument(
    help: ArgumentHelp(
      """
      The store, the folder that --out of run and sweep names; by default results. Or the folder of \
      one experiment in it.
      """, valueName: "dir"),
    completion: .directory)
  var argument: String?

  @Option(
    help: ArgumentHelp("The store, as for run and sweep.", valueName: "dir"),
    completion: .directory)
  var out: String?

  @Flag(help: "Print JSON: one object per run.") var json = false

  func validate() throws {
    if argument != nil, out != nil {
      throw ValidationError("the store is given twice: leave --out or the argument out")
    }
  }

  func run() throws {
    let directory = argument ?? out ?? RunStore.standardDirectory
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: directory, isDirectory: &isFolder),
      isFolder.boolValue
    else {
      printError("\(directory): there is no such folder; excite run makes it, as --out or results")
      throw Failure.failedRun
    }
    let status: StoreStatus
    do { status = try StoreStatus(folder: directory) } catch { throw Failure.exit(error) }
    if status.lines.isEmpty {
      writeToStandardError(
        "note: \(directory) has neither runs nor experiments; is it the folder that --out named?\n")
    }
    for problem in status.problems { writeToStandardError("note: \(problem)\n") }
    guard json else {
      if let code = writeToStandardOutput(status.text) { throw code }
      return
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let text = String(decoding: try encoder.encode(status.lines), as: UTF8.self)
    if let code = writeToStandardOutput(text) { throw code }
  }
}
