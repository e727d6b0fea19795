/// A white picture of pixels that shapes are painted on with soft edges.
struct Raster {
  let width: Int
  let height: Int
  /// Pixels per point.
  let scale: Double
  /// Red, green, blue of each pixel, row by row.
  private(set) var pixels: [UInt8]

  init(width: Int, height: Int, scale: Double) {
    self.width = width
    self.height = height
    self.scale = scale
    pixels = Array(repeating: 255, count: width * height * 3)
  }

  mutating func draw(_ shape: Shape) {
    switch shape {
    case .polygon(let points, let paint, let opacity):
      paintCoverage(coverage(ofPolygon: points.map(scaled)), paint.light, opacity)
    case .dot(let center, let radius, let paint):
      stroke([[scaled(center)]], radius: radius * scale, paint)
    case .line(let points, let paint, let width, let dash):
      let pieces = dashed(points.map(scaled), dash.map { $0 * scale })
      stroke(pieces, radius: width * scale / 2, paint)
    case .label(let label):
      let strokes = StrokeFont.strokes(of: label).map { $0.map(scaled) }
      stroke(
        strokes, radius: StrokeFont.strokeWidth(label.size, isBold: label.isBold) * scale / 2,
        label.paint)
    }
  }

  private func scaled(_ point: Point) -> Point { Point(point.x * scale, point.y * scale) }

  private mutating func stroke(_ lines: [[Point]], radius: Double, _ paint: Paint) {
    paintCoverage(coverage(ofLines: lines, radius: radius), paint.light, 1)
  }

  /// The pixels around the given points, or nil where none is in the picture.
  private func box(_ points: [Point], margin: Double) -> Coverage? {
    guard points.allSatisfy({ $0.x.isFinite && $0.y.isFinite }) else { return nil }
    func range(_ values: [Double], _ end: Int) -> Range<Int>? {
      guard let low = values.min(), let high = values.max() else { return nil }
      let from = max(0, (low - margin).rounded(.down))
      let to = min(Double(end), (high + margin).rounded(.up))
      return from < to ? Int(from)..<Int(to) : nil
    }
    guard let columns = range(points.map(\.x), width), let rows = range(points.map(\.y), height)
    else { return nil }
    return Coverage(columns: columns, rows: rows)
  }

  /// Each pixel's share under thick lines with round ends: its distance to the nearest one, as
  /// an edge one pixel wide.
  private func coverage(ofLines lines: [[Point]], radius: Double) -> Coverage? {
    guard var result = box(lines.flatMap { $0 }, margin: radius + 1) else { return nil }
    // A line thinner than a pixel covers none of them fully.
    let most = min(1, 2 * radius)
    for line in lines {
      for (start, end) in zip(line, line.count > 1 ? line.dropFirst() : line[...]) {
        guard let near = box([start, end], margin: radius + 1) else { continue }
        let (dx, dy) = (end.x - start.x, end.y - start.y)
        let square = dx * dx + dy * dy
        for row in near.rows {
          for column in near.columns {
            let (x, y) = (Double(column) + 0.5 - start.x, Double(row) + 0.5 - start.y)
            let along = square > 0 ? min(max((x * dx + y * dy) / square, 0), 1) : 0
            let (ox, oy) = (x - along * dx, y - along * dy)
            let share = radius + 0.5 - (ox * ox + oy * oy).squareRoot()
            if share > 0 { result.raise(column, row, to: min(share, most)) }
          }
        }
      }
    }
    return result
  }

  /// Each pixel's share inside a polygon that does not cross itself: the areas right of its edges,
  /// those going down minus those going up.
  private func coverage(ofPolygon points: [Point]) -> Coverage? {
    guard points.count > 2, var result = box(points, margin: 1) else { return nil }
    for (a, b) in zip(points, points.dropFirst() + points.prefix(1)) where a.y != b.y {
      let (top, bottom, direction) = a.y < b.y ? (a, b, 1.0) : (b, a, -1.0)
      let slope = (bottom.x - top.x) / (bottom.y - top.y)
      for row in result.rows where Double(row) < bottom.y && Double(row + 1) > top.y {
        let from = max(Double(row), top.y)
        let to = min(Double(row + 1), bottom.y)
        let x0 = top.x + (from - top.y) * slope
        let x1 = top.x + (to - top.y) * slope
        result.addArea(row, rightOf: min(x0, x1), max(x0, x1), (to - from) * direction)
      }
    }
    return result
  }

