import CKernels
import Foundation
import Tensors
import TestSupport
import Testing

@Suite("Kernels of a transformer's parts")
struct TransformerKernelTests {
  static let widths = Array(1...40) + [64, 65, 100]

  @Test("GELU and its derivative by their formulas", arguments: KernelSets.all)
  func gelu(name: String) throws {
    let kernels = try #require(Kernels(named: name))
    var random = RandomStream(test: 1)
    withEvery("W", in: Self.widths) { width, place in
      let rows = 3
      let bias = GuardedMatrix(random.normals(width))
      var values = random.normals(rows * width, deviation: 2)
      // The kink of |x|, tails, and where e^(−x²/2) is 0 in float32.
      for (i, special) in [Float(0), -0.0, 1e-20, 5.5, -5.5, 15, -15, 300].enumerated()
      where i < values.count {
        values[i] = special
      }
      let z = GuardedMatrix(1, rows * width, values: values)
      let h = GuardedMatrix<Float>(1, rows * width)
      kernels.table.pointee.gelu(rows, width, bias.data, z.data, h.data)
      #expect(z.isIntact && h.isIntact && bias.isIntact, "\(place)")
      let x = values.indices.map { Double(values[$0] + bias.values[$0 % width]) }
      let share = x.map { 0.5 * erfc(-$0 / 2.0.squareRoot()) }
      let density = x.map { exp(-0.5 * $0 * $0) / (2 * Double.pi).squareRoot() }
      // Φ is good to 4 roundings of 2⁻²⁴ (its polynomial has ten terms below 1/2), times x.
      let bounds = x.map { 4 * floatRounding * max(1, $0.magnitude) }
      expectWithin(
        h.values, zip(x, share).map { $0 * $1 }, bounds: bounds, name: "\(place): GELU")
      // eˣ at −x²/2, rounded by up to x²/2·2⁻²⁴, times x: below 4 roundings for any x.
      expectWithin(
        z.values, x.indices.map { share[$0] + x[$0] * density[$0] },
        bounds: x.map { _ in 8 * floatRounding }, name: "\(place): slope")
    }
  }

  @Test("softmax, from the logarithm of its sum, and its gradient", arguments: KernelSets.all)
  func softmax(name: String) throws {
    let kernels = try #require(Kernels(named: name))
    var random = RandomStream(test: 2)
    withEvery("C", in: Self.widths) { width, place in
      withEvery("deviation", in: [Float(1), 30], place) { deviation, place in
        let rows = 2
        let scale: Float = 0.25
        let x = GuardedMatrix(
          rows, width, distance: width + 3,
          values: random.normals(rows * width, deviation: deviation))
        let sums = GuardedMatrix<Float>(1, rows)
        let p = GuardedMatrix<Float>(rows, width, distance: width + 5)
        kernels.table.pointee.log_sum_exp(rows, width, x.data, x.distance, scale, sums.data)
        kernels.table.pointee.softmax(
          rows, width, x.data, x.distance, scale, sums.data, p.data, p.distance)
        #expect(x.isIntact && sums.isIntact && p.isIntact, "\(place)")
        var exactSums: [Double] = []
        var exact: [Double] = []
        for row in 0..<rows {
          let scaled = x.values[row * width..<(row + 1) * width].map { Double($0) * Double(scale) }
          let top = scaled.max() ?? 0
          let sum = top + log(scaled.reduce(0) { $0 + exp($1 - top) })
          exactSums.append(sum)
          exact += scaled.map { exp($0 - sum) }
        }
        // As in CrossEntropyTests, 18 roundings; those of a logarithm of up to 30 besides.
        let largest = exactSums.map(\.magnitude).max() ?? 0
        let bound = (18 + 2 * largest) * floatRounding
        expectWithin(
          sums.values, exactSums, bounds: exactSums.map { _ in bound }, name: "\(place): sums")
        expectWithin(p.values, exact, bounds: exact.map { _ in bound }, name: "\(place): p")

        let g = GuardedMatrix(
          rows, width, distance: width + 1, values: random.normals(rows * width))
        let before = g.values.map { Double($0) }
        let shares = p.values.map { Double($0) }
        kernels.table.pointee.softmax_gradient(
          rows, width, p.data, p.distance, scale, g.data, g.distance)
        #expect(g.isIntact && p.isIntact, "\(place)")
        let gradient = before.indices.map { i in
          let row = i / width * width..<(i / width + 1) * width
          let mean = row.reduce(0) { $0 + shares[$1] * before[$1] }
          return Double(scale) * shares[i] * (before[i] - mean)
        }
        // Sums of probabilities times normal values of up to 4, in up to 7 + 4 roundings.
        expectWithin(
          g.values, gradient, bounds: gradient.map { _ in 4 * 14 * floatRounding },
          name: "\(place): gradient")
      }
    }
  }

