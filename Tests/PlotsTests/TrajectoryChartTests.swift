import Plots
import Testing

@Suite struct TrajectoryChartTests {
  typealias Place = TrajectoryChart.Place

  static func chart(_ places: [Place], levels: [[Place]] = []) -> TrajectoryChart {
    TrajectoryChart(
      title: "t", xTitle: "across", yTitle: "up",
      paths: places.isEmpty
        ? [] : [TrajectoryChart.Path(name: "p", color: RGB(0x0072B2), places: places)],
      levels: levels, goal: Place(x: 0, y: 0), notes: ["A note."])
  }

  @Test func pathRunsThroughItsPlaces() throws {
    let elements = try Elements(
      Self.chart([Place(x: -2, y: 1), Place(x: -1, y: 0.5), Place(x: 0, y: 0)]).drawing().svg())
    let paths = elements.named("polyline").filter {
      $0.attributes["stroke"] == "#0072b2" && points($0).count == 3
    }
    let found = points(try #require(paths.first))
    // From −2 to 0 with 8 % more at both ends over 520 points: 1 is 520/2.32 = 224.14. From 0 to 1
    // with 12 % over 290: 0.5 is 290/1.24/2 = 116.94, downwards.
    #expect(abs(found[1][0] - found[0][0] - 224.14) < 0.02)
    #expect(abs(found[2][0] - found[0][0] - 448.28) < 0.02)
    #expect(abs(found[1][1] - found[0][1] - 116.94) < 0.02)
    // A dot at each place.
    #expect(elements.named("circle").count { $0.attributes["fill"] == "#0072b2" } == 3)
    for word in ["t", "p", "start", "lowest loss", "across", "up", "A note."] {
      #expect(elements.texts.contains(word), "\(word)")
    }
  }

  @Test func levelsEndAtTheFrame() throws {
    // Of a line far across, what lies inside.
    let level = (-100...100).map { Place(x: Double($0) / 10, y: 0.5) }
    let elements = try Elements(
      Self.chart([Place(x: -2, y: 1), Place(x: 0, y: 0)], levels: [level]).drawing().svg())
    let lines = elements.named("polyline").filter { $0.attributes["stroke"] == "#c6ccd3" }
    #expect(lines.count == 1)
    // −2.1 … 0.1 of −2.16 … 0.16, and the two ends on the frame's sides.
    let found = points(try #require(lines.first))
    #expect(found.count == 25)
    #expect(abs((found.last?[0] ?? 0) - (found.first?[0] ?? 0) - 520) < 0.02)
  }

  @Test func withoutAPathThePictureSaysSo() throws {
    #expect(
      try Elements(Self.chart([]).drawing().svg()).texts.last == "There is no path to draw.")
  }

  @Test func drawingsBesideEachOther() throws {
    let first = Self.chart([Place(x: -2, y: 1), Place(x: 0, y: 0)]).drawing()
    let second = DrawingTests.titled("second")
    let both = Drawing.beside([first, second], title: "both")
    #expect(both.width == first.width + second.width)
    #expect(both.height > first.height)
    let texts = try Elements(both.svg()).texts
    #expect(texts.first == "both")
    #expect(texts.contains("t") && texts.contains("second"))
    let place = try #require(try Elements(both.svg()).named("text").first { $0.text == "second" })
    // 14 points from the panel's left.
    #expect(Double(place.attributes["x"] ?? "") == first.width + 14)

    let below = Drawing.beside([first, second], columns: 1)
    #expect(below.width == max(first.width, second.width))
    #expect(below.height == first.height + second.height)
    #expect(Drawing.beside([second]).svg().contains("second"))
    #expect(Drawing.beside([]).svg().hasPrefix("<svg"))
  }
}
