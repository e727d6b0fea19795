/// A 64-bit hash of byte strings in order: any changed word changes it. It guards against damage
/// and mistaken identity, not against malice, at memory speed.
public struct ContentHash: Sendable {
  /// Odd, so that a multiplication loses nothing: 2⁶⁴ divided by the golden ratio.
  private static let multiplier: UInt64 = 0x9E37_79B9_7F4A_7C15
  private static let lanes = 4

  private var lane0: UInt64 = 1
  private var lane1: UInt64 = 2
  private var lane2: UInt64 = 3
  private var lane3: UInt64 = 4

  public init() {}

  public mutating func add(_ text: String) {
    Array(text.utf8).withUnsafeBytes { add($0) }
  }

  /// Adds bytes and their number, so that no other division into parts hashes alike.
  public mutating func add(_ bytes: UnsafeRawBufferPointer) {
    let stride = Self.lanes * 8
    var position = 0
    while position + stride <= bytes.count {
      func word(_ lane: Int) -> UInt64 {
        UInt64(
          littleEndian: bytes.loadUnaligned(fromByteOffset: position + 8 * lane, as: UInt64.self))
      }
      Self.mix(&lane0, word(0))
      Self.mix(&lane1, word(1))
      Self.mix(&lane2, word(2))
      Self.mix(&lane3, word(3))
      position += stride
    }
    var tail: UInt64 = 0
    var count = 0
    for byte in bytes[position...] {
      tail = tail << 8 | UInt64(byte)
      count += 1
      if count % 8 == 0 { Self.mix(&lane0, tail) }
    }
    Self.mix(&lane0, tail)
    Self.mix(&lane1, UInt64(bytes.count))
  }

  /// 64 bits of all that was added.
  public var value: UInt64 {
    var result = lane0
    for lane in [lane1, lane2, lane3] { Self.mix(&result, lane) }
    result ^= result >> 32
    return result &* Self.multiplier
  }

  /// `value` as 16 hexadecimal digits.
  public var hexadecimal: String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  private static func mix(_ lane: inout UInt64, _ word: UInt64) {
    // Each of the three steps can be undone, so no change of a word is lost.
    var mixed = lane ^ word
    mixed ^= mixed >> 32
    mixed &*= multiplier
    lane = mixed << 29 | mixed >> 35
  }
}
