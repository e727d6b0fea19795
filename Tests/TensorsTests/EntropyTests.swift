import CKernels
import Foundation
import Tensors
import TestSupport
import Testing

@Suite("Kernel softmax_entropy")
struct EntropyTests {
  /// Entropy summed over rows in guarded memory.
  static func run(_ kernels: Kernels, _ logits: [[Float]], _ place: String) -> Double {
    let columns = logits[0].count
    let guarded = GuardedMatrix(
      logits.count, columns, distance: columns + 3, values: logits.flatMap { $0 })
    let nats = kernels.table.pointee.softmax_entropy(
      logits.count, columns, guarded.data, guarded.distance)
    #expect(guarded.isIntact, "\(place): wrote to its input")
    return nats
  }

  /// By the formula, in Double, with a bound on what a kernel may differ by.
  ///
  /// With d = x − max, Z = Σ e^d and M = Σ p·|d|, H = log Z + M. e^d and d carry 4 and 1 roundings of
  /// 2⁻²⁴; d moves e^d by |d| more of them, the float of log₂ e by |d|/4 and, where there is no FMA,
  /// its product with d by |d|/2: by D·|d| in all. A sum of C terms in L lanes carries
  /// ⌈C/L⌉ + log₂ L, with e^d's k in all. So log Z is off by (k + D·M)·2⁻²⁴, and M by
  /// (2·k + 2)·M·2⁻²⁴ and D·Σ p·d²·2⁻²⁴, also through Z.
  static func exact(_ row: [Float], _ name: String) -> (nats: Double, bound: Double) {
    let lanes = name == "avx512" ? 16 : 8
    let drift = name.hasPrefix("avx") ? 1.25 : 1.75
    let largest = row.map(Double.init).max() ?? 0
    let distances = row.map { Double($0) - largest }
    let sum = distances.reduce(0) { $0 + exp($1) }
    let shares = distances.map { exp($0) / sum }
    func mean(_ values: [Double]) -> Double { zip(shares, values).reduce(0) { $0 + $1.0 * $1.1 } }
    let spread = mean(distances.map { -$0 })
    let square = mean(distances.map { $0 * $0 })
    let roundings = Double((row.count + lanes - 1) / lanes + lanes.trailingZeroBitCount + 4)
    return (
      log(sum) + spread,
      floatRounding
        * (roundings + (2 * roundings + 2 + drift) * spread + drift * (spread * spread + square))
    )
  }

  @Test("by the formula", arguments: KernelSets.all)
  func agrees(name: String) throws {
    let kernels = try #require(Kernels(named: name))
    var random = RandomStream(test: 8)
    withEvery("C", in: Array(1...40) + [128, 130, 256, 300, 530]) { columns, place in
      let kinds: [(String, [Float])] = [
        ("normal", random.normals(columns)),
        ("wide", random.normals(columns, deviation: 20)),
        ("equal", [Float](repeating: -3, count: columns)),
        ("±1000", random.picks(columns, of: [1000, -1000, 0])),
        ("±3e38", random.picks(columns, of: [3e38, -3e38])),
        ("88 apart", random.picks(columns, of: [0, -86.9, -87.1, -88, -104])),
      ]
      for (kind, row) in kinds {
        let rows = [row, Array(row.reversed()), random.normals(columns)]
        let exact = rows.map { Self.exact($0, name) }
        let found = Self.run(kernels, rows, "\(place) \(kind)")
        let expected = exact.reduce(0) { $0 + $1.nats }
        let bound = exact.reduce(0) { $0 + $1.bound }
        #expect(
          (found - expected).magnitude <= bound, "\(place) \(kind): \(found), expected \(expected)")
      }
    }
  }

  /// Rows are taken in blocks; any number of them is the sum of each.
  @Test("many rows are one and one", arguments: KernelSets.all)
  func manyRows(name: String) throws {
    let kernels = try #require(Kernels(named: name))
    var random = RandomStream(test: 9)
    withEvery("rows", in: [31, 32, 33, 70]) { count, place in
      let rows = (0..<count).map { random.normals(48, deviation: $0.isMultiple(of: 5) ? 60 : 1) }
      let each = rows.reduce(0) { $0 + Self.run(kernels, [$1], "\(place)") }
      let together = Self.run(kernels, rows, "\(place)")
      // Products and sums of doubles, some roundings a row; the plain twin's, one for each term.
      let roundings = Double(count) * (name == KernelSets.plain ? 48 : 2)
      #expect(abs(together - each) <= roundings * 0x1p-53 * each, "\(place)")
    }
  }

  @Test("log C where all are equal, 0 where one has it all", arguments: KernelSets.all)
  func ends(name: String) throws {
    let kernels = try #require(Kernels(named: name))
    let even = Self.run(kernels, [[Float](repeating: 2.5, count: 37)], "even")
    #expect((even - log(37.0)).magnitude < 1e-6)
    #expect(Self.run(kernels, [[-1000, 0, -1000, -500]], "sure").magnitude < 1e-6)
    #expect(Self.run(kernels, [[7]], "one") == 0)
    let two = Self.run(kernels, [[1, 2]], "two")
    #expect((Self.run(kernels, [[1, -.infinity, 2]], "never") - two).magnitude < 1e-6)
  }

  @Test("a NaN or an infinite logit is not lost", arguments: KernelSets.all)
  func notFinite(name: String) throws {
    let kernels = try #require(Kernels(named: name))
    withEvery("C", in: [1, 10, 16, 17, 33]) { columns, place in
      withEvery("at", in: 0..<columns, place) { position, place in
        for value in [Float.nan, .infinity] {
          var row = [Float](repeating: 0, count: columns)
          row[position] = value
          #expect(!Self.run(kernels, [row], "\(place)").isFinite, "\(place) \(value)")
        }
      }
    }
  }
}
