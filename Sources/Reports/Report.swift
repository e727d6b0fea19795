/// The formats a table can be written in.
public enum ReportFormat: String, CaseIterable, Codable, Hashable, Sendable {
  case table, markdown, csv, json, latex
}

/// A table as text that ends in a line break.
///
/// Only `.table` looks at `style`; the other formats are the same on every machine and terminal.
public func render(_ table: AccuracyTable, format: ReportFormat, style: TerminalStyle) -> String {
  switch format {
  case .table: terminalReport(table, style: style)
  case .markdown: markdownReport(table)
  case .csv: csvReport([table])
  case .json: jsonReport(table)
  case .latex: latexReport(table)
  }
}

/// Several tables as one document: an array in JSON, one header in CSV; else one after the other.
public func render(
  _ tables: [AccuracyTable], format: ReportFormat, style: TerminalStyle
) -> String {
  switch format {
  case .json where tables.count != 1: JSONValue.array(tables.map(jsonValue)).text() + "\n"
  case .csv: csvReport(tables)
  default:
    tables.map { render($0, format: format, style: style) }.joined(separator: "\n")
  }
}
