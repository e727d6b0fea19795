import ArgumentParser
import Experiments
import Foundation
import Reports

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Print the tables of kept experiments again, in any format.",
    discussion: """
      A store holds every experiment that was started in it; runs that are missing are listed under
      the table.

      Examples:
        excite report
        excite report results/experiments/cifar10_topk --format latex
        excite report results --format markdown > tables.md
      """)

  @Argument(
    help: ArgumentHelp(
      "Stores, or folders of single experiments inside one.", valueName: "dir"),
    completion: .directory)
  var directories = ["results"]

  @Option(help: "How tables are printed: table, markdown, csv, json or latex.")
  var format: ReportFormat = .table

  func run() throws {
    do throws(RunnerError) {
      var tables: [AccuracyTable] = []
      for directory in directories {
        for kept in try KeptExperiment.all(in: directory) { tables.append(try kept.table()) }
      }
      let style = outputStyle()
      let texts = tables.map { render($0, format: format, style: style) }
      // Several objects are one array in JSON, and need a line between them elsewhere.
      let text =
        format == .json && texts.count > 1
        ? "[" + texts.joined(separator: ",") + "]" : texts.joined(separator: "\n")
      if let code = writeToStandardOutput(text) { Self.exit(withError: code) }
    } catch {
      throw Failure.exit(error)
    }
  }
}
