import Foundation
import Plots
import Testing

@Suite struct PowerChartTests {
  static func chart(_ points: [(Double, Double)], _ law: PowerChart.Law? = nil) -> PowerChart {
    PowerChart(
      title: "t", xTitle: "across",
      panels: [
        PowerChart.Panel(
          yTitle: "up",
          points: points.map { PowerChart.Place(x: $0.0, y: $0.1, label: "\(Int($0.0))") },
          line: law)
      ], notes: ["A note."])
  }

  /// A factor of 10 is as long everywhere: x from 1 to 100 and 7 % more at both ends over 300 points, y
  /// from 1 to 10⁴ over 230.
  @Test func axesAreLogarithmic() throws {
    let law = PowerChart.Law(factor: 1, exponent: 2)
    let elements = try Elements(
      Self.chart([(1, 1), (10, 100), (100, 10_000)], law).drawing().svg())
    let dots = elements.named("circle").compactMap { dot -> [Double]? in
      guard let x = Double(dot.attributes["cx"] ?? ""), let y = Double(dot.attributes["cy"] ?? "")
      else { return nil }
      return [x, y]
    }
    #expect(dots.count == 3)
    for (first, second) in zip(dots, dots.dropFirst()) {
      #expect(abs(second[0] - first[0] - 300 / 1.14 / 2) < 0.02)
      #expect(abs(first[1] - second[1] - 230 / 1.14 / 2) < 0.02)
    }
    // The line of the law goes through the first and the last point.
    let dashed = try #require(
      elements.named("polyline").first { $0.attributes["stroke-dasharray"] != nil })
    let ends = points(dashed)
    #expect(ends.count == 2)
    for (end, dot) in zip(ends, [dots[0], dots[2]]) {
      #expect(abs(end[0] - dot[0]) < 0.02 && abs(end[1] - dot[1]) < 0.02)
    }
    for word in ["t", "slope 2.00", "across", "up", "A note.", "1", "10", "100", "10000"] {
      #expect(elements.texts.contains(word), "\(word)")
    }
  }

  /// 5 % more are no slope to the eye: the axis reaches over a factor of 4 at least.
  @Test func whatHardlyChangesLooksFlat() throws {
    let elements = try Elements(Self.chart([(1, 100), (10, 105)]).drawing().svg())
    let heights = elements.named("circle").compactMap { Double($0.attributes["cy"] ?? "") }
    #expect(heights.count == 2)
    let difference = log10(1.05) / (log10(4) * 1.14) * 230
    #expect(abs(heights[0] - heights[1] - difference) < 0.02)
    #expect(elements.named("polyline").allSatisfy { $0.attributes["stroke-dasharray"] == nil })
  }

  @Test func withoutPointsThePictureSaysSo() throws {
    #expect(
      try Elements(Self.chart([(0, 1), (1, -1), (2, .nan)]).drawing().svg()).texts.last
        == "There is no number to draw.")
    // One point has no extent.
    let one = try Elements(Self.chart([(7, 7)]).drawing().svg())
    #expect(one.named("circle").count == 1)
  }
}
