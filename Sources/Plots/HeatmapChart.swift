/// Numbers over two axes, coloured from red below 0 over white to blue above.
public struct HeatmapChart: Sendable {
  public let title: String
  public let rowTitle: String
  public let columnTitle: String
  public let rows: [String]
  /// Names may have several lines.
  public let columns: [String]
  /// One list per row with one number per column; nil where nothing was measured.
  public let values: [[Double?]]
  /// What the numbers are, for the scale beside them.
  public let valueTitle: String
  /// Sentences under the picture.
  public let notes: [String]

  public init(
    title: String, rowTitle: String, columnTitle: String, rows: [String], columns: [String],
    values: [[Double?]], valueTitle: String, notes: [String]
  ) {
    self.title = title
    self.rowTitle = rowTitle
    self.columnTitle = columnTitle
    self.rows = rows
    self.columns = columns
    self.values = values
    self.valueTitle = valueTitle
    self.notes = notes
  }

  private static let cellHeight = 30.0

  public func drawing() -> Drawing {
    let limit = values.joined().compactMap { $0 }.filter(\.isFinite).map(abs).max()
    guard let limit, !rows.isEmpty, !columns.isEmpty else {
      return Sketch.empty(title: title, reason: "There is no difference to draw.")
    }
    let size = TextSize.tick
    // A long name takes a second line before it takes more width.
    let halves = rows.map { wrapped($0, size, room: 240) }
    let areShort = halves.allSatisfy { $0.count <= 2 }
    let nameWidth = areShort ? widest(halves.flatMap { $0 }, size) : min(widest(rows, size), 420)
    let names = areShort ? halves : rows.map { [StrokeFont.fitted($0, size, room: nameWidth)] }
    // Beside few rows their title has no room to stand upright.
    let titleRoom = StrokeFont.room(rowTitle, TextSize.label)
    let isUpright = titleRoom <= max(Self.cellHeight * Double(rows.count), 60)
    let labelWidth = max(nameWidth, isUpright ? 0 : min(titleRoom, 420) - 24) + 8
    let columnLines = columns.map { $0.split(separator: "\n").map(String.init) }
    let cellWidth = min(max(widest(columnLines.flatMap { $0 }, size) + 12, 62), 130)
    let left = Sketch.margin + 24 + labelWidth
    let right = left + cellWidth * Double(columns.count)
    let scaleWidth = 90.0
    let width = max(right + scaleWidth + Sketch.margin, 360)

    var sketch = Sketch()
    sketch.heading(title, width: width)
    let lineHeight = 14.0
    let headHeight = Double(columnLines.map(\.count).max() ?? 1) * lineHeight
    let top = (sketch.height + 32 + headHeight).rounded()
    let bottom = top + Self.cellHeight * Double(rows.count)
    sketch.text(columnTitle, (left + right) / 2, sketch.height + 18, anchor: .middle)
    for (index, lines) in columnLines.enumerated() {
      for (place, line) in lines.enumerated() {
        sketch.text(
          StrokeFont.fitted(line, size, room: cellWidth - 6),
          left + cellWidth * (Double(index) + 0.5),
          top - 8 - lineHeight * Double(lines.count - 1 - place), size: size, anchor: .middle)
      }
    }
    if isUpright {
      sketch.text(
        rowTitle, Sketch.margin + 12, (top + bottom) / 2, anchor: .middle, isUpright: true)
    } else {
      let rowName = StrokeFont.fitted(rowTitle, TextSize.label, room: labelWidth + 16)
      sketch.text(rowName, left - 8, top - 8, anchor: .end)
    }
    for (index, lines) in names.enumerated() {
      let y = top + Self.cellHeight * Double(index)
      for (place, line) in lines.enumerated() {
        let middle = Double(place) - Double(lines.count - 1) / 2
        sketch.text(
          line, left - 8, y + Self.cellHeight / 2 + size * 0.35 + middle * 13, size: size,
          anchor: .end)
      }
      for column in columns.indices {
        let value =
          index < values.count && column < values[index].count ? values[index][column] : nil
        draw(
          value, limit, x: left + cellWidth * Double(column), y: y, width: cellWidth, &sketch)
      }
    }
    drawScale(limit, x: right + 18, from: top, to: bottom, &sketch)
    sketch.advance(to: max(bottom, top + Self.leastScale) + 8)
    sketch.footnotes(notes, width: width)
    return sketch.drawing(title: title, width: width)
  }

  private func widest(_ names: [String], _ size: Double) -> Double {
    names.map { StrokeFont.room($0, size) }.max() ?? 0
  }

  private func draw(
    _ value: Double?, _ limit: Double, x: Double, y: Double, width: Double,
    _ sketch: inout Sketch
  ) {
    let value = value.flatMap { $0.isFinite ? $0 : nil }
    let color = value.map { Palette.diverging(limit > 0 ? $0 / limit : 0) }
    let gap = 0.75
    sketch.add(
      .rectangle(
        x: x + gap, y: y + gap, width: width - 2 * gap, height: Self.cellHeight - 2 * gap,
        color.map(Paint.color) ?? .grid))
    // Black or white, whichever the cell leaves legible; an empty cell has the page's own.
    let paint = color.map { Paint.color(RGB($0.luminance > 0.5 ? 0x1F2328 : 0xFFFFFF)) }
    sketch.text(
      value.map { numberText($0, 2, plus: true) } ?? "–", x + width / 2,
      y + Self.cellHeight / 2 + TextSize.label * 0.35, anchor: .middle, paint: paint ?? .muted)
  }

  private static let leastScale = 60.0

  /// The colours with their numbers, as high as the cells but within sensible bounds.
  private func drawScale(
    _ limit: Double, x: Double, from top: Double, to bottom: Double, _ sketch: inout Sketch
  ) {
    let stepHeight = 2.0
    let steps = Int(min(max(bottom - top, Self.leastScale), 240) / stepHeight)
    let height = Double(steps) * stepHeight
    for step in 0..<steps {
      let value = 1 - 2 * (Double(step) + 0.5) / Double(steps)
      // A little over the next one, or seams would show.
      sketch.add(
        .rectangle(
          x: x, y: top + stepHeight * Double(step), width: 12,
          height: step + 1 < steps ? stepHeight + 0.5 : stepHeight,
          .color(Palette.diverging(value))))
    }
    let size = TextSize.tick
    let numbers = [limit, 0, -limit].map { numberText($0, 1, plus: true) }
    for (share, number) in zip([0, 0.5, 1], numbers) {
      sketch.text(
        number, x + 17, top + height * share + size * 0.35, size: size, paint: .muted)
    }
    sketch.text(
      StrokeFont.fitted(valueTitle, TextSize.label, room: height),
      x + 17 + widest(numbers, size) + 16, top + height / 2,
      anchor: .middle, isUpright: true)
  }
}
