import Plots
import Testing

@Suite struct BarChartTests {
  static let blue: [UInt8] = [0x00, 0x72, 0xB2]

  static func bar(
    _ mean: Double?, name: String = "a", spread: Double? = nil, values: [Double] = [],
    published: Double? = nil
  ) -> BarChart.Bar {
    BarChart.Bar(
      name: name, color: RGB(0x0072B2), mean: mean, spread: spread, values: values,
      published: published)
  }

  static func chart(_ groups: [[BarChart.Bar]], labels: [String] = []) -> BarChart {
    BarChart(
      title: "name", yTitle: "accuracy",
      groups: groups.enumerated().map { index, bars in
        BarChart.Group(label: index < labels.count ? labels[index] : "g\(index)", bars: bars)
      }, notes: [])
  }

  /// Height of each bar in points, from the rectangles of its colour; the first is the legend's.
  static func heights(_ svg: String) throws -> [Double] {
    try Elements(svg).named("polygon").filter { $0.attributes["fill"] == "#0072b2" }.dropFirst()
      .map { element in
        let ys = points(element).map { $0[1] }
        return (ys.max() ?? 0) - (ys.min() ?? 0)
      }
  }

  @Test func heightsAreProportional() throws {
    // From 0 to 50 · 1.04 over 250 points: 50 is 240.38, 20 is 96.15.
    let heights = try Self.heights(Self.chart([[Self.bar(50), Self.bar(20)]]).drawing().svg())
    #expect(heights.count == 2)
    #expect(abs(heights[0] - 240.38) < 0.02)
    #expect(abs(heights[1] - 96.15) < 0.02)
  }

  @Test func pixelsAreWhereTheBarIs() throws {
    let drawing = Self.chart([[Self.bar(50)]]).drawing()
    let picture = try Picture(drawing.png())
    #expect(picture.width == Int(drawing.width) * 2)
    #expect(picture.height == Int(drawing.height) * 2)
    #expect(picture.color(0, 0) == [255, 255, 255])
    // The legend's box lies left of the bar and above it, so only right and bottom are the bar's.
    // A slot of 66 points (44 and a gap of 22) in the middle of a frame from 72 to 546 points:
    // the bar's middle is at 309, its right edge at 309 + 20 = 329 points, 658 pixels.
    let bounds = try #require(picture.bounds(of: Self.blue))
    #expect(bounds.columns.upperBound == 657)
    // Right of the number in the bar.
    let column = (0..<picture.height).filter { picture.color(650, $0) == Self.blue }
    // 240.38 points are 480.8 pixels: 480 of them whole, the line at the bottom aside.
    #expect((477...481).contains(column.count))
  }

  @Test func nearValuesStartAboveZeroAndSaySo() throws {
    let near = try Elements(Self.chart([[Self.bar(47), Self.bar(50)]]).drawing().svg()).texts
    // 0.6 of the difference of 3 under 47 is 45.2; the ticks from there to 50 are 46, 47, …
    #expect(near.contains("The axis starts at 46, not at 0."))
    let far = try Elements(Self.chart([[Self.bar(20), Self.bar(50)]]).drawing().svg()).texts
    #expect(!far.contains { $0.contains("starts at") })
    #expect(far.contains("0"))
  }

  /// Numbers have the table's two digits, where bars are wide enough: up to 48 of them.
  @Test(arguments: [(1, true), (17, true), (48, true), (49, false)])
  func numbersStandInTheBars(count: Int, isShown: Bool) throws {
    let bars = Array(repeating: Self.bar(47.764), count: count)
    let texts = try Elements(Self.chart([bars]).drawing().svg()).texts
    #expect(texts.count { $0 == "47.76" } == (isShown ? count : 0))
  }