  private mutating func paintCoverage(_ coverage: Coverage?, _ color: RGB, _ opacity: Double) {
    guard let coverage else { return }
    let color = (Double(color.red), Double(color.green), Double(color.blue))
    func mixed(_ old: UInt8, _ new: Double, _ share: Double) -> UInt8 {
      let old = Double(old)
      return UInt8(min(max((old + (new - old) * share).rounded(), 0), 255))
    }
    for row in coverage.rows {
      for column in coverage.columns {
        // A polygon that runs counterclockwise sums to −1.
        let share = min(abs(coverage[column, row]), 1) * opacity
        guard share > 0 else { continue }
        let index = (row * width + column) * 3
        pixels[index] = mixed(pixels[index], color.0, share)
        pixels[index + 1] = mixed(pixels[index + 1], color.1, share)
        pixels[index + 2] = mixed(pixels[index + 2], color.2, share)
      }
    }
  }
}

/// How much of each pixel of a box a shape covers, in [0, 1] or, for polygons, [−1, 1].
private struct Coverage {
  let columns: Range<Int>
  let rows: Range<Int>
  private var shares: [Double]

  init(columns: Range<Int>, rows: Range<Int>) {
    self.columns = columns
    self.rows = rows
    shares = Array(repeating: 0, count: columns.count * rows.count)
  }

  subscript(_ column: Int, _ row: Int) -> Double { shares[index(column, row)] }

  private func index(_ column: Int, _ row: Int) -> Int {
    (row - rows.lowerBound) * columns.count + column - columns.lowerBound
  }

  mutating func raise(_ column: Int, _ row: Int, to share: Double) {
    let index = index(column, row)
    shares[index] = max(shares[index], share)
  }

  /// Adds to each pixel of a row the area of it that lies right of an edge, which within the row
  /// runs from x = `low` to `high` over `amount` of the row's height (negative going up).
  mutating func addArea(_ row: Int, rightOf low: Double, _ high: Double, _ amount: Double) {
    /// Mean length between the edge and a point right of it.
    func reach(_ x: Double) -> Double {
      if x <= low { return 0 }
      return x >= high ? x - (low + high) / 2 : (x - low) * (x - low) / (2 * (high - low))
    }
    var left = reach(Double(columns.lowerBound))
    for column in columns {
      let right = reach(Double(column + 1))
      shares[index(column, row)] += amount * (right - left)
      left = right
    }
  }
}

/// The parts of a line that a pattern of dashes and gaps leaves.
private func dashed(_ line: [Point], _ pattern: [Double]) -> [[Point]] {
  guard let start = line.first, !pattern.isEmpty, pattern.allSatisfy({ $0 > 0 }) else {
    return [line]
  }
  var pieces: [[Point]] = []
  var piece = [start]
  var index = 0
  var left = pattern[0]
  for (start, end) in zip(line, line.dropFirst()) {
    let (dx, dy) = (end.x - start.x, end.y - start.y)
    let length = (dx * dx + dy * dy).squareRoot()
    guard length.isFinite, length > 0 else { continue }
    var done = 0.0
    while length - done > left {
      done += left
      let turn = Point(start.x + dx * done / length, start.y + dy * done / length)
      // Dashes stand at even places, gaps at odd ones.
      if index % 2 == 0 { pieces.append(piece + [turn]) }
      piece = [turn]
      index = (index + 1) % pattern.count
      left = pattern[index]
    }
    left -= length - done
    piece.append(end)
  }
  if index % 2 == 0 { pieces.append(piece) }
  return pieces
}
