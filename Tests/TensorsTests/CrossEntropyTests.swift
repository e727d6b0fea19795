import CKernels
import Foundation
import Tensors
import TestSupport
import Testing

@Suite("Kernel softmax_cross_entropy")
struct CrossEntropyTests {
  /// Per row, of the loss in nats and of a gradient at scale 1.
  ///
  /// A kernel's eˣ is good to 2 units in the last place, 2·2⁻²³; its argument x − max is rounded by
  /// up to |x − max|·2⁻²⁴, which moves eˣ by |x − max|·eˣ·2⁻²⁴ ≤ 2⁻²⁴/e; a sum of up to 100 terms in
  /// 16 lanes adds 7 + 4 roundings of 2⁻²⁴, dividing by it another two. Together below 18·2⁻²⁴ =
  /// 1.1e-6 of a quantity that is at most 1 (a probability), or of the sum, whose logarithm moves by
  /// as much.
  static let bound = 18 * floatRounding

  struct Result {
    let nats: Double
    let correct: Int64
    let gradient: [Float]
  }

  static func run(
    _ kernels: Kernels, logits: [[Float]], labels: [Int32], scale: Float = 1,
    writesGradient: Bool = true, _ place: String
  ) -> Result {
    let (rows, classes) = (logits.count, logits[0].count)
    let guarded = GuardedMatrix(
      rows, classes, distance: classes + 3, values: logits.flatMap { $0 })
    let targets = GuardedMatrix(labels)
    let gradient = GuardedMatrix<Float>(rows, classes, distance: classes + 5)
    // Hits are added to what is there.
    var correct: Int64 = 1000
    let nats = kernels.table.pointee.softmax_cross_entropy(
      rows, classes, guarded.data, guarded.distance, targets.data, scale,
      writesGradient ? gradient.data : nil, gradient.distance, &correct)
    #expect(
      guarded.isIntact && gradient.isIntact && targets.isIntact,
      "\(place): wrote outside its output")
    return Result(nats: nats, correct: correct - 1000, gradient: gradient.values)
  }

  /// Loss, gradient and hits by the formulas, in Double.
  static func exact(
    _ logits: [[Float]], _ labels: [Int32], scale: Float
  ) -> (nats: Double, correct: Int64, gradient: [Double]) {
    var nats = 0.0
    var correct: Int64 = 0
    var gradient: [Double] = []
    for (row, label) in zip(logits, labels) {
      guard label >= 0 else {
        gradient += row.map { _ in 0 }
        continue
      }
      let largest = Double(row.max() ?? 0)
      let powers = row.map { exp(Double($0) - largest) }
      let sum = powers.reduce(0, +)
      nats += log(sum) + (largest - Double(row[Int(label)]))
      correct += row.firstIndex(of: Float(largest)) == Int(label) ? 1 : 0
      for (c, power) in powers.enumerated() {
        gradient.append((power / sum - (c == Int(label) ? 1 : 0)) * Double(scale))
      }
    }
    return (nats, correct, gradient)
  }

  @Test("loss, gradient and hits by the formulas", arguments: KernelSets.all)
  func agrees(name: String) throws {
    let kernels = try #require(Kernels(named: name))
    var random = RandomStream(test: 6)
    let scale: Float = 0.25
    withEvery("C", in: Array(1...40) + [100]) { classes, place in
      // Ordinary logits, confident ones, ties everywhere, extreme ones, differences that underflow.
      let kinds: [(String, [Float])] = [
        ("normal", random.normals(classes)),
        ("wide", random.normals(classes, deviation: 20)),
        ("ties", random.picks(classes, of: [1, 2])),
        ("equal", [Float](repeating: 3, count: classes)),
        ("±1000", random.picks(classes, of: [1000, -1000, 0])),
        ("±3e38", random.picks(classes, of: [3e38, -3e38])),
        ("88 apart", random.picks(classes, of: [0, -86.9, -87.1, -88, -104])),
      ]
      withEvery("logits", in: kinds, place) { kind, _ in
        let place = place.adding("logits", kind.0)
        let logits = [kind.1, Array(kind.1.reversed()), kind.1]
        // −1: a row to be passed over.
        let labels = (0..<3).map { Int32(random.below(UInt32(classes + ($0 == 1 ? 1 : 0)))) }
          .map { $0 == classes ? -1 : $0 }
        let found = Self.run(kernels, logits: logits, labels: labels, scale: scale, "\(place)")
        let exact = Self.exact(logits, labels, scale: scale)
        // Beside the rows' bound, Double's own rounding of a logarithm next to a logit of up to 3e38.
        let largest = kind.1.map { Double($0.magnitude) }.max() ?? 0
        let allowed = 3 * (Self.bound + 2 * largest * 0x1p-50)
        #expect(
          (found.nats - exact.nats).magnitude <= allowed,
          "\(place): loss \(found.nats), expected \(exact.nats)")
        #expect(found.correct == exact.correct, "\(place)")
        expectWithin(
          found.gradient, exact.gradient,
          bounds: exact.gradient.map { _ in Self.bound * Double(scale) },
          name: "\(place): gradient")
        let withoutGradient = Self.run(
          kernels, logits: logits, labels: labels, writesGradient: false, "\(place)")
        #expect(withoutGradient.nats == found.nats, "\(place)")
        #expect(withoutGradient.gradient.allSatisfy { $0.isNaN }, "\(place): wrote a gradient")
      }
    }
  }

  @Test("of equal largest logits the first is the prediction", arguments: KernelSets.all)
  func ties(name: String) throws {
    let kernels = try #require(Kernels(named: name))
    // Predictions 1, 1, 0, 0: hits for the labels 1 and 0 in the first and third row.
    let logits: [[Float]] = [[0, 2, 2], [0, 2, 2], [5, 5, 5], [-0.0, 0, -1]]
    let found = Self.run(kernels, logits: logits, labels: [1, 2, 0, 1], "ties")
    #expect(found.correct == 2)
    // log 2 + small: e⁰ + e⁰ + e⁻² = 2.1353; three equal: log 3; last: 2 + e⁻¹ = 2.3679.
    let expected = 2 * log(2 + exp(-2.0)) + log(3.0) + log(2 + exp(-1.0))
    #expect((found.nats - expected).magnitude <= 4 * Self.bound)
  }

  @Test("a logit that is NaN or infinite makes the loss not finite", arguments: KernelSets.all)
  func notFinite(name: String) throws {
    let kernels = try #require(Kernels(named: name))
    var random = RandomStream(test: 7)
    withEvery("C", in: [1, 2, 10, 16, 17, 33]) { classes, place in
      withEvery("at", in: 0..<classes, place) { position, place in
        withEvery("value", in: [Float.nan, .infinity, -.infinity], place) { value, place in
          // −∞ is a probability of 0 to the formula, which only the plain kernel follows to the end.
          if value == -.infinity && name == KernelSets.plain && classes > 1 { return }
          var logits = [random.normals(classes), random.normals(classes)]
          logits[1][position] = value
          let labels = [Int32(0), Int32(random.below(UInt32(classes)))]
          let found = Self.run(kernels, logits: logits, labels: labels, "\(place)")
          #expect(!found.nats.isFinite, "\(place): loss \(found.nats)")
        }
      }
    }
  }
}
