import Excitation
import Models
import Optimizers
import Training

/// Checks a draft and turns it into values, gathering all that is wrong with it.
struct ExperimentReader {
  /// One point of the grid.
  struct Point {
    var config: RunConfig
    /// Where values were given, by key path; absent means by nobody.
    var origins: [String: ConfigOrigin]
    var varying: [Setting.Varying]
  }
  struct Parts {
    var axes: [ExperimentConfig.Axis]
    /// As YAML.
    var exclusions: [String]
    /// At least one.
    var points: [Point]
    var variants: [ExcitationVariant]
    var gammas: [Double]
    var seeds: [UInt64]
    /// `excitation.epsilon`.
    var epsilon: Double
  }

  let draft: ExperimentDraft
  var problems: [ConfigError]
  /// The values read so far, and where they were given.
  var config = ConfigKey.defaults
  var origins: [String: ConfigOrigin] = [:]

  init(_ draft: ExperimentDraft) {
    self.draft = draft
    problems = draft.problems
  }

  mutating func read() throws(ConfigError) -> Parts {
    readTop()
    for section in ConfigKey.sections {
      if let node = draft.root[section] { readSection(section, node) }
    }
    let variants = readVariants()
    let gammas = readGammas()
    let seeds = readSeeds()
    let axes = readAxes()
    try throwProblems()

    let points = try remaining(
      grid(of: axes, runsPerPoint: variants.count * gammas.count * seeds.count))
    for point in points { problems += conflicts(point) }
    try throwProblems()
    return Parts(
      axes: axes.map { .init(keyPath: $0.path, values: $0.values.map(\.text)) },
      exclusions: draft.exclusions.map(\.yaml), points: points,
      variants: variants, gammas: gammas, seeds: seeds, epsilon: config.excitation.epsilon)
  }

  /// Throws what was found, each once, file by file in the order of lines; flags come last.
  private func throwProblems() throws(ConfigError) {
    guard !problems.isEmpty else { return }
    var unique: [ConfigError] = []
    for problem in problems where !unique.contains(problem) { unique.append(problem) }
    var files: [String] = []
    for case let file? in unique.map(\.place?.file) where !files.contains(file) {
      files.append(file)
    }
    let ranked = unique.enumerated().map { offset, problem in
      let place = problem.place
      let file = place.flatMap { files.firstIndex(of: $0.file) } ?? files.count
      return (rank: (file, place?.line ?? 0, place?.column ?? 0, offset), problem: problem)
    }
    throw .joined(ranked.sorted { $0.rank < $1.rank }.map(\.problem))
  }

  mutating func attempt<Value>(
    _ body: () throws(ConfigError) -> Value
  ) -> Value? {
    do {
      return try body()
    } catch {
      problems.append(error)
      return nil
    }
  }

  // MARK: Sections

  private mutating func readTop() {
    guard case .map(let entries) = draft.root.content else { return }
    for entry in entries where !ConfigKey.names(inSection: "").contains(entry.key) {
      problems.append(unknownKey(entry, section: ""))
    }
    for key in ConfigKey.all where key.section.isEmpty {
      if let node = draft.root[key.path] { read(key, node) }
    }
  }

  mutating func readSection(_ section: String, _ node: ConfigNode) {
    var node = node
    // A section may be its name alone; excitation has none.
    if section != "excitation" { node = ExperimentDraft.asMap(node) }
    guard case .map(let entries) = node.content else {
      if node.isNothing { return }
      problems.append(
        .wrongType(at: node.origin, path: section, expected: "a map of keys", found: node.found))
      return
    }
    let known = ConfigKey.names(inSection: section)
    // In the table's order, for an optimizer's name sets the constants' defaults, and a model's the
    // keys that it has.
    for key in ConfigKey.all where key.section == section {
      guard let place = entries.first(where: { $0.key == key.key }) else { continue }
      let before = problems.count
      read(key, place.value)
      if key.path == "optimizer.name", problems.count > before { return }
      if section == "optimizer" { checkOwner(place) }
    }
    for entry in entries where !known.contains(entry.key) {
      problems.append(unknownKey(entry, section: section))
    }
  }

