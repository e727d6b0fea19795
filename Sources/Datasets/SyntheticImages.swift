import Dispatch
import Tensors

/// The embedded image set `synthetic`: 32×32 RGB drawings of ten kinds of figure at random places,
/// sizes, angles and colours, over clutter and noise. Needs no file and no download.
///
/// Each image has a random stream of its own and is drawn with +, −, ×, ÷ and √ alone, which
/// IEEE 754 rounds the same way everywhere: every machine, and any number of threads, draws the
/// same bytes. Labels go round 0 … 9, so every prefix that is a multiple of 10 is balanced.
public enum SyntheticImages {
  /// The figure of each label.
  public static let classNames = [
    "disc", "ring", "square", "triangle", "cross", "stripes", "checkerboard", "bar", "dots",
    "crescent",
  ]
  public static let trainCount = 10_000
  public static let testCount = 2_000

  /// Part of the set's definition: another seed is another set.
  static let seed: UInt64 = 2602_21798
  /// Test images follow after every train image that there could ever be.
  static let firstTestIndex: UInt64 = 1 << 32

  /// The set, or its first images where fewer are asked for.
  ///
  /// - Parameters:
  ///   - trainCount: train images, at most 10,000 are drawn.
  ///   - testCount: test images, at most 2,000 are drawn.
  public static func dataset(
    trainCount: Int = trainCount, testCount: Int = testCount
  ) -> ImageDataset {
    ImageDataset(
      name: .synthetic, classes: classNames.count,
      train: split(from: 0, count: min(trainCount, Self.trainCount)),
      test: split(from: firstTestIndex, count: min(testCount, Self.testCount)))
  }

  static func split(from first: UInt64, count: Int) -> ImageSplit {
    let images = [UInt8](
      unsafeUninitializedCapacity: count * ImageSplit.imageBytes
    ) { buffer, filled in
      // Each image writes to its own bytes only.
      nonisolated(unsafe) let bytes = buffer
      DispatchQueue.concurrentPerform(iterations: count) { i in
        let start = i * ImageSplit.imageBytes
        draw(
          label: i % classNames.count, index: first + UInt64(i),
          into: UnsafeMutableBufferPointer(
            rebasing: bytes[start..<start + ImageSplit.imageBytes]))
      }
      filled = count * ImageSplit.imageBytes
    }
    return ImageSplit(images: images, labels: (0..<count).map { UInt8($0 % classNames.count) })
  }

  // MARK: - One image

  private static let side = 32
  /// Uniform noise on every value, in steps of 255: chosen, with the half of colour that is left to
  /// chance, so that a small Top-K MLP gets about half of the test images right.
  private static let noise: Float = 50

  /// Red, green, blue, each 0 … 255 and not rounded yet.
  private typealias Colour = SIMD3<Float>

  /// Draws one image, [3, 32, 32].
  private static func draw(
    label: Int, index: UInt64, into bytes: UnsafeMutableBufferPointer<UInt8>
  ) {
    var random = RandomStream(seed: seed, purpose: .syntheticImages, index: index)
    withUnsafeTemporaryAllocation(of: Colour.self, capacity: side * side) { canvas in
      paintBackground(canvas, &random)
      for _ in 0..<(2 + random.below(4)) {
        // Small discs and bars that say nothing about the class.
        let pose = Pose(
          centre: (random.uniform() * 32, random.uniform() * 32),
          radius: 1.5 + 3 * random.uniform(), turn: random.uniform())
        let colour = randomColour(&random)
        let figure = random.below(2) == 0 ? 0 : 7
        paint(figure, pose, colour, opacity: 0.7, on: canvas)
      }
      let pose = Pose(
        centre: (12 + 8 * random.uniform(), 12 + 8 * random.uniform()),
        radius: 7 + 5 * random.uniform(), turn: random.uniform())
      // Half of the colour is a hint at the class, as grass is at a horse.
      paint(label, pose, (palette[label] + randomColour(&random)) * 0.5, opacity: 1, on: canvas)
      let plane = side * side
      for i in 0..<plane {
        let word = random.nextWord()
        for channel in 0..<3 {
          // 10 bits per channel: −512 … 511, which is ±noise.
          let bits = Float(Int32(word >> UInt32(10 * channel) & 1023) - 512)
          let value = canvas[i][channel] + bits * (noise / 512)
          bytes[channel * plane + i] = UInt8(max(0, min(255, value)))
        }
      }
    }
  }

  private static func randomColour(_ random: inout RandomStream) -> Colour {
    let word = random.nextWord()
    return Colour(Float(word & 255), Float(word >> 8 & 255), Float(word >> 16 & 255))
  }

