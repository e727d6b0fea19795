import Foundation
import Tensors

/// An experiment file laid over the one that its key `extends` names.
///
/// Key by key the extending file wins: maps merge, lists and scalars replace what the base has. A
/// base may extend another. Every value keeps the place in the file it stands in.
struct Composition {
  /// A chain this long is a mistake, or made by a program.
  private static let longest = 32

  /// The files so far, the extending ones first, by their true paths.
  private var chain: [(shown: String, path: String)] = []

  /// A file's value with its bases below it, without `extends`.
  /// - Parameter file: names the file in messages, and the folder that its base is relative to.
  static func node(of yaml: String, file: String) throws(ConfigError) -> ConfigNode {
    var composition = Composition()
    return try composition.compose(yaml, file: file)
  }

  private mutating func compose(_ yaml: String, file: String) throws(ConfigError) -> ConfigNode {
    chain.append((file, Self.truePath(file)))
    var root = try Self.root(of: yaml, file: file)
    guard let value = root[ConfigKey.extends] else { return root }
    root[ConfigKey.extends] = nil
    guard let name = value.text, !name.isEmpty else {
      throw .wrongType(
        at: value.origin, path: ConfigKey.extends, expected: "the name of one YAML file",
        found: value.found)
    }
    let base = Self.path(of: name, from: file)
    let place = Self.truePath(base)
    if let start = chain.firstIndex(where: { $0.path == place }) {
      let circle = chain[start...].map(\.shown) + [base]
      throw .badBase(
        at: value.origin,
        reason: "goes in a circle: " + circle.map(printable).joined(separator: " → "))
    }
    guard chain.count < Self.longest else {
      throw .badBase(at: value.origin, reason: "over \(Self.longest) files deep")
    }
    let lower: ConfigNode
    do {
      lower = try compose(try YAMLReader.text(ofFile: base, asking: file), file: base)
    } catch .unreadable(let file, let reason) {
      throw .badBase(at: value.origin, reason: "\(printable(file)): \(reason)")
    }
    return Self.merged(root, over: lower)
  }

  /// The map that a text holds.
  private static func root(of yaml: String, file: String) throws(ConfigError) -> ConfigNode {
    let root = try YAMLReader.node(of: yaml) { .file(file, line: $0, column: $1) }
    guard let root, !root.isNothing else {
      throw .unreadable(
        file: file, reason: "is empty; an experiment has keys such as dataset, model and optimizer")
    }
    guard case .map = root.content else {
      throw .syntax(
        at: root.origin,
        problem: "expected a map of \(ConfigKey.names(inSection: "").joined(separator: ", ")), "
          + "found \(root.found)")
    }
    return root
  }

  // MARK: Files

  /// A base's path: relative to the folder of the file that names it, or to the current one where
  /// that file came through a pipe.
  private static func path(of name: String, from file: String) -> String {
    guard !name.hasPrefix("/"), !file.hasPrefix("/dev/"), let slash = file.lastIndex(of: "/") else {
      return name
    }
    return file[...slash] + name
  }

  private static func truePath(_ file: String) -> String {
    URL(fileURLWithPath: file).resolvingSymlinksInPath().standardizedFileURL.path
  }

  // MARK: Merging

  private static func merged(_ upper: ConfigNode, over lower: ConfigNode) -> ConfigNode {
    var lower = lower
    dropAxes(of: &lower, given: upper)
    guard case .map(let entries) = upper.content else { return upper }
    for entry in entries {
      let isNamed = ConfigKey.sections.contains(entry.key) && entry.key != "excitation"
      lower[entry.key] = merged(entry.value, over: lower[entry.key], mayBeName: isNamed)
      lower.move(entry.key, to: entry.origin)
    }
    lower.origin = upper.origin
    return lower
  }

  /// - Parameter mayBeName: whether the value is a section that may be given as its name alone.
  private static func merged(
    _ upper: ConfigNode, over lower: ConfigNode?, mayBeName: Bool
  ) -> ConfigNode {
    guard let lower, case .map(let entries) = upper.content else { return upper }
    var result = mayBeName ? ExperimentDraft.asMap(lower) : lower
    guard case .map = result.content else { return upper }
    for entry in entries {
      result[entry.key] = merged(entry.value, over: result[entry.key], mayBeName: false)
      result.move(entry.key, to: entry.origin)
    }
    return result
  }

  /// A base's sweep over a key would undo the value that the extending file gives the key.
  private static func dropAxes(of lower: inout ConfigNode, given upper: ConfigNode) {
    guard case .map(let entries)? = lower[ConfigKey.sweep]?.content else { return }
    let kept = entries.compactMap { entry -> ConfigNode.Entry? in
      guard ConfigKey.sections.contains(entry.key), case .map(let inner) = entry.value.content
      else {
        return isGiven(entry.key, in: upper) ? nil : entry
      }
      var entry = entry
      entry.value.content = .map(inner.filter { !isGiven("\(entry.key).\($0.key)", in: upper) })
      return entry
    }
    lower[ConfigKey.sweep]?.content = .map(kept)
  }

  /// Whether a file gives the key that an axis runs over, by any of the axis's spellings.
  private static func isGiven(_ axis: String, in root: ConfigNode) -> Bool {
    let parts = axis.split(separator: ".", maxSplits: 1).map(String.init)
    guard let section = root[parts[0]] else { return false }
    let key = parts.count > 1 ? parts[1] : "name"
    if parts.count == 1, !ConfigKey.sections.contains(axis) { return true }
    // A list of optimizers, or a section's name alone, stands for the section's name.
    if case .map = section.content { return section[key] != nil }
    return key == "name" && !section.isNothing
  }
}

extension ConfigNode {
  /// Sets where a key stands.
  fileprivate mutating func move(_ key: String, to origin: ConfigOrigin) {
    guard case .map(var entries) = content else { return }
    for index in entries.indices where entries[index].key == key { entries[index].origin = origin }
    content = .map(entries)
  }
}
