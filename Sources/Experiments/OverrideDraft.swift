import Optimizers

/// An experiment as written, after flags have changed it and before its values are checked.
struct ExperimentDraft {
  /// Values of one key to try in turn.
  struct Axis {
    /// A scalar's key path, `optimizer` for whole optimizers, or `excitation.gamma`.
    var path: String
    var values: [ConfigNode]
    var origin: ConfigOrigin
    /// The values are the paper's, and depend on the optimizer.
    var isPaperGrid = false
    var isFlag = false
  }

  private(set) var root: ConfigNode
  private(set) var axes: [Axis] = []
  private(set) var exclusions: [GridExclusion] = []
  private(set) var problems: [ConfigError] = []

  /// - Parameter root: the file's value, a map.
  init(_ root: ConfigNode) {
    self.root = root
    if let sweep = root[ConfigKey.sweep] {
      self.root[ConfigKey.sweep] = nil
      takeAxes(from: sweep)
    }
    if case .list(let items)? = root["optimizer"]?.content, let origin = root["optimizer"]?.origin {
      self.root["optimizer"] = nil
      if let other = axes.first(where: { $0.path == "optimizer" }) {
        problems.append(
          .conflict(
            at: other.origin, path: "sweep.optimizer",
            reason: "`optimizer` is a list already; keep one of the two"))
      } else {
        axes.insert(Axis(path: "optimizer", values: items, origin: origin), at: 0)
      }
    }
  }

  // MARK: The file's sweep

  private mutating func takeAxes(from sweep: ConfigNode) {
    switch sweep.content {
    case .nothing: return
    case .map(let entries):
      for entry in entries {
        guard entry.key == GridExclusion.name else {
          takeAxis(entry, section: "")
          continue
        }
        attempt { draft throws(ConfigError) in
          draft.exclusions = try GridExclusion.list(entry.value)
        }
      }
    default:
      problems.append(
        .wrongType(
          at: sweep.origin, path: ConfigKey.sweep,
          expected: "a map such as {optimizer.lr: [0.1, 0.2]}", found: sweep.found))
    }
  }

  private mutating func takeAxis(_ entry: ConfigNode.Entry, section: String) {
    let path = section.isEmpty ? entry.key : "\(section).\(entry.key)"
    if section.isEmpty, ConfigKey.sections.contains(path),
      case .map(let inner) = entry.value.content
    {
      for entry in inner { takeAxis(entry, section: path) }
      return
    }
    do throws(ConfigError) {
      guard case .list(let values) = entry.value.content else {
        throw ConfigError.wrongType(
          at: entry.value.origin, path: "sweep.\(path)", expected: "a list of values",
          found: entry.value.found)
      }
      guard !values.isEmpty else {
        throw ConfigError.emptyList(
          at: entry.value.origin, path: "sweep.\(path)", expected: "the values to try")
      }
      let axisPath = try Self.axisPath(path, at: entry.origin, shown: "sweep.\(path)")
      if axes.contains(where: { $0.path == axisPath }) {
        throw ConfigError.conflict(
          at: entry.origin, path: "sweep.\(path)", reason: "this key is swept already; keep one")
      }
      axes.append(Axis(path: axisPath, values: values, origin: entry.origin))
    } catch {
      problems.append(error)
    }
  }

  /// The one spelling of an axis, or an error where the key cannot be swept.
  private static func axisPath(
    _ path: String, at origin: ConfigOrigin, shown: String
  ) throws(ConfigError) -> String {
    switch path {
    case "optimizer", "optimizer.name": return "optimizer"
    case "schedule", "dataset": return "\(path).name"
    case ConfigKey.gamma: return path
    case ConfigKey.seeds, ConfigKey.variants:
      throw .conflict(
        at: origin, path: shown, reason: "is no axis: every setting runs all of `\(path)`")
    case "model", "model.name":
      throw .conflict(at: origin, path: shown, reason: "is no axis: an experiment has one model")
    case "excitation.epsilon":
      throw .conflict(
        at: origin, path: shown, reason: "cannot be swept: it changes the variant inverted alone")
    default: break
    }
    guard ConfigKey.named(path) == nil else { return path }
    try unknown(path, at: origin, shown: shown)
    throw .conflict(at: origin, path: shown, reason: "cannot be swept; name one of its keys")
  }

  /// Throws where no key has this path.
  static func unknown(
    _ path: String, at origin: ConfigOrigin, shown: String
  ) throws(ConfigError) {
    let lists = [ConfigKey.seeds, ConfigKey.variants, ConfigKey.gamma]
    if ConfigKey.sections.contains(path) || lists.contains(path) || ConfigKey.named(path) != nil {
      return
    }
    let parts = path.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    if parts.count == 2, ConfigKey.sections.contains(String(parts[0])) {
      let (section, key) = (String(parts[0]), String(parts[1]))
      throw .unknownKey(
        at: origin, path: shown, owner: section, allowed: ConfigKey.names(inSection: section),
        nearest: ConfigKey.guess(for: key, inSection: section))
    }
    // Perhaps the section is the mistyped part.
    let word = String(parts.last ?? "")
    let section = nearest(to: String(parts[0]), in: ConfigKey.sections)
    let inSection = section.flatMap { section in
      parts.count == 2
        ? nearest(to: word, in: ConfigKey.names(inSection: section)).map { "\(section).\($0)" }
        : nil
    }
    let isSweep = shown.hasPrefix("\(ConfigKey.sweep).")
    let lone = ConfigKey.all.filter { $0.section.isEmpty }.map(\.path)
    throw .unknownKey(
      at: origin, path: shown, owner: isSweep ? "a sweep" : "an experiment",
      allowed: ConfigKey.sections.map { "\($0).…" } + lone + (isSweep ? [] : [ConfigKey.seeds]),
      nearest: inSection ?? ConfigKey.guess(for: word, inSection: ""))
  }

