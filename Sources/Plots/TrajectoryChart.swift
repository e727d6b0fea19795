/// Paths over a plane, such as those of optimizers over a loss of two weights, on its level lines.
public struct TrajectoryChart: Sendable {
  /// A place of the plane.
  public struct Place: Hashable, Sendable {
    public let x: Double
    public let y: Double

    public init(x: Double, y: Double) {
      self.x = x
      self.y = y
    }
  }

  public struct Path: Hashable, Sendable {
    public let name: String
    public let color: RGB
    /// One place a step, all finite.
    public let places: [Place]

    public init(name: String, color: RGB, places: [Place]) {
      self.name = name
      self.color = color
      self.places = places
    }
  }

  public let title: String
  public let xTitle: String
  public let yTitle: String
  public let paths: [Path]
  /// Level lines; what lies outside the paths' part of the plane is left out.
  public let levels: [[Place]]
  /// Where the paths ought to end.
  public let goal: Place
  /// Sentences under the picture.
  public let notes: [String]

  public init(
    title: String, xTitle: String, yTitle: String, paths: [Path], levels: [[Place]], goal: Place,
    notes: [String]
  ) {
    self.title = title
    self.xTitle = xTitle
    self.yTitle = yTitle
    self.paths = paths
    self.levels = levels
    self.goal = goal
    self.notes = notes
  }

  public func drawing() -> Drawing {
    let places = paths.flatMap(\.places) + [goal]
    let (xs, ys) = (places.map(\.x), places.map(\.y))
    guard places.count > 1, let left = xs.min(), let right = xs.max(), let low = ys.min(),
      let high = ys.max()
    else { return Sketch.empty(title: title, reason: "There is no path to draw.") }
    let (plotWidth, plotHeight) = (520.0, 290.0)
    let width = 2 * Sketch.margin + Frame.axisWidth + plotWidth + 16
    var sketch = Sketch()
    sketch.heading(title, width: width)
    sketch.legend(legend, width: width)
    let frame = Frame(
      left: Sketch.margin + Frame.axisWidth, top: sketch.height + 8, width: plotWidth,
      height: plotHeight, x: padded(left, right, by: 0.08), y: padded(low, high, by: 0.12))
    for part in levels.flatMap({ inside($0, frame) }) {
      sketch.add(.line(part.map { point($0, frame) }, .color(Self.levelColor), width: 1.1))
    }
    frame.drawNumbers(&sketch, xTitle: xTitle, yTitle: yTitle)
    for path in paths {
      let points = path.places.map { point($0, frame) }
      sketch.add(.line(points, .color(path.color), width: 1.6))
      for point in points { sketch.add(.dot(point, radius: 2.4, .color(path.color))) }
    }
    for start in Set(paths.compactMap(\.places.first)).sorted(by: { ($0.x, $0.y) < ($1.x, $1.y) }) {
      for shape in Mark.seed(point(start, frame)) { sketch.add(shape) }
    }
    for shape in Mark.diamond(point(goal, frame)) { sketch.add(shape) }
    sketch.advance(to: frame.bottom + Frame.axisHeight + 4)
    sketch.footnotes(notes, width: width)
    return sketch.drawing(title: title, width: width)
  }

  private func point(_ place: Place, _ frame: Frame) -> Point {
    Point(frame.x(place.x), frame.y(place.y))
  }

  private static let levelColor = RGB(0xC6CCD3)

  /// The parts of a line that lie in the frame.
  private func inside(_ line: [Place], _ frame: Frame) -> [[Place]] {
    var parts: [[Place]] = []
    for (start, end) in zip(line, line.dropFirst()) {
      guard let (from, to) = clipped(start, end, frame) else { continue }
      if parts.last?.last == from {
        parts[parts.count - 1].append(to)
      } else {
        parts.append([from, to])
      }
    }
    return parts
  }

  /// The part of a segment that lies in the frame (Liang and Barsky, 1984).
  private func clipped(_ start: Place, _ end: Place, _ frame: Frame) -> (Place, Place)? {
    var (first, last) = (0.0, 1.0)
    let sides = [
      (end.x - start.x, frame.x.lowerBound - start.x, frame.x.upperBound - start.x),
      (end.y - start.y, frame.y.lowerBound - start.y, frame.y.upperBound - start.y),
    ]
    for (step, low, high) in sides {
      if step == 0 {
        guard low <= 0, high >= 0 else { return nil }
        continue
      }
      first = max(first, min(low / step, high / step))
      last = min(last, max(low / step, high / step))
    }
    guard first < last else { return nil }
    func place(_ share: Double) -> Place {
      if share == 0 { return start }
      if share == 1 { return end }
      return Place(
        x: start.x + share * (end.x - start.x), y: start.y + share * (end.y - start.y))
    }
    return (place(first), place(last))
  }

  private var legend: [LegendEntry] {
    paths.map { LegendEntry(name: $0.name, sign: .line($0.color, dash: [])) }
      + [LegendEntry(name: "start", sign: .dot), LegendEntry(name: "lowest loss", sign: .diamond)]
  }
}