  /// Half of each class's colour: what a glance at colours alone can learn.
  private static let palette: [Colour] = [
    Colour(220, 60, 50), Colour(60, 180, 75), Colour(60, 100, 220), Colour(240, 200, 40),
    Colour(200, 60, 200), Colour(60, 200, 210), Colour(245, 130, 50), Colour(140, 90, 50),
    Colour(235, 235, 235), Colour(40, 40, 60),
  ]

  /// A slope between two random colours.
  private static func paintBackground(
    _ canvas: UnsafeMutableBufferPointer<Colour>, _ random: inout RandomStream
  ) {
    let from = randomColour(&random)
    let step = (randomColour(&random) - from) * Colour(repeating: 1 / 62)
    let across = random.below(2) == 0
    let down = random.below(2) == 0
    for y in 0..<side {
      let v = Float(down ? y : 31 - y)
      for x in 0..<side {
        let u = Float(across ? x : 31 - x)
        canvas[y * side + x] = from + step * Colour(repeating: u + v)
      }
    }
  }

  /// Where a figure stands: its circle on the canvas, in pixels, and its angle.
  private struct Pose {
    var centre: (x: Float, y: Float)
    var radius: Float
    var cosine: Float
    var sine: Float

    /// - Parameter turn: in [0, 1), the tangent of half the angle over [−1, 1): a half turn, got
    ///   without a library's sine, whose last bit depends on the library.
    init(centre: (x: Float, y: Float), radius: Float, turn: Float) {
      self.centre = centre
      self.radius = radius
      let tangent = 2 * turn - 1
      let square = tangent * tangent
      cosine = (1 - square) / (1 + square)
      sine = 2 * tangent / (1 + square)
    }
  }

  private static func paint(
    _ figure: Int, _ pose: Pose, _ colour: Colour, opacity: Float,
    on canvas: UnsafeMutableBufferPointer<Colour>
  ) {
    // No figure reaches further than 1.5 radii from its centre.
    let reach = 1.5 * pose.radius + 1
    let rows = clampedRange(pose.centre.y, reach)
    let columns = clampedRange(pose.centre.x, reach)
    let scale = 1 / pose.radius
    for y in rows {
      let dy = (Float(y) + 0.5 - pose.centre.y) * scale
      for x in columns {
        let dx = (Float(x) + 0.5 - pose.centre.x) * scale
        let u = dx * pose.cosine + dy * pose.sine
        let v = dy * pose.cosine - dx * pose.sine
        // One pixel of soft edge.
        let coverage = 0.5 - distance(figure, u, v) * pose.radius
        guard coverage > 0 else { continue }
        let weight = min(1, coverage) * opacity
        let i = y * side + x
        canvas[i] += (colour - canvas[i]) * Colour(repeating: weight)
      }
    }
  }

  private static func clampedRange(_ centre: Float, _ reach: Float) -> Range<Int> {
    let low = max(0, Int(centre - reach))
    return low..<max(low, min(side, Int(centre + reach) + 1))
  }

  /// About how far (u, v) lies outside the figure, in radii; negative inside.
  private static func distance(_ figure: Int, _ u: Float, _ v: Float) -> Float {
    let r = (u * u + v * v).squareRoot()
    let square = max(abs(u), abs(v))
    switch figure {
    case 0: return r - 1
    case 1: return abs(r - 0.75) - 0.25
    case 2: return square - 0.85
    case 3: return max(v - 0.6, max(0.866 * u - 0.5 * v, -0.866 * u - 0.5 * v) - 0.6)
    case 4: return max(square - 1, min(abs(u), abs(v)) - 0.3)
    case 5: return max(square - 0.95, wave(u, 0.65))
    case 6:
      let cell = max(wave(u, 0.95) * wave(v, 0.95) * -8, -0.2)
      return max(square - 0.95, cell)
    case 7: return max(abs(u) - 1.2, abs(v) - 0.3)
    case 8:
      let du = abs(u) - 0.65
      let dv = abs(v) - 0.65
      return (du * du + dv * dv).squareRoot() - 0.33
    default:
      let du = u - 0.45
      return max(r - 1, 0.8 - (du * du + v * v).squareRoot())
    }
  }

  /// A triangle wave of the given period: 0 at 0, a slope of ±1, within ±period/4.
  private static func wave(_ x: Float, _ period: Float) -> Float {
    let phase = x / period
    let near = phase - phase.rounded(.down)
    let folded = near < 0.5 ? 0.25 - near : near - 0.75
    return folded * period
  }
}
