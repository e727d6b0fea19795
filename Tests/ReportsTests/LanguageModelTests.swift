import Plots
import Reports
import Testing

/// Table 2 of the paper: language models judged by perplexity.
@Suite struct LanguageModelTests {
  private static let style = TerminalStyle(color: false)

  private static func model(
    experts: Int, k: Int, hidden: Int, width: Int = 512, comparable: Bool = true
  ) -> SettingRecord {
    var record = setting(
      optimizer: "adam", lr: 6e-4, batchSize: 32, hiddenLayers: 12, width: width, model: "gpt_moe",
      dataset: "wikitext103", epochs: 5, comparable: comparable)
    record.sparsity = nil
    record.experts = experts
    record.picked = k
    record.hidden = hidden
    return record
  }

  /// Vanilla at 30 and zero-sum so much below it.
  private static func pair(_ setting: SettingRecord, gain: Double) -> [RunOutcome] {
    [("vanilla", 30.0), ("zero-sum", 30 - gain)].map { variant, perplexity in
      var outcome = run(setting, variant, seed: 0)
      outcome.perplexity = perplexity
      outcome.wordPerplexity = perplexity * 2
      outcome.validationPerplexity = perplexity + 1
      return outcome
    }
  }

  private static let widths = [256, 384, 512, 768, 1024]

  /// The whole grid, each gain as given.
  private static func grid(
    width: Int = 512, gain: (_ experts: Int, _ k: Int, _ hidden: Int) -> Double
  ) throws -> AccuracyTable {
    var outcomes: [RunOutcome] = []
    for experts in [4, 8, 16, 32, 64] {
      for k in [2, 4, 8] where k < experts {
        for hidden in widths {
          let own = hidden * width / 512
          outcomes += pair(
            model(experts: experts, k: k, hidden: own, width: width),
            gain: gain(experts, k, hidden))
        }
      }
    }
    return try table(outcomes)
  }

  /// Experts, picked, width, Δ of the paper.
  @Test(arguments: [
    (4, 2, 256, 0.64), (8, 2, 1024, 1.15), (8, 4, 384, 0.31), (32, 8, 256, 0.06),
    (64, 4, 256, 1.12), (64, 8, 1024, 0.45),
  ])
  func publishedGains(experts: Int, k: Int, hidden: Int, gain: Double) throws {
    let values = try PublishedValues.load()
    for width in [512, 64] {
      let setting = Self.model(
        experts: experts, k: k, hidden: hidden * width / 512, width: width)
      for variant in ["zero-sum", "positive-sum"] {
        #expect(values.gain(for: setting, variant: variant, gamma: 1) == gain)
        #expect(values.gain(for: setting, variant: variant, gamma: 2) == nil)
      }
      #expect(values.gain(for: setting, variant: "vanilla", gamma: nil) == nil)
      #expect(values.gain(for: setting, variant: "exp-diff", gamma: 1) == nil)
    }
    let other = Self.model(experts: experts, k: k, hidden: hidden + 1)
    #expect(values.gain(for: other, variant: "zero-sum", gamma: 1) == nil)
  }

