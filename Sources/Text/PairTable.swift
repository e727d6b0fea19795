/// Which pairs of tokens merge, in what order and to what.
struct PairTable: Sendable {
  struct Merge {
    /// Lower merges first.
    var rank: UInt32
    var id: UInt32

    /// Of a pair that does not merge.
    static let none = Merge(rank: .max, id: .max)
  }

  private struct Slot {
    var pair: UInt64
    var merge: Merge
  }

  /// No pair of ids, since there are fewer than 2³² of them.
  private static let free = UInt64.max

  private var slots: [Slot]
  private let shift: UInt64
  private var count: UInt32 = 0

  /// - Parameter capacity: pairs at most; two slots or more for each.
  init(capacity: Int) {
    var bits: UInt64 = 4
    while 1 << bits < 2 * capacity { bits += 1 }
    slots = [Slot](repeating: Slot(pair: Self.free, merge: .none), count: 1 << bits)
    shift = 64 - bits
  }

  /// Adds a pair that merges after all that are there.
  /// - Returns: false where it is there already.
  mutating func insert(_ left: UInt32, _ right: UInt32, makes id: UInt32) -> Bool {
    let pair = UInt64(left) << 32 | UInt64(right)
    var slot = start(pair)
    while slots[slot].pair != Self.free {
      if slots[slot].pair == pair { return false }
      slot = (slot + 1) & (slots.count - 1)
    }
    slots[slot] = Slot(pair: pair, merge: Merge(rank: count, id: id))
    count += 1
    return true
  }

  @inline(__always)
  func merge(_ left: UInt32, _ right: UInt32) -> Merge {
    let pair = UInt64(left) << 32 | UInt64(right)
    return slots.withUnsafeBufferPointer { slots in
      var slot = start(pair)
      while true {
        // In range: a multiple of the number of slots is masked off.
        let found = slots.baseAddress.unsafelyUnwrapped[slot]
        if found.pair == pair { return found.merge }
        if found.pair == Self.free { return .none }
        slot = (slot + 1) & (slots.count - 1)
      }
    }
  }

  @inline(__always)
  private func start(_ pair: UInt64) -> Int {
    // 2⁶⁴ divided by the golden ratio spreads neighbours; the top bits are the best mixed.
    Int(truncatingIfNeeded: ((pair ^ pair >> 32) &* 0x9E37_79B9_7F4A_7C15) >> shift)
  }
}
