import Plots
import Testing

@Suite struct ShareMapChartTests {
  private static func chart(
    _ weights: [Double], _ shares: [[Double]], darkest: Double = 0.4
  ) -> ShareMapChart {
    ShareMapChart(
      title: "name", weightTitle: "use", weights: weights, shares: shares, darkest: darkest,
      notes: ["a note"])
  }

  @Test func cellsAreDarkerWhereSharesAreLarger() throws {
    // Bars of both columns, then their cells that are not 0, over a background of white.
    let svg = Self.chart([1, 0.5], [[0.6, 0], [0.2, 0.1]]).drawing().svg()
    let polygons = try Elements(svg).named("polygon")
    let fills = polygons.map { $0.attributes["fill"] }
    // RdBu at 0, at 1 for 0.4 and above, at 1/2 and at 1/4.
    #expect(fills.filter { $0 != "#5a626b" } == ["#f7f7f7", "#2166ac", "#92c5de", "#d1e5f0"])
    #expect(fills.count { $0 == "#5a626b" } == 2)
    let texts = try Elements(svg).texts
    #expect(texts == ["name", "use", "0", "1", "a note"])
  }

  @Test func manyRowsHaveTenNumbers() throws {
    let svg = Self.chart([1], [[Double](repeating: 0.01, count: 100)]).drawing().svg()
    let numbers = try Elements(svg).texts.filter { Int($0) != nil }
    #expect(numbers == stride(from: 0, to: 100, by: 10).map { "\($0)" })
  }

  @Test(arguments: [[], [[]], [[0.0, 0]]] as [[[Double]]])
  func nothingToDraw(shares: [[Double]]) throws {
    let chart = Self.chart(shares.map { _ in 0 }, shares, darkest: 0)
    #expect(try Elements(chart.drawing().svg()).texts == ["name", "There is nothing to draw."])
  }
}
