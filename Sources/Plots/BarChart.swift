/// Bars in groups, each with its spread, the values it is the mean of, and a published value.
public struct BarChart: Sendable {
  public struct Bar: Hashable, Sendable {
    /// Lines of one name share a colour and an entry in the legend.
    public let name: String
    public let color: RGB
    /// Nil where there is no result.
    public let mean: Double?
    public let spread: Double?
    public let values: [Double]
    public let published: Double?

    public init(
      name: String, color: RGB, mean: Double?, spread: Double?, values: [Double],
      published: Double?
    ) {
      self.name = name
      self.color = color
      self.mean = mean.flatMap { $0.isFinite ? $0 : nil }
      self.spread = spread.flatMap { $0.isFinite ? $0 : nil }
      self.values = values.filter(\.isFinite)
      self.published = published.flatMap { $0.isFinite ? $0 : nil }
    }

    /// Everything its drawing reaches.
    fileprivate var levels: [Double] {
      let ends = mean.map { mean in [mean - (spread ?? 0), mean + (spread ?? 0)] } ?? []
      return ends + values + (published.map { [$0] } ?? [])
    }
  }

  public struct Group: Hashable, Sendable {
    public let label: String
    /// Neighbours of one section are not torn apart where they fit into a row.
    public let section: String
    public let bars: [Bar]

    public init(label: String, section: String = "", bars: [Bar]) {
      self.label = label
      self.section = section
      self.bars = bars
    }
  }

  public let title: String
  public let yTitle: String
  public let groups: [Group]
  /// Sentences under the picture.
  public let notes: [String]

  public init(title: String, yTitle: String, groups: [Group], notes: [String]) {
    self.title = title
    self.yTitle = yTitle
    self.groups = groups.filter { !$0.bars.isEmpty }
    self.notes = notes
  }

  private var bars: [Bar] { groups.flatMap(\.bars) }

  public func drawing() -> Drawing {
    guard let range else {
      return Sketch.empty(title: title, reason: "There is no number to draw.")
    }
    let layout = Layout(groups)
    let width = max(
      560, 2 * Sketch.margin + Frame.axisWidth + (layout.rows.map(\.width).max() ?? 0) + 8)
    var sketch = Sketch()
    sketch.heading(title, width: width)
    sketch.legend(legend, width: width)
    let frameWidth = width - 2 * Sketch.margin - Frame.axisWidth
    let mostSlots = layout.rows.map(\.slots.count).max() ?? 0
    for row in layout.rows {
      let isOnly = layout.rows.count == 1
      // Rows of as many groups are spread alike; a shorter one stands under the others' start.
      let isSpread = !isOnly && row.slots.count == mostSlots
      let apart = isSpread ? (frameWidth - row.width) / Double(row.slots.count) : 0
      let frame = Frame(
        left: Sketch.margin + Frame.axisWidth, top: sketch.height + 14, width: frameWidth,
        height: isOnly ? 250 : 190, x: 0...frameWidth, y: range)
      frame.drawRows(&sketch, title: yTitle)
      var x = frame.left + (isOnly ? (frameWidth - row.width) / 2 : apart / 2)
      for slot in row.slots {
        draw(slot, layout, from: x, in: frame, &sketch)
        x += slot.width + apart
      }
      frame.drawBase(&sketch)
    }
    sketch.advance(to: sketch.height + 6)
    var notes = notes
    if range.lowerBound > 0 {
      let start = Ticks(range.lowerBound, range.upperBound, count: 5).text(range.lowerBound)
      notes.append("The axis starts at \(start), not at 0.")
    }
    sketch.footnotes(notes, width: width)
    return sketch.drawing(title: title, width: width)
  }

  /// Only signs that occur.
  private var legend: [LegendEntry] {
    var names: Set<String> = []
    var entries = bars.filter { names.insert($0.name).inserted }.map {
      LegendEntry(name: $0.name, sign: .box($0.color))
    }
    if bars.contains(where: { $0.spread != nil }) {
      entries.append(LegendEntry(name: "sample std", sign: .whisker))
    }
    if bars.contains(where: { $0.values.count > 1 }) {
      entries.append(LegendEntry(name: "one seed", sign: .dot))
    }
    if bars.contains(where: { $0.published != nil }) {
      entries.append(LegendEntry(name: "published", sign: .diamond))
    }
    if bars.contains(where: { $0.mean == nil }) {
      entries.append(LegendEntry(name: "no finished run", sign: .cross))
    }
    return entries
  }

  /// From 0, unless all values lie so far from it that their differences would not be seen.
  private var range: ClosedRange<Double>? {
    let levels = bars.flatMap(\.levels)
    guard let low = levels.min(), let high = levels.max() else { return nil }
    let top = high + max(high - min(low, 0), 1e-9) * 0.04
    if low >= 0, high - low < high / 3, high > low {
      let ticks = Ticks(low - (high - low) * 0.6, high, count: 5)
      return max(ticks.values.first ?? 0, 0)...(high + (high - low) * 0.12)
    }
    return (low < 0 ? low + (low - top) * 0.04 : 0)...top
  }

