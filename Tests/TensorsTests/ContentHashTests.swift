import Tensors
import Testing

struct ContentHashTests {
  private func hash(_ parts: [UInt8]...) -> UInt64 {
    var hash = ContentHash()
    for part in parts { part.withUnsafeBytes { hash.add($0) } }
    return hash.value
  }

  @Test func everyBitCounts() {
    // Around the widths of a word and of a block of four.
    for count in [1, 7, 8, 9, 31, 32, 33, 100] {
      let bytes = (0..<count).map { UInt8($0) }
      var seen: Set<UInt64> = [hash(bytes)]
      for place in 0..<count {
        for bit in 0..<8 {
          var changed = bytes
          changed[place] ^= 1 << bit
          seen.insert(hash(changed))
        }
      }
      #expect(seen.count == 1 + 8 * count)
    }
  }

  @Test func divisionOrderAndLengthCount() {
    let all = [
      hash(), hash([]), hash([0]), hash([0, 0]), hash([0], [0]), hash([1, 2], [3]),
      hash([1], [2, 3]), hash([3], [1, 2]), hash([UInt8](repeating: 0, count: 32)),
      hash([UInt8](repeating: 0, count: 64)),
    ]
    #expect(Set(all).count == all.count)
  }

  @Test func theSameBytesHaveTheSameHashEverywhere() {
    var hash = ContentHash()
    hash.add("excite")
    // By a separate Python program.
    #expect(hash.hexadecimal == "bb743d6a9b93faa1")
  }
}
