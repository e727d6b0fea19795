import Foundation

/// A sans serif font of lines of one thickness, for pictures of pixels; also the measure of text
/// in any drawing, near enough to Helvetica's.
enum StrokeFont {
  /// Units of a glyph's coordinates per font size.
  private static let unitsPerSize = 100.0

  struct Glyph {
    let advance: Double
    /// Points in units, y upwards from the baseline.
    let strokes: [[Point]]
  }

  /// How much wider than this font a system's may be: DejaVu Sans, the widest of the usual ones.
  private static let widest = 1.18

  /// Width in points of the text in this font.
  private static func width(_ text: String, _ size: Double) -> Double {
    text.reduce(0) { $0 + glyph($1).advance } * size / unitsPerSize
  }

  /// Width in points to keep free for a text, whatever font it will be in.
  static func room(_ text: String, _ size: Double) -> Double { width(text, size) * widest }

  /// Thickness of the lines in points.
  static func strokeWidth(_ size: Double, isBold: Bool) -> Double {
    size * (isBold ? 13 : 8.5) / unitsPerSize
  }

  /// The text cut to a room in points: an ellipsis takes the place of its middle, since names
  /// that start alike often end differently.
  static func fitted(_ text: String, _ size: Double, room limit: Double) -> String {
    guard room(text, size) > limit else { return text }
    let characters = Array(text)
    var kept = characters.count
    var cut = text
    repeat {
      kept -= 1
      cut = String(characters.prefix((kept + 1) / 2) + ["…"] + characters.suffix(kept / 2))
    } while kept > 0 && room(cut, size) > limit
    return cut
  }

  /// The lines of a label in a drawing's coordinates.
  static func strokes(of label: Label) -> [[Point]] {
    let unit = label.size / unitsPerSize
    let length = width(label.string, label.size)
    var along =
      switch label.anchor {
      case .start: 0.0
      case .middle: -length / 2
      case .end: -length
      }
    var lines: [[Point]] = []
    for character in label.string {
      let glyph = glyph(character)
      lines += glyph.strokes.map { stroke in
        stroke.map { point in
          let (x, y) = (along + point.x * unit, point.y * unit)
          return label.isUpright
            ? Point(label.at.x - y, label.at.y - x) : Point(label.at.x + x, label.at.y - y)
        }
      }
      along += glyph.advance * unit
    }
    return lines
  }

  private static func glyph(_ character: Character) -> Glyph {
    glyphs[character] ?? unknown
  }

  /// A box, for characters the font does not have.
  private static let unknown = Glyph(60, "8,0 8,60 52,60 52,0 8,0")
  private static let glyphs = StrokeGlyphs.table.mapValues { Glyph($0.advance, $0.strokes) }
}

extension StrokeFont.Glyph {
  /// Reads strokes, separated by slashes: points `x,y` and arcs `x,y,rx,ry,from,to` in degrees,
  /// counterclockwise from the right, joined by lines.
  init(_ advance: Double, _ strokes: String) {
    self.advance = advance
    self.strokes = strokes.split(separator: "/").map { stroke in
      stroke.split(separator: " ").flatMap { item -> [Point] in
        let numbers = item.split(separator: ",").compactMap { Double($0) }
        return switch numbers.count {
        case 2: [Point(numbers[0], numbers[1])]
        case 6: Self.arc(numbers)
        default: []
        }
      }
    }
  }

  private static func arc(_ numbers: [Double]) -> [Point] {
    let degreesPerStep = 12.0
    let sweep = numbers[5] - numbers[4]
    let count = max(1, Int((abs(sweep) / degreesPerStep).rounded(.up)))
    return (0...count).map { step in
      let angle = (numbers[4] + sweep * Double(step) / Double(count)) * .pi / 180
      return Point(numbers[0] + numbers[2] * cos(angle), numbers[1] + numbers[3] * sin(angle))
    }
  }
}
