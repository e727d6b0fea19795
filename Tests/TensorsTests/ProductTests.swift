import CKernels
import Tensors
import TestSupport
import Testing

@Suite("Kernel product")
struct ProductTests {
  /// Sets that have it; the others leave the product to BLAS.
  static let sets = KernelSets.all.filter { Kernels(named: $0)?.table.pointee.product != nil }

  @Test("plain is always there, and AVX-512 has it")
  func existence() {
    #expect(Self.sets == KernelSets.all.filter { ["avx512", "plain"].contains($0) })
  }

  @Test(
    "the sum itself, around the edges of a tile and a block, of a matrix and of its transpose",
    arguments: sets, [false, true])
  func sums(set: String, transposed: Bool) throws {
    try Self.expectSums(
      set, transposed: transposed, m: [1, 2, 5, 6, 7, 13],
      n: [1, 15, 16, 17, 32, 50, 63, 64, 65, 130], k: [1, 2, 17, 255, 256, 257])
  }

  @Test(
    "tall matrices, around the edges of a strip that is packed", arguments: sets, [false, true])
  func tall(set: String, transposed: Bool) throws {
    try Self.expectSums(
      set, transposed: transposed, m: [5, 65, 66, 67, 133], n: [17, 64, 70], k: [257, 600])
  }

  private static func expectSums(
    _ set: String, transposed: Bool, m heights: [Int], n widths: [Int], k depths: [Int]
  ) throws {
    let product = try #require(Kernels(named: set)?.table.pointee.product)
    var random = RandomStream(test: 33)
    withEvery("m", in: heights) { m, place in
      withEvery("n", in: widths, place) { n, place in
        withEvery("k", in: depths, place) { k, place in
          withEvery("adds", in: [false, true], place) { adds, place in
            let values = random.normals(m * k)
            let a =
              transposed
              ? GuardedMatrix(k, m, distance: m + 3, values: values)
              : GuardedMatrix(m, k, distance: k + 3, values: values)
            let b = GuardedMatrix(k, n, distance: n + 5, values: random.normals(k * n))
            let before = random.normals(m * n)
            let c =
              adds
              ? GuardedMatrix(m, n, distance: n + 7, values: before)
              : GuardedMatrix<Float>(m, n, distance: n + 7)
            product(
              m, n, k, a.data, transposed ? 1 : a.distance, transposed ? a.distance : 1, b.data,
              b.distance, c.data, c.distance, adds ? 1 : 0)
            #expect(a.isIntact && b.isIntact && c.isIntact, "\(place): wrote outside its output")
            let right = b.values
            var exact: [Double] = []
            var bounds: [Double] = []
            for row in 0..<m {
              for column in 0..<n {
                var sum = adds ? Double(before[row * n + column]) : 0
                var magnitude = sum.magnitude
                for i in 0..<k {
                  let factor = Double(values[transposed ? i * m + row : row * k + i])
                  let term = factor * Double(right[i * n + column])
                  sum += term
                  magnitude += term.magnitude
                }
                exact.append(sum)
                // Each of k additions rounds what has gathered, which is at most the magnitude.
                bounds.append(Double(k + 2) * floatRounding * magnitude)
              }
            }
            expectWithin(c.values, exact, bounds: bounds, name: "\(place): c")
          }
        }
      }
    }
  }
}
