import CKernels
import Tensors
import TestSupport
import Testing

@Suite("Kernel prepare_images")
struct PrepareImagesTests {
  static let side = 32
  static let count = 3 * 32 * 32
  static let multiplier: [Float] = [0.0159, 0.0161, 0.0150]
  static let offset: [Float] = [-1.989, -1.981, -1.707]

  struct Shift {
    let dx: Int8
    let dy: Int8
    let flip: UInt8
  }

  /// Pixels of one image by the header's definition, in Double; nil where the shift leaves it.
  static func exact(_ image: ArraySlice<UInt8>, _ shift: Shift) -> [(
    value: Double, scaled: Double
  )?] {
    var pixels: [(value: Double, scaled: Double)?] = []
    for channel in 0..<3 {
      for y in 0..<side {
        for x in 0..<side {
          let (fromX, fromY) = (x + Int(shift.dx), y + Int(shift.dy))
          guard 0..<side ~= fromX, 0..<side ~= fromY else {
            pixels.append(nil)
            continue
          }
          let column = shift.flip == 0 ? fromX : side - 1 - fromX
          let byte = image[image.startIndex + channel * side * side + fromY * side + column]
          let scaled = Double(byte) * Double(multiplier[channel])
          pixels.append((scaled + Double(offset[channel]), scaled))
        }
      }
    }
    return pixels
  }

  static func check(
    _ kernels: Kernels, shifts: [Shift], passes: (flip: Bool, dx: Bool, dy: Bool), _ place: String
  ) {
    var random = RandomStream(test: 8)
    let images = (0..<5 * count).map { _ in UInt8(truncatingIfNeeded: random.nextWord()) }
    let order = shifts.map { _ in random.below(5) }
    let flips = passes.flip ? GuardedMatrix(shifts.map(\.flip)) : nil
    let (dx, dy) = (GuardedMatrix(shifts.map(\.dx)), GuardedMatrix(shifts.map(\.dy)))
    let out = GuardedMatrix<Float>(shifts.count, count, distance: count + 16)
    kernels.table.pointee.prepare_images(
      shifts.count, images, order, flips?.data, passes.dx ? dx.data : nil,
      passes.dy ? dy.data : nil, multiplier, offset, out.data, out.distance)
    for (row, shift) in shifts.enumerated() {
      let image = images[Int(order[row]) * count..<Int(order[row] + 1) * count]
      let exact = exact(image, shift)
      // Outside the image exactly 0; inside, one rounding of the product where it is not fused and
      // one of the sum, each 2⁻²⁴ of it. The product is up to 4, so a sum near 0 by cancellation has
      // many units in the last place of error and still a small one.
      expectWithin(
        (0..<count).map { out.data[row * out.distance + $0] }, exact.map { $0?.value ?? 0 },
        bounds: exact.map { pixel in
          guard let pixel else { return 0 }
          return 1.001 * floatRounding * (pixel.scaled + pixel.value.magnitude)
        }, name: "\(place), \(shift)")
    }
    #expect(
      out.isIntact && dx.isIntact && dy.isIntact && flips?.isIntact != false,
      "\(place): wrote outside its output")
  }

  @Test("every shift with and without a flip", arguments: KernelSets.all)
  func shifts(name: String) throws {
    let kernels = try #require(Kernels(named: name))
    let range = -Int8(Kernels.largestShift)...Int8(Kernels.largestShift)
    let shifts = range.flatMap { dx in
      range.flatMap { dy in [0, 1].map { Shift(dx: dx, dy: dy, flip: $0) } }
    }
    // 17·17·2 combinations, each after the other in one staging buffer.
    #expect(shifts.count == 578)
    Self.check(kernels, shifts: shifts, passes: (true, true, true), name)
  }

  @Test("arrays that are not given mean no flip and no shift", arguments: KernelSets.all)
  func optional(name: String) throws {
    let kernels = try #require(Kernels(named: name))
    withEvery("flips", in: [false, true]) { flip, place in
      withEvery("dx", in: [false, true], place) { dx, place in
        withEvery("dy", in: [false, true], place) { dy, place in
          let shifts = [Shift(dx: 3, dy: -5, flip: 1), Shift(dx: -8, dy: 8, flip: 0)].map {
            Shift(dx: dx ? $0.dx : 0, dy: dy ? $0.dy : 0, flip: flip ? $0.flip : 0)
          }
          Self.check(kernels, shifts: shifts, passes: (flip, dx, dy), "\(place)")
        }
      }
    }
  }
}
