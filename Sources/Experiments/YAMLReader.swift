import Foundation
import Tensors
import Yams

/// Reads YAML text into `ConfigNode`s that know their places.
///
/// Yams' decoder takes unknown keys in silence and reports wrong types without a place, hence its
/// `compose` and our own checks.
enum YAMLReader {
  /// Aliases can multiply a small text into a huge tree, and values are compared with each other; no
  /// experiment is near this many.
  private static let mostNodes = 4_000
  /// Yams compares keys before we can count values, so a key must not become huge either.
  private static let mostAliases = 20
  private static let deepest = 32
  private static let mostBytes = 1 << 17

  // MARK: Files

  /// The text of a file.
  /// - Parameter asking: the file that names it, which cannot have meant itself.
  static func text(ofFile path: String, asking: String? = nil) throws(ConfigError) -> String {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw .unreadable(file: path, reason: "no such file" + similarFile(to: path, asking: asking))
    }
    guard !isDirectory.boolValue else {
      throw .unreadable(file: path, reason: "this is a directory; give a YAML file")
    }
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw .unreadable(file: path, reason: "cannot be opened for reading")
    }
    defer { try? handle.close() }
    var bytes = Data()
    do {
      // A pipe gives its text in pieces.
      while bytes.count <= mostBytes,
        let piece = try handle.read(upToCount: mostBytes + 1 - bytes.count), !piece.isEmpty
      {
        bytes += piece
      }
    } catch {
      throw .unreadable(file: path, reason: "cannot be read: \(systemReason())")
    }
    guard bytes.count <= mostBytes else {
      throw .unreadable(file: path, reason: "is over 128 KiB long; an experiment is a short text")
    }
    return try text(ofBytes: bytes, file: path)
  }

  private static func text(ofBytes bytes: Data, file: String) throws(ConfigError) -> String {
    let byteOrderMark = Data([0xEF, 0xBB, 0xBF])
    let body = bytes.starts(with: byteOrderMark) ? bytes.dropFirst(byteOrderMark.count) : bytes
    if let text = String(bytes: body, encoding: .utf8) { return text }
    // The longest prefix that is UTF-8 ends on the line with the wrong byte.
    var line = 1
    for part in body.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      if String(bytes: part, encoding: .utf8) == nil { break }
      line += 1
    }
    throw .unreadable(file: file, reason: "is not UTF-8 text (line \(line)); save it as UTF-8")
  }

  private static func similarFile(to path: String, asking: String?) -> String {
    let url = URL(fileURLWithPath: path)
    let folder = url.deletingLastPathComponent()
    let names =
      (try? FileManager.default.contentsOfDirectory(atPath: folder.path))?
      .filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }
      .filter { asking.map(URL.init(fileURLWithPath:))?.lastPathComponent != $0 }.sorted() ?? []
    guard let name = nearest(to: url.lastPathComponent, in: names) else { return "" }
    let typed = path.dropLast(url.lastPathComponent.count)
    return "; did you mean \(typed)\(name)?"
  }

  // MARK: Text

  /// The text's value, or nil where it holds none.
  ///
  /// - Parameter origin: the place of a line and column.
  static func node(
    of text: String, origin: @escaping (_ line: Int, _ column: Int) -> ConfigOrigin
  ) throws(ConfigError) -> ConfigNode? {
    try checkAliases(in: text, origin: origin)
    let root: Node?
    do {
      root = try compose(padded(text))
    } catch .duplicatedKeysInMapping(let keys, let context) {
      let key = keys.first ?? ""
      let first = (context.mark.line, context.mark.column)
      let (line, column) = secondPlace(of: key, first: first, in: text) ?? first
      throw .duplicateKey(at: origin(line, column), key: key, firstLine: first.0)
    } catch {
      throw syntaxError(error, in: text, origin: origin)
    }
    guard let root else { return nil }
    var converter = Converter(origin: origin)
    return try converter.convert(root, depth: 0)
  }

  private static func checkAliases(
    in text: String, origin: (Int, Int) -> ConfigOrigin
  ) throws(ConfigError) {
    var count = 0
    var place = (line: 1, column: 1)
    var before: Unicode.Scalar = " "
    for scalar in text.unicodeScalars {
      if before == "*", scalar.properties.isAlphabetic || scalar.properties.numericType != nil {
        count += 1
        guard count <= mostAliases else {
          throw .syntax(
            at: origin(place.line, place.column - 1),
            problem: "over \(mostAliases) aliases; write the values out")
        }
      }
      place = scalar == "\n" ? (place.line + 1, 1) : (place.line, place.column + 1)
      before = scalar
    }
  }

  private static func compose(_ text: String) throws(YamlError) -> Node? {
    do {
      return try Yams.compose(yaml: text, .basic, .default, .utf8)
    } catch let error as YamlError {
      throw error
    } catch {
      throw .memory
    }
  }

  /// Yams keeps a pointer into the string, which lasts only for strings stored on the heap: those
  /// of 16 bytes or more.
  private static func padded(_ text: String) -> String {
    text.utf8.count < 16 ? text + String(repeating: "\n", count: 16) : text
  }

  private static func syntaxError(
    _ error: YamlError, in text: String, origin: (Int, Int) -> ConfigOrigin
  ) -> ConfigError {
    switch error {
    case .scanner(let context, let problem, let mark, _),
      .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      let suspects = (context.map { min($0.mark.line, mark.line) } ?? mark.line)...mark.line
      for line in suspects.reversed() where lines.indices.contains(line - 1) {
        let indent = lines[line - 1].prefix { $0 == " " || $0 == "\t" }
        if let tab = indent.firstIndex(of: "\t") {
          let column = indent.distance(from: indent.startIndex, to: tab) + 1
          return .syntax(
            at: origin(line, column), problem: "a tab indents this line; YAML allows only spaces")
        }
      }
      if problem.contains("another document") {
        return .syntax(
          at: origin(mark.line, mark.column),
          problem: "a second YAML document starts here; an experiment is one document")
      }
      if problem.contains("Maximum nesting") {
        return .syntax(at: origin(1, 1), problem: "nested over 1000 levels deep")
      }
      // What is never closed is noticed at the end; better to show where it begins.
      let isAtEnd = lines.dropFirst(mark.line - 1).allSatisfy(\.isEmpty)
      let shown = isAtEnd ? context?.mark ?? mark : mark
      // A short text is padded; its end is where its own last line ends.
      let isBehind = shown.line > lines.count
      let place =
        isBehind
        ? origin(lines.count, lines[lines.count - 1].count + 1)
        : origin(shown.line, shown.column)
      let context = context?.text ?? ""
      let isVague = context.isEmpty || context.contains("next token")
      return .syntax(
        at: place, problem: "not YAML: \(problem)" + (isVague ? "" : " \(context)"))
    case .reader(let problem, let offset, _, _):
      let before = text.prefix(offset ?? 0)
      let line = before.reduce(1) { $0 + ($1.isNewline ? 1 : 0) }
      let column = before.reversed().prefix { !$0.isNewline }.count + 1
      return .syntax(at: origin(line, column), problem: "not YAML: \(problem)")
    default:
      return .syntax(at: origin(1, 1), problem: "not YAML: \(error)")
    }
  }

  // MARK: Duplicate keys

  /// The place of a key's second occurrence in its mapping; Yams tells only the first.
  ///
  /// Renames all later keys of that spelling but one: where Yams still complains about the same
  /// first key, that one belongs to the same mapping. Of many keys so spelled it tells none, since
  /// each is another time through the text.
  private static func secondPlace(
    of key: String, first: (line: Int, column: Int), in text: String
  ) -> (line: Int, column: Int)? {
    guard !key.isEmpty, !key.contains("\n") else { return nil }
    let mostCandidates = 20
    let scalars = Array(text.unicodeScalars)
    let wanted = Array(key.unicodeScalars)
    var candidates: [(offset: Int, place: (line: Int, column: Int))] = []
    var place = (line: 1, column: 1)
    for offset in scalars.indices {
      if place > first, scalars[offset...].starts(with: wanted),
        isKeyEnd(scalars[(offset + wanted.count)...])
      {
        guard candidates.count < mostCandidates else { return nil }
        candidates.append((offset, place))
      }
      place = scalars[offset] == "\n" ? (place.line + 1, 1) : (place.line, place.column + 1)
    }
    for kept in candidates.indices {
      var renamed = scalars
      for other in candidates.indices.reversed() where other != kept {
        renamed.insert(contentsOf: "renamed\(other)".unicodeScalars, at: candidates[other].offset)
      }
      var trial = String.UnicodeScalarView()
      trial.append(contentsOf: renamed)
      do {
        _ = try compose(padded(String(trial)))
      } catch .duplicatedKeysInMapping(let keys, let context) {
        let mark = (context.mark.line, context.mark.column)
        if keys.first == key, mark == first { return candidates[kept].place }
      } catch {
        continue
      }
    }
    return nil
  }

  /// Whether a colon is all that follows, but for a quote and blanks.
  private static func isKeyEnd(_ rest: ArraySlice<Unicode.Scalar>) -> Bool {
    let quote = rest.first == "\"" || rest.first == "'" ? 1 : 0
    return rest.dropFirst(quote).first { $0 != " " } == ":"
  }

  // MARK: Nodes

  private struct Converter {
    let origin: (Int, Int) -> ConfigOrigin
    private var count = 0

    init(origin: @escaping (Int, Int) -> ConfigOrigin) { self.origin = origin }

    mutating func convert(_ node: Node, depth: Int) throws(ConfigError) -> ConfigNode {
      let place = origin(node.mark?.line ?? 1, node.mark?.column ?? 1)
      count += 1
      guard count <= mostNodes else {
        throw .syntax(
          at: place, problem: "over \(mostNodes) values, counting aliases as often as used")
      }
      guard depth <= deepest else {
        throw .syntax(at: place, problem: "nested over \(deepest) levels deep")
      }
      switch node {
      case .scalar(let scalar):
        return ConfigNode(content: Self.content(of: scalar), origin: place)
      case .sequence(let nodes):
        var list: [ConfigNode] = []
        for node in nodes { list.append(try convert(node, depth: depth + 1)) }
        return ConfigNode(content: .list(list), origin: place)
      case .mapping(let mapping):
        return ConfigNode(content: .map(try entries(of: mapping, depth: depth)), origin: place)
      case .alias:
        throw .syntax(at: place, problem: "an alias that names nothing")
      }
    }

    private static func content(of scalar: Node.Scalar) -> ConfigNode.Content {
      let quoted = scalar.style != .plain && scalar.style != .any
      let isNull = !quoted && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
      return isNull ? .nothing : .scalar(scalar.string, quoted: quoted)
    }

    /// Keys in the order of the file; those merged in with `<<` come last and never replace one.
    private mutating func entries(
      of mapping: Node.Mapping, depth: Int
    ) throws(ConfigError) -> [ConfigNode.Entry] {
      var entries: [ConfigNode.Entry] = []
      var merged: [ConfigNode.Entry] = []
      for (key, value) in mapping {
        let place = origin(key.mark?.line ?? 1, key.mark?.column ?? 1)
        guard let name = key.scalar else {
          throw .syntax(at: place, problem: "a key must be a word, not a list or a map")
        }
        let value = try convert(value, depth: depth + 1)
        guard name.string == "<<", name.style == .plain else {
          entries.append(.init(key: name.string, origin: place, value: value))
          continue
        }
        switch value.content {
        case .map(let inner): merged += inner
        case .list(let maps):
          for case .map(let inner) in maps.map(\.content) { merged += inner }
        default:
          throw .syntax(at: place, problem: "<< merges a map or a list of maps")
        }
      }
      for entry in merged where !entries.contains(where: { $0.key == entry.key }) {
        entries.append(entry)
      }
      return entries
    }
  }
}
