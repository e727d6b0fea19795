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

  public struct Panel: Hashable, Sendable {
    public let title: String
    /// Panels of one y title share their y axis.
    public let yTitle: String
    public let lines: [Line]
    /// Whether the y axis may leave out what lies far above most lines.
    public let isCut: Bool

    public init(title: String, yTitle: String, lines: [Line], isCut: Bool) {
      self.title = title
      self.yTitle = yTitle
      self.lines = lines
      self.isCut = isCut
    }
  }

  public let title: String
  public let xTitle: String
  public let panels: [Panel]
  /// Panels side by side, at least one.
  public let columns: Int
  /// Sentences under the picture.
  public let notes: [String]

  public init(title: String, xTitle: String, panels: [Panel], columns: Int, notes: [String]) {
    self.title = title
    self.xTitle = xTitle
    self.panels = panels
    self.columns = max(columns, 1)
    self.notes = notes
  }

  public func drawing() -> Drawing {
    let samples = panels.flatMap(\.lines).flatMap(\.samples).filter(\.isFinite)
    guard let xRange = xRange(samples) else {
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
      panels.map { ($0.yTitle, Scale(of: $0.yTitle, in: panels)) }, uniquingKeysWith: { a, _ in a })
    let titleHeight = panels.contains { !$0.title.isEmpty } ? 22.0 : 8
    let cellHeight = titleHeight + plotHeight + Frame.axisHeight + 10
    let start = sketch.height
    for (index, panel) in panels.enumerated() {
      let left = Sketch.margin + cellWidth * Double(index % columns) + Frame.axisWidth
      let top = start + cellHeight * Double(index / columns) + titleHeight
      guard let scale = scales[panel.yTitle] else { continue }
      let frame = Frame(
        left: left, top: top, width: plotWidth, height: plotHeight, x: xRange, y: scale.range)
      let isFirst = index % columns == 0 || panels[index - 1].yTitle != panel.yTitle
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
    return panels.flatMap(\.lines).filter { names.insert($0.name).inserted }.map {
      LegendEntry(name: $0.name, sign: .line($0.color, dash: $0.dash))
    }
  }

  /// From 0 where the lines start near it; nil without numbers.
  private func xRange(_ samples: [Sample]) -> ClosedRange<Double>? {
    guard let low = samples.map(\.x).min(), let high = samples.map(\.x).max() else { return nil }
    guard high > low else { return (low - 0.5)...(high + 0.5) }
    return (low > 0 && low <= high / 10 ? 0 : low)...high
  }

  private func draw(
    _ panel: Panel, in frame: Frame, yTitle: String, _ sketch: inout Sketch
  ) {
    let size = TextSize.label
    frame.drawRows(&sketch, title: yTitle)
    frame.drawColumns(&sketch, title: xTitle, whole: true)
    let title = StrokeFont.fitted(panel.title, size, room: frame.width + 12)
    sketch.text(title, frame.left, frame.top - 8, size: size, isBold: true)
    for line in panel.lines {
      for run in line.runs where run.contains(where: { $0.high > $0.low }) && run.count > 1 {
        let upper = run.map { Point(frame.x($0.x), frame.y($0.high)) }
        let lower = run.reversed().map { Point(frame.x($0.x), frame.y($0.low)) }
        sketch.add(.polygon(upper + lower, .color(line.color), opacity: 0.18))
      }
    }
    for line in panel.lines {
      for run in line.runs {
        let points = run.map { Point(frame.x($0.x), frame.y($0.mean)) }
        if run.count > 1 {
          sketch.add(.line(points, .color(line.color), width: 1.8, dash: line.dash))
        } else if let sample = run.first {
          sketch.add(.dot(points[0], radius: 3, .color(line.color)))
          if sample.high > sample.low {
            let ends = [sample.low, sample.high].map { Point(points[0].x, frame.y($0)) }
            sketch.add(.line(ends, .color(line.color), width: 1.2))
          }
        }
      }
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

  init(of yTitle: String, in panels: [CurveChart.Panel]) {
    let panels = panels.filter { $0.yTitle == yTitle }
    let lines = panels.flatMap(\.lines).map { $0.samples.filter(\.isFinite) }
    let low = lines.joined().map(\.low).min() ?? 0
    let highs = lines.compactMap { $0.map(\.high).max() }.sorted()
    let high = highs.last ?? 1
    let usual = highs.isEmpty ? high : highs[(highs.count - 1) / 2]
    if panels.contains(where: \.isCut), usual > max(low, 0), high > Self.mostRatio * usual {
      range = padded(low, usual, by: 0.1)
      let end = Ticks(low, usual, count: 4).text(range.upperBound)
      note = "\(yTitle): values above \(end) are cut."
    } else {
      range = padded(low, high)
      note = nil
    }
  }
}
