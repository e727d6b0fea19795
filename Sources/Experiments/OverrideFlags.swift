/// An axis of a sweep that a flag adds, replacing an axis of the file over the same key.
public struct SweepAxis: Equatable, Sendable {
  public var keyPath: String
  /// YAML values; none means the paper's own grid for this key.
  public var values: [String]
  /// The flag as typed, for messages.
  public var origin: String

  public init(keyPath: String, values: [String], origin: String) {
    self.keyPath = keyPath
    self.values = values
    self.origin = origin
  }

  /// `--lr 0.1,0.2`, or `--lr` for the paper's grid.
  public init(_ axis: PaperGrid.Axis, list: String? = nil) {
    keyPath = axis.keyPath
    values = list.map(splitAtCommas) ?? []
    origin = "--\(axis.rawValue)" + (list.map { " \($0)" } ?? "")
    // An empty list is a mistake, not a wish for the paper's grid.
    if list != nil, values.isEmpty { values = [""] }
  }

  /// `--set key.path=a,b,c`.
  /// - Parameter flag: that has this text.
  /// - Throws: `ConfigError.syntax` without "=" or key.
  public init(set text: String, flag: String = "--set") throws(ConfigError) {
    let (path, value, _) = try splitAtEquals(text, flag: flag)
    keyPath = path
    values = splitAtCommas(value)
    origin = "\(flag) \(text)"
    if values.isEmpty { values = [""] }
  }
}

extension SweepAxis {
  /// Whether this is no axis but a value for a key that has none: `seeds=0,1`, or one map for a
  /// whole section.
  var isPlainValue: Bool {
    let isSection = ConfigKey.sections.contains(keyPath) && keyPath != "optimizer"
    switch keyPath {
    case ConfigKey.seeds, ConfigKey.variants: return !values.isEmpty
    case "model.name", "excitation.epsilon": return values.count == 1
    default: return isSection && values.count == 1
    }
  }
}

/// What flags change in an experiment. All of it is checked as if it stood in the file.
public struct ConfigOverrides: Equatable, Sendable {
  /// Texts `key.path=value`, later ones winning.
  public var set: [String]
  /// The same of a published cell, before `set`, and from `--try`, after it.
  var cell: [String] = []
  var tried: [String] = []
  public var axes: [SweepAxis]
  /// Lists such as `0,1,2` or `0-4`.
  public var seeds: String?
  /// Names such as `vanilla,zero-sum`.
  public var variants: String?
  public var maxSteps: String?
  public var order: String?

  public init(
    set: [String] = [], axes: [SweepAxis] = [], seeds: String? = nil, variants: String? = nil,
    maxSteps: String? = nil, order: String? = nil
  ) {
    self.set = set
    self.axes = axes
    self.seeds = seeds
    self.variants = variants
    self.maxSteps = maxSteps
    self.order = order
  }

  /// The single values in the order they apply: `--set` first, then the flags of their own.
  func assignments() throws(ConfigError) -> [(path: String, value: ConfigNode)] {
    var result: [(path: String, value: ConfigNode)] = []
    let labelled = [("cell", cell), ("--set", set), ("--try", tried)]
    for (flag, text) in labelled.flatMap({ flag, texts in texts.map { (flag, $0) } }) {
      let (path, value, origin) = try splitAtEquals(text, flag: flag)
      result.append((path, try flagNode(value, origin: origin)))
    }
    let flags = [
      ("--seeds", ConfigKey.seeds, seeds), ("--variants", ConfigKey.variants, variants),
      ("--max-steps", "max_steps", maxSteps), ("--order", "order", order),
    ]
    for case (let flag, let path, let value?) in flags {
      result.append((path, try flagNode(value, origin: .flag("\(flag) \(value)"))))
    }
    return result
  }
}

/// The YAML value of a flag.
func flagNode(_ text: String, origin: ConfigOrigin) throws(ConfigError) -> ConfigNode {
  let node = try YAMLReader.node(of: text) { _, _ in origin }
  return node ?? ConfigNode(content: .nothing, origin: origin)
}

/// A list typed as `a,b,c`, with `0-4` for 0,1,2,3,4, as the list it stands for. Other values stay.
func expandedList(_ node: ConfigNode) -> ConfigNode {
  guard case .flag = node.origin, case .scalar(let text, quoted: false) = node.content else {
    return node
  }
  let mostInRange = 10_000
  var list: [ConfigNode] = []
  for part in splitAtCommas(text) {
    let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    if ends.count == 2, let first = ends[0], let last = ends[1], first <= last,
      last - first < mostInRange
    {
      for number in first...last {
        list.append(.init(content: .scalar(String(number), quoted: false), origin: node.origin))
      }
    } else {
      list.append(.init(content: .scalar(part, quoted: false), origin: node.origin))
    }
  }
  return ConfigNode(content: .list(list), origin: node.origin)
}

/// The parts of a text between commas that stand outside brackets, without spaces around.
func splitAtCommas(_ text: String) -> [String] {
  var parts: [String] = []
  var part = ""
  var depth = 0
  for character in text {
    switch character {
    case "[", "{": depth += 1
    case "]", "}": depth -= 1
    default: break
    }
    if character == ",", depth <= 0 {
      parts.append(part)
      part = ""
    } else {
      part.append(character)
    }
  }
  parts.append(part)
  let trimmed = parts.map { part in
    let start = part.drop { $0 == " " }
    return String(start.reversed().drop { $0 == " " }.reversed())
  }
  return trimmed == [""] ? [] : trimmed
}

private func splitAtEquals(
  _ text: String, flag: String
) throws(ConfigError) -> (path: String, value: String, origin: ConfigOrigin) {
  let origin = ConfigOrigin.flag("\(flag) \(text)")
  guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
    throw .syntax(at: origin, problem: "expected key.path=value, for example optimizer.lr=0.1")
  }
  let path = text[..<equals].filter { $0 != " " }
  return (String(path), String(text[text.index(after: equals)...]), origin)
}
