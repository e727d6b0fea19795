/// Columns of shares, a cell darker the larger its share, each column under a bar of its weight.
public struct ShareMapChart: Sendable {
  public let title: String
  public let weightTitle: String
  /// One per column, 0 or more.
  public let weights: [Double]
  /// Per column its shares from the top down, from 0 to 1; all of one length.
  public let shares: [[Double]]
  /// The share that is darkest, as are those above it.
  public let darkest: Double
  /// Sentences under the picture.
  public let notes: [String]

  public init(
    title: String, weightTitle: String, weights: [Double], shares: [[Double]], darkest: Double,
    notes: [String]
  ) {
    self.title = title
    self.weightTitle = weightTitle
    self.weights = weights
    self.shares = shares
    self.darkest = darkest
    self.notes = notes
  }

  private static let mapWidth = 320.0
  private static let mapHeight = 140.0
  private static let leastRow = 2.0
  private static let barHeight = 24.0
  private static let numbers = 10

  public func drawing() -> Drawing {
    let left = Sketch.margin + 34
    let whole = left + Self.mapWidth + Sketch.margin
    guard let rows = shares.first?.count, darkest > 0 else {
      return Sketch.empty(title: title, reason: "There is nothing to draw.")
    }
    let width = Self.mapWidth / Double(shares.count)
    let height = max(Self.mapHeight / Double(rows), Self.leastRow)
    var sketch = Sketch()
    sketch.heading(title, width: whole)
    let base = sketch.height + Self.barHeight
    let top = base + 4
    let bottom = top + height * Double(rows)
    sketch.add(
      .rectangle(
        x: left, y: top, width: Self.mapWidth, height: bottom - top, .color(Palette.diverging(0))))
    let heaviest = max(weights.max() ?? 0, .leastNormalMagnitude)
    for (column, (weight, shares)) in zip(weights, shares).enumerated() {
      let x = left + width * Double(column)
      let bar = weight / heaviest * Self.barHeight
      sketch.add(.rectangle(x: x, y: base - bar, width: width * 0.85, height: bar, .muted))
      for (row, share) in shares.enumerated() where share > 0 {
        sketch.add(
          .rectangle(
            x: x, y: top + height * Double(row), width: width, height: height,
            .color(Palette.diverging(share / darkest))))
      }
    }
    let size = TextSize.small
    sketch.text(weightTitle, left - 6, base - 2, size: size, anchor: .end, paint: .muted)
    for row in stride(from: 0, to: rows, by: (rows + Self.numbers - 1) / Self.numbers) {
      sketch.text(
        "\(row)", left - 6, top + height * (Double(row) + 0.5) + size * 0.35, size: size,
        anchor: .end, paint: .muted)
    }
    sketch.advance(to: bottom + 4)
    sketch.footnotes(notes, width: whole)
    return sketch.drawing(title: title, width: whole)
  }
}
