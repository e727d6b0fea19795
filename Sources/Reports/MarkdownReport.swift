/// The report as GitHub Markdown.
/// - Parameter isSection: with a heading of its own.
func markdownReport(_ table: AccuracyTable, isSection: Bool = true) -> String {
  let grid = ReportGrid(table)
  var lines = isSection ? ["### " + markdownEscaped(oneLine(table.experiment.name)), ""] : []
  for (label, items) in grid.facts {
    let text = items.joined(separator: ", ")
    lines.append("- \(label): " + (label == "command" ? codeSpan(text) : markdownEscaped(text)))
  }
  if !table.rows.isEmpty { lines += [""] + markdownTable(grid) }
  for note in grid.notes { lines += ["", markdownEscaped(note)] }
  if !grid.failures.isEmpty {
    lines += ["", "Not finished:", ""] + grid.failures.map { "- " + markdownEscaped($0) }
  }
  return lines.joined(separator: "\n") + "\n"
}

/// Cells are padded, so that the source reads as a table too.
private func markdownTable(_ grid: ReportGrid) -> [String] {
  let texts = grid.columns.map { column in
    [markdownEscaped(column.title)]
      + column.cells.enumerated().map { row, cell in
        let text = markdownEscaped(cell)
        return column.role == .accuracy && grid.best.contains(row) ? "**\(text)**" : text
      }
  }
  let widths = texts.map { max(3, $0.map(\.count).max() ?? 0) }
  func line(_ row: Int) -> String {
    let cells = zip(grid.columns, zip(texts, widths)).map { column, cell in
      let (texts, width) = cell
      let space = String(repeating: " ", count: width - texts[row].count)
      return column.isLeft ? texts[row] + space : space + texts[row]
    }
    return "| " + cells.joined(separator: " | ") + " |"
  }
  let rule = zip(grid.columns, widths).map { column, width in
    let dashes = String(repeating: "-", count: width + 1)
    return column.isLeft ? ":" + dashes : dashes + ":"
  }
  let rowCount = texts.first?.count ?? 1
  return [line(0), "|" + rule.joined(separator: "|") + "|"] + (1..<rowCount).map(line)
}

/// Text that Markdown shows as it is. An underscore inside a word means nothing to it.
private func markdownEscaped(_ text: String) -> String {
  let characters = Array(text)
  var escaped = ""
  for (index, character) in characters.enumerated() {
    switch character {
    case "\\", "|", "*", "`", "<", "&", "~": escaped += "\\"
    case "_":
      let isInside =
        index > 0 && index + 1 < characters.count && isWordPart(characters[index - 1])
        && isWordPart(characters[index + 1])
      if !isInside { escaped += "\\" }
    default: break
    }
    escaped.append(character)
  }
  // Brackets only link in front of a parenthesis; units in titles stay readable.
  return escaped.replacing("](", with: "]\\(")
}

private func isWordPart(_ character: Character) -> Bool {
  character.isLetter || character.isNumber || character == "_"
}

/// A code span with a fence longer than any run of backticks in it.
private func codeSpan(_ text: String) -> String {
  var longest = 0
  var run = 0
  for character in text {
    run = character == "`" ? run + 1 : 0
    longest = max(longest, run)
  }
  let fence = String(repeating: "`", count: longest + 1)
  let space = longest > 0 ? " " : ""
  return fence + space + text + space + fence
}
