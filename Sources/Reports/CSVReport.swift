/// The rows as CSV (RFC 4180): names of the JSON fields on top, full precision, CR LF. Lists are
/// joined by semicolons; several tables are one, with a first column that names them. Written by
/// hand because SwiftCSV leaves line breaks unquoted.
func csvReport(_ tables: [AccuracyTable]) -> String {
  let isNamed = tables.count > 1
  let fields = RowField.fields(of: tables.flatMap(\.rows))
  let header = (isNamed ? ["experiment"] : []) + fields.map(\.name)
  let records = tables.flatMap { table in
    table.rows.map { row in
      (isNamed ? [oneLine(table.experiment.name)] : [])
        + fields.map { field in
          field.name == "failures" ? failuresText(row) : csvText(field.value(row))
        }
    }
  }
  return csvText([header] + records)
}

/// Lines of fields, which are quoted where they have to be.
func csvText(_ lines: [[String]]) -> String {
  lines.map { $0.map(csvField).joined(separator: ",") + "\r\n" }.joined()
}

private func failuresText(_ row: AccuracyRow) -> String {
  row.failures.map { "seed \($0.seed): \(oneLine($0.reason))" }.joined(separator: "; ")
}

private func csvText(_ value: JSONValue) -> String {
  switch value {
  case .null: ""
  case .string(let text): text
  case .array(let values): values.map(csvText).joined(separator: ";")
  case .object(let entries):
    entries.map { "\($0.key)=\(csvText($0.value))" }.joined(separator: " ")
  case .number(let number): number.isFinite ? shortText(number) : ""
  case .integer, .unsigned, .boolean: value.text()
  }
}

private func csvField(_ text: String) -> String {
  let special: Set<Unicode.Scalar> = ["\"", ",", "\n", "\r"]
  let isPlain =
    !text.unicodeScalars.contains(where: special.contains) && text.first != " "
    && text.last != " "
  return isPlain ? text : "\"" + text.replacing("\"", with: "\"\"") + "\""
}