  /// One model that gains 0.50 where the paper has +0.64, one that loses where it has +0.42.
  @Test func rowsHaveValidationAndPublishedGains() throws {
    let table = try table(
      Self.pair(Self.model(experts: 4, k: 2, hidden: 256), gain: 0.5)
        + Self.pair(Self.model(experts: 4, k: 2, hidden: 384), gain: -0.25))
    #expect(table.rows.map(\.validationMean) == [31, 30.5, 31, 31.25])
    #expect(table.rows.map(\.wordMean) == [60, 59, 60, 60.5])
    #expect(table.rows.map(\.deltaMean) == [nil, 0.5, nil, -0.25])
    #expect(table.rows.map(\.publishedDelta) == [nil, 0.64, nil, 0.42])
    let text = render(table, format: .table, style: Self.style)
    for words in [
      "perplexity", "validation", "Δ PPL", "paper Δ", "30.50", "31.25",
      "sign of Δ as published: 1 of 2", "validation: perplexity of the validation text, likewise",
      "paper Δ: published, one seed, arXiv:2602.21798",
    ] { #expect(text.contains(words), "\(words)") }
    #expect(!text.contains("accuracy") && !text.contains("mean |ours"))
    let csv = render(table, format: .csv, style: Self.style)
    #expect(csv.contains("validation_perplexity_mean") && csv.contains("word_perplexity_mean"))
    let markdown = render(table, format: .markdown, style: Self.style)
    #expect(markdown.contains("per word") && markdown.contains("60.50"))
  }

  private static func text(_ table: AccuracyTable, claims: [Claim] = []) -> String {
    Reproduction(table: table, claims: claims, counts: RunCounts([]))
      .text(format: .table, style: style)
  }

  /// The paper's layout, of two widths and three rows.
  @Test func layoutOfTheTable() throws {
    let gains = [
      (4, 2, 256, 0.5), (4, 2, 384, -0.25), (8, 2, 256, 0.1), (8, 2, 384, 0.2), (8, 4, 256, 0),
    ]
    let table = try table(
      gains.flatMap {
        Self.pair(Self.model(experts: $0.0, k: $0.1, hidden: $0.2), gain: $0.3)
      })
    // 8 4 256: 0.00 has another sign than +0.48; its neighbour has no run.
    let layout = """
      N  k          F 256          F 384
      ─  ─  ─────────────  ─────────────
      4  2  +0.50 +0.64 ✓  -0.25 +0.42 ✗
      8  2  +0.10 +0.72 ✓  +0.20 +0.83 ✓
      8  4   0.00 +0.48 ✗              –

      the same sign in 3 of 5
      """
    #expect(Self.text(table).contains(layout))
    let page = Reproduction(table: table, claims: [], counts: RunCounts([]))
      .text(format: .markdown, style: Self.style)
    #expect(page.contains("| 4 | 2 | +0.50 +0.64 ✓ | -0.25 +0.42 ✗ |"))
    let small = try Self.grid(width: 64) { _, _, _ in 0.1 }
    #expect(Self.text(small).contains("F 32 (256)"))
  }

  @Test func otherTablesHaveNoSuchLayout() throws {
    #expect(!Self.text(try table(twoOptimizers())).contains("the same sign in"))
  }

  /// Gains as the paper claims them: everywhere, most at 8 experts with two picks, more at 64 than at
  /// 32, less with 8 picks.
  @Test func claimsThatHold() throws {
    let table = try Self.grid { experts, k, hidden in
      let wide = Double(hidden) / 1e4
      let peak = experts == 8 && k == 2 ? 0.5 : 0
      return 0.3 + wide + peak + (experts == 64 ? 0.2 + wide : 0) - (k == 8 ? 0.2 : 0)
    }
    let claims: [Claim] = [.languageGains, .peakAtEight, .reboundAtSixtyFour, .gainFallsWithPicks]
    for claim in claims {
      let verdict = claim.verdict(on: table)
      #expect(verdict.outcome == .holds, "\(claim)")
    }
    let gains = Claim.languageGains.verdict(on: table).evidence
    #expect(gains.map(\.values.count) == [60, 60])
    // The paper's 60 gains sum to 30.3; all are above 0.
    #expect(abs((gains[0].published ?? 0) - 30.3 / 60) < 1e-9)
    #expect(gains[1].published == 100)
    // Means over widths of the paper: 0.852 at 8 experts, 0.502 at 4, 0.592 at 16.
    let peak = Claim.peakAtEight.verdict(on: table).evidence
    #expect(peak.map { (($0.published ?? 0) * 1e3).rounded() } == [350, 260])
    // For k 2, 4, 8: 0.482 − 0.234, 0.866 − 0.506, 0.426 − 0.262.
    let rebound = Claim.reboundAtSixtyFour.verdict(on: table).evidence
    #expect(rebound.map { (($0.published ?? 0) * 1e3).rounded() } == [248, 360, 164])
    // 16, 32 and 64 experts have all picks: 15 models.
    #expect(Claim.gainFallsWithPicks.verdict(on: table).evidence.map(\.values.count) == [15])
    let text = Self.text(table, claims: claims)
    #expect(text.contains("Student's t over models or widths"))
    #expect(text.contains("60 models; paper +0.5"))
  }

  @Test func claimsThatDoNot() throws {
    let table = try Self.grid { experts, k, hidden in
      let wide = Double(hidden) / 1e4
      return -0.3 - wide + Double(k) / 10 + (experts == 32 || experts == 4 ? 0.3 + wide : 0)
    }
    for claim in [Claim.languageGains, .peakAtEight, .reboundAtSixtyFour, .gainFallsWithPicks] {
      #expect(claim.verdict(on: table).outcome == .doesNotHold, "\(claim)")
    }
  }

  /// A part of the grid says how much of it is there.
  @Test func claimsOnAPart() throws {
    let (done, open) = (
      Self.model(experts: 4, k: 2, hidden: 256), Self.model(experts: 8, k: 2, hidden: 256)
    )
    let begun = ["vanilla", "zero-sum"].map {
      run(open, $0, seed: 0, status: .interrupted, epochs: 1)
    }
    let table = try table(Self.pair(done, gain: 0.5) + begun)
    #expect(Self.text(table, claims: [.languageGains]).contains("Δ: +0.50 PPL, 1 of 2 models; "))
  }

  @Test func aTableWithoutGainsMeasuresNothing() throws {
    let table = try table(twoOptimizers())
    #expect(Claim.languageGains.verdict(on: table).outcome == .unmeasured)
  }

  /// Three panels of ours over three of the paper's; experts by doubling.
  @Test func figureOfTheGrid() throws {
    let drawing = scalingFigure(of: try Self.grid { _, _, _ in 0.5 }, notes: ["A note."])
    let texts = FigureTests.texts(drawing)
    for word in ["top-2", "top-4", "top-8", "top-8, paper", "F 256", "F 1024", "no gain"] {
      #expect(texts.contains(word), "\(word)")
    }
    // Each panel numbers its axis: 6 of them.
    for experts in ["4", "8", "16", "32", "64"] {
      #expect(texts.count { $0 == experts } >= 6, "\(experts)")
    }
    #expect(texts.joined(separator: " ").contains("A note."))
  }

  @Test func perplexityCurvesAndBars() throws {
    let setting = Self.model(experts: 4, k: 2, hidden: 256)
    let curve = RunCurve(
      setting: setting, variant: "vanilla", gamma: nil, seed: 0,
      points: [
        EpochPoint(
          epoch: 1, trainLoss: 4, trainAccuracy: 10, testLoss: 4, testAccuracy: 10,
          validationLoss: 4),
        EpochPoint(
          epoch: 2, trainLoss: 3, trainAccuracy: 20, testLoss: 3, testAccuracy: 20,
          validationLoss: 3.5),
      ])
    let table = try table(Self.pair(setting, gain: 0.5))
    let curves = FigureTests.texts(figure(.curves, of: table, curves: [curve]))
    #expect(curves.contains("test perplexity") && curves.contains("validation perplexity"))
    #expect(!curves.contains("test accuracy [%]"))
    let bars = FigureTests.texts(figure(.bars, of: table))
    #expect(bars.contains("test perplexity, last epoch"))
    let map = FigureTests.texts(figure(.heatmap, of: table)).joined(separator: " ")
    #expect(map.contains("Δ PPL") && map.contains("vanilla's test perplexity minus"))
  }
}
