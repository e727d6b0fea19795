import TextTable

/// Columns two spaces apart with a rule under the titles. TextTable's own styles use one space,
/// in which "0.33  +5.57" runs together.
enum Ruled: TextTableStyle {
  static let gap = "  "
  static let rule: Character = "─"

  static func prepare(_ text: String, for column: Column) -> String {
    Plain.prepare(text, for: column)
  }
  static func escape(_ text: String) -> String { text }
  static func begin(_ table: inout String, index: Int, columns: [Column]) {}
  static func end(_ table: inout String, index: Int, columns: [Column]) {}

  static func header(_ table: inout String, index: Int, columns: [Column]) {
    table += columns.map { $0.headerString(for: self) }.joined(separator: gap) + "\n"
    table += columns.map { $0.repeated(String(rule)) }.joined(separator: gap) + "\n"
  }

  static func row(_ table: inout String, index: Int, columns: [Column]) {
    table += columns.map { $0.string(for: self) }.joined(separator: gap) + "\n"
  }
}

/// Where TextTable put things: lines of text, and each column's range of characters.
private struct TerminalLayout {
  let title: String
  let rule: String
  let rows: [String]
  let ranges: [Range<Int>]

  var width: Int { rule.count }

  /// Nil for a grid without rows.
  init?(_ grid: ReportGrid) {
    let columns = grid.columns.map(Self.aligned)
    guard let count = columns.first?.cells.count else { return nil }
    let table = TextTable<Int> { row in
      columns.map { column in
        Column(
          title: column.title, value: column.cells[row], align: column.isLeft ? .left : .right)
      }
    }
    guard let text = table.string(for: 0..<count, style: Ruled.self) else { return nil }
    let lines = text.split(separator: "\n").map(String.init)
    guard lines.count == count + 2 else { return nil }
    title = lines[0]
    rule = lines[1]
    rows = Array(lines[2...])
    // The rule shows the widths that TextTable chose.
    var ranges: [Range<Int>] = []
    var start = 0
    for part in rule.split(separator: " ") {
      ranges.append(start..<(start + part.count))
      start += part.count + Ruled.gap.count
    }
    self.ranges = ranges
  }

  /// Pads spreads, so that numbers of a column stand under each other: "41.01 ±    –".
  private static func aligned(_ column: ReportColumn) -> ReportColumn {
    guard column.role == .accuracy || column.role == .delta else { return column }
    let mark = " ± "
    let parts = column.cells.map { cell -> (mean: String, spread: String?) in
      guard let range = cell.range(of: mark) else { return (cell, nil) }
      return (String(cell[..<range.lowerBound]), String(cell[range.upperBound...]))
    }
    let widest = parts.compactMap(\.spread?.count).max() ?? 0
    var aligned = column
    aligned.cells = parts.map { mean, spread in
      guard widest > 0, mean != missing else { return mean }
      guard let spread else { return mean + repeated(" ", mark.count + widest) }
      return mean + mark + repeated(" ", widest - spread.count) + spread
    }
    return aligned
  }

  /// A row with colours, which come last because TextTable counts their codes as width.
  func row(_ index: Int, emphasis: (Int) -> Emphasis?, style: TerminalStyle) -> String {
    let characters = Array(rows[index])
    var text = ""
    var end = 0
    for (column, range) in ranges.enumerated() {
      text += String(characters[end..<range.lowerBound])
      let cell = String(characters[range])
      let core = cell.trimmingPrefix { $0 == " " }
      text += cell.prefix(cell.count - core.count) + style.painted(String(core), emphasis(column))
      end = range.upperBound
    }
    return text
  }
}

/// The report for a terminal.
func terminalReport(_ table: AccuracyTable, style: TerminalStyle) -> String {
  var lines = [style.painted(oneLine(table.experiment.name), .bold)]
  let whole = ReportGrid(table)
  var grid = whole
  var layout = TerminalLayout(grid)
  for detail in ReportDetail.allCases.dropFirst() {
    guard let width = style.width, let current = layout, current.width > width else { break }
    grid = ReportGrid(table, detail: detail)
    layout = TerminalLayout(grid)
  }
  let labelWidth = grid.facts.map(\.label.count).max() ?? 0
  for (label, items) in grid.facts {
    let start = "  " + label + repeated(" ", labelWidth - label.count) + "  "
    lines += wrapped(items, start: start, width: style.width ?? defaultWidth)
  }
  if let layout {
    lines += ["", layout.title, layout.rule]
    for (number, group) in grid.groups.enumerated() {
      if number > 0, grid.separatesGroups { lines.append("") }
      for index in group {
        lines.append(
          layout.row(
            index, emphasis: { cellEmphasis(grid, row: index, column: $0, of: table) }, style: style
          ))
      }
    }
  }
  let shown = Set(grid.columns.map(\.role))
  var hidden = whole.columns.filter { !shown.contains($0.role) }.map(\.title)
  if grid.spreads < whole.spreads { hidden.append("spreads (±)") }
  let notes =
    hidden.isEmpty || layout == nil
    ? grid.notes
    : [
      "no room for: \(hidden.joined(separator: ", ")); a wider terminal or --format markdown has it"
    ]
      + grid.notes
  lines += [""] + notes.flatMap { wrapped($0, width: style.width) }
  if !grid.failures.isEmpty {
    lines += ["", "Not finished:"] + grid.failures.map { "  " + $0 }
  }
  return lines.map(withoutTrailingSpaces).joined(separator: "\n") + "\n"
}

/// Where to break lines when nobody says how wide they may be.
private let defaultWidth = 80

private func cellEmphasis(
  _ grid: ReportGrid, row: Int, column: Int, of table: AccuracyTable
) -> Emphasis? {
  switch grid.columns[column].role {
  case .accuracy where grid.best.contains(row): return .bold
  case .delta:
    guard let delta = table.rows[row].deltaMean, signed(delta) != signed(0) else { return nil }
    return delta > 0 ? .green : .red
  default: return nil
  }
}

/// Items behind a label, separated by commas, on as many lines as they need.
private func wrapped(_ items: [String], start: String, width: Int) -> [String] {
  var lines: [String] = []
  var line = start
  var isFresh = true
  for (index, item) in items.enumerated() {
    let text = item + (index + 1 < items.count ? "," : "")
    if !isFresh, line.count + 1 + text.count > width {
      lines.append(line)
      line = repeated(" ", start.count)
      isFresh = true
    }
    line += (isFresh ? "" : " ") + text
    isFresh = false
  }
  return lines + [line]
}

/// A sentence on as many lines as a terminal needs for it, the later ones indented.
func wrapped(_ text: String, width: Int?) -> [String] {
  guard let width else { return [text] }
  var lines: [String] = []
  var line = ""
  for word in text.split(separator: " ") {
    if !line.isEmpty, line.count + 1 + word.count > width {
      lines.append(line)
      line = " "
    }
    line += (line.isEmpty ? "" : " ") + word
  }
  return lines + [line]
}

private func repeated(_ text: String, _ count: Int) -> String {
  String(repeating: text, count: max(0, count))
}

private func withoutTrailingSpaces(_ line: String) -> String {
  var line = Substring(line)
  while line.last == " " { line.removeLast() }
  return String(line)
}
