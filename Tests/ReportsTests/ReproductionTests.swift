import Foundation
import Reports
import Testing

@Suite struct ReproductionTests {
  private let style = TerminalStyle(color: false)

  private func reproduction(
    _ name: String, _ outcomes: [RunOutcome], claims: [Claim] = [.targetedBeatsVanilla],
    experts: [ExpertCurve] = [], warnings: [String] = []
  ) throws -> Reproduction {
    let record = experiment(name, command: "excite reproduce \(name)")
    return Reproduction(
      table: try table(outcomes, experiment: record), experts: experts, claims: claims,
      counts: RunCounts(outcomes), moreSeeds: "excite reproduce \(name) --seeds 0-5",
      warnings: warnings)
  }

  /// Of `twoOptimizers`: 3 + 3 of sgd; 2, 3 of adam and one that failed; one begun.
  @Test func runsAreCountedOnce() {
    let outcomes = twoOptimizers()
    let counts = RunCounts(outcomes + outcomes)
    // Labels there leave out the seed's repetition: each seed has its own.
    #expect(counts.all == outcomes.count)
    #expect(counts.failed == 1)
    #expect(counts.begun == 1)
    #expect(counts.finished == 3 + 3 + 2 + 3)
    #expect(counts.text == "11 of 13 runs finished, 1 failed, 1 begun")
    #expect(!counts.areOver)
  }

  @Test func severalAreOneJSONDocument() throws {
    let reports = try ["a", "b"].map { try reproduction($0, twoOptimizers()) }
    let text = Reports.text(of: reports, format: .json, style: style)
    let all = try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]])
    #expect(all.count == 2)
    #expect((all[0]["runs"] as? [String: Int])?["finished"] == 11)
    let one = Reports.text(of: [reports[0]], format: .json, style: style)
    #expect(try JSONSerialization.jsonObject(with: Data(one.utf8)) is [String: Any])
  }

  @Test func severalAreOneCSV() throws {
    let reports = try ["a", "b"].map { try reproduction($0, twoOptimizers()) }
    let lines = Reports.text(of: reports, format: .csv, style: style).components(
      separatedBy: "\r\n"
    )
    .dropLast()
    // 5 rows each under one header.
    #expect(lines.count == 1 + 2 * 5)
    #expect(lines.first?.hasPrefix("experiment,optimizer,variant,") == true)
    #expect(lines.count { $0.hasPrefix("a,") } == 5)
    #expect(lines.count { $0.hasPrefix("b,") } == 5)
    let one = Reports.text(of: [reports[0]], format: .csv, style: style)
    #expect(one.hasPrefix("optimizer,variant,"))
  }

  @Test func pageSaysWhatIsBegunAndCut() throws {
    let unfinished = [
      run(setting(), "vanilla", seed: 0, status: .interrupted, epochs: 12),
      run(setting(), "zero-sum", seed: 0, status: .interrupted, epochs: 0),
    ]
    let page = reproductionPage(
      [try reproduction("fig8", unfinished, warnings: ["svhn here is cut"])],
      command: "excite reproduce all")
    #expect(page.contains("| fig8<br>svhn here is cut | 0 of 2, 1 begun | – | – |"))
    #expect(
      page.contains("**0 of 2 runs are done, 1 begun;** `excite reproduce fig8` does the others."))
  }

  @Test func finishedRunsWithoutExpertsAreTold() throws {
    let outcomes = runs(setting(), "vanilla", [40]) + runs(setting(), "zero-sum", [45])
    let text = try reproduction("fig4", outcomes, claims: [.specialization])
      .text(format: .table, style: style)
    #expect(
      text.hasSuffix(
        "not measured   excitation makes experts more special\n"
          + "  the runs kept nothing of their expert layers, as with --no-expert-metrics\n"))
  }

  /// Two seeds, two layers, after the last of two epochs: what each layer has, and the difference of
  /// the means, which two decimals would not show.
  @Test func expertsAreToldByLayer() throws {
    let setting = setting(hiddenLayers: 2, epochs: 2)
    let outcomes = runs(setting, "vanilla", [40, 41]) + runs(setting, "zero-sum", [45, 46])
    let starts = [("vanilla", 0.1), ("zero-sum", 0.103)]
    let experts = starts.flatMap { variant, start in
      [0, 1].map { seed in
        ExpertCurve(
          setting: setting, variant: variant, gamma: 1, seed: UInt64(seed),
          points: [1, 2].flatMap { epoch in
            [1, 2].map { layer in
              let value = start + 0.1 * Double(layer) + 0.002 * Double(seed)
              return ExpertPoint(
                epoch: epoch, layer: layer, specialization: epoch == 2 ? value : 0.9,
                routingEntropy: 1)
            }
          })
      }
    }
    let report = try reproduction("fig4", outcomes, claims: [.specialization], experts: experts)
    let text = report.text(format: .table, style: style)
    #expect(
      text.contains(
        """
        specialization by layer, after each run's last epoch, mean over seeds

        layer  vanilla  zero-sum
        ─────  ───────  ────────
            1   0.2010    0.2040
            2   0.3010    0.3040

        """))
    #expect(text.contains("zero-sum − vanilla: +0.0030 [+0.0030, +0.0030], 2 seeds: supports"))
    let page = reproductionPage([report], command: "excite reproduce fig4")
    #expect(page.contains("| 2 | 0.3010 | 0.3040 |"))
  }
}
