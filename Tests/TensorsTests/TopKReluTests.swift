import CKernels
import Tensors
import TestSupport
import Testing

@Suite("Kernel top_k_relu")
struct TopKReluTests {
  struct Result {
    let values: [Float]
    let indices: [Int32]
    let counts: [Int32]
    let z: [Float]
    let dense: [Float]?
    let isIntact: Bool
  }

  enum Bias: CaseIterable { case none, normal, ofThree }

  static let widths = Array(1...70) + [127, 128, 129, 200, 1000]

  static func winners(of width: Int) -> [Int] {
    Set([1, 2, width / 2, width - 1, width]).filter { (1...width).contains($0) }.sorted()
  }

  /// Counts are added to, so they start from something.
  static func oldCount(_ neuron: Int) -> Int32 { Int32(neuron % 3) }

  /// One row of each kind that takes another path through a search for the K-th largest.
  static func rows(width: Int, _ random: inout RandomStream) -> [[Float]] {
    let normal = random.normals(width)
    func spiked(_ spikes: [Float]) -> [Float] {
      var row = normal
      for spike in spikes { row[Int(random.below(UInt32(width)))] = spike }
      return row
    }
    return [
      normal,
      random.normals(width),
      random.normals(width, deviation: 1e-3),
      random.picks(width, of: [-1, 0.5, 2]),
      random.picks(width, of: [0, -0.0]),
      random.picks(width, of: [1, Float(1).nextUp]),
      [Float](repeating: 0.25, count: width),
      [Float](repeating: -3, count: width),
      normal.map { -$0.magnitude - 1 },
      normal.sorted(),
      normal.sorted(by: >),
      // So far from 0 that neighbouring floats are 0.0625 apart: many ties.
      normal.map { $0 + 1e6 },
      random.picks(width, of: [1e38, -1e38, 3e38, 0]),
      normal.map { $0 * 1e19 },  // squares overflow
      random.normals(width, deviation: 0x1p-133),  // denormal
      random.picks(width, of: [Float.leastNonzeroMagnitude, 0, -Float.leastNonzeroMagnitude]),
      spiked([1e30]),
      spiked([.infinity, -.infinity]),
      random.picks(width, of: [Float.infinity, -.infinity, 1]),
      spiked([.nan]),
      spiked([.nan, .nan, .infinity, -.infinity]),
      [Float](repeating: .nan, count: width),
      [Float](repeating: -.infinity, count: width),
    ]
  }

  static func run(
    _ kernels: Kernels, rows: [[Float]], k: Int, bias: [Float]?, writesDense: Bool
  ) -> Result {
    let (count, width) = (rows.count, rows[0].count)
    // The least stride that the kernels ask for.
    let stride = k + 16
    let z = GuardedMatrix(count, width, distance: width + 3, values: rows.flatMap { $0 })
    let guardedBias = bias.map { GuardedMatrix($0) }
    let values = GuardedMatrix<Float>(count, stride)
    let indices = GuardedMatrix<Int32>(count, stride)
    let dense = writesDense ? GuardedMatrix<Float>(count, width, distance: width + 5) : nil
    let counts = GuardedMatrix((0..<width).map(oldCount))
    kernels.table.pointee.top_k_relu(
      count, width, k, z.data, z.distance, guardedBias?.data, values.data, indices.data, stride,
      dense?.data, dense?.distance ?? 0, counts.data)
    // Behind the first K slots of a row stands what a whole vector brought along.
    let first = (values: GuardedMatrix<Float>(count, k), indices: GuardedMatrix<Int32>(count, k))
    for row in 0..<count {
      (first.values.data + row * k).update(from: values.data + row * stride, count: k)
      (first.indices.data + row * k).update(from: indices.data + row * stride, count: k)
    }
    return Result(
      values: first.values.values, indices: first.indices.values,
      counts: counts.values, z: z.values, dense: dense?.values,
      isIntact: z.isIntact && values.isIntact && indices.isIntact && counts.isIntact
        && dense?.isIntact != false && guardedBias?.isIntact != false)
  }

  static func drawBias(_ kind: Bias, width: Int, _ random: inout RandomStream) -> [Float]? {
    switch kind {
    case .none: nil
    case .normal: random.normals(width)
    case .ofThree: random.picks(width, of: [-1, 0, 1])
    }
  }

