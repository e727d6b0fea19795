import Tensors
import TestSupport
import Testing

@Suite("Random streams")
struct RandomStreamTests {
  typealias Words = (UInt32, UInt32, UInt32, UInt32)

  @Test("Philox4x32-10 gives the known answers of the Random123 distribution (kat_vectors)")
  func knownAnswers() {
    let zeros = philox4x32((0, 0, 0, 0), key: (0, 0))
    #expect(zeros == (0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8) as Words)
    let ones = UInt32.max
    #expect(
      philox4x32((ones, ones, ones, ones), key: (ones, ones))
        == (0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd) as Words)
    // The digits of π.
    #expect(
      philox4x32(
        (0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), key: (0xa409_3822, 0x299f_31d0))
        == (0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1) as Words)
  }

  @Test("a stream counts blocks under its seed, purpose and index")
  func layout() {
    // The key is the seed, low word first; the counter is (block low, block high, index low,
    // purpose in the top byte and index high below). Shuffle is purpose 2.
    #expect(RandomPurpose.shuffle.rawValue == 2)
    var stream = RandomStream(
      seed: 0x0123_4567_89ab_cdef, purpose: .shuffle, index: 0x0000_0005_0000_0007)
    for block: UInt32 in 0..<3 {
      let words = philox4x32((block, 0, 7, 0x0200_0005), key: (0x89ab_cdef, 0x0123_4567))
      #expect(stream.nextWord() == words.0)
      #expect(stream.nextWord() == words.1)
      // 64 bits take two words, the first as the lower half.
      #expect(stream.next() == UInt64(words.3) << 32 | UInt64(words.2))
    }
  }

  @Test("streams of other purposes, indices or seeds are other streams; the same are the same")
  func keys() {
    var seen: [[UInt32]: String] = [:]
    for purpose in RandomPurpose.allCases {
      for index: UInt64 in [0, 1, 2, 299, 1 << 16, 1 << 32] {
        for seed: UInt64 in [0, 1, 2, 1 << 32, .max] {
          var stream = RandomStream(seed: seed, purpose: purpose, index: index)
          let words = (0..<4).map { _ in stream.nextWord() }
          let name = "seed \(seed), \(purpose), index \(index)"
          // 180 draws of 128 bits: equal ones by chance have a probability of 2⁻¹¹³.
          #expect(seen[words] == nil, "\(name) draws what \(seen[words] ?? "") draws")
          seen[words] = name
          var again = RandomStream(seed: seed, purpose: purpose, index: index)
          #expect((0..<4).map { _ in again.nextWord() } == words)
        }
      }
    }
    #expect(seen.count == RandomPurpose.allCases.count * 6 * 5)
  }

  @Test("a copy goes on by itself from where it was taken")
  func copies() {
    var stream = RandomStream(seed: 3, purpose: .excitation)
    _ = stream.nextWord()
    var copy = stream
    #expect((0..<10).map { _ in stream.nextWord() } == (0..<10).map { _ in copy.nextWord() })
  }

  /// χ² = Σ (seen − expected)²/expected. With n cells it has mean n − 1 and variance 2(n − 1); six
  /// standard deviations above that would by chance be exceeded less than once in 10⁵ streams.
  static func expectEven(_ counts: [Int], sourceLocation: SourceLocation = #_sourceLocation) {
    let expected = Double(counts.reduce(0, +)) / Double(counts.count)
    let chiSquare = counts.reduce(0.0) {
      $0 + (Double($1) - expected) * (Double($1) - expected) / expected
    }
    let freedom = Double(counts.count - 1)
    #expect(
      chiSquare < freedom + 6 * (2 * freedom).squareRoot(), "counts \(counts)",
      sourceLocation: sourceLocation)
    // Nor evener than random: χ² near 0 would be a counter, not a draw. With few cells it can be
    // small by chance; with ten it is below 0.09 once in 10⁷ streams.
    if freedom >= 9 { #expect(chiSquare > 0.01 * freedom, sourceLocation: sourceLocation) }
  }

  @Test("below is in range and even", arguments: [2, 3, 10, 1000] as [UInt32])
  func below(bound: UInt32) {
    var stream = RandomStream(test: UInt64(bound))
    var counts = [Int](repeating: 0, count: Int(bound))
    for _ in 0..<100_000 {
      let draw = stream.below(bound)
      #expect(draw < bound)
      counts[Int(draw)] += 1
    }
    Self.expectEven(counts)
  }

  @Test("below 1 is 0, and bounds that do not divide 2³² reject instead of favouring")
  func belowEdges() {
    var stream = RandomStream(test: 1)
    for _ in 0..<100 { #expect(stream.below(1) == 0) }
    // 3·2³⁰ divides 2³² once, with a third left over: without rejection the values that are
    // multiples of 3 would come twice as often as the others.
    let bound: UInt32 = 3 << 30
    var counts = [0, 0, 0]
    for _ in 0..<30_000 {
      let draw = stream.below(bound)
      #expect(draw < bound)
      counts[Int(draw % 3)] += 1
    }
    Self.expectEven(counts)
    #expect((0..<100).allSatisfy { _ in stream.below(.max) < .max })
  }

  @Test("a permutation holds every number once", arguments: [0, 1, 2, 3, 10, 1000])
  func permutation(count: Int) {
    var stream = RandomStream(test: 2)
    let order = stream.permutation(count)
    #expect(order.sorted() == (0..<UInt32(count)).map { $0 })
    if count == 1000 { #expect(order != order.sorted()) }
  }

  @Test("every order of three comes equally often")
  func permutationsAreEven() {
    var stream = RandomStream(test: 3)
    var counts: [[UInt32]: Int] = [:]
    for _ in 0..<60_000 { counts[stream.permutation(3), default: 0] += 1 }
    #expect(counts.count == 6)
    Self.expectEven(Array(counts.values))
  }

  @Test("uniform is even over [0, 1), in steps of 2⁻²⁴")
  func uniform() {
    var stream = RandomStream(test: 4)
    var counts = [Int](repeating: 0, count: 16)
    for _ in 0..<100_000 {
      let draw = stream.uniform()
      #expect(0..<1 ~= draw)
      #expect(draw * 0x1p24 == (draw * 0x1p24).rounded())
      counts[Int(draw * 16)] += 1
    }
    Self.expectEven(counts)
  }

  @Test("normal has mean 0, variance 1 and the tails of the bell")
  func normal() {
    var stream = RandomStream(test: 5)
    let count = 100_000
    let draws = stream.normals(count).map { Double($0) }
    // The smallest 1 − uniform is 2⁻²⁴, whose radius is √(2·24·ln 2) = 5.77.
    #expect(draws.allSatisfy { $0.magnitude < 5.78 })
    // Five standard errors: 1/√n of the mean, √(2/n) of the variance.
    let mean = draws.reduce(0, +) / Double(count)
    #expect(mean.magnitude < 5 / Double(count).squareRoot())
    let variance = draws.reduce(0) { $0 + $1 * $1 } / Double(count) - mean * mean
    #expect((variance - 1).magnitude < 5 * (2 / Double(count)).squareRoot())
    // P(|x| > 1.96) is 0.05, with a standard error of √(0.05·0.95/n) = 0.0007.
    let tail = Double(draws.filter { $0.magnitude > 1.95996 }.count) / Double(count)
    #expect((tail - 0.05).magnitude < 5 * 0.0007)
  }
}
