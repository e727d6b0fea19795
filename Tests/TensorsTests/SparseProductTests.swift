import CKernels
import Tensors
import TestSupport
import Testing

@Suite("Kernels gather_sum, scatter_outer, relu_gradient and pack_transposed")
struct SparseProductTests {
  /// A sum of n products in floats, in any order, fused or not, is within n·2⁻²⁴·Σ|products| of the
  /// exact sum (to first order; the second order is far below the one more term allowed here).
  static func bound(terms: Int, magnitude: Double) -> Double {
    Double(terms + 1) * floatRounding * magnitude
  }

  /// Winners of `rows` rows as the layers store them, with unused slots that no kernel may read.
  struct WinnerRows {
    let values: GuardedMatrix<Float>
    let indices: GuardedMatrix<Int32>
    /// Slots per row.
    let stride: Int
    let pairs: [[(neuron: Int, value: Float)]]

    var isIntact: Bool { values.isIntact && indices.isIntact }

    init(_ picked: [[Int32]], k: Int, slack: Int, _ random: inout RandomStream) {
      stride = k + slack
      var pairs: [[(neuron: Int, value: Float)]] = []
      for row in picked { pairs.append(row.map { (Int($0), random.normal()) }) }
      self.pairs = pairs
      values = GuardedMatrix(
        picked.count, k, distance: stride, values: pairs.flatMap { $0.map(\.value) })
      indices = GuardedMatrix(
        picked.count, k, distance: stride, values: picked.flatMap { $0 })
    }
  }

