/// Lines over a common x axis, such as accuracy over epochs, each with a band around it; one
/// panel per setting and quantity.
public struct CurveChart: Sendable {
  /// One place of a line. Numbers that are not finite leave a gap.
  public struct Sample: Hashable, Sendable {
    public let x: Double
    public let mean: Double
    /// The ends of the band; equal where there is none.
    public let low: Double
    public let high: Double

    public init(x: Double, mean: Double, low: Double, high: Double) {
      self.x = x
      self.mean = mean
      self.low = low
      self.high = high
    }

    fileprivate var isFinite: Bool {
      x.isFinite && mean.isFinite && low.isFinite && high.isFinite
    }
  }

  public struct Line: Hashable, Sendable {
    /// Lines of one name share an entry in the legend.
    public let name: String
    public let color: RGB
    public let dash: [Double]
    public let samples: [Sample]

    public init(name: String, color: RGB, dash: [Double], samples: [Sample]) {
      self.name = name
      self.color = color
      self.dash = dash
      self.samples = samples
    }
  }

  /// A number to compare the lines' ends with, drawn at the right edge.
  public struct Level: Hashable, Sendable {
    public let value: Double
    /// Of the line that it belongs to; nil for none of them.
    public let color: RGB?

    public init(value: Double, color: RGB?) {
      self.value = value
      self.color = color
    }
  }

  public struct Panel: Hashable, Sendable {
    public let title: String
    public let yTitle: String
    /// Panels with the same of this share their x axis and, with the same y title, their y axis.
    public let scale: String
    public let lines: [Line]
    public let marks: [Level]
    /// Whether the y axis may leave out what lies far above most lines.
    public let isCut: Bool

    public init(
      title: String, yTitle: String, scale: String = "", lines: [Line], marks: [Level] = [],
      isCut: Bool
    ) {
      self.title = title
      self.yTitle = yTitle
      self.scale = scale
      self.lines = lines
      self.marks = marks.filter(\.value.isFinite)
      self.isCut = isCut
    }

    fileprivate var axis: [String] { [yTitle, scale] }
  }

  public let title: String
  public let xTitle: String
  /// Places of the x axis that have a name in place of their number, as where it is no linear one;
  /// then no other has a number either.
  public let xNames: [Double: String]
  public let panels: [Panel]
  /// What the panels' marks are.
  public let markName: String
  /// Panels side by side, at least one.
  public let columns: Int
  /// Sentences under the picture.
  public let notes: [String]

  public init(
    title: String, xTitle: String, xNames: [Double: String] = [:], panels: [Panel],
    markName: String = "published",
    columns: Int, notes: [String]
  ) {
    self.title = title
    self.xTitle = xTitle
    self.xNames = xNames
    self.panels = panels
    self.markName = markName
    self.columns = max(columns, 1)
    self.notes = notes
  }

  public func drawing() -> Drawing {
    guard xRange(of: panels) != nil else {
      return Sketch.empty(title: title, reason: "There is no number to draw.")
    }
    let columns = min(self.columns, panels.count)
    let plotWidth = columns == 1 ? 520.0 : columns == 2 ? 360 : 270
    let plotHeight = columns == 1 ? 290.0 : columns == 2 ? 240 : 180
    let cellWidth = Frame.axisWidth + plotWidth + 16
    let width = 2 * Sketch.margin + cellWidth * Double(columns)

    var sketch = Sketch()
    sketch.heading(title, width: width)
    sketch.legend(legend, width: width)
    let scales = Dictionary(
      panels.map { ($0.axis, Scale(of: $0.axis, in: panels)) }, uniquingKeysWith: { a, _ in a })
    let titleHeight = panels.contains { !$0.title.isEmpty } ? 22.0 : 8
    let cellHeight = titleHeight + plotHeight + Frame.axisHeight + 10
    let start = sketch.height
    for (index, panel) in panels.enumerated() {
      let left = Sketch.margin + cellWidth * Double(index % columns) + Frame.axisWidth
      let top = start + cellHeight * Double(index / columns) + titleHeight
      guard let scale = scales[panel.axis] else { continue }
      // A panel without numbers has the others' x axis.
      let like = panels.filter { $0.scale == panel.scale }
      guard let xRange = xRange(of: like) ?? xRange(of: panels) else { continue }
      let frame = Frame(
        left: left, top: top, width: plotWidth, height: plotHeight, x: xRange, y: scale.range)
      let isFirst = index % columns == 0 || panels[index - 1].axis != panel.axis
      draw(panel, in: frame, yTitle: isFirst ? panel.yTitle : "", &sketch)
      sketch.advance(to: frame.bottom + Frame.axisHeight)
    }
    let cuts = scales.values.compactMap(\.note).sorted()
    sketch.advance(to: sketch.height + 4)
    sketch.footnotes(notes + cuts, width: width)
    return sketch.drawing(title: title, width: width)
  }

  private var legend: [LegendEntry] {
    var names: Set<String> = []
    let lines = panels.flatMap(\.lines).filter { names.insert($0.name).inserted }.map {
      LegendEntry(name: $0.name, sign: .line($0.color, dash: $0.dash))
    }
    let hasMarks = panels.contains { !$0.marks.isEmpty }
    return lines + (hasMarks ? [LegendEntry(name: markName, sign: .diamond)] : [])
  }