  @Test func legendHasOnlyWhatOccurs() throws {
    let signs = ["sample std", "one seed", "published", "no finished run"]
    let plain = try Elements(Self.chart([[Self.bar(40, name: "x")]]).drawing().svg()).texts
    #expect(plain.contains("x"))
    #expect(signs.allSatisfy { !plain.contains($0) })
    let full = Self.chart([
      [
        Self.bar(40, name: "x", spread: 1, values: [39, 41], published: 42),
        Self.bar(nil, name: "y"),
      ]
    ])
    let texts = try Elements(full.drawing().svg()).texts
    #expect(signs.allSatisfy { texts.contains($0) })
    #expect(texts.contains("40.00"))
  }

  @Test func seedsAreDots() throws {
    let chart = Self.chart([[Self.bar(40, spread: 1, values: [39, 40, 41])]])
    let circles = try Elements(chart.drawing().svg()).named("circle")
    // One in the legend, three on the bar, each a ring of two circles.
    #expect(circles.count == 8)
    let levels = Set(circles.dropFirst(2).compactMap { $0.attributes["cy"] })
    #expect(levels.count == 3)
  }

  @Test func numbersThatAreNone() throws {
    let odd = Self.chart([
      [Self.bar(.nan, spread: .infinity, values: [.nan]), Self.bar(10, spread: .nan)]
    ])
    #expect(try Elements(odd.drawing().svg()).texts.contains("no finished run"))
    for groups in [[], [[]], [[Self.bar(nil)]]] {
      let texts = try Elements(Self.chart(groups).drawing().svg()).texts
      #expect(texts == ["name", "There is no number to draw."])
    }
    // All at 0, and below 0.
    #expect(try Self.heights(Self.chart([[Self.bar(0)]]).drawing().svg()) == [0])
    #expect(try Self.heights(Self.chart([[Self.bar(-5), Self.bar(5)]]).drawing().svg()).count == 2)
  }

  /// 14 groups as in Table 3: 7 of each optimizer in a row of their own. Three bars of 32 points and
  /// a gap of 22: 118 a group, of which 8 would fit into 960.
  @Test func rowsFollowSections() throws {
    func starts(_ sections: [String]) throws -> [Int] {
      let bars = ["a", "b", "c"].map { Self.bar(40, name: $0) }
      let chart = BarChart(
        title: "", yTitle: "y",
        groups: sections.enumerated().map { index, section in
          BarChart.Group(label: "g\(index)", section: section, bars: bars)
        }, notes: [])
      let elements = try Elements(chart.drawing().svg()).named("text")
      let levels = elements.filter { $0.text.hasPrefix("g") }.map { $0.attributes["y"] }
      return Dictionary(grouping: levels) { $0 }.values.map(\.count).sorted()
    }
    let optimizers = Array(repeating: "adam", count: 7) + Array(repeating: "sgd", count: 7)
    #expect(try starts(optimizers) == [7, 7])
    // Without sections, rows of about one length; where all fit, one row.
    #expect(try starts(Array(repeating: "", count: 9)) == [4, 5])
    #expect(try starts(["a", "a", "b", "b"]) == [4])
    // Sections of one group each are none to break at.
    #expect(try starts((0..<10).map(String.init)) == [5, 5])
  }

  @Test func hundredsOfBarsTakeRowsAndBoundedPixels() throws {
    let bars = (0..<7).map { Self.bar(40 + Double($0), name: "v\($0)") }
    let groups = Array(repeating: bars, count: 120)
    let label = "a very long label of many words and averyveryverylongwordwithoutanyspace"
    let drawing = Self.chart(groups, labels: Array(repeating: label, count: 120)).drawing()
    #expect(drawing.width < 1100)
    #expect(drawing.height > 2000)
    // Width and height stand behind the signature of 8 bytes and "IHDR" with its length, 8 more.
    let file = try drawing.png(scale: 8)
    let sizes = [16, 20].map { file[$0..<($0 + 4)].reduce(0) { $0 << 8 | Int($1) } }
    #expect(sizes[0] * sizes[1] <= 25_100_000)
    #expect(sizes[0] > Int(drawing.width))
    #expect(try Elements(drawing.svg()).texts.contains { $0.contains("…") })
  }
}
