/// Makes wrong inputs of right ones; the same seed makes the same inputs.
struct Mutator {
  private static let mostBytes = 1 << 16
  /// Where lengths, counts and offsets go wrong.
  private static let numbers: [Int] = [
    0, 1, -1, 2, 3, 7, 8, 16, 32, 64, 127, 128, 255, 256, 512, 1024, 4096, 32767, 32768, 65535,
    65536, 1 << 24, Int(Int32.max), Int(Int32.max) + 1, Int(UInt32.max), 1 << 40, 1 << 60, .max,
    .min,
  ]

  private var random: SplitMix
  private let words: [[UInt8]]

  init(seed: UInt64, words: [String]) {
    random = SplitMix(state: seed)
    self.words = words.map { Array($0.utf8) }
  }

  /// - Parameter seeds: one of which is changed; not empty.
  mutating func input(from seeds: [[UInt8]]) -> [UInt8] {
    var input = seeds[below(seeds.count)]
    for _ in 0...below(6) { change(&input, others: seeds) }
    return Array(input.prefix(Self.mostBytes))
  }

  private mutating func change(_ input: inout [UInt8], others: [[UInt8]]) {
    guard !input.isEmpty else {
      input = others[below(others.count)]
      return
    }
    let at = below(input.count)
    switch below(11) {
    case 0: input[at] ^= 1 << UInt8(below(8))
    case 1: input[at] = [0, 1, 0x7F, 0x80, 0xFF, 0x0A, 0x22, 0x2C, 0x20, 0xC3][below(10)]
    case 2:
      var bytes = littleEndian(Self.numbers[below(Self.numbers.count)], 1 << below(4))
      if below(2) == 0 { bytes.reverse() }
      overwrite(&input, at, bytes)
    case 3: replaceNumber(&input, near: at)
    case 4 where !words.isEmpty: input.insert(contentsOf: words[below(words.count)], at: at)
    case 5 where !words.isEmpty: overwrite(&input, at, words[below(words.count)])
    case 6: input.removeSubrange(at..<min(input.count, at + 1 + below(64)))
    case 7: input.insert(contentsOf: input[at..<min(input.count, at + 1 + below(256))], at: at)
    case 8: input.removeLast(input.count - at)
    case 9:
      let other = others[below(others.count)]
      input.replaceSubrange(at..., with: other.dropFirst(below(max(other.count, 1))))
    default:
      input.insert(
        contentsOf: (0...below(8)).map { _ in UInt8(below(256)) }, at: at)
    }
  }

  private func overwrite(_ input: inout [UInt8], _ at: Int, _ bytes: [UInt8]) {
    input.replaceSubrange(at..<min(input.count, at + bytes.count), with: bytes)
  }

  /// Puts another number in the place of the next one that is written in digits.
  private mutating func replaceNumber(_ input: inout [UInt8], near at: Int) {
    let isDigit = { (byte: UInt8) in (0x30...0x39).contains(byte) }
    guard let start = input[at...].firstIndex(where: isDigit) else { return }
    let end = input[start...].firstIndex { !isDigit($0) } ?? input.count
    input.replaceSubrange(
      start..<end, with: String(Self.numbers[below(Self.numbers.count)]).utf8)
  }

  private mutating func below(_ count: Int) -> Int {
    Int(random.next() % UInt64(count))
  }
}

/// Source: Steele et al. 2014, "Fast Splittable Pseudorandom Number Generators".
private struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
