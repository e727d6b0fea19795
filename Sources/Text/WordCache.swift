/// What short words were merged to, so that a word is merged once and then found.
///
/// Of fixed size: a word takes the place that its hash gives, whoever held it. A word of up to 15
/// bytes is its own key, its bytes and its length in 16; so no two are ever taken for each other.
final class WordCache {
  static let mostBytes = 15
  static let mostIDs = 4

  struct Entry {
    var key: Key
    /// `noID` behind the last.
    var ids: SIMD4<UInt32>
  }

  struct Key: Equatable {
    var low: UInt64
    var high: UInt64
  }

  /// No id of a vocabulary, whose tokens number fewer.
  static let noID = UInt32.max
  /// 2¹⁵ entries of 32 bytes are one MiB: as much as stays near a core.
  private static let bits: UInt64 = 15

  private let entries: UnsafeMutablePointer<Entry>

  init() {
    entries = .allocate(capacity: 1 << Self.bits)
    // A key of length 0 is no word's.
    entries.initialize(
      repeating: Entry(key: Key(low: 0, high: 0), ids: SIMD4(repeating: Self.noID)),
      count: 1 << Self.bits)
  }

  deinit { entries.deallocate() }

  /// The key of 1 to 15 bytes.
  /// - Parameter readable: bytes that may be read from `word` on.
  @inline(__always)
  static func key(_ word: UnsafePointer<UInt8>, _ count: Int, readable: Int) -> Key {
    var key = Key(low: 0, high: 0)
    if readable >= 16 {
      let raw = UnsafeRawPointer(word)
      key.low = UInt64(littleEndian: raw.loadUnaligned(as: UInt64.self))
      if count < 8 {
        key.low &= (1 << UInt64(8 * count)) &- 1
      } else {
        key.high = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        key.high &= (1 << UInt64(8 * count - 64)) &- 1
      }
    } else {
      for i in 0..<min(8, count) { key.low |= UInt64(word[i]) << UInt64(8 * i) }
      for i in 8..<max(8, count) { key.high |= UInt64(word[i]) << UInt64(8 * i - 64) }
    }
    key.high |= UInt64(count) << 56
    return key
  }

  /// Where a word's entry is, if it has one.
  @inline(__always)
  func place(of key: Key) -> UnsafeMutablePointer<Entry> {
    let mixed = (key.low ^ key.high &* 0xC2B2_AE3D_27D4_EB4F) &* 0x9E37_79B9_7F4A_7C15
    return entries + Int(truncatingIfNeeded: mixed >> (64 - Self.bits))
  }
}
