import Plots

/// One table's part of the page.
struct HTMLSection {
  private let table: AccuracyTable
  private let grid: ReportGrid
  private let content: FigureContent
  private let experts: [ExpertClassMap]

  init(_ table: AccuracyTable, curves: [RunCurve], experts: [ExpertClassMap]) {
    self.table = table
    self.experts = experts
    grid = ReportGrid(table)
    content = FigureContent(
      rows: table.rows, variants: table.experiment.variants, curves: curves, title: "")
  }

  var text: String {
    lead + results + figures + expertFigures + runs + repeating + environment
  }

  private var lead: String {
    let lines = table.experiment.header.map(oneLine).filter { !$0.isEmpty }
    let config = grid.facts.first { $0.label == "config" }?.items ?? []
    return (lines.isEmpty ? "" : "<p>\(lines.map(xmlEscaped).joined(separator: "<br>\n"))</p>\n")
      + (config.isEmpty ? "" : "<p>\(xmlEscaped(config.joined(separator: ", ")))</p>\n")
  }

  private var results: String {
    let notes = grid.notes.map { "<p class=\"note\">\(xmlEscaped($0))</p>\n" }.joined()
    guard !table.rows.isEmpty else { return notes }
    let bodies = grid.groups.map { group in
      "<tbody>\n" + group.map(row).joined() + "</tbody>\n"
    }
    // Groups of one row are no groups to look at.
    let rows =
      grid.separatesGroups
      ? bodies.joined()
      : bodies.joined().replacing(
        "</tbody>\n<tbody>\n", with: "")
    let head = grid.columns.map { "<th\(side($0))>\(xmlEscaped($0.title))</th>" }.joined()
    return htmlTable(head: head, body: rows) + notes
  }

  private func row(_ index: Int) -> String {
    let cells = grid.columns.map { column in
      let text = xmlEscaped(column.cells[index])
      let isBest = column.role == .accuracy && grid.best.contains(index)
      return "<td\(side(column))>" + (isBest ? "<b>\(text)</b>" : text) + "</td>"
    }
    return "<tr>\(cells.joined())</tr>\n"
  }

  private func side(_ column: ReportColumn) -> String {
    column.isLeft ? "" : " class=\"number\""
  }

  private var measure: Measure { table.rows.first?.setting.measure ?? .accuracy }

  /// Those that have something to show.
  private var figures: String {
    var figures: [(kind: FigureKind, caption: String)] = []
    if content.curves.contains(where: { !$0.points.isEmpty }) {
      figures.append((.curves, "Learning curves"))
    }
    if table.rows.contains(where: { $0.accuracyMean != nil }) {
      figures.append((.bars, measure == .accuracy ? "Accuracy" : "Perplexity"))
    }
    if table.rows.contains(where: { $0.deltaMean != nil }) {
      figures.append((.heatmap, "Δ against vanilla"))
    }
    return figures.map { figure($1, content.drawing($0, metrics: nil, notes: [])) }.joined()
  }

  /// Which classes the experts served, a picture for each setting.
  private var expertFigures: String {
    let figures = expertClassFigures(experts, of: content)
    return figures.map { figure("Experts by class" + $0.label, $0.drawing) }.joined()
  }

  private func figure(_ caption: String, _ drawing: Drawing) -> String {
    // A narrow screen shows it a little smaller, then scrolls: its text must stay legible.
    let least = Int(drawing.width * 0.7)
    return """
      <figure>
      <figcaption>\(xmlEscaped(caption))</figcaption>
      <div class="scroll"><div style="min-width:\(least)px;max-width:\(Int(drawing.width))px">
      \(drawing.svg(inPage: true))</div></div>
      </figure>

      """
  }

  private var runs: String {
    let failures = table.rows.reduce(0) { $0 + $1.failures.count }
    let finished = table.rows.reduce(0) { $0 + $1.seeds.count }
    guard failures + finished > 0 else { return "" }
    let axes = content.axes.columns.map(\.title)
    let head =
      (axes + ["variant", "γ"]).map { "<th>\(xmlEscaped($0))</th>" }.joined()
      + "<th class=\"number\">seed</th><th class=\"number\">\(measure.title)</th><th>status</th>"
    let body = table.rows.map(runRows).joined()
    let summary =
      "Runs: \(finished) finished" + (failures > 0 ? ", \(failures) without a result" : "")
    // What went wrong is not to be looked for.
    return """
      <details\(failures > 0 ? " open" : "")>
      <summary>\(summary)</summary>
      \(htmlTable(head: head, body: "<tbody>\n\(body)</tbody>\n"))</details>

      """
  }

  private func runRows(_ row: AccuracyRow) -> String {
    let setting = content.settings.firstIndex(of: row.setting)
    let start =
      (content.axes.columns.map { column in setting.map { column.values[$0] } ?? missing }
      + [row.variant, row.gamma.map(shortText) ?? missing])
      .map { "<td>\(xmlEscaped(oneLine($0)))</td>" }.joined()
    func line(_ seed: UInt64, _ accuracy: String, _ status: String, _ kind: String) -> String {
      "<tr>\(start)<td class=\"number\">\(seed)</td><td class=\"number\">\(accuracy)</td>"
        + "<td class=\"\(kind)\">\(xmlEscaped(status))</td></tr>\n"
    }
    let finished = zip(row.seeds, row.accuracies).map { seed, accuracy in
      line(seed, fixed(accuracy, 2), "finished", "good")
    }
    let failed = row.failures.map { line($0.seed, missing, oneLine($0.reason), "bad") }
    return (finished + failed).joined()
  }

  private var repeating: String {
    let experiment = table.experiment
    let command = oneLine(experiment.command)
    return
      (command.isEmpty
      ? "" : "<h3>To repeat it</h3>\n<pre>\(xmlEscaped(command))</pre>\n")
      + (experiment.config.isEmpty
        ? ""
        : """
        <details>
        <summary>Resolved config</summary>
        <pre>\(xmlEscaped(experiment.config))</pre>
        </details>

        """)
  }

  private var environment: String {
    let facts = grid.facts.filter { $0.label != "command" && $0.label != "config" }
    let rows = facts.map { label, items in
      "<dt>\(xmlEscaped(label))</dt><dd>\(xmlEscaped(items.joined(separator: ", ")))</dd>\n"
    }
    return "<h3>Environment</h3>\n<dl>\n\(rows.joined())</dl>\n"
  }
}

private func htmlTable(head: String, body: String) -> String {
  """
  <div class="scroll"><table>
  <thead><tr>\(head)</tr></thead>
  \(body)</table></div>

  """
}