  private func draw(
    _ slot: Layout.Slot, _ layout: Layout, from left: Double, in frame: Frame,
    _ sketch: inout Sketch
  ) {
    let middle = left + slot.width / 2
    var x = middle - Double(slot.group.bars.count) * layout.barWidth / 2
    let base = frame.y(max(0, frame.y.lowerBound))
    for bar in slot.group.bars {
      draw(bar, center: x + layout.barWidth / 2, width: layout.barWidth, base: base, frame, &sketch)
      x += layout.barWidth
    }
    var y = frame.bottom + 16
    for line in slot.lines {
      sketch.text(line, middle, y, size: TextSize.tick, anchor: .middle)
      y += 14
    }
    sketch.advance(to: y)
  }

  private func draw(
    _ bar: Bar, center: Double, width: Double, base: Double, _ frame: Frame, _ sketch: inout Sketch
  ) {
    defer {
      if let published = bar.published {
        for shape in Mark.diamond(Point(center + width * 0.28, frame.y(published))) {
          sketch.add(shape)
        }
      }
    }
    guard let mean = bar.mean else {
      for shape in Mark.cross(Point(center, frame.bottom - 9)) { sketch.add(shape) }
      return
    }
    let top = frame.y(mean)
    let gap = width > 8 ? 2.0 : 0.5
    sketch.add(
      .rectangle(
        x: center - width / 2 + gap, y: min(top, base), width: width - 2 * gap,
        height: abs(base - top), .color(bar.color)))
    if let spread = bar.spread {
      for shape in Mark.whisker(
        x: center, from: frame.y(mean + spread), to: frame.y(mean - spread))
      {
        sketch.add(shape)
      }
    }
    // Seeds left of the whisker, the published value right of it: they mostly lie close.
    if bar.values.count > 1 {
      for value in bar.values {
        for shape in Mark.seed(Point(center - width * 0.28, frame.y(value))) { sketch.add(shape) }
      }
    }
    let lowest = bar.levels.map(frame.y).max() ?? top
    let number = numberText(mean, 2)
    if StrokeFont.room(number, TextSize.small) <= width - 2 * gap, base - lowest > 24 {
      let light = bar.color.luminance < 0.5
      sketch.text(
        number, center, base - 6, size: TextSize.small, anchor: .middle,
        paint: .color(RGB(light ? 0xFFFFFF : 0x1F2328)))
    }
  }
}

/// Where groups stand: side by side, in as many rows as they need.
private struct Layout {
  struct Slot {
    let group: BarChart.Group
    let lines: [String]
    let width: Double
  }

  struct Row {
    var slots: [Slot] = []
    var width: Double { slots.reduce(0) { $0 + $1.width } }
  }

  let barWidth: Double
  let rows: [Row]

  init(_ groups: [BarChart.Group]) {
    let mostWidth = 960.0
    let mostLines = 3
    let gap = 22.0
    let count = groups.reduce(0) { $0 + $1.bars.count }
    // A number of four digits fits into all but the narrowest.
    barWidth = count <= 16 ? 44 : count <= 48 ? 32 : 15
    var slots: [Slot] = []
    for group in groups {
      let bars = Double(group.bars.count) * barWidth
      let size = TextSize.tick
      // A long label takes lines before it takes width.
      let longest = StrokeFont.room(group.label, size)
      let labelWidth = max(bars, min(longest, 110))
      var lines = wrapped(group.label, size, room: labelWidth)
      if lines.count > mostLines {
        let last = lines[(mostLines - 1)...].joined(separator: " ")
        lines = lines.prefix(mostLines - 1) + [StrokeFont.fitted(last, size, room: labelWidth)]
      }
      slots.append(Slot(group: group, lines: lines, width: max(bars, labelWidth) + gap))
    }
    rows = Self.rows(slots, within: mostWidth)
  }

  /// One row where all fit, else one or more of about equal length for each section.
  private static func rows(_ slots: [Slot], within mostWidth: Double) -> [Row] {
    guard Row(slots: slots).width > mostWidth else {
      return slots.isEmpty ? [] : [Row(slots: slots)]
    }
    var sections: [[Slot]] = []
    for slot in slots {
      if sections.last?.last?.group.section == slot.group.section {
        sections[sections.count - 1].append(slot)
      } else {
        sections.append([slot])
      }
    }
    // Sections that are short beside a row would only waste its room.
    let isSplit = sections.allSatisfy { Row(slots: $0).width > mostWidth / 3 }
    return (isSplit ? sections : [slots]).flatMap { section in
      let count = Int((Row(slots: section).width / mostWidth).rounded(.up))
      let length = (section.count + count - 1) / count
      return filled(section, length: length, mostWidth)
    }
  }

  /// Rows of so many slots at most, and no wider than is allowed.
  private static func filled(_ slots: [Slot], length: Int, _ mostWidth: Double) -> [Row] {
    var rows: [Row] = []
    for slot in slots {
      if let last = rows.last, last.slots.count < length, last.width + slot.width <= mostWidth {
        rows[rows.count - 1].slots.append(slot)
      } else {
        rows.append(Row(slots: [slot]))
      }
    }
    return rows
  }
}
