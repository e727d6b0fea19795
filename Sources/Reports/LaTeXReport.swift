/// The report as a LaTeX table for the package booktabs.
func latexReport(_ table: AccuracyTable) -> String {
  let grid = ReportGrid(table)
  var lines = ["% " + oneLine(table.experiment.name) + "; needs \\usepackage{booktabs}"]
  lines += grid.facts.map { "% \($0.label): " + $0.items.joined(separator: ", ") }
  lines += grid.failures.map { "% not finished: " + $0 }
  let config = grid.facts.first { $0.label == "config" }?.items.joined(separator: ", ") ?? ""
  let captions = [table.experiment.name, config].map(oneLine).filter { !$0.isEmpty } + grid.notes
  lines += [
    "\\begin{table}", "  \\centering",
    "  \\caption{" + captions.map { sentence(latexEscaped($0)) }.joined(separator: " ") + "}",
  ]
  if !table.rows.isEmpty {
    let alignment = grid.columns.map { $0.isLeft ? "l" : "r" }.joined()
    lines += ["  \\begin{tabular}{\(alignment)}", "    \\toprule"]
    lines += [latexRow(grid.columns.map { latexEscaped($0.title) }), "    \\midrule"]
    for (number, group) in grid.groups.enumerated() {
      if number > 0, grid.separatesGroups { lines.append("    \\midrule") }
      for row in group {
        lines.append(
          latexRow(
            grid.columns.map { column in
              latexCell(column, row, isBest: grid.best.contains(row))
            }))
      }
    }
    lines += ["    \\bottomrule", "  \\end{tabular}"]
  }
  return (lines + ["\\end{table}"]).joined(separator: "\n") + "\n"
}

/// A row that starts with a bracket would be read as the argument of the `\\` before it.
private func latexRow(_ cells: [String]) -> String {
  let text = cells.joined(separator: " & ")
  return "    " + (text.hasPrefix("[") || text.hasPrefix("*") ? "{}" : "") + text + " \\\\"
}

private func latexCell(_ column: ReportColumn, _ row: Int, isBest: Bool) -> String {
  let text = column.cells[row]
  switch column.role {
  case .accuracy, .delta, .interval, .published, .publishedDelta:
    if text == missing { return "--" }
    let number = text.replacing("±", with: "\\pm").replacing(missing, with: "\\mbox{--}")
    return column.role == .accuracy && isBest ? "$\\mathbf{\(number)}$" : "$\(number)$"
  default: return latexEscaped(text)
  }
}

private func sentence(_ text: String) -> String { text.hasSuffix(".") ? text : text + "." }

/// Text that LaTeX prints as it is.
private func latexEscaped(_ text: String) -> String {
  text.map { latexReplacements[$0] ?? String($0) }.joined()
}

private let latexReplacements: [Character: String] = [
  "\\": "\\textbackslash{}", "{": "\\{", "}": "\\}", "%": "\\%", "&": "\\&", "#": "\\#",
  "$": "\\$", "_": "\\_", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}",
  "<": "\\textless{}", ">": "\\textgreater{}", "|": "\\textbar{}",
  "±": "$\\pm$", "Δ": "$\\Delta$", "γ": "$\\gamma$", "μ": "$\\mu$", "−": "$-$", "–": "--",
]
