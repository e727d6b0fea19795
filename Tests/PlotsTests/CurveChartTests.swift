import Plots
import Testing

@Suite struct CurveChartTests {
  static func chart(
    _ lines: [CurveChart.Line], title: String = "name", isCut: Bool = false
  ) -> CurveChart {
    CurveChart(
      title: title, xTitle: "epoch",
      panels: [CurveChart.Panel(title: "", yTitle: "loss", lines: lines, isCut: isCut)],
      columns: 1, notes: [])
  }

  static func line(
    _ values: [Double], name: String = "a", spread: Double = 0, dash: [Double] = []
  ) -> CurveChart.Line {
    CurveChart.Line(
      name: name, color: RGB(0x0072B2), dash: dash,
      samples: values.enumerated().map { index, value in
        CurveChart.Sample(
          x: Double(index + 1), mean: value, low: value - spread, high: value + spread)
      })
  }

  /// Lines of the chart's own colour, without those of the legend, which have two points.
  static func drawn(_ svg: String) throws -> [Elements.Element] {
    try Elements(svg).named("polyline").filter {
      $0.attributes["stroke"] == "#0072b2" && points($0).count != 2
    }
  }

  @Test func lineRunsThroughItsMeans() throws {
    // x from 1 to 3 over 520 points: 260 apart. y from 0 to 10 with 5 % more at both ends, over
    // 290 points: 10 units are 290 / 1.1 = 263.64.
    let lines = try Self.drawn(Self.chart([Self.line([0, 10, 5])]).drawing().svg())
    let found = points(try #require(lines.first))
    #expect(lines.count == 1)
    #expect(found.count == 3)
    #expect(abs(found[1][0] - found[0][0] - 260) < 0.02)
    #expect(abs(found[2][0] - found[1][0] - 260) < 0.02)
    #expect(abs(found[0][1] - found[1][1] - 263.64) < 0.02)
    #expect(abs(found[2][1] - found[1][1] - 131.82) < 0.02)
  }

  @Test func bandReachesFromLowToHigh() throws {
    let elements = try Elements(Self.chart([Self.line([1, 2], spread: 0.5)]).drawing().svg())
    let band = try #require(elements.named("polygon").first)
    #expect(elements.named("polygon").count == 1)
    #expect(band.attributes["fill-opacity"] == "0.18")
    // Two ends above, two below.
    #expect(points(band).count == 4)
    let without = try Elements(Self.chart([Self.line([1, 2])]).drawing().svg())
    #expect(without.named("polygon").isEmpty)
  }

  @Test func numbersThatAreNoneLeaveGaps() throws {
    let svg = Self.chart([Self.line([1, 2, 3, .nan, 5, 4, 3, .infinity, 2])]).drawing().svg()
    #expect(try Self.drawn(svg).map { points($0).count } == [3, 3])
    // The last one stands alone.
    #expect(try Elements(svg).named("circle").count == 1)
  }

  @Test func oneEpochIsADot() throws {
    let elements = try Elements(Self.chart([Self.line([3])]).drawing().svg())
    #expect(elements.named("circle").count == 1)
    #expect(elements.texts.contains("1"))
    #expect(!elements.texts.contains("0.5"))
  }

  @Test func withoutNumbersThePictureSaysSo() throws {
    for lines in [[], [Self.line([])], [Self.line([.nan])]] {
      #expect(
        try Elements(Self.chart(lines).drawing().svg()).texts.last == "There is no number to draw.")
    }
    let none = CurveChart(title: "", xTitle: "", panels: [], columns: 0, notes: [])
    #expect(try Elements(none.drawing().svg()).texts == ["There is no number to draw."])
  }

  @Test func aRunThatBlewUpIsCutAndSaid() throws {
    let lines = [
      Self.line([2.3, 2.0], name: "a"), Self.line([2.3, 1.9], name: "b"),
      Self.line([3, 1e6], name: "c"),
    ]
    let cut = try Elements(Self.chart(lines, isCut: true).drawing().svg()).texts
    // The lower half of the highest values (2.3, 2.3, 1e6) ends at 2.3; 1.9 … 2.3 with 10 % more
    // at both ends ends at 2.34, and its ticks have one decimal.
    #expect(cut.contains("loss: values above 2.3 are cut."))
    let all = try Elements(Self.chart(lines).drawing().svg()).texts
    #expect(!all.contains { $0.contains("cut") })
    #expect(all.contains("1000000") || all.contains { $0.contains("e6") || $0.contains("e+06") })
  }

