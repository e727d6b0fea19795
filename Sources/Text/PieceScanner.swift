/// Cuts UTF-8 text into the pieces that byte pairs are merged within, by GPT-2's pattern
///
///     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
///
/// Every byte belongs to one piece. A piece ends at the latest where a space follows something
/// else, and what comes before a piece does not matter to it: a text may be cut there.
///
/// Source: openai/gpt-2, src/encoder.py.
struct PieceScanner {
  private let text: UnsafePointer<UInt8>
  private let end: Int
  private let classes: CharacterClasses

  /// - Parameter text: valid UTF-8.
  init(_ text: UnsafeBufferPointer<UInt8>, _ classes: CharacterClasses) {
    // An empty buffer may have no address; it is never read from.
    self.text = text.baseAddress ?? UnsafePointer(bitPattern: 1)!
    end = text.count
    self.classes = classes
  }

  /// Where the piece that begins at `start`, before the end, ends.
  @inline(__always)
  func pieceEnd(from start: Int) -> Int {
    let first = text[start]
    if first == UInt8(ascii: " ") {
      guard start + 1 < end else { return end }
      let (next, length) = character(at: start + 1)
      if next != .space { return runEnd(of: next, from: start + 1 + length) }
      return spaceEnd(from: start)
    }
    if first == UInt8(ascii: "'"), let contraction = contractionEnd(from: start) {
      return contraction
    }
    let (kind, length) = character(at: start)
    if kind != .space { return runEnd(of: kind, from: start + length) }
    return spaceEnd(from: start)
  }

  /// 's, 't, 'm, 'd, 're, 've or 'll at an apostrophe.
  private func contractionEnd(from start: Int) -> Int? {
    guard start + 1 < end else { return nil }
    switch text[start + 1] {
    case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"):
      return start + 2
    case UInt8(ascii: "r"), UInt8(ascii: "v"):
      return start + 2 < end && text[start + 2] == UInt8(ascii: "e") ? start + 3 : nil
    case UInt8(ascii: "l"):
      return start + 2 < end && text[start + 2] == UInt8(ascii: "l") ? start + 3 : nil
    default:
      return nil
    }
  }

  @inline(__always)
  private func runEnd(of kind: CharacterClass, from start: Int) -> Int {
    var at = start
    while at < end {
      let byte = text[at]
      if byte < 0x80 {
        guard classes.ascii[Int(byte)] == kind else { break }
        at += 1
      } else {
        let (next, length) = character(at: at)
        guard next == kind else { break }
        at += length
      }
    }
    return at
  }

  /// All of the spaces where the text ends with them, else all but the last, which goes with what
  /// follows if it is a blank; one alone is a piece.
  private func spaceEnd(from start: Int) -> Int {
    var at = start
    var last = start
    while at < end {
      let (next, length) = character(at: at)
      guard next == .space else { return last > start ? last : at }
      last = at
      at += length
    }
    return end
  }

  /// The class and the length in bytes of the character at `at`.
  @inline(__always)
  private func character(at: Int) -> (CharacterClass, Int) {
    let lead = text[at]
    if lead < 0x80 { return (classes.ascii[Int(lead)], 1) }
    func tail(_ offset: Int) -> UInt32 { UInt32(text[at + offset] & 0x3F) }
    if lead < 0xE0 { return (classes[UInt32(lead & 0x1F) << 6 | tail(1)], 2) }
    if lead < 0xF0 { return (classes[UInt32(lead & 0x0F) << 12 | tail(1) << 6 | tail(2)], 3) }
    return (
      classes[UInt32(lead & 0x07) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3)], 4
    )
  }
}