  private mutating func read(_ key: ConfigKey, _ node: ConfigNode) {
    origins[key.path] = node.origin
    do {
      try key.read(node, &config)
    } catch {
      problems.append(error)
    }
  }

  private mutating func checkOwner(_ entry: ConfigNode.Entry) {
    let name = config.optimizer.name
    if !OptimizerConfig.keys(of: name).contains(entry.key) {
      problems.append(
        .foreignKey(at: entry.origin, path: "optimizer.\(entry.key)", optimizer: name))
    }
  }

  private func unknownKey(_ entry: ConfigNode.Entry, section: String) -> ConfigError {
    .unknownKey(
      at: entry.origin, path: section.isEmpty ? entry.key : "\(section).\(entry.key)",
      owner: ConfigKey.owner(section),
      allowed: section == "model"
        ? ModelConfig.keys(of: config.model.name) : ConfigKey.names(inSection: section),
      nearest: ConfigKey.guess(for: entry.key, inSection: section))
  }

  // MARK: Lists

  private mutating func readVariants() -> [ExcitationVariant] {
    let node = excitation("variants")
    let expected = "a list of variants such as [vanilla, zero-sum]"
    return readList(node, ConfigKey.variants, expected: expected) { node throws(ConfigError) in
      try ConfigKey.name(node, ConfigKey.variants)
    } ?? [.vanilla, .zeroSum, .positiveSum]
  }

  private mutating func readGammas() -> [Double] {
    let path = ConfigKey.gamma
    let expected = "a number or a list of numbers"
    func number(_ node: ConfigNode) throws(ConfigError) -> Double {
      try Limits.finite.number(node, path)
    }
    if let axis = draft.axes.first(where: { $0.path == path }) {
      let values =
        axis.isPaperGrid
        ? PaperGrid.values(forAxis: .gamma).map {
          ConfigNode(content: .scalar($0, quoted: false), origin: axis.origin)
        } : axis.values
      let node = ConfigNode(content: .list(values), origin: axis.origin)
      return readList(node, path, expected: expected, number) ?? [1]
    }
    guard let node = excitation("gamma") else { return [1] }
    if case .scalar = node.content {
      return attempt { () throws(ConfigError) in [try number(node)] } ?? [1]
    }
    return readList(node, path, expected: expected, number) ?? [1]
  }

  private mutating func readSeeds() -> [UInt64] {
    let expected = "a list of seeds such as [0, 1, 2]"
    let node = draft.root[ConfigKey.seeds]
    return readList(node, ConfigKey.seeds, expected: expected) { node throws(ConfigError) in
      if case .flag = node.origin, node.number == nil {
        throw .wrongType(
          at: node.origin, path: ConfigKey.seeds,
          expected: "seeds such as 0,1,2 or 0-4, the lower end first, at most 10,000",
          found: node.found)
      }
      return UInt64(try ConfigKey.wholeNumber(node, ConfigKey.seeds, 0...Int.max))
    } ?? [0, 1, 2]
  }

  private func excitation(_ key: String) -> ConfigNode? { draft.root["excitation"]?[key] }

  /// A list without repetition, or nil where it is absent or wrong.
  private mutating func readList<Value: Equatable>(
    _ node: ConfigNode?, _ path: String, expected: String,
    _ read: (ConfigNode) throws(ConfigError) -> Value
  ) -> [Value]? {
    guard let node else { return nil }
    let items: [ConfigNode]
    switch node.content {
    case .list(let list): items = list
    case .nothing: items = []
    default:
      problems.append(
        .wrongType(at: node.origin, path: path, expected: expected, found: node.found))
      return nil
    }
    guard !items.isEmpty else {
      problems.append(.emptyList(at: node.origin, path: path, expected: expected))
      return nil
    }
    var values: [Value] = []
    for item in items {
      guard let value = attempt({ () throws(ConfigError) in try read(item) }) else { continue }
      if values.contains(value) {
        problems.append(.repeated(at: item.origin, path: path, value: item.text ?? ""))
      }
      values.append(value)
    }
    return values
  }
}
