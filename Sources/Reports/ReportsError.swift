/// What can go wrong while a report is made.
public enum ReportsError: Error, Equatable, CustomStringConvertible {
  /// The embedded table of published values cannot be read; `line` counts from 1, its header.
  case publishedValues(line: Int, problem: String)

  public var description: String {
    switch self {
    case .publishedValues(let line, let problem):
      "embedded paper_values.csv, line \(line): \(problem)"
    }
  }
}
