import ArgumentParser
import Experiments
import Foundation
import Reports

extension FigureKind: ExpressibleByArgument {}

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Print the tables of kept experiments again, in any format.",
    discussion: """
      A store holds every experiment that was started in it; runs that are missing are listed \
      under the table.

      Examples:
        excite report
        excite report results/experiments/cifar10_topk --format latex
        excite report results --format markdown > tables.md
        excite report results/experiments/cifar10_topk --plot curves --plot bars --html page.html
      """)

  @Argument(
    help: ArgumentHelp(
      "Stores, or folders of single experiments inside one.", valueName: "dir"),
    completion: .directory)
  var directories = [RunStore.standardDirectory]

  @Option(
    help: ArgumentHelp(
      """
      How tables are printed: table (the default), markdown, csv, json or latex. With --plot or \
      --html they are printed only where this is given.
      """))
  var format: ReportFormat?

  @Option(
    help: ArgumentHelp(
      "Draw curves, bars or heatmap, as SVG and PNG in each experiment's folder; may be repeated."))
  var plot: [FigureKind] = []

  @Option(
    help: ArgumentHelp(
      "Write one self-contained page with tables, figures and runs.", valueName: "file"),
    completion: .file(extensions: ["html"]))
  var html: String?

  func run() throws {
    do throws(RunnerError) {
      var kept: [KeptExperiment] = []
      for directory in directories {
        kept += try KeptExperiment.all(in: directory) { writeToStandardError("note: \($0)\n") }
      }
      if let format = format ?? (plot.isEmpty && html == nil ? .table : nil) {
        try printTables(kept, format)
      }
      for experiment in kept {
        for kind in plot {
          for path in try experiment.draw(kind) { writeToStandardError("wrote \(path)\n") }
        }
      }
      if let html {
        try writeHTML(kept, to: html)
        writeToStandardError("wrote \(html)\n")
      }
    } catch {
      throw Failure.exit(error)
    }
  }

  private func printTables(
    _ kept: [KeptExperiment], _ format: ReportFormat
  ) throws(RunnerError) {
    var tables: [AccuracyTable] = []
    for experiment in kept { tables.append(try experiment.table()) }
    let text = render(tables, format: format, style: outputStyle())
    if let code = writeToStandardOutput(text) { Self.exit(withError: code) }
  }
}