  @Test("layer normalization and its gradient against differences", arguments: KernelSets.all)
  func layerNorm(name: String) throws {
    let kernels = try #require(Kernels(named: name))
    var random = RandomStream(test: 3)
    withEvery("W", in: [2, 3, 15, 16, 17, 33, 48, 100]) { width, place in
      let rows = 2
      let values = random.normals(rows * width).map { $0 * 2 + 1 }
      let x = GuardedMatrix(rows, width, distance: width + 3, values: values)
      let gain = GuardedMatrix(random.normals(width))
      let offset = GuardedMatrix(random.normals(width))
      let hat = GuardedMatrix<Float>(1, rows * width)
      let inverse = GuardedMatrix<Float>(1, rows)
      let y = GuardedMatrix<Float>(1, rows * width)
      kernels.table.pointee.layer_norm(
        rows, width, x.data, x.distance, gain.data, offset.data, hat.data, inverse.data, y.data)
      #expect(hat.isIntact && inverse.isIntact && y.isIntact, "\(place)")
      func norm(_ x: [Double], _ gain: [Double], _ offset: [Double]) -> [Double] {
        var out: [Double] = []
        for start in stride(from: 0, to: x.count, by: width) {
          let row = x[start..<start + width]
          let mean = row.reduce(0, +) / Double(width)
          let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
          let scale = 1 / (variance + 1e-5).squareRoot()
          out += row.enumerated().map { ($1 - mean) * scale * gain[$0] + offset[$0] }
        }
        return out
      }
      func doubles(_ values: [Float]) -> [Double] { values.map { Double($0) } }
      let exact = norm(doubles(values), doubles(gain.values), doubles(offset.values))
      // Values of up to 10: some 20 roundings of sums and products of them; two neighbours of a row
      // of two that lie close magnify it, by up to ten here.
      expectWithin(y.values, exact, bounds: exact.map { _ in 2e-5 }, name: "\(place): y")

      let dy = random.normals(rows * width)
      let gradient = GuardedMatrix(1, rows * width, values: dy)
      let (dx, dgain, doffset) = (
        GuardedMatrix(rows, width, distance: width + 7, values: values),
        GuardedMatrix([Float](repeating: 1, count: width)),
        GuardedMatrix([Float](repeating: 2, count: width))
      )
      kernels.table.pointee.layer_norm_gradient(
        rows, width, gradient.data, hat.data, inverse.data, gain.data, dx.data, dx.distance,
        dgain.data, doffset.data)
      #expect(dx.isIntact && dgain.isIntact && doffset.isIntact, "\(place)")
      func loss(_ y: [Double]) -> Double { zip(y, dy).reduce(0) { $0 + $1.0 * Double($1.1) } }
      let step = 1e-5
      let (g, o) = (doubles(gain.values), doubles(offset.values))
      let byX = centralDifferences(at: doubles(values), step: step) { loss(norm($0, g, o)) }
      let byGain = centralDifferences(at: g, step: step) { loss(norm(doubles(values), $0, o)) }
      let byOffset = centralDifferences(at: o, step: step) { loss(norm(doubles(values), g, $0)) }
      func expect(_ found: [Float], _ difference: [Double], plus: [Float], _ name: String) {
        let expected = zip(difference, plus).map { $0 + Double($1) }
        // Added to what was there; a wrong term shows at 1e-2 and more.
        expectWithin(
          found, expected, bounds: expected.map { 1e-4 + 1e-5 * $0.magnitude },
          name: "\(place): \(name)")
      }
      expect(dx.values, byX, plus: values, "dx")
      expect(dgain.values, byGain, plus: [Float](repeating: 1, count: width), "dgain")
      expect(doffset.values, byOffset, plus: [Float](repeating: 2, count: width), "doffset")
    }
  }

  @Test("rows gathered, scaled and multiplied", arguments: KernelSets.all)
  func gather(name: String) throws {
    let kernels = try #require(Kernels(named: name))
    var random = RandomStream(test: 4)
    withEvery("W", in: Self.widths) { width, place in
      let rows: [Int32] = [4, 0, 4, 2]
      let x = GuardedMatrix(5, width, values: random.normals(5 * width))
      let y = GuardedMatrix(rows.count, width, values: random.normals(rows.count * width))
      let gates = GuardedMatrix<Float>([0.5, 1, 0, 0.25])
      let scaled = GuardedMatrix<Float>(rows.count, width)
      let dots = GuardedMatrix<Float>(1, rows.count)
      let indices = GuardedMatrix(rows)
      kernels.table.pointee.gather_scaled(
        rows.count, width, indices.data, gates.data, x.data, y.data, scaled.data, dots.data)
      #expect(scaled.isIntact && dots.isIntact, "\(place)")
      for (slot, row) in rows.enumerated() {
        let from = x.values[Int(row) * width..<(Int(row) + 1) * width]
        // Exact: the gates are powers of two.
        #expect(
          Array(scaled.values[slot * width..<(slot + 1) * width])
            == from.map { $0 * gates.values[slot] }, "\(place)")
        let other = y.values[slot * width..<(slot + 1) * width]
        let products = zip(from, other).map { Double($0) * Double($1) }
        let size = products.reduce(0) { $0 + $1.magnitude }
        expectWithin(
          [dots.values[slot]], [products.reduce(0, +)], bounds: [16 * floatRounding * size],
          name: "\(place): dot")
      }
    }
  }
}