  @Test("the plain kernel keeps what a sort by value, then index, puts first")
  func plainIsTheDefinition() throws {
    let plain = try #require(Kernels(named: KernelSets.plain))
    var random = RandomStream(test: 1)
    withEvery("W", in: [1, 2, 7, 16, 33, 128]) { width, place in
      withEvery("K", in: Self.winners(of: width), place) { k, place in
        withEvery("bias", in: Bias.allCases, place) { kind, place in
          let rows = Self.rows(width: width, &random)
          let bias = Self.drawBias(kind, width: width, &random)
          let result = Self.run(plain, rows: rows, k: k, bias: bias, writesDense: true)
          var counts = (0..<width).map(Self.oldCount)
          for (number, row) in rows.enumerated() {
            let z = bias.map { zip(row, $0).map { $0 + $1 } } ?? row
            // NaN above all; a stable order by index among equals.
            func isBefore(_ a: Int, _ b: Int) -> Bool {
              if z[a].isNaN || z[b].isNaN { return z[a].isNaN && (!z[b].isNaN || a < b) }
              return z[a] > z[b] || (z[a] == z[b] && a < b)
            }
            let winners = (0..<width).sorted(by: isBefore).prefix(k).sorted()
            let values = winners.map { z[$0] > 0 || z[$0].isNaN ? z[$0] : 0 }
            var dense = [Float](repeating: 0, count: width)
            for (neuron, value) in zip(winners, values) { dense[neuron] = value }
            for neuron in winners { counts[neuron] += 1 }

            let place = place.adding("row", number)
            let slots = number * k..<(number + 1) * k
            #expect(result.indices[slots].map { Int($0) } == winners, "\(place)")
            expectSameBits(Array(result.values[slots]), values, name: "\(place): values")
            expectSameBits(
              Array((result.dense ?? [])[number * width..<(number + 1) * width]), dense,
              name: "\(place): dense")
          }
          #expect(result.counts == counts, "\(place)")
          #expect(result.isIntact, "\(place): wrote outside its outputs")
        }
      }
    }
  }

  @Test("every kernel set picks the plain one's winners, to the bit")
  func agreesWithPlain() throws {
    let plain = try #require(Kernels(named: KernelSets.plain))
    var random = RandomStream(test: 2)
    withEvery("W", in: Self.widths) { width, place in
      withEvery("K", in: Self.winners(of: width), place) { k, place in
        // The plain kernel takes W² comparisons a row: one kind of bias for the widest.
        withEvery("bias", in: width > 200 ? [.normal] : Bias.allCases, place) { kind, place in
          let rows = Self.rows(width: width, &random)
          let bias = Self.drawBias(kind, width: width, &random)
          let expected = Self.run(plain, rows: rows, k: k, bias: bias, writesDense: true)
          withEvery("kernels", in: KernelSets.fast, place) { name, place in
            guard let kernels = Kernels(named: name) else { return }
            withEvery("with dense", in: [true, false], place) { writesDense, place in
              let found = Self.run(kernels, rows: rows, k: k, bias: bias, writesDense: writesDense)
              #expect(found.indices == expected.indices, "\(place)")
              #expect(found.counts == expected.counts, "\(place)")
              expectSameBits(found.values, expected.values, name: "\(place): values")
              // Without a bias the plain kernel adds 0 and so makes −0 a 0.
              expectSameBits(found.z.map { $0 + 0 }, expected.z, name: "\(place): z")
              if let dense = found.dense, let expectedDense = expected.dense {
                expectSameBits(dense, expectedDense, name: "\(place): dense")
              }
              #expect(found.isIntact, "\(place): wrote outside its outputs")
            }
          }
        }
      }
    }
  }

  @Test("no rows: nothing is written", arguments: KernelSets.all)
  func noRows(name: String) throws {
    let kernels = try #require(Kernels(named: name))
    let z = GuardedMatrix<Float>(1, 20)
    let values = GuardedMatrix<Float>(1, 20)
    let indices = GuardedMatrix<Int32>(1, 20)
    let counts = GuardedMatrix<Int32>([Int32](repeating: 7, count: 20))
    kernels.table.pointee.top_k_relu(
      0, 20, 3, z.data, 20, nil, values.data, indices.data, 20, nil, 0, counts.data)
    #expect(counts.values == [Int32](repeating: 7, count: 20))
    #expect(indices.values == [Int32](repeating: -1, count: 20))
    #expect(values.values.allSatisfy { $0.isNaN })
    #expect(z.isIntact && values.isIntact && indices.isIntact)
  }
}
