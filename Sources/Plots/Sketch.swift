/// Sizes of text in points.
enum TextSize {
  static let title = 14.0
  static let label = 12.0
  static let tick = 11.0
  static let small = 9.0
}

/// A drawing in the making.
struct Sketch {
  private(set) var shapes: [Shape] = []
  /// How far down something has been drawn, in points.
  private(set) var height = 0.0

  static let margin = 14.0

  mutating func add(_ shape: Shape) { shapes.append(shape) }

  mutating func text(
    _ string: String, _ x: Double, _ y: Double, size: Double = TextSize.label,
    anchor: Label.Anchor = .start, isBold: Bool = false, isUpright: Bool = false,
    paint: Paint = .ink
  ) {
    guard !string.isEmpty else { return }
    shapes.append(
      .label(
        Label(
          string: string, at: Point(x, y), size: size, anchor: anchor, isBold: isBold,
          isUpright: isUpright, paint: paint)))
  }

  /// Leaves what is above `y` alone.
  mutating func advance(to y: Double) { height = max(height, y) }

  /// A bold line on top; without a title little room.
  mutating func heading(_ title: String, width: Double) {
    guard !title.isEmpty else { return advance(to: Self.margin) }
    let size = TextSize.title
    let title = StrokeFont.fitted(title, size, room: width - 2 * Self.margin)
    text(title, Self.margin, Self.margin + size, size: size, isBold: true)
    advance(to: Self.margin + size + 8)
  }

  /// Grey sentences under the picture, broken between words.
  mutating func footnotes(_ notes: [String], width: Double) {
    let size = TextSize.tick
    for note in notes {
      for line in wrapped(note, size, room: width - 2 * Self.margin) {
        advance(to: height + size * 1.4)
        text(line, Self.margin, height - 2, size: size, paint: .muted)
      }
    }
  }

  /// Signs and their names in as many lines as they need.
  mutating func legend(_ entries: [LegendEntry], width: Double) {
    guard !entries.isEmpty else { return }
    let size = TextSize.label
    let (signWidth, gap, lineHeight) = (24.0, 14.0, 18.0)
    let most = width - 2 * Self.margin
    var x = Self.margin
    var y = height + lineHeight / 2
    for entry in entries {
      let name = StrokeFont.fitted(entry.name, size, room: most - signWidth)
      let length = signWidth + StrokeFont.room(name, size) + gap
      if x > Self.margin, x + length - gap > Self.margin + most {
        x = Self.margin
        y += lineHeight
      }
      shapes += entry.shapes(from: Point(x, y))
      text(name, x + signWidth, y + size * 0.34, size: size)
      x += length
    }
    advance(to: y + lineHeight / 2 + 6)
  }

  func drawing(title: String, width: Double) -> Drawing {
    Drawing(title: title, width: width, height: (height + Self.margin).rounded(), shapes: shapes)
  }

  /// A picture that says why there is none.
  static func empty(title: String, reason: String) -> Drawing {
    let width = 480.0
    var sketch = Sketch()
    sketch.heading(title, width: width)
    sketch.footnotes([reason], width: width)
    return sketch.drawing(title: title, width: width)
  }
}

/// One sign of a legend.
struct LegendEntry {
  enum Sign: Hashable {
    case line(RGB, dash: [Double])
    case box(RGB)
    case diamond, dot, cross, whisker
  }

  let name: String
  let sign: Sign

  /// - Parameter start: left end of the sign, at half the height of the text.
  fileprivate func shapes(from start: Point) -> [Shape] {
    let middle = Point(start.x + 12, start.y)
    return switch sign {
    case .line(let color, let dash):
      [.line([start, Point(start.x + 18, start.y)], .color(color), width: 2, dash: dash)]
    case .box(let color):
      [.rectangle(x: start.x + 6, y: start.y - 5.5, width: 11, height: 11, .color(color))]
    case .diamond: Mark.diamond(middle)
    case .dot: Mark.seed(middle)
    case .cross: Mark.cross(middle)
    case .whisker: Mark.whisker(x: middle.x, from: start.y - 6, to: start.y + 6)
    }
  }
}

/// Small signs that charts and their legends share.
enum Mark {
  static func seed(_ at: Point) -> [Shape] {
    [.dot(at, radius: 2.6, .ink), .dot(at, radius: 1.6, .paper)]
  }

  static func diamond(_ at: Point, _ paint: Paint = .ink) -> [Shape] {
    func shape(_ radius: Double, _ paint: Paint) -> Shape {
      .polygon(
        [
          Point(at.x, at.y - radius), Point(at.x + radius, at.y), Point(at.x, at.y + radius),
          Point(at.x - radius, at.y),
        ], paint)
    }
    return [shape(6, .paper), shape(4.6, paint)]
  }

  static func cross(_ at: Point) -> [Shape] {
    [-3.0, 3.0].map { side in
      .line(
        [Point(at.x - 3, at.y - side), Point(at.x + 3, at.y + side)], .muted, width: 1.5)
    }
  }

  static func whisker(x: Double, from top: Double, to bottom: Double) -> [Shape] {
    let cap = 3.5
    return [
      .line([Point(x, top), Point(x, bottom)], .ink, width: 1.1),
      .line([Point(x - cap, top), Point(x + cap, top)], .ink, width: 1.1),
      .line([Point(x - cap, bottom), Point(x + cap, bottom)], .ink, width: 1.1),
    ]
  }
}

/// Lines that fit in the room, broken at spaces; a longer word is cut.
func wrapped(_ text: String, _ size: Double, room: Double) -> [String] {
  var lines: [String] = []
  for word in text.split(separator: " ").map(String.init) {
    if let last = lines.last, StrokeFont.room(last + " " + word, size) <= room {
      lines[lines.count - 1] = last + " " + word
    } else {
      lines.append(StrokeFont.fitted(word, size, room: room))
    }
  }
  return lines
}
