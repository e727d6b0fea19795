import Tensors

/// A value of an experiment as it was written, with the place it was written at. File and flags
/// both become this tree, so that both are checked by the same code.
struct ConfigNode: Sendable {
  enum Content: Sendable {
    case nothing
    case scalar(String, quoted: Bool)
    case list([ConfigNode])
    case map([Entry])
  }
  struct Entry: Sendable {
    var key: String
    /// Where the key stands; the value has its own place.
    var origin: ConfigOrigin
    var value: ConfigNode
  }

  var content: Content
  var origin: ConfigOrigin

  /// What stands there, in words for a message.
  var found: String {
    switch content {
    case .nothing: return "nothing"
    case .list: return "a list"
    case .map: return "a map"
    case .scalar(let text, quoted: true): return "the text \"\(printable(text))\" in quotes"
    case .scalar(let text, quoted: false):
      return number == nil ? "the text \"\(printable(text))\"" : "the number \(printable(text))"
    }
  }

  /// The text of a scalar, quoted or not.
  var text: String? {
    if case .scalar(let text, _) = content { return text }
    return nil
  }

  var isNothing: Bool {
    if case .nothing = content { return true }
    return false
  }

  /// A scalar read as a number, which may be infinite or NaN.
  ///
  /// Wider than YAML 1.1, which takes `1e-4` for text; narrower too, for it takes `010` for eight
  /// and `1:30` for ninety, which nobody means.
  var number: Double? {
    guard case .scalar(let text, quoted: false) = content else { return nil }
    switch text.lowercased() {
    case ".inf", "+.inf": return .infinity
    case "-.inf": return -.infinity
    case ".nan": return .nan
    default: break
    }
    guard text.utf8.contains(where: { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }),
      text.utf8.allSatisfy({ "0123456789+-.eE_".utf8.contains($0) }), !text.hasPrefix("_")
    else { return nil }
    let digits = text.filter { $0 != "_" }
    let unsigned = digits.drop { $0 == "+" || $0 == "-" }
    let leadingZero = unsigned.first == "0" && unsigned.dropFirst().first?.isNumber == true
    return leadingZero ? nil : Double(digits)
  }

  /// A scalar read as a whole number; `5e2` and `512.0` are whole.
  var wholeNumber: Int? {
    guard let number else { return nil }
    return text.flatMap { Int($0.filter { $0 != "_" }) } ?? Int(exactly: number)
  }

  /// The value under a key of a map.
  subscript(key: String) -> ConfigNode? {
    get {
      guard case .map(let entries) = content else { return nil }
      return entries.first { $0.key == key }?.value
    }
    set {
      guard case .map(var entries) = content else { return }
      let place = entries.firstIndex { $0.key == key }
      switch (place, newValue) {
      case (let place?, let value?):
        entries[place] = Entry(key: key, origin: value.origin, value: value)
      case (let place?, nil): entries.remove(at: place)
      case (nil, let value?): entries.append(Entry(key: key, origin: value.origin, value: value))
      case (nil, nil): break
      }
      content = .map(entries)
    }
  }
}
