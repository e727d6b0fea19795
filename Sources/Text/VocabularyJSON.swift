/// Reads a JSON object of strings and non-negative integers, and nothing else.
///
/// By hand because a general reader would keep one of two equal keys in silence, and because
/// `String` takes keys for equal that differ in their bytes.
struct VocabularyJSON {
  private let path: String
  private let bytes: [UInt8]
  private var at = 0

  /// - Parameter path: for errors.
  init(_ bytes: [UInt8], path: String) {
    self.bytes = bytes
    self.path = path
  }

  /// Every pair in order.
  ///
  /// - Throws: `.notVocabularyJSON`.
  mutating func pairs() throws(TextError) -> [(key: [Unicode.Scalar], value: Int)] {
    var pairs: [(key: [Unicode.Scalar], value: Int)] = []
    try take("{", "an object's {")
    skipBlanks()
    if peek() == UInt8(ascii: "}") {
      at += 1
    } else {
      while true {
        let key = try string()
        try take(":", "a :")
        pairs.append((key, try integer()))
        skipBlanks()
        if peek() == UInt8(ascii: "}") {
          at += 1
          break
        }
        try take(",", "a , or }")
      }
    }
    skipBlanks()
    guard at == bytes.count else { throw bad("the end") }
    return pairs
  }

  private func peek() -> UInt8? { at < bytes.count ? bytes[at] : nil }

  private func bad(_ expected: String) -> TextError {
    .notVocabularyJSON(path: path, offset: at, expected: expected)
  }

  private mutating func skipBlanks() {
    while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      at += 1
    }
  }

  private mutating func take(
    _ character: Unicode.Scalar, _ expected: String
  ) throws(TextError) {
    skipBlanks()
    guard peek() == UInt8(ascii: character) else { throw bad(expected) }
    at += 1
  }

  private mutating func integer() throws(TextError) -> Int {
    skipBlanks()
    let start = at
    var value = 0
    while let byte = peek(), (0x30...0x39).contains(byte) {
      let (tenfold, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tenfold.addingReportingOverflow(Int(byte - 0x30))
      guard !overflow, !carry else { throw bad("an id") }
      value = sum
      at += 1
    }
    guard at > start else { throw bad("an id") }
    return value
  }

  private mutating func string() throws(TextError) -> [Unicode.Scalar] {
    try take("\"", "a token in \"")
    var scalars: [Unicode.Scalar] = []
    var start = at
    // The bytes from `start` to here, which are UTF-8 as the whole file is.
    func plain() -> String.UnicodeScalarView {
      String(decoding: bytes[start..<at], as: UTF8.self).unicodeScalars
    }
    while let byte = peek() {
      switch byte {
      case UInt8(ascii: "\""):
        scalars += plain()
        at += 1
        return scalars
      case UInt8(ascii: "\\"):
        scalars += plain()
        at += 1
        scalars.append(try escaped())
        start = at
      case 0..<0x20: throw bad("an escaped control character")
      default: at += 1
      }
    }
    throw bad("a string's end")
  }

  /// What stands behind a backslash.
  private mutating func escaped() throws(TextError) -> Unicode.Scalar {
    guard let byte = peek() else { throw bad("a string's end") }
    at += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{08}"
    case UInt8(ascii: "f"): return "\u{0C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      let unit = try hexadecimal()
      if let scalar = Unicode.Scalar(unit) { return scalar }
      // The first half of a pair that stands for one scalar above U+FFFF.
      guard unit < 0xDC00, peek() == UInt8(ascii: "\\") else { throw bad("a surrogate's pair") }
      at += 1
      guard peek() == UInt8(ascii: "u") else { throw bad("a surrogate's pair") }
      at += 1
      let low = try hexadecimal()
      guard (0xDC00...0xDFFF).contains(low),
        let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
      else { throw bad("a surrogate's pair") }
      return scalar
    default:
      at -= 1
      throw bad("an escape of JSON")
    }
  }

  private mutating func hexadecimal() throws(TextError) -> UInt32 {
    guard at + 4 <= bytes.count else { throw bad("four hexadecimal digits") }
    var value: UInt32 = 0
    for byte in bytes[at..<at + 4] {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw bad("four hexadecimal digits")
      }
      value = value << 4 | UInt32(digit)
    }
    at += 4
    return value
  }
}
