import Plots
import Testing

@Suite struct DrawingTests {
  static func titled(_ title: String) -> Drawing {
    HeatmapChart(
      title: title, rowTitle: "", columnTitle: "", rows: [], columns: [], values: [],
      valueTitle: "", notes: []
    ).drawing()
  }

  @Test func wholeSVG() {
    #expect(
      Self.titled("a<b").svg() == """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 65" width="480" height="65" \
        role="img" font-family="Helvetica, Arial, 'Liberation Sans', sans-serif" \
        stroke-linecap="round" stroke-linejoin="round">
        <title>a&lt;b</title>
        <rect width="100%" height="100%" fill="#ffffff"/>
        <text x="14" y="28" font-size="14" font-weight="bold" fill="#1f2328">a&lt;b</text>
        <text x="14" y="49.4" font-size="11" fill="#5a626b">There is no difference to draw.</text>
        </svg>

        """)
  }

  @Test func inAPageThePageChoosesTheColours() {
    let svg = Self.titled("x").svg(inPage: true)
    #expect(svg.contains("fill=\"var(--ink)\""))
    #expect(svg.contains("fill=\"var(--muted)\""))
    #expect(!svg.contains("<rect"))
    #expect(!svg.contains("#"))
  }

  @Test func anyTextStaysWellFormed() throws {
    let text = "<script>&\"'\u{0}\u{1B}[31m\u{FFFE}\u{7F}]]>γ漢"
    let elements = try Elements(Self.titled(text).svg())
    #expect(elements.texts.first == "<script>&\"'[31m]]>γ漢")
    #expect(elements.named("script").isEmpty)
    #expect(xmlEscaped("a\u{85}\t\n<>&\"") == "a\t\n&lt;&gt;&amp;&quot;")
  }

  @Test func sameDrawingSameBytes() throws {
    let chart = CurveChartTests.chart([CurveChartTests.line([1, 3, 2], spread: 0.2, dash: [3, 2])])
    #expect(chart.drawing() == chart.drawing())
    #expect(chart.drawing().svg() == chart.drawing().svg())
    #expect(try chart.drawing().png() == chart.drawing().png())
  }

  @Test func pngSaysItsDensity() throws {
    // 2 pixels a point, 72 points an inch of 0.0254 m: 5669.29 pixels a metre, 0x1625.
    let file = try Self.titled("x").png()
    let start = Array("pHYs".utf8)
    let index = try #require((0..<(file.count - 13)).first { Array(file[$0..<($0 + 4)]) == start })
    #expect(Array(file[(index + 4)..<(index + 13)]) == [0, 0, 0x16, 0x25, 0, 0, 0x16, 0x25, 1])
  }

  @Test func fontHasEveryPrintableSign() throws {
    // What the font does not have is a box.
    func pixels(_ character: String) throws -> [UInt8] {
      try Picture(Self.titled(character).png(scale: 1)).pixels
    }
    let box = try pixels("漢")
    let ascii = (0x21...0x7E).compactMap { Unicode.Scalar($0).map { String($0) } }
    let signs = ["γ", "Δ", "η", "Φ", "μ", "±", "–", "—", "×", "−", "…", "·", "°"]
    var seen: [[UInt8]: String] = [box: "box"]
    for sign in ascii + signs {
      let picture = try pixels(sign)
      #expect(seen[picture] == nil, "\(sign) looks like \(seen[picture] ?? "")")
      seen[picture] = sign
    }
  }

  @Test func coloursOfVariants() {
    let colors = Palette.colors(["zero-sum", "mine", "vanilla", "yours", "mine"])
    #expect(colors["zero-sum"] == RGB(0x0072B2))
    #expect(colors["zero-sum"] == Palette.colors(["zero-sum"])["zero-sum"])
    #expect(colors["mine"] != colors["yours"])
    let vanilla = colors["vanilla"]
    // Grey: its channels are close to each other.
    #expect(abs(Int(vanilla?.red ?? 0) - Int(vanilla?.blue ?? 255)) < 20)
    #expect(Set(colors.values).count == 4)
  }

  @Test func shadesFromDarkToLight() {
    let color = RGB(0x0072B2)
    #expect(Palette.shade(color, 0, of: 1) == color)
    let greens = (0..<5).map { Palette.shade(color, $0, of: 5).green }
    #expect(greens == greens.sorted())
    #expect(Set(greens).count == 5)
    #expect(Palette.dash(0).isEmpty)
    #expect(Palette.dash(1) != Palette.dash(2))
  }
}
