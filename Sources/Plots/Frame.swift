/// The area of a chart between its axes, and the numbers along them.
struct Frame {
  let left: Double
  let top: Double
  let width: Double
  let height: Double
  /// Numbers at the left and right end, then at the bottom and top.
  let x: ClosedRange<Double>
  let y: ClosedRange<Double>

  var bottom: Double { top + height }
  var right: Double { left + width }

  /// Space left of a frame for its numbers and its upright title.
  static let axisWidth = 58.0
  /// Space below a frame for its numbers and its title.
  static let axisHeight = 40.0

  func x(_ value: Double) -> Double {
    left + width * share(value, x)
  }

  func y(_ value: Double) -> Double {
    bottom - height * share(value, y)
  }

  /// Values beyond an end are put on it.
  private func share(_ value: Double, _ range: ClosedRange<Double>) -> Double {
    let length = range.upperBound - range.lowerBound
    guard length > 0 else { return 0.5 }
    return (min(max(value, range.lowerBound), range.upperBound) - range.lowerBound) / length
  }

  /// The grid and the numbers of the y axis.
  func drawRows(_ sketch: inout Sketch, title: String) {
    let ticks = Ticks(y.lowerBound, y.upperBound, count: max(2, Int(height / 36)))
    for value in ticks.values {
      let level = (y(value) * 2).rounded() / 2
      sketch.add(.line([Point(left, level), Point(right, level)], .grid, width: 1))
      sketch.text(
        ticks.text(value), left - 7, level + TextSize.tick * 0.35, size: TextSize.tick,
        anchor: .end, paint: .muted)
    }
    let text = StrokeFont.fitted(title, TextSize.label, room: height + 24)
    sketch.text(text, left - 44, top + height / 2, anchor: .middle, isUpright: true)
  }

  /// The line and the numbers of the x axis.
  /// - Parameter names: of places that stand for something else than their number.
  func drawColumns(
    _ sketch: inout Sketch, title: String, whole: Bool, names: [Double: String] = [:]
  ) {
    let ticks = Ticks(x.lowerBound, x.upperBound, count: max(2, Int(width / 60)), whole: whole)
    for value in names.isEmpty ? ticks.values : names.keys.filter(x.contains).sorted() {
      let place = (x(value) * 2).rounded() / 2
      sketch.add(.line([Point(place, bottom), Point(place, bottom + 4)], .muted, width: 1))
      sketch.text(
        names[value] ?? ticks.text(value), place, bottom + 17, size: TextSize.tick, anchor: .middle,
        paint: .muted)
    }
    sketch.text(title, left + width / 2, bottom + 34, anchor: .middle)
    drawBase(&sketch)
  }

  /// Both axes' numbers and titles without a grid, which would hide level lines.
  func drawNumbers(_ sketch: inout Sketch, xTitle: String, yTitle: String) {
    var rows = Sketch()
    drawRows(&rows, title: yTitle)
    for shape in rows.shapes {
      if case .line = shape { continue }
      sketch.add(shape)
    }
    drawColumns(&sketch, title: xTitle, whole: false)
  }

  /// The line at the bottom.
  func drawBase(_ sketch: inout Sketch) {
    sketch.add(.line([Point(left, bottom), Point(right, bottom)], .muted, width: 1))
  }
}

/// The range of the numbers with a little space at both ends, never without length.
func padded(_ low: Double, _ high: Double, by share: Double = 0.05) -> ClosedRange<Double> {
  let space = high > low ? (high - low) * share : max(abs(high) * share, 0.5)
  return (low - space)...(high + space)
}
