import Plots
import Testing

@Suite struct HeatmapChartTests {
  static func chart(
    _ values: [[Double?]], rows: [String] = ["r0", "r1"], columns: [String] = ["c0", "c1"]
  ) -> HeatmapChart {
    HeatmapChart(
      title: "name", rowTitle: "rows", columnTitle: "columns", rows: rows, columns: columns,
      values: values, valueTitle: "Δ", notes: [])
  }

  @Test func numbersHaveSigns() throws {
    let texts = try Elements(Self.chart([[1.234, -2], [0, nil]]).drawing().svg()).texts
    #expect(
      texts.filter { ["+1.23", "−2.00", "0.00", "–"].contains($0) } == [
        "+1.23", "−2.00", "0.00", "–",
      ])
    // The scale reaches the largest absolute value on both sides.
    #expect(texts.contains("+2.0"))
    #expect(texts.contains("−2.0"))
    #expect(texts.contains("r1"))
    #expect(texts.contains("c1"))
  }

  @Test func coloursAreThoseOfTheScale() throws {
    // ColorBrewer's RdBu ends in 2166AC and B2182B and has F7F7F7 in its middle; half-way up is
    // 92C5DE.
    let svg = Self.chart([[4, -4], [2, 0]]).drawing().svg()
    let fills = try Elements(svg).named("polygon").prefix(4).map { $0.attributes["fill"] }
    #expect(fills == ["#2166ac", "#b2182b", "#92c5de", "#f7f7f7"])
    let picture = try Picture(Self.chart([[4, -4], [2, 0]]).drawing().png())
    #expect(picture.bounds(of: [0x21, 0x66, 0xAC]) != nil)
    #expect(picture.bounds(of: [0xB2, 0x18, 0x2B]) != nil)
  }

  @Test func namesOfSeveralLines() throws {
    let texts = try Elements(
      Self.chart([[1]], rows: ["r"], columns: ["zero-sum\n0.5"]).drawing().svg()
    ).texts
    #expect(texts.contains("zero-sum"))
    #expect(texts.contains("0.5"))
  }

  /// A row's name is not cut where two lines hold it.
  @Test func longNamesOfRowsTakeTwoLines() throws {
    let name = "adam, learning rate 0.0015, batch 512, sparsity 0.9, cosine"
    let texts = try Elements(
      Self.chart([[1, 2]], rows: [name]).drawing().svg()
    ).texts
    #expect(!texts.contains { $0.contains("…") })
    #expect(texts.contains { $0.hasPrefix("adam,") } && texts.contains { $0.hasSuffix("cosine") })
    #expect(!texts.contains(name))
  }

  /// Beside one row there is no room for a long title to stand upright.
  @Test func titleOfFewRowsLiesDown() throws {
    func title(_ rows: [String]) throws -> Elements.Element? {
      let chart = HeatmapChart(
        title: "t", rowTitle: "optimizer, learning rate, batch", columnTitle: "variant", rows: rows,
        columns: ["c"], values: rows.map { _ in [1] }, valueTitle: "Δ", notes: [])
      return try Elements(chart.drawing().svg()).named("text").first {
        $0.text.hasPrefix("optimizer, learning rate")
      }
    }
    let one = try #require(try title(["adam"]))
    #expect(one.text == "optimizer, learning rate, batch")
    #expect(one.attributes["transform"] == nil)
    let many = try #require(try title((0..<9).map { "r\($0)" }))
    #expect(many.text == "optimizer, learning rate, batch")
    #expect(many.attributes["transform"]?.contains("rotate") == true)
  }

  @Test func incompleteNumbers() throws {
    // Fewer rows and columns than names, and numbers that are none.
    let texts = try Elements(Self.chart([[.nan]]).drawing().svg()).texts
    #expect(texts == ["name", "There is no difference to draw."])
    let short = try Elements(Self.chart([[.infinity, 1]]).drawing().svg()).texts
    #expect(short.count { $0 == "–" } == 3)
    #expect(try Elements(Self.chart([[0, 0], [0, 0]]).drawing().svg()).texts.contains("0.00"))
    #expect(
      try Elements(Self.chart([], rows: [], columns: []).drawing().svg()).texts.last
        == "There is no difference to draw.")
  }
}
