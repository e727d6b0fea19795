/// What GPT-2's pre-tokenizer tells apart.
enum CharacterClass: UInt8 {
  case other = 0
  case letter, number, space
}

/// The class of every Unicode scalar, two bits each, built once from `UnicodeRanges`.
final class CharacterClasses: @unchecked Sendable {
  static let shared = CharacterClasses()

  /// By byte; the ASCII ones only.
  let ascii: UnsafePointer<CharacterClass>
  /// Four scalars to a byte, the lowest in the lowest bits. Written by `init` alone.
  private let packed: UnsafePointer<UInt8>

  private init() {
    let scalars = 0x11_0000
    let packed = UnsafeMutablePointer<UInt8>.allocate(capacity: scalars / 4)
    packed.initialize(repeating: 0, count: scalars / 4)
    let classes: [(CharacterClass, [UInt32])] = [
      (.letter, UnicodeRanges.letters), (.number, UnicodeRanges.numbers),
      (.space, UnicodeRanges.spaces),
    ]
    for (characterClass, ranges) in classes {
      for i in stride(from: 0, to: ranges.count, by: 2) {
        for scalar in ranges[i]...ranges[i + 1] {
          packed[Int(scalar >> 2)] |= characterClass.rawValue << UInt8(2 * (scalar & 3))
        }
      }
    }
    self.packed = UnsafePointer(packed)
    let ascii = UnsafeMutablePointer<CharacterClass>.allocate(capacity: 128)
    ascii.initialize(repeating: .other, count: 128)
    self.ascii = UnsafePointer(ascii)
    for byte in 0..<128 { ascii[byte] = self[UInt32(byte)] }
  }

  /// - Parameter scalar: below 0x110000.
  @inline(__always)
  subscript(scalar: UInt32) -> CharacterClass {
    let bits = packed[Int(scalar >> 2)] >> UInt8(2 * (scalar & 3)) & 3
    // Four cases without payload, in the order of their raw values: their bits are these.
    return unsafeBitCast(bits, to: CharacterClass.self)
  }
}