  // MARK: Flags

  mutating func apply(_ overrides: ConfigOverrides) {
    for axis in overrides.axes {
      attempt { draft throws(ConfigError) in try draft.add(axis) }
    }
    do {
      for (path, value) in try overrides.assignments() {
        attempt { draft throws(ConfigError) in try draft.set(path, to: value) }
      }
    } catch {
      problems.append(error)
    }
  }

  private mutating func attempt(
    _ body: (inout ExperimentDraft) throws(ConfigError) -> Void
  ) {
    do {
      try body(&self)
    } catch {
      problems.append(error)
    }
  }

  private mutating func add(_ axis: SweepAxis) throws(ConfigError) {
    let origin = ConfigOrigin.flag(axis.origin)
    if axis.isPlainValue {
      let text = axis.values.joined(separator: ",")
      try set(axis.keyPath, to: try flagNode(text, origin: origin))
      return
    }
    let path = try Self.axisPath(axis.keyPath, at: origin, shown: axis.keyPath)
    var values: [ConfigNode] = []
    for value in axis.values { values.append(try flagNode(value, origin: origin)) }
    if values.isEmpty, PaperGrid.Axis(keyPath: path) == nil {
      throw .conflict(
        at: origin, path: axis.keyPath, reason: "the paper has no grid of this; name values")
    }
    let added = Axis(
      path: path, values: values, origin: origin, isPaperGrid: values.isEmpty, isFlag: true)
    guard let place = axes.firstIndex(where: { $0.path == path }) else {
      axes.append(added)
      return
    }
    guard !axes[place].isFlag else {
      throw .conflict(
        at: origin, path: axis.keyPath, reason: "\(axes[place].origin) gives this key too")
    }
    axes[place] = added
  }

  /// One value for a key, in place of what the file says of it, its axis included.
  private mutating func set(_ path: String, to value: ConfigNode) throws(ConfigError) {
    if path == ConfigKey.sweep || path.hasPrefix("sweep.") {
      throw .conflict(
        at: value.origin, path: path, reason: "cannot be set; `excite sweep` takes key.path=a,b,c")
    }
    if path == ConfigKey.extends {
      throw .conflict(
        at: value.origin, path: path, reason: "cannot be set; write a file that extends another")
    }
    try Self.unknown(path, at: value.origin, shown: path)
    var path = path
    if value.text != nil, ["dataset", "model", "schedule"].contains(path) { path += ".name" }
    try dropAxes(over: path, for: value.origin)

    let isList = [ConfigKey.seeds, ConfigKey.variants, ConfigKey.gamma].contains(path)
    let value = isList ? expandedList(value) : value
    let parts = path.split(separator: ".", maxSplits: 1).map(String.init)
    guard parts.count == 2 else {
      root[path] = value
      return
    }
    let (section, key) = (parts[0], parts[1])
    if section == "optimizer", let place = axes.firstIndex(where: { $0.path == section }) {
      try setInAll(&axes[place].values, key: key, to: value)
    } else {
      let old = root[section] ?? ConfigNode(content: .nothing, origin: value.origin)
      root[section] = Self.asMap(old)
      root[section]?[key] = value
    }
  }

  /// Where optimizers are a grid, a constant goes to each that has it.
  private func setInAll(
    _ optimizers: inout [ConfigNode], key: String, to value: ConfigNode
  ) throws(ConfigError) {
    var names: [OptimizerName] = []
    for i in optimizers.indices {
      let name = (optimizers[i].text ?? optimizers[i]["name"]?.text).flatMap(OptimizerName.init)
      guard let name else { continue }
      names.append(name)
      guard OptimizerConfig.keys(of: name).contains(key) else { continue }
      optimizers[i] = Self.asMap(optimizers[i])
      optimizers[i][key] = value
    }
    let isUsed = names.contains { OptimizerConfig.keys(of: $0).contains(key) }
    if !isUsed, let first = names.first {
      throw .foreignKey(at: value.origin, path: "optimizer.\(key)", optimizer: first)
    }
  }

  private mutating func dropAxes(over path: String, for origin: ConfigOrigin) throws(ConfigError) {
    let swept = path == "optimizer.name" ? "optimizer" : path
    if let axis = axes.first(where: { $0.path == swept }), axis.isFlag {
      throw .conflict(at: origin, path: path, reason: "\(axis.origin) gives this key too")
    }
    axes.removeAll { $0.path == swept }
  }

  /// A section given as its name alone, or not at all, as a map.
  static func asMap(_ node: ConfigNode) -> ConfigNode {
    switch node.content {
    case .nothing: return ConfigNode(content: .map([]), origin: node.origin)
    case .scalar:
      return ConfigNode(
        content: .map([.init(key: "name", origin: node.origin, value: node)]), origin: node.origin)
    case .list, .map: return node
    }
  }
}
