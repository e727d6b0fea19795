/// Distinct byte strings, numbered in the order they came, and found again by their bytes.
struct ByteStrings: Sendable {
  private var bytes: [UInt8] = []
  /// Where each string ends in `bytes`.
  private var ends: [Int] = []
  /// Open addressing: a string's number, or −1; a power of two, at most half full.
  private var slots = [Int32](repeating: -1, count: 1 << 10)

  var count: Int { ends.count }

  subscript(number: Int) -> ArraySlice<UInt8> {
    bytes[(number == 0 ? 0 : ends[number - 1])..<ends[number]]
  }

  func number(of string: UnsafeBufferPointer<UInt8>) -> Int? {
    let found = slots[slot(of: string)]
    return found < 0 ? nil : Int(found)
  }

  func number(of string: some Collection<UInt8>) -> Int? {
    Array(string).withUnsafeBufferPointer { number(of: $0) }
  }

  /// - Returns: the string's number, and whether it is new.
  mutating func insert(_ string: UnsafeBufferPointer<UInt8>) -> (number: Int, isNew: Bool) {
    var slot = slot(of: string)
    if slots[slot] >= 0 { return (Int(slots[slot]), false) }
    if 2 * (count + 1) > slots.count {
      grow()
      slot = self.slot(of: string)
    }
    bytes.append(contentsOf: string)
    ends.append(bytes.count)
    slots[slot] = Int32(count - 1)
    return (count - 1, true)
  }

  mutating func insert(_ string: some Collection<UInt8>) -> (number: Int, isNew: Bool) {
    Array(string).withUnsafeBufferPointer { insert($0) }
  }

  /// Of the string, or the free one where it belongs.
  private func slot(of string: UnsafeBufferPointer<UInt8>) -> Int {
    let mask = slots.count - 1
    var slot = Self.hash(string) & mask
    while slots[slot] >= 0, !isEqual(Int(slots[slot]), string) { slot = (slot + 1) & mask }
    return slot
  }

  private func isEqual(_ number: Int, _ string: UnsafeBufferPointer<UInt8>) -> Bool {
    let start = number == 0 ? 0 : ends[number - 1]
    guard ends[number] - start == string.count else { return false }
    return bytes.withUnsafeBufferPointer { bytes in
      UnsafeBufferPointer(rebasing: bytes[start..<ends[number]]).elementsEqual(string)
    }
  }

  private mutating func grow() {
    slots = [Int32](repeating: -1, count: 2 * slots.count)
    for number in 0..<count {
      let free = bytes.withUnsafeBufferPointer { bytes in
        let start = number == 0 ? 0 : ends[number - 1]
        return slot(of: UnsafeBufferPointer(rebasing: bytes[start..<ends[number]]))
      }
      slots[free] = Int32(number)
    }
  }

  /// FNV-1a, its upper half folded in; the strings are short.
  private static func hash(_ string: UnsafeBufferPointer<UInt8>) -> Int {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in string { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    return Int(truncatingIfNeeded: hash ^ hash >> 32)
  }
}
