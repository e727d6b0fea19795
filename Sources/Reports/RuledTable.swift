import TextTable

/// A column of a plain table.
public struct RuledColumn: Sendable {
  public let title: String
  public let isNumber: Bool

  public init(_ title: String, isNumber: Bool = false) {
    self.title = title
    self.isNumber = isNumber
  }
}

/// A table for a terminal or a log: two spaces between columns, a rule under the titles, numbers to
/// the right. Empty without rows.
/// - Parameter rows: as many cells each as there are columns.
public func ruledTable(_ columns: [RuledColumn], rows: [[String]]) -> String {
  let table = TextTable<[String]> { row in
    zip(columns, row).map { column, cell in
      Column(
        title: column.title, value: oneLine(cell), align: column.isNumber ? .right : .left)
    }
  }
  guard let text = table.string(for: rows, style: Ruled.self) else { return "" }
  return text.split(separator: "\n").map { line in
    String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
  }.joined()
}
