/// A JSON value with keys in a chosen order. Foundation's encoder sorts them or leaves them to
/// chance, drops nil, and refuses NaN in the middle of a report.
indirect enum JSONValue {
  case null
  case boolean(Bool)
  case integer(Int)
  case unsigned(UInt64)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([(key: String, value: JSONValue)])

  static func optional(_ value: Double?) -> JSONValue { value.map { .number($0) } ?? .null }
  static func optional(_ value: Int?) -> JSONValue { value.map { .integer($0) } ?? .null }
  static func optional(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }

  /// The value as text: arrays of scalars on one line, all else one entry per line.
  func text(indent: String = "") -> String {
    let inner = indent + "  "
    switch self {
    case .null: return "null"
    case .boolean(let value): return "\(value)"
    case .integer(let value): return "\(value)"
    case .unsigned(let value): return "\(value)"
    // Swift prints the shortest digits that read back as the same number. JSON has no NaN.
    case .number(let value): return value.isFinite ? "\(value)" : "null"
    case .string(let value): return Self.quoted(value)
    case .array(let values):
      if values.allSatisfy(\.isScalar) {
        return "[" + values.map { $0.text() }.joined(separator: ", ") + "]"
      }
      let lines = values.map { inner + $0.text(indent: inner) }
      return "[\n" + lines.joined(separator: ",\n") + "\n\(indent)]"
    case .object(let entries):
      if entries.isEmpty { return "{}" }
      let lines = entries.map {
        inner + Self.quoted($0.key) + ": " + $0.value.text(indent: inner)
      }
      return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
    }
  }

  private var isScalar: Bool {
    switch self {
    case .array, .object: false
    default: true
    }
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case "\u{0}"..<"\u{20}":
        let hex = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}

/// The report as JSON: experiment, environment, rows.
func jsonReport(_ table: AccuracyTable) -> String { jsonValue(table).text() + "\n" }

/// The report as a value: experiment, environment, rows.
func jsonValue(_ table: AccuracyTable) -> JSONValue {
  let experiment = table.experiment
  let machine = table.environment
  return JSONValue.object([
    (
      "experiment",
      .object([
        ("name", .string(experiment.name)),
        ("header", .array(experiment.header.map { .string($0) })),
        ("notes", .array(experiment.notes.map { .string($0) })),
        ("command", .string(experiment.command)),
        ("config", .string(experiment.config)),
        ("seeds", .array(experiment.seeds.map { .unsigned($0) })),
        ("variants", .array(experiment.variants.map { .string($0) })),
      ])
    ),
    (
      "environment",
      .object([
        ("cpu", .string(machine.cpu)),
        ("cores", .integer(machine.cores)),
        ("blas_library", .string(machine.blasLibrary)),
        ("blas_version", .optional(machine.blasVersion)),
        ("blas_core", .optional(machine.blasCore)),
        ("blas_threads", .integer(machine.blasThreads)),
        ("kernels", .string(machine.kernels)),
        ("os", .string(machine.os)),
        ("swift", .optional(machine.swift)),
        ("build", .optional(machine.build)),
        ("commit", .optional(machine.commit)),
        ("version", .string(machine.version)),
        ("jobs", .integer(machine.jobs)),
      ])
    ),
    (
      "rows",
      .array(
        table.rows.map { row in
          .object(RowField.fields(of: table.rows).map { ($0.name, $0.value(row)) })
        })
    ),
  ])
}