  @Test func legendNamesEachLineOnce() throws {
    let panel = CurveChart.Panel(
      title: "p", yTitle: "y",
      lines: [Self.line([1, 2], name: "first"), Self.line([2, 3], name: "second")],
      isCut: false)
    let chart = CurveChart(
      title: "t", xTitle: "x", panels: [panel, panel, panel, panel], columns: 3,
      notes: ["A note."])
    let texts = try Elements(chart.drawing().svg()).texts
    #expect(texts.count { $0 == "first" } == 1)
    #expect(texts.count { $0 == "second" } == 1)
    #expect(texts.count { $0 == "p" } == 4)
    // Written once per row of panels, for it is the same axis.
    #expect(texts.count { $0 == "y" } == 2)
    #expect(texts.last == "A note.")
  }

  /// Panels of one y title and other scales have their own axes, each with its title.
  @Test func scalesAreApart() throws {
    func panel(_ scale: String, _ values: [Double]) -> CurveChart.Panel {
      CurveChart.Panel(
        title: scale, yTitle: "y", scale: scale, lines: [Self.line(values)], isCut: false)
    }
    func texts(_ scales: [String]) throws -> [String] {
      let chart = CurveChart(
        title: "t", xTitle: "x",
        panels: [panel(scales[0], [80, 90]), panel(scales[1], [0, 4])], columns: 2, notes: [])
      return try Elements(chart.drawing().svg()).texts
    }
    let apart = try texts(["svhn", "cifar100"])
    // 80 to 90 in steps of 2; 0 to 4 in steps of 1.
    #expect(apart.contains("82") && apart.contains("3"))
    #expect(apart.count { $0 == "y" } == 2)
    let common = try texts(["one", "one"])
    #expect(!common.contains("82") && common.contains("20"))
    #expect(common.count { $0 == "y" } == 1)
  }

  /// Numbers that hardly differ keep few digits: 4.8416 ± 0.1 %.
  @Test func tinyDifferencesStayTiny() throws {
    let texts = try Elements(Self.chart([Self.line([4.84161, 4.84162])]).drawing().svg()).texts
    let ticks = texts.filter { $0.hasPrefix("4.8") }
    #expect(ticks.count > 2 && Set(ticks).count == ticks.count)
    #expect(ticks.allSatisfy { $0.count <= 5 }, "\(ticks)")
  }

  @Test func marksStandAtTheRightEdge() throws {
    let marks = [
      CurveChart.Level(value: 20, color: RGB(0x0072B2)), CurveChart.Level(value: 20, color: nil),
      CurveChart.Level(value: .nan, color: nil),
    ]
    let chart = CurveChart(
      title: "", xTitle: "epoch",
      panels: [
        CurveChart.Panel(
          title: "", yTitle: "y", lines: [Self.line([0, 10])], marks: marks, isCut: false)
      ], columns: 1, notes: [])
    let elements = try Elements(chart.drawing().svg())
    #expect(elements.texts.contains("published"))
    // The axis reaches up to them.
    #expect(elements.texts.contains("20"))
    // The legend's, then two of them, each on a paler one. A margin of 14 and 58 for the numbers, 520
    // for the plot: the edge is at 592; the second stands 10 left of it.
    let diamonds = elements.named("polygon").filter { points($0).count == 4 }
    #expect(diamonds.count == 6)
    let middles = diamonds.suffix(4).map { points($0).map { $0[0] }.reduce(0, +) / 4 }
    #expect(middles == [592, 592, 582, 582])
    #expect(diamonds[3].attributes["fill"] == "#0072b2")
  }

  /// A line under another is drawn wider, so that both are seen.
  @Test func hiddenLinesAreWider() throws {
    func widths(_ lines: [CurveChart.Line]) throws -> [String?] {
      try Elements(Self.chart(lines).drawing().svg()).named("polyline")
        .filter { points($0).count == 3 && $0.attributes["stroke"] == "#0072b2" }
        .map { $0.attributes["stroke-width"] }
    }
    let far = Self.line([1, 2, 9], name: "far")
    let near = Self.line([5, 6, 7], name: "near")
    let same = Self.line([5, 6, 7.001], name: "same")
    #expect(try widths([far, near, same]) == ["1.8", "4.4", "1.8"])
    #expect(try widths([far, near]) == ["1.8", "1.8"])
  }

  @Test func dashesReachThePixels() throws {
    let solid = try Picture(Self.chart([Self.line([1, 2])]).drawing().png())
    let dashed = try Picture(Self.chart([Self.line([1, 2], dash: [4, 4])]).drawing().png())
    func count(_ picture: Picture) -> Int {
      var count = 0
      for y in 0..<picture.height {
        for x in 0..<picture.width where picture.color(x, y) == [0x00, 0x72, 0xB2] { count += 1 }
      }
      return count
    }
    #expect(count(solid) > 0)
    // Half of the length is gaps, less the round ends.
    #expect(Double(count(dashed)) < 0.85 * Double(count(solid)))
    #expect(count(dashed) > 0)
  }
}
