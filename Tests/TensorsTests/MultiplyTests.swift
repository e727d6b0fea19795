import CKernels
import Tensors
import TestSupport
import Testing

@Suite("Kernel multiply")
struct MultiplyTests {
  /// Sets that have it; the others leave the product to BLAS.
  static let sets = KernelSets.all.filter { Kernels(named: $0)?.table.pointee.multiply != nil }

  struct Product {
    let rows: Int
    let width: Int
    let inputs: Int
    let x: [Float]
    let weight: [Float]

    /// z with what stands beside and behind it untouched.
    func run(_ set: String, _ place: String) throws -> [Float] {
      let multiply = try #require(Kernels(named: set)?.table.pointee.multiply)
      let x = GuardedMatrix(rows, inputs, distance: inputs + 7, values: x)
      let weight = GuardedMatrix(width, inputs, distance: inputs + 3, values: weight)
      let z = GuardedMatrix<Float>(rows, width, distance: width + 5)
      let scratch = GuardedMatrix<Float>(1, Kernels.multiplyScratch)
      multiply(
        rows, width, inputs, x.data, x.distance, weight.data, weight.distance, z.data, z.distance,
        scratch.data)
      #expect(
        x.isIntact && weight.isIntact && z.isIntact && scratch.isIntact,
        "\(place): wrote outside its output")
      return z.values
    }
  }

  @Test("plain is always there, and AVX-512 has it")
  func existence() {
    #expect(Self.sets == KernelSets.all.filter { ["avx512", "plain"].contains($0) })
  }

  @Test("the sum itself, around the edges of a tile, a panel and a block", arguments: sets)
  func sums(set: String) throws {
    var random = RandomStream(test: 31)
    withEvery("B", in: [1, 2, 3, 4, 5, 6, 7, 12, 13]) { rows, place in
      withEvery("W", in: [1, 15, 16, 63, 64, 65, 128, 129, 200], place) { width, place in
        withEvery("I", in: [1, 3, 4, 5, 17, 383, 384, 385, 770], place) { inputs, place in
          let product = Product(
            rows: rows, width: width, inputs: inputs, x: random.normals(rows * inputs),
            weight: random.normals(width * inputs))
          var exact: [Double] = []
          var bounds: [Double] = []
          for row in 0..<rows {
            for n in 0..<width {
              var (sum, magnitude) = (0.0, 0.0)
              for i in 0..<inputs {
                let term =
                  Double(product.x[row * inputs + i]) * Double(product.weight[n * inputs + i])
                sum += term
                magnitude += term.magnitude
              }
              exact.append(sum)
              bounds.append(SparseProductTests.bound(terms: inputs, magnitude: magnitude))
            }
          }
          do {
            expectWithin(
              try product.run(set, "\(place)"), exact, bounds: bounds, name: "\(place)")
          } catch {
            Issue.record("\(place): \(error)")
          }
        }
      }
    }
  }

  @Test("a row's products are the same to the bit wherever it stands", arguments: sets)
  func places(set: String) throws {
    let (width, inputs) = (70, 400)
    var random = RandomStream(test: 32)
    let weight = random.normals(width * inputs)
    let row = random.normals(inputs)
    let alone = try Product(rows: 1, width: width, inputs: inputs, x: row, weight: weight)
      .run(set, "alone")
    for place in 0..<13 {
      var x = random.normals(13 * inputs)
      x.replaceSubrange(place * inputs..<(place + 1) * inputs, with: row)
      let all = try Product(rows: 13, width: width, inputs: inputs, x: x, weight: weight)
        .run(set, "place \(place)")
      expectSameBits(
        Array(all[place * width..<(place + 1) * width]), alone, name: "place \(place)")
    }
  }

  @Test("infinity and NaN reach their own row and column only", arguments: sets)
  func notFinite(set: String) throws {
    let (rows, width, inputs) = (9, 70, 20)
    for value in [Float.infinity, -.infinity, .nan] {
      var x = [Float](repeating: 1, count: rows * inputs)
      var weight = [Float](repeating: 2, count: width * inputs)
      x[5 * inputs + 3] = value
      weight[66 * inputs + 19] = value
      let z = try Product(rows: rows, width: width, inputs: inputs, x: x, weight: weight)
        .run(set, "\(value)")
      for (place, element) in z.enumerated() {
        if place / width == 5 || place % width == 66 {
          #expect(!element.isFinite, "\(place)")
        } else {
          // 20 products of 1 and 2.
          #expect(element == 40, "\(place)")
        }
      }
    }
  }
}
