import Optimizers
import Tensors

/// Where a setting comes from, so that an error can name the place to change.
public enum ConfigOrigin: Hashable, Sendable, CustomStringConvertible {
  /// A place in a file; line and column count from 1, columns in Unicode scalars.
  case file(String, line: Int, column: Int)
  /// A command line flag as it was typed, for example `--set model.width=64`.
  case flag(String)
  /// Nobody gave it: a default.
  case standard

  public var description: String {
    switch self {
    case .file(let file, let line, let column): return "\(printable(file)):\(line):\(column)"
    case .flag(let text): return printable(text)
    case .standard: return "default"
    }
  }
}

/// What is wrong with an experiment file or with the flags that change it.
public enum ConfigError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file cannot be read as text.
  case unreadable(file: String, reason: String)
  /// The text is not YAML, or not the kind of YAML an experiment is.
  case syntax(at: ConfigOrigin, problem: String)
  case duplicateKey(at: ConfigOrigin, key: String, firstLine: Int)
  /// - Parameter owner: what `allowed` are the keys of, in words: `model`, `an experiment`.
  case unknownKey(
    at: ConfigOrigin, path: String, owner: String, allowed: [String], nearest: String?)
  /// A constant that the named optimizer does not have.
  case foreignKey(at: ConfigOrigin, path: String, optimizer: OptimizerName)
  case wrongType(at: ConfigOrigin, path: String, expected: String, found: String)
  case unknownName(
    at: ConfigOrigin, path: String, found: String, allowed: [String], nearest: String?)
  case outOfRange(at: ConfigOrigin, path: String, expected: String, found: String)
  /// A value that stands twice in a list.
  case repeated(at: ConfigOrigin, path: String, value: String)
  case emptyList(at: ConfigOrigin, path: String, expected: String)
  /// Values that are right alone but impossible together.
  case conflict(at: ConfigOrigin, path: String, reason: String)
  /// The file named by `extends` cannot be one's base.
  case badBase(at: ConfigOrigin, reason: String)
  /// More than one of the above, in the order of the file, flags last.
  case several([ConfigError])

  /// One line per error, each beginning with the place.
  public var description: String {
    switch self {
    case .unreadable(let file, let reason):
      return "\(printable(file)): \(reason)"
    case .syntax(let at, let problem):
      return "\(at): \(problem)"
    case .duplicateKey(let at, let key, let firstLine):
      return "\(at): \(printable(key)): given twice, first on line \(firstLine); keep one"
    case .unknownKey(let at, let path, let owner, let allowed, let nearest):
      return place(at, path) + "unknown key; \(owner) has " + allowed.joined(separator: ", ")
        + hint(nearest)
    case .foreignKey(let at, let path, let optimizer):
      let key = split(path).key
      let owners = OptimizerName.allCases.filter { OptimizerConfig.keys(of: $0).contains(key) }
      return place(at, path) + "\(optimizer.rawValue) has no \(key), which belongs to "
        + owners.map(\.rawValue).joined(separator: ", ") + "; \(optimizer.rawValue) has "
        + OptimizerConfig.keys(of: optimizer).joined(separator: ", ")
    case .wrongType(let at, let path, let expected, let found):
      return place(at, path) + "expected \(expected), found \(found)"
    case .unknownName(let at, let path, let found, let allowed, let nearest):
      return place(at, path) + "unknown name \"\(printable(found))\"; known: "
        + allowed.joined(separator: ", ") + hint(nearest)
    case .outOfRange(let at, let path, let expected, let found):
      return place(at, path) + "\(found) is not allowed; give \(expected)"
    case .repeated(let at, let path, let value):
      return place(at, path) + "\(printable(value)) is given twice; keep one"
    case .emptyList(let at, let path, let expected):
      return place(at, path) + "the list is empty; give \(expected)"
    case .conflict(let at, let path, let reason):
      return place(at, path) + reason
    case .badBase(let at, let reason):
      return place(at, ConfigKey.extends) + reason
    case .several(let errors):
      return errors.map(\.description).joined(separator: "\n")
    }
  }

  /// The place to sort by; nil for what stands in no file.
  var place: (file: String, line: Int, column: Int)? {
    switch self {
    case .syntax(let at, _), .duplicateKey(let at, _, _), .unknownKey(let at, _, _, _, _),
      .foreignKey(let at, _, _), .wrongType(let at, _, _, _), .unknownName(let at, _, _, _, _),
      .outOfRange(let at, _, _, _), .repeated(let at, _, _), .emptyList(let at, _, _),
      .conflict(let at, _, _), .badBase(let at, _):
      guard case .file(let file, let line, let column) = at else { return nil }
      return (file, line, column)
    case .unreadable, .several: return nil
    }
  }

  /// One error as itself, more as `several`.
  static func joined(_ errors: [ConfigError]) -> ConfigError {
    errors.count == 1 ? errors[0] : .several(errors)
  }

  /// "place: key.path: "; a flag that already spells the key does not repeat it.
  private func place(_ at: ConfigOrigin, _ path: String) -> String {
    let path = printable(path)
    switch at {
    case .standard: return path.isEmpty ? "" : "\(path): "
    case .file: return path.isEmpty ? "\(at): " : "\(at): \(path): "
    case .flag(let text):
      let (section, name) = split(path)
      let key = name == "name" ? section : name
      let general = ["--set ", "--try ", "cell "].first(where: text.hasPrefix)
      let isOwnFlag = general == nil && text.replacing("-", with: "_").contains(key)
      let named = isOwnFlag || general.map { text.hasPrefix("\($0)\(path)=") } ?? false
      return named ? "\(at): " : "\(at): \(path): "
    }
  }

  private func hint(_ nearest: String?) -> String {
    nearest.map { "; did you mean \($0)?" } ?? ""
  }

  private func split(_ path: String) -> (section: String, key: String) {
    guard let dot = path.lastIndex(of: ".") else { return ("", path) }
    return (String(path[..<dot]), String(path[path.index(after: dot)...]))
  }
}
