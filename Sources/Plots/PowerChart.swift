import Foundation

/// Quantities over a common x axis, all axes logarithmic, so that a power of x is a straight line whose
/// slope is its exponent; one panel per quantity.
public struct PowerChart: Sendable {
  public struct Place: Hashable, Sendable {
    public let x: Double
    public let y: Double
    /// Stands under it at the axis.
    public let label: String

    public init(x: Double, y: Double, label: String) {
      self.x = x
      self.y = y
      self.label = label
    }

    fileprivate var isDrawable: Bool { x > 0 && y > 0 && x.isFinite && y.isFinite }
  }

  /// y = factor·x^exponent.
  public struct Law: Hashable, Sendable {
    public let factor: Double
    public let exponent: Double

    public init(factor: Double, exponent: Double) {
      self.factor = factor
      self.exponent = exponent
    }
  }

  public struct Panel: Hashable, Sendable {
    public let yTitle: String
    /// Those that are not above 0 are left out.
    public let points: [Place]
    /// Drawn over the points' x, its exponent above the panel.
    public let line: Law?

    public init(yTitle: String, points: [Place], line: Law?) {
      self.yTitle = yTitle
      self.points = points.filter(\.isDrawable)
      self.line = line
    }
  }

  public let title: String
  public let xTitle: String
  public let panels: [Panel]
  /// Sentences under the picture.
  public let notes: [String]

  public init(title: String, xTitle: String, panels: [Panel], notes: [String]) {
    self.title = title
    self.xTitle = xTitle
    self.panels = panels
    self.notes = notes
  }

  private static let color = RGB(0x0072B2)
  /// From the lowest to the highest number of an axis at least this ratio, so that what hardly changes
  /// looks flat.
  private static let leastRatio = 4.0

  public func drawing() -> Drawing {
    let panels = panels.filter { !$0.points.isEmpty }
    guard !panels.isEmpty else {
      return Sketch.empty(title: title, reason: "There is no number to draw.")
    }
    let (plotWidth, plotHeight) = (300.0, 230.0)
    let cellWidth = Frame.axisWidth + plotWidth + 16
    let width = 2 * Sketch.margin + cellWidth * Double(panels.count)
    var sketch = Sketch()
    sketch.heading(title, width: width)
    let top = sketch.height + 22
    for (index, panel) in panels.enumerated() {
      let frame = Frame(
        left: Sketch.margin + cellWidth * Double(index) + Frame.axisWidth, top: top,
        width: plotWidth, height: plotHeight, x: Self.range(panel.points.map(\.x), least: 1),
        y: Self.range(panel.points.map(\.y), least: Self.leastRatio))
      draw(panel, in: frame, &sketch)
      sketch.advance(to: frame.bottom + Frame.axisHeight + 4)
    }
    sketch.footnotes(notes, width: width)
    return sketch.drawing(title: title, width: width)
  }

  /// The logarithms of an axis's ends.
  private static func range(_ values: [Double], least ratio: Double) -> ClosedRange<Double> {
    let logs = values.map { log10($0) }
    let (low, high) = (logs.min() ?? 0, logs.max() ?? 0)
    let missing = max(0, log10(ratio) - (high - low)) / 2
    return padded(low - missing, high + missing, by: 0.07)
  }

  private func draw(_ panel: Panel, in frame: Frame, _ sketch: inout Sketch) {
    drawRows(panel, in: frame, &sketch)
    drawColumns(panel, in: frame, &sketch)
    if let line = panel.line {
      let text = "slope \(numberText(line.exponent, 2))"
      sketch.text(text, frame.left, frame.top - 8, isBold: true)
      let ends = [panel.points.map(\.x).min(), panel.points.map(\.x).max()].compactMap { x in
        x.map { x in
          Point(frame.x(log10(x)), frame.y(log10(line.factor) + line.exponent * log10(x)))
        }
      }
      sketch.add(.line(ends, .muted, width: 1.2, dash: [6, 4]))
    }
    let points = panel.points.sorted { $0.x < $1.x }.map {
      Point(frame.x(log10($0.x)), frame.y(log10($0.y)))
    }
    if points.count > 1 { sketch.add(.line(points, .color(Self.color), width: 1.8)) }
    for point in points { sketch.add(.dot(point, radius: 3.2, .color(Self.color))) }
  }

  /// The grid: 1, 2 and 5 times powers of ten.
  private func drawRows(_ panel: Panel, in frame: Frame, _ sketch: inout Sketch) {
    let (low, high) = (frame.y.lowerBound, frame.y.upperBound)
    // With many decades their starts alone.
    let factors = high - low > 3 ? [1.0] : [1, 2, 5]
    for power in Int(low.rounded(.down))...Int(high.rounded(.up)) {
      for factor in factors {
        let value = factor * pow(10, Double(power))
        guard (low...high).contains(log10(value)) else { continue }
        let level = frame.y(log10(value))
        sketch.add(
          .line([Point(frame.left, level), Point(frame.right, level)], .grid, width: 1))
        sketch.text(
          String(format: "%g", value), frame.left - 7, level + TextSize.tick * 0.35,
          size: TextSize.tick, anchor: .end, paint: .muted)
      }
    }
    sketch.text(
      panel.yTitle, frame.left - 44, frame.top + frame.height / 2, anchor: .middle,
      isUpright: true)
  }

  /// The points' own labels, as far as they leave each other room.
  private func drawColumns(_ panel: Panel, in frame: Frame, _ sketch: inout Sketch) {
    var taken = -Double.infinity
    for point in panel.points.sorted(by: { $0.x < $1.x }) {
      let place = frame.x(log10(point.x))
      let half = StrokeFont.room(point.label, TextSize.tick) / 2
      sketch.add(
        .line([Point(place, frame.bottom), Point(place, frame.bottom + 4)], .muted, width: 1))
      guard place - half > taken else { continue }
      sketch.text(
        point.label, place, frame.bottom + 17, size: TextSize.tick, anchor: .middle, paint: .muted)
      taken = place + half + 4
    }
    sketch.text(xTitle, frame.left + frame.width / 2, frame.bottom + 34, anchor: .middle)
    frame.drawBase(&sketch)
  }
}
