import Training

/// Settings that a grid leaves out: those that have, at every listed key, one of its values.
///
///     sweep:
///       model.experts: [4, 8]
///       model.k: [2, 4]
///       exclude:
///         - {model.experts: 4, model.k: 4}
struct GridExclusion: Sendable {
  struct Condition: Sendable {
    let key: ConfigKey
    /// At least one.
    let values: [ConfigNode]
  }

  /// At least one.
  let conditions: [Condition]
  let origin: ConfigOrigin

  /// Its key in `sweep`.
  static let name = "exclude"
  static let path = "\(ConfigKey.sweep).\(name)"

  /// - Parameter node: a list of maps.
  static func list(_ node: ConfigNode) throws(ConfigError) -> [GridExclusion] {
    let expected = "a list of maps such as [{model.experts: 4, model.k: [4, 8]}]"
    guard case .list(let items) = node.content else {
      throw .wrongType(at: node.origin, path: path, expected: expected, found: node.found)
    }
    var exclusions: [GridExclusion] = []
    for item in items {
      guard case .map(let entries) = item.content else {
        throw .wrongType(at: item.origin, path: path, expected: expected, found: item.found)
      }
      let conditions = try conditions(entries, section: "")
      guard !conditions.isEmpty else {
        throw .emptyList(
          at: item.origin, path: path, expected: "keys with the values to leave out")
      }
      exclusions.append(GridExclusion(conditions: conditions, origin: item.origin))
    }
    return exclusions
  }

  private static func conditions(
    _ entries: [ConfigNode.Entry], section: String
  ) throws(ConfigError) -> [Condition] {
    var conditions: [Condition] = []
    for entry in entries {
      let path = section.isEmpty ? entry.key : "\(section).\(entry.key)"
      if section.isEmpty, ConfigKey.sections.contains(path),
        case .map(let inner) = entry.value.content
      {
        conditions += try Self.conditions(inner, section: path)
        continue
      }
      let shown = "\(Self.path).\(path)"
      let isSection = ["dataset", "optimizer", "schedule"].contains(path)
      guard let key = ConfigKey.named(isSection ? "\(path).name" : path) else {
        try ExperimentDraft.unknown(path, at: entry.origin, shown: shown)
        throw .conflict(
          at: entry.origin, path: shown,
          reason: "says nothing of a setting: every setting has all of it")
      }
      let values: [ConfigNode]
      if case .list(let list) = entry.value.content {
        values = list
      } else {
        values = [entry.value]
      }
      guard !values.isEmpty else {
        throw .emptyList(
          at: entry.value.origin, path: shown, expected: "the values to leave out")
      }
      conditions.append(Condition(key: key, values: values))
    }
    return conditions
  }

  /// Whether a setting is to be left out.
  /// - Throws: what is wrong with a value.
  func matches(_ config: RunConfig) throws(ConfigError) -> Bool {
    for condition in conditions {
      var isMet = false
      for value in condition.values {
        // Read as the setting's own values are, so that 0.10 is 0.1.
        var trial = config
        try condition.key.read(value, &trial)
        if condition.key.write(trial) == condition.key.write(config) { isMet = true }
      }
      guard isMet else { return false }
    }
    return true
  }

  /// On one line, as YAML.
  var yaml: String {
    let fields = conditions.map { condition in
      let texts = condition.values.map { $0.number.map(Experiments.yaml) ?? $0.text ?? "null" }
      let value = texts.count == 1 ? texts[0] : "[\(texts.joined(separator: ", "))]"
      return "\(condition.key.path): \(value)"
    }
    return "{\(fields.joined(separator: ", "))}"
  }
}

extension ExperimentReader {
  /// The points that no exclusion of the sweep leaves out.
  /// - Throws: `.conflict` where that is none of them; what is wrong with an exclusion's value.
  func remaining(_ points: [Point]) throws(ConfigError) -> [Point] {
    guard let first = draft.exclusions.first else { return points }
    var remaining: [Point] = []
    for point in points {
      var isOut = false
      for exclusion in draft.exclusions where try exclusion.matches(point.config) { isOut = true }
      if !isOut { remaining.append(point) }
    }
    guard !remaining.isEmpty else {
      throw .conflict(
        at: first.origin, path: GridExclusion.path,
        reason: points.count == 1
          ? "leaves out the only setting"
          : "leaves out all \(points.count) settings of the grid")
    }
    return remaining
  }
}