  /// From 0 where long lines start near it; nil without numbers.
  private func xRange(of panels: [Panel]) -> ClosedRange<Double>? {
    let samples = panels.flatMap(\.lines).flatMap(\.samples).filter(\.isFinite)
    guard let low = samples.map(\.x).min(), let high = samples.map(\.x).max() else { return nil }
    guard high > low else { return (low - 0.5)...(high + 0.5) }
    // A first point of few stands where it is: there is no layer 0.
    return (low > 0 && low <= high / 25 ? 0 : low)...high
  }

  private func draw(
    _ panel: Panel, in frame: Frame, yTitle: String, _ sketch: inout Sketch
  ) {
    let size = TextSize.label
    frame.drawRows(&sketch, title: yTitle)
    frame.drawColumns(&sketch, title: xTitle, whole: true, names: xNames)
    let title = StrokeFont.fitted(panel.title, size, room: frame.width + 12)
    sketch.text(title, frame.left, frame.top - 8, size: size, isBold: true)
    for line in panel.lines {
      for run in line.runs where run.contains(where: { $0.high > $0.low }) && run.count > 1 {
        let upper = run.map { Point(frame.x($0.x), frame.y($0.high)) }
        let lower = run.reversed().map { Point(frame.x($0.x), frame.y($0.low)) }
        sketch.add(.polygon(upper + lower, .color(line.color), opacity: 0.18))
      }
    }
    for (index, line) in panel.lines.enumerated() {
      // What later lines would hide is drawn wider than they are, so that its edges are seen.
      let hiding = panel.lines[(index + 1)...].count { isHidden(line, by: $0, in: frame) }
      let lineWidth = 1.8 + 2.6 * Double(min(hiding, 3))
      for run in line.runs {
        let points = run.map { Point(frame.x($0.x), frame.y($0.mean)) }
        if run.count > 1 {
          sketch.add(.line(points, .color(line.color), width: lineWidth, dash: line.dash))
        } else if let sample = run.first {
          sketch.add(.dot(points[0], radius: 3, .color(line.color)))
          if sample.high > sample.low {
            let ends = [sample.low, sample.high].map { Point(points[0].x, frame.y($0)) }
            sketch.add(.line(ends, .color(line.color), width: 1.2))
          }
        }
      }
    }
    draw(panel.marks, in: frame, &sketch)
  }

  /// Whether two lines lie on each other almost everywhere.
  private func isHidden(_ line: Line, by other: Line, in frame: Frame) -> Bool {
    let levels = Dictionary(
      other.samples.filter(\.isFinite).map { ($0.x, frame.y($0.mean)) },
      uniquingKeysWith: { first, _ in first })
    let distances = line.samples.filter(\.isFinite).compactMap { sample in
      levels[sample.x].map { abs($0 - frame.y(sample.mean)) }
    }
    let near = distances.count { $0 < 1.5 }
    return near > 0 && Double(near) >= 0.8 * Double(distances.count)
  }

  /// At the right edge, those that would hide each other side by side.
  private func draw(_ marks: [Level], in frame: Frame, _ sketch: inout Sketch) {
    var placed: [Point] = []
    let apart = 10.0
    for mark in marks {
      var place = Point(frame.right, frame.y(mark.value))
      while placed.contains(where: { abs($0.x - place.x) < apart && abs($0.y - place.y) < apart }) {
        place.x -= apart
      }
      placed.append(place)
      for shape in Mark.diamond(place, mark.color.map { .color($0) } ?? .ink) { sketch.add(shape) }
    }
  }
}

extension CurveChart.Line {
  /// Its unbroken parts.
  fileprivate var runs: [[CurveChart.Sample]] {
    samples.split(whereSeparator: { !$0.isFinite }).map(Array.init)
  }
}

/// The y axis of one quantity.
private struct Scale {
  let range: ClosedRange<Double>
  /// What a reader must know, where high values are cut.
  let note: String?

  /// One run that blew up must not press all others flat: where the highest line reaches this
  /// many times as high as half of them, the axis ends at those.
  private static let mostRatio = 10.0
  /// The axis is at least this long as a share of its numbers.
  private static let leastSpan = 2e-3

  init(of axis: [String], in panels: [CurveChart.Panel]) {
    let panels = panels.filter { $0.axis == axis }
    let marks = panels.flatMap(\.marks).map(\.value)
    let lines = panels.flatMap(\.lines).map { $0.samples.filter(\.isFinite) }
    let low = (lines.joined().map(\.low) + marks).min() ?? 0
    let highs = lines.compactMap { $0.map(\.high).max() }.sorted()
    let high = ((highs.last.map { [$0] } ?? []) + marks).max() ?? 1
    let usual = highs.isEmpty ? high : highs[(highs.count - 1) / 2]
    if panels.contains(where: \.isCut), usual > max(low, 0), high > Self.mostRatio * usual {
      range = padded(low, usual, by: 0.1)
      let end = Ticks(low, usual, count: 4).text(range.upperBound)
      note = "\(axis[0]): values above \(end) are cut."
    } else {
      // Digits of which only the last differ would not fit beside the axis.
      let missing = max(0, Self.leastSpan * max(abs(low), abs(high)) - (high - low)) / 2
      range = padded(low - missing, high + missing)
      note = nil
    }
  }
}
