import Rainbow

/// What the place that text goes to can show.
public struct TerminalStyle: Hashable, Sendable {
  public let color: Bool
  /// Columns, or nil where nothing limits a line (a file, a pipe).
  public let width: Int?

  public init(color: Bool, width: Int? = nil) {
    self.color = color
    self.width = width
  }

  /// Decides on colours as no-color.org and bixense.com/clicolors describe them.
  ///
  /// Any non-empty `NO_COLOR` turns colours off. Otherwise `CLICOLOR_FORCE` or `FORCE_COLOR`
  /// (neither empty nor 0) turns them on anywhere, and a terminal has them unless `CLICOLOR` is 0
  /// or `TERM` is `dumb` or unset.
  public static func detect(
    isTerminal: Bool, environment: [String: String], width: Int? = nil
  ) -> TerminalStyle {
    let value = { (name: String) in environment[name] ?? "" }
    let forced = ["CLICOLOR_FORCE", "FORCE_COLOR"].contains { !["", "0"].contains(value($0)) }
    let capable = isTerminal && value("CLICOLOR") != "0" && !["", "dumb"].contains(value("TERM"))
    return TerminalStyle(color: value("NO_COLOR").isEmpty && (forced || capable), width: width)
  }

  /// Text in the given colour or weight, or as it is when this style has no colours.
  ///
  /// Rainbow gives the codes but not the decision: its switch is a mutable global that looks at
  /// standard output alone and takes NO_COLOR=0 for unset.
  func painted(_ text: String, _ emphasis: Emphasis?) -> String {
    guard color, let emphasis, !text.isEmpty else { return text }
    return "\u{1B}[\(emphasis.code)m\(text)\u{1B}[0m"
  }
}

/// The ways in which a word stands out.
enum Emphasis {
  case bold, green, red

  /// The terminal's code (SGR).
  fileprivate var code: UInt8 {
    switch self {
    case .bold: Style.bold.rawValue
    case .green: NamedColor.green.rawValue
    case .red: NamedColor.red.rawValue
    }
  }
}