  @Test("gather_sum is the sum of the picked rows, weighted", arguments: KernelSets.all)
  func gatherSum(name: String) throws {
    let kernels = try #require(Kernels(named: name)).table.pointee
    var random = RandomStream(test: 3)
    let (batch, rows) = (3, 21)
    withEvery("N", in: Array(1...70) + [127, 128, 129, 200]) { columns, place in
      withEvery("K", in: 0...16, place) { k, place in
        withEvery("in panels", in: [true, false], place) { isPacked, place in
          let panels = (columns + Kernels.panelColumns - 1) / Kernels.panelColumns
          // Packed as pack_transposed does, or an ordinary matrix with rows of odd length.
          let (rowStride, panelStride) =
            isPacked
            ? (Kernels.panelColumns, rows * Kernels.panelColumns)
            : (columns + 3, Kernels.panelColumns)
          let count = isPacked ? panels * panelStride : rows * rowStride
          let matrix = GuardedMatrix(random.normals(count))
          func element(_ row: Int, _ column: Int) -> Float {
            matrix.data[
              column / Kernels.panelColumns * panelStride + row * rowStride
                + column % Kernels.panelColumns]
          }
          let picked = (0..<batch).map { _ in random.subset(k, below: rows) }
          let winners = WinnerRows(picked, k: k, slack: 1 + k % 5, &random)
          let out = GuardedMatrix<Float>(batch, columns, distance: columns + 2)
          kernels.gather_sum(
            batch, k, columns, winners.values.data, winners.indices.data, winners.stride,
            matrix.data, rowStride, panelStride, out.data, out.distance)

          var exact: [Double] = []
          var bounds: [Double] = []
          for pairs in winners.pairs {
            for column in 0..<columns {
              var (sum, magnitude) = (0.0, 0.0)
              for (neuron, value) in pairs {
                let product = Double(value) * Double(element(neuron, column))
                sum += product
                magnitude += product.magnitude
              }
              exact.append(sum)
              bounds.append(Self.bound(terms: k, magnitude: magnitude))
            }
          }
          expectWithin(out.values, exact, bounds: bounds, name: "\(place)")
          #expect(
            out.isIntact && matrix.isIntact && winners.isIntact,
            "\(place): wrote outside its output")
        }
      }
    }
  }

  @Test(
    "scatter_outer is each neuron's sum of its rows of x, and 0 without any",
    arguments: KernelSets.all)
  func scatterOuter(name: String) throws {
    let kernels = try #require(Kernels(named: name)).table.pointee
    var random = RandomStream(test: 4)
    withEvery("W", in: [1, 2, 3, 5, 17, 33, 70]) { width, place in
      withEvery("I", in: [1, 3, 15, 16, 17, 63, 64, 65, 70, 129, 200], place) { inputs, place in
        withEvery("B", in: [1, 2, 5, 16], place) { batch, place in
          withEvery("K", in: Set([1, 2, width / 2, width]).filter { 1...width ~= $0 }, place) {
            k, place in
            // Only the lower neurons win, so that some never do; the last kind repeats one neuron
            // within a row, which no layer does but the sum allows.
            let pool = max(k, (width + 1) / 2)
            let repeats = k == 2 && batch == 5
            let picked = (0..<batch).map { _ in
              repeats ? [Int32](repeating: 0, count: k) : random.subset(k, below: pool)
            }
            let winners = WinnerRows(picked, k: k, slack: 3, &random)
            let x = GuardedMatrix(
              batch, inputs, distance: inputs + 7, values: random.normals(batch * inputs))
            let gradient = GuardedMatrix<Float>(width, inputs, distance: inputs + 2)
            let scratch = GuardedMatrix<Float>(
              1, Kernels.scatterScratch(rows: batch, winners: k, width: width))
            kernels.scatter_outer(
              batch, k, width, inputs, winners.values.data, winners.indices.data, winners.stride,
              x.data, x.distance, gradient.data, gradient.distance, scratch.data)

            var exact = [Double](repeating: 0, count: width * inputs)
            var magnitudes = exact
            var terms = [Int](repeating: 0, count: width)
            for (row, pairs) in winners.pairs.enumerated() {
              for (neuron, value) in pairs {
                terms[neuron] += 1
                for input in 0..<inputs {
                  let product = Double(value) * Double(x.data[row * x.distance + input])
                  exact[neuron * inputs + input] += product
                  magnitudes[neuron * inputs + input] += product.magnitude
                }
              }
            }
            // A neuron without terms has a bound of 0.
            let bounds = magnitudes.enumerated().map {
              Self.bound(terms: terms[$0.offset / inputs], magnitude: $0.element)
            }
            expectWithin(gradient.values, exact, bounds: bounds, name: "\(place)")
            #expect(
              gradient.isIntact && scratch.isIntact && x.isIntact && winners.isIntact,
              "\(place): wrote outside its output")
          }
        }
      }
    }
  }

  @Test(
    "infinity and NaN reach the sums that they are terms of, and no other",
    arguments: KernelSets.all, [Float.infinity, -.infinity, .nan])
  func notFinite(name: String, value: Float) throws {
    let kernels = try #require(Kernels(named: name)).table.pointee
    // Rows 0 and 1 of the batch pick neurons {0, 2} and {1, 2}; the value is row 0's first factor.
    let indices: [Int32] = [0, 2, 1, 2]
    let factors: [Float] = [value, 1, 1, 1]
    let columns = 70

    let matrix = GuardedMatrix([Float](repeating: 3, count: 3 * 64 * 2))
    let gathered = GuardedMatrix<Float>(2, columns)
    kernels.gather_sum(
      2, 2, columns, factors, indices, 2, matrix.data, 64, 3 * 64, gathered.data, columns)
    #expect(gathered.values.prefix(columns).allSatisfy { !$0.isFinite })
    // 1·3 + 1·3.
    #expect(gathered.values.suffix(columns).allSatisfy { $0 == 6 })

    let x = GuardedMatrix(2, columns, values: [Float](repeating: 3, count: 2 * columns))
    let outer = GuardedMatrix<Float>(3, columns)
    let scratch = GuardedMatrix<Float>(1, Kernels.scatterScratch(rows: 2, winners: 2, width: 3))
    kernels.scatter_outer(
      2, 2, 3, columns, factors, indices, 2, x.data, columns, outer.data, columns, scratch.data)
    for (place, sum) in outer.values.enumerated() {
      // Neuron 0 has row 0's factor, neuron 1 one term of 3, neuron 2 two.
      #expect(place < columns ? !sum.isFinite : sum == (place < 2 * columns ? 3 : 6), "\(place)")
    }
  }

  @Test("pack_transposed moves every element, to the bit", arguments: KernelSets.all)
  func packTransposed(name: String) throws {
    let kernels = try #require(Kernels(named: name)).table.pointee
    var random = RandomStream(test: 5)
    let sizes = [1, 2, 15, 16, 17, 31, 33, 63, 64, 65, 100, 130]
    withEvery("rows", in: sizes) { rows, place in
      withEvery("columns", in: sizes, place) { columns, place in
        let values = random.normals(rows * columns)
        let matrix = GuardedMatrix(rows, columns, distance: columns + 3, values: values)
        let packed = GuardedMatrix<Float>(1, Kernels.packedCount(rows: rows, columns: columns))
        kernels.pack_transposed(rows, columns, matrix.data, matrix.distance, packed.data)

        let panel = Kernels.panelColumns
        var expected: [Float] = []
        for first in stride(from: 0, to: rows, by: panel) {
          for column in 0..<columns {
            for row in first..<first + panel {
              expected.append(row < rows ? values[row * columns + column] : 0)
            }
          }
        }
        expectSameBits(packed.values, expected, name: "\(place)")
        #expect(packed.isIntact && matrix.isIntact, "\(place): wrote outside its output")
      }
    }
  }

  @Test("relu_gradient zeroes exactly where the value is not above 0", arguments: KernelSets.all)
  func reluGradient(name: String) throws {
    let kernels = try #require(Kernels(named: name)).table.pointee
    var random = RandomStream(test: 12)
    withEvery("n", in: Array(0...33) + [1000]) { count, place in
      let values = random.picks(count, of: [0, -0.0, 1, 0x1p-133, -1, Float.nan, .infinity])
      let old = random.normals(count)
      let gradient = GuardedMatrix(old)
      kernels.relu_gradient(count, values, gradient.data)
      expectSameBits(
        gradient.values, zip(values, old).map { $0 > 0 ? $1 : 0 }, name: "\(place)")
      #expect(gradient.isIntact, "\(place): wrote outside its output")
    }
  }

  @Test("sizes as the header defines them")
  func sizes() {
    // 64 columns a panel: 65 rows make 2 panels of 64·7.
    #expect(Kernels.panelColumns == 64)
    #expect(Kernels.packedCount(rows: 64, columns: 7) == 64 * 7)
    #expect(Kernels.packedCount(rows: 65, columns: 7) == 2 * 64 * 7)
    // An end per neuron and 1 to align, then 2 floats for each of 3·2 terms.
    #expect(Kernels.scatterScratch(rows: 3, winners: 2, width: 5) == 6 + 2 * 6)
    // 384 inputs of two panels of 64 columns.
    #expect(Kernels.multiplyScratch == 384 * 128)
    // At least K + 16, in whole vectors of 16.
    #expect([1, 15, 16, 17].map(Kernels.winnerStride) == [32, 32, 32, 48])
  }
}
