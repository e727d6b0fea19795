/// A place in a drawing, in points from its upper left corner.
struct Point: Hashable {
  var x: Double
  var y: Double

  init(_ x: Double, _ y: Double) {
    self.x = x
    self.y = y
  }
}

/// A colour of eight bits per channel (sRGB).
public struct RGB: Hashable, Sendable {
  public let red: UInt8
  public let green: UInt8
  public let blue: UInt8

  /// - Parameter hex: as in style sheets, 0xRRGGBB; higher bits are ignored.
  public init(_ hex: UInt32) {
    red = UInt8(truncatingIfNeeded: hex >> 16)
    green = UInt8(truncatingIfNeeded: hex >> 8)
    blue = UInt8(truncatingIfNeeded: hex)
  }

  /// This colour with the given share of another, in [0, 1].
  func mixed(with other: RGB, _ share: Double) -> RGB {
    func channel(_ a: UInt8, _ b: UInt8) -> UInt32 {
      UInt32((Double(a) + (Double(b) - Double(a)) * min(max(share, 0), 1)).rounded())
    }
    return RGB(
      channel(red, other.red) << 16 | channel(green, other.green) << 8 | channel(blue, other.blue))
  }

  /// Relative luminance in [0, 1], of the channels as they are (no gamma).
  var luminance: Double {
    (0.2126 * Double(red) + 0.7152 * Double(green) + 0.0722 * Double(blue)) / 255
  }
}

/// What a shape is painted with. All but `color` have a meaning instead of a value, so that a
/// page can give them others on a dark background.
enum Paint: Hashable {
  case ink, muted, grid, paper
  case color(RGB)

  /// The value on white paper.
  var light: RGB {
    switch self {
    case .ink: RGB(0x1F2328)
    case .muted: RGB(0x5A626B)
    case .grid: RGB(0xE3E6EA)
    case .paper: RGB(0xFFFFFF)
    case .color(let color): color
    }
  }
}

/// A line of text; `at` is where its baseline starts, has its middle or ends.
struct Label: Hashable {
  enum Anchor { case start, middle, end }

  var string: String
  var at: Point
  var size: Double
  var anchor = Anchor.start
  var isBold = false
  /// Reading from bottom to top.
  var isUpright = false
  var paint = Paint.ink
}

/// One element of a drawing. Lines have round ends and joins.
enum Shape: Hashable {
  case polygon([Point], Paint, opacity: Double = 1)
  case dot(Point, radius: Double, Paint)
  case line([Point], Paint, width: Double, dash: [Double] = [])
  case label(Label)
}

/// A finished picture: shapes from back to front, in points. `svg` and `png` write it.
public struct Drawing: Hashable, Sendable {
  /// What a reader who cannot see it is told; empty where the place around it says so.
  public let title: String
  public let width: Double
  public let height: Double
  let shapes: [Shape]
}

extension Shape {
  static func rectangle(
    x: Double, y: Double, width: Double, height: Double, _ paint: Paint, opacity: Double = 1
  ) -> Shape {
    .polygon(
      [
        Point(x, y), Point(x + width, y), Point(x + width, y + height), Point(x, y + height),
      ], paint, opacity: opacity)
  }
}

extension Shape {
  /// The shape elsewhere, `x` points to the right and `y` down.
  func moved(x: Double, y: Double) -> Shape {
    func place(_ point: Point) -> Point { Point(point.x + x, point.y + y) }
    switch self {
    case .polygon(let points, let paint, let opacity):
      return .polygon(points.map(place), paint, opacity: opacity)
    case .dot(let center, let radius, let paint):
      return .dot(place(center), radius: radius, paint)
    case .line(let points, let paint, let width, let dash):
      return .line(points.map(place), paint, width: width, dash: dash)
    case .label(var label):
      label.at = place(label.at)
      return .label(label)
    }
  }
}

extension Drawing {
  /// Drawings beside and below each other, as panels of one.
  ///
  /// - Parameters:
  ///   - columns: how many stand in a row; nil for all.
  ///   - title: stands above them; the panels keep their own.
  public static func beside(
    _ drawings: [Drawing], columns: Int? = nil, title: String = ""
  ) -> Drawing {
    let columns = max(1, columns ?? drawings.count)
    let rows = stride(from: 0, to: drawings.count, by: columns).map {
      drawings[$0..<min($0 + columns, drawings.count)]
    }
    let width = rows.map { $0.reduce(0) { $0 + $1.width } }.max() ?? 0
    var sketch = Sketch()
    if !title.isEmpty { sketch.heading(title, width: width) }
    // A panel leaves its own margin on top.
    var y = max(0, sketch.height - Sketch.margin)
    for row in rows {
      var x = 0.0
      for drawing in row {
        for shape in drawing.shapes { sketch.add(shape.moved(x: x, y: y)) }
        x += drawing.width
      }
      y += row.map(\.height).max() ?? 0
    }
    return Drawing(title: title, width: width, height: y, shapes: sketch.shapes)
  }
}
