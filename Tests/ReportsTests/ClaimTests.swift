import Reports
import Testing

@Suite struct ClaimTests {
  private let environment = EnvironmentRecord(
    cpu: "cpu", cores: 2, blasLibrary: "OpenBLAS", blasVersion: nil, blasCore: nil, blasThreads: 1,
    kernels: "plain", os: "os", commit: nil, version: "0", jobs: 1)

  /// Runs of one setting and variant, one per accuracy, seeds from 0.
  private func runs(
    _ variant: String, _ accuracies: [Double], gamma: Double = 1, optimizer: String = "sgd",
    lr: Double = 0.01, batch: Int = 512, sparsity: Double = 0.9, schedule: String = "cosine",
    window: Int? = nil
  ) -> [RunOutcome] {
    var setting = SettingRecord(
      model: "topk_mlp", dataset: "cifar10", optimizer: optimizer, lr: lr, batchSize: batch,
      sparsity: sparsity, schedule: schedule, hiddenLayers: 3, width: 128, epochs: 300,
      comparable: true)
    setting.window = window
    return accuracies.enumerated().map { seed, accuracy in
      RunOutcome(
        label: "\(variant)-\(seed)", setting: setting, variant: variant, gamma: gamma,
        seed: UInt64(seed), status: .finished, accuracy: accuracy, trainLoss: 1,
        secondsPerEpoch: 1, epochs: 300)
    }
  }

  private func verdict(_ claim: Claim, _ outcomes: [[RunOutcome]]) throws -> Verdict {
    let record = ExperimentRecord(
      name: "test", header: [], command: "excite", config: "", seeds: [0, 1, 2],
      variants: ["vanilla", "zero-sum", "positive-sum"])
    let table = try AccuracyTable.build(
      experiment: record, environment: environment, outcomes: outcomes.flatMap(\.self))
    return claim.verdict(on: table)
  }

  @Test func clearGainHolds() throws {
    let verdict = try verdict(
      .targetedBeatsVanilla,
      [
        runs("vanilla", [40, 41, 39]), runs("zero-sum", [47, 48, 46.5]),
        runs("positive-sum", [46, 47.5, 45]),
      ])
    // Zero-sum's differences 7, 7, 7.5: mean 7.1667, s = 0.28868, t(2) = 4.30265:
    // 7.1667 ± 4.30265·0.28868/√3 = 7.1667 ± 0.7171.
    let first = verdict.evidence[0]
    #expect(first.label == "zero-sum − vanilla")
    #expect(first.values == [7, 7, 7.5])
    let interval = try #require(first.interval)
    #expect(abs(interval.low - 6.4496) < 1e-3)
    #expect(abs(interval.high - 7.8838) < 1e-3)
    // Table 1's SGD row prints +5.57 and +5.58.
    #expect(verdict.evidence.map(\.published) == [5.57, 5.58])
    #expect(verdict.outcome == .holds)
  }

  /// The narrow model gains 5 and 6, the wide one loses half a point.
  @Test func granularityAndCapacity() throws {
    func runs(_ variant: String, width: Int, _ accuracies: [Double]) -> [RunOutcome] {
      let setting = SettingRecord(
        model: "moe_vit", dataset: "cifar10", optimizer: "adam", lr: 1e-3, batchSize: 64,
        sparsity: nil, schedule: "cosine", hiddenLayers: width == 128 ? 4 : 2, width: width,
        epochs: 30, comparable: true)
      return accuracies.enumerated().map { seed, accuracy in
        RunOutcome(
          label: "\(variant)-\(width)-\(seed)", setting: setting, variant: variant, gamma: 1,
          seed: UInt64(seed), status: .finished, accuracy: accuracy, trainLoss: 1,
          secondsPerEpoch: 1, epochs: 30)
      }
    }
    let outcomes = [
      runs("vanilla", width: 128, [60, 61, 62]), runs("zero-sum", width: 128, [65, 66, 67.2]),
      runs("positive-sum", width: 128, [66, 67, 68.2]),
      runs("vanilla", width: 512, [73, 74, 75]), runs("zero-sum", width: 512, [72.5, 73.5, 74.4]),
      runs("positive-sum", width: 512, [72.5, 73.5, 74.4]),
    ]
    let rescue = try verdict(.granularityRescue, outcomes)
    #expect(rescue.evidence.map { ($0.mean ?? 0).rounded() } == [5, 6])
    #expect(rescue.evidence.map(\.published) == [2.21, 2.21])
    #expect(rescue.outcome == .holds)
    // −0.5333 ± 4.30265·0.05774/√3 = −0.5333 ± 0.1434, above −1.
    let capacity = try verdict(.capacityIsSafe, outcomes)
    #expect(capacity.evidence.count == 2)
    #expect(capacity.evidence.map(\.published) == [0.35, 0.35])
    #expect(capacity.outcome == .holds)
  }

  @Test func clearLossDoesNotHold() throws {
    let verdict = try verdict(
      .targetedBeatsVanilla,
      [
        runs("vanilla", [40, 41, 39]), runs("zero-sum", [39, 40, 38.1]),
        runs("positive-sum", [46, 47.5, 45]),
      ])
    #expect(verdict.evidence.map(\.judgement) == [.contradicts, .supports])
    #expect(verdict.outcome == .doesNotHold)
  }

  @Test func wideIntervalIsUndecided() throws {
    // Differences 1, −1, 4: the interval is 1.33 ± 6.25.
    let verdict = try verdict(
      .targetedBeatsVanilla,
      [
        runs("vanilla", [40, 41, 39]), runs("zero-sum", [41, 40, 43]),
        runs("positive-sum", [46, 47.5, 45]),
      ])
    #expect(verdict.evidence.map(\.judgement) == [.open, .supports])
    #expect(verdict.outcome == .undecided)
  }

  @Test func oneSeedDecidesNothing() throws {
    let verdict = try verdict(
      .targetedBeatsVanilla,
      [runs("vanilla", [40]), runs("zero-sum", [50]), runs("positive-sum", [50])])
    #expect(verdict.outcome == .undecided)
    #expect(verdict.evidence.map(\.pointsTo) == [true, true])
  }

  @Test func nothingMeasuredIsSaid() throws {
    let verdict = try verdict(.invertedHurts, [runs("vanilla", [40, 41, 39])])
    #expect(verdict.outcome == .unmeasured)
  }

  @Test func missingPartLeavesAClaimUndecided() throws {
    let verdict = try verdict(
      .targetedBeatsVanilla,
      [runs("vanilla", [40, 41, 39]), runs("zero-sum", [47, 48, 46.5])])
    #expect(verdict.evidence.map(\.judgement) == [.supports, .unmeasured])
    #expect(verdict.outcome == .undecided)
  }

  /// Δ of 1, 2, 3 at batches of 128, 256, 512: log2 rises by 2, the line by 2. Per seed exactly.
  @Test func gainAlongAnAxisIsTheLinesChange() throws {
    let rows = zip([128, 256, 512], [1.0, 2, 3]).flatMap { batch, gain in
      [
        runs("vanilla", [40, 41, 39], batch: batch),
        runs("zero-sum", [40 + gain, 41 + gain, 39 + gain], batch: batch),
      ]
    }
    let verdict = try verdict(.gainGrowsWithBatchSize, rows)
    #expect(verdict.evidence.count == 1)
    for value in verdict.evidence[0].values { #expect(abs(value - 2) < 1e-9) }
    // Table 5, SGD: 2.11, 3.50, 5.57 at these batches: the line through three equally spaced points
    // rises by the last less the first, 3.46.
    #expect(abs(try #require(verdict.evidence[0].published) - 3.46) < 1e-9)
    #expect(verdict.outcome == .holds)
  }

  /// A seed that lacks one setting has no line.
  @Test func incompleteSeedsAreLeftOut() throws {
    let verdict = try verdict(
      .gainGrowsWithSparsity,
      [
        runs("vanilla", [40, 41, 39], sparsity: 0.9),
        runs("zero-sum", [45, 46, 44], sparsity: 0.9),
        runs("vanilla", [50, 51], sparsity: 0.5), runs("zero-sum", [51, 52], sparsity: 0.5),
      ])
    #expect(verdict.evidence[0].values.count == 2)
    for value in verdict.evidence[0].values { #expect(abs(value - 4) < 1e-9) }
  }

  @Test func robustnessIsAnEquivalence() throws {
    func rows(_ change: [Double]) -> [[RunOutcome]] {
      [
        runs("vanilla", [40, 41, 39]), runs("positive-sum", [46, 46, 46]),
        runs("positive-sum", change.map { 46 + $0 }, gamma: 2),
      ]
    }
    // Within ±1: 0.1 ± 0.25 is, 0 ± 2.5 may not be, 3 ± 0.25 is not.
    #expect(try verdict(.positiveSumIsRobust, rows([0, 0.1, 0.2])).outcome == .holds)
    #expect(try verdict(.positiveSumIsRobust, rows([-1, 0, 1])).outcome == .undecided)
    #expect(try verdict(.positiveSumIsRobust, rows([2.9, 3, 3.1])).outcome == .doesNotHold)
  }

  @Test func rescueNeedsAVanillaThatIsLost() throws {
    func rows(_ vanilla: [Double], _ excited: [Double] = [30, 31, 32]) -> [[RunOutcome]] {
      [
        runs("vanilla", vanilla), runs("zero-sum", excited), runs("positive-sum", [30, 31, 32]),
      ]
    }
    #expect(try verdict(.deepRescue, rows([10, 10.2, 9.9])).outcome == .holds)
    #expect(try verdict(.deepRescue, rows([25, 25.2, 24.9])).outcome == .doesNotHold)
    // A gain that is still chance is no rescue.
    let lost = try verdict(.deepRescue, rows([10, 10, 10], [10.4, 10.5, 10.3]))
    #expect(lost.evidence.map(\.judgement) == [.supports, .contradicts, .supports])
    #expect(lost.outcome == .doesNotHold)
  }

  @Test func cosineIsComparedWithConstant() throws {
    let verdict = try verdict(
      .gainIsLargerWithCosine,
      [
        runs("vanilla", [40, 41, 39]), runs("zero-sum", [47, 48, 46]),
        runs("vanilla", [44, 45, 43], schedule: "constant"),
        runs("zero-sum", [48, 49, 47.3], schedule: "constant"),
      ])
    // 7 − 4, 7 − 4, 7 − 4.3.
    for (value, expected) in zip(verdict.evidence[0].values, [3, 3, 2.7]) {
      #expect(abs(value - expected) < 1e-9)
    }
    // Table 6: 5.57 − 4.16.
    #expect(abs(try #require(verdict.evidence[0].published) - 1.41) < 1e-9)
  }

  @Test func longestWindowIsComparedWithOneBatch() throws {
    func rows(_ batch: Int, _ window: Int?, _ excited: [Double]) -> [[RunOutcome]] {
      [
        runs("vanilla", [50, 51, 49], batch: batch, window: window),
        runs("zero-sum", excited, batch: batch, window: window),
      ]
    }
    let verdict = try verdict(
      .windowRestores,
      rows(16, nil, [49, 50, 48]) + rows(16, 32, [51, 52.2, 50])
        + rows(64, nil, [48, 49, 47]) + rows(64, 8, [49, 50, 48]))
    #expect(
      verdict.evidence.map(\.label) == [
        "sgd, batch 16, zero-sum: Δ over 32 batches",
        "sgd, batch 16, zero-sum: Δ over 32 batches − over 1",
        "sgd, batch 64, zero-sum: Δ over 8 batches",
        "sgd, batch 64, zero-sum: Δ over 8 batches − over 1",
      ])
    let expected = [[1, 1.2, 1], [2, 2.2, 2], [-1, -1, -1], [1, 1, 1]]
    for (evidence, expected) in zip(verdict.evidence, expected) {
      for (value, expected) in zip(evidence.values, expected) {
        #expect(abs(value - expected) < 1e-9)
      }
    }
    // Less harm is no gain.
    #expect(verdict.evidence.map(\.judgement) == [.supports, .supports, .contradicts, .supports])
    #expect(verdict.outcome == .doesNotHold)
    // Without a window there is nothing to compare.
    #expect(try self.verdict(.windowRestores, rows(16, nil, [49, 50, 48])).outcome == .unmeasured)
  }

  /// What a part of a data set shows is told and judges nothing.
  @Test func partOfADataSetJudgesNothing() throws {
    let rows = [runs("vanilla", [40, 41, 39]), runs("inverted", [26, 27, 25.5])]
    let record = ExperimentRecord(
      name: "test", header: [], command: "excite", config: "", seeds: [0, 1, 2],
      variants: ["vanilla", "inverted"])
    let table = try AccuracyTable.build(
      experiment: record, environment: environment, outcomes: rows.flatMap(\.self))
    #expect(Claim.invertedHurts.verdict(on: table, parts: ["svhn"]).outcome == .holds)
    let verdict = Claim.invertedHurts.verdict(on: table, parts: ["cifar10"])
    #expect(verdict.outcome == .notJudged)
    #expect(verdict.evidence.map(\.judgement) == [.notJudged])
    let report = claimsReport([verdict], style: TerminalStyle(color: false))
    #expect(report.contains("which says little about the whole"))
  }

  @Test func controlsAreComparedWithZeroSum() throws {
    let rows = [
      runs("vanilla", [40, 41, 39]), runs("zero-sum", [47, 48, 46]),
      runs("global-exp", [40.2, 41.1, 39.3]), runs("random-boost", [39.8, 41.2, 39]),
      runs("inverted", [26, 27, 25.5]),
    ]
    #expect(try verdict(.controlsDoNot, rows).outcome == .holds)
    #expect(try verdict(.targetedBeatsControls, rows).outcome == .holds)
    #expect(try verdict(.invertedHurts, rows).outcome == .holds)
  }

  @Test func reportNamesVerdictNumbersAndPaper() throws {
    let verdict = try verdict(
      .targetedBeatsVanilla,
      [
        runs("vanilla", [40, 41, 39]), runs("zero-sum", [47, 48, 46.5]),
        runs("positive-sum", [41, 40, 43]),
      ])
    let text = claimsReport([verdict], style: TerminalStyle(color: false))
    #expect(
      text == """
        Claims, judged by 95 % intervals (Student's t over seeds, differences taken as normal, not \
        corrected for how many there are), not by a sign-flip test, whose p cannot go below 0.25 \
        with 3 seeds:
        undecided      targeted variants beat vanilla
          means: Δ of zero-sum, positive-sum and, where run, exp-diff above 0
          zero-sum − vanilla: +7.17 points [+6.45, +7.88], 3 seeds; paper +5.57: supports
          positive-sum − vanilla: +1.33 points [-4.92, +7.58], 3 seeds; paper +5.58: open, leans \
        towards it
          an interval reaches to both sides; more seeds may decide it

        """)
  }

  @Test func oneSeedIsToldWhatWouldDecide() throws {
    let verdict = try verdict(
      .targetedBeatsVanilla,
      [runs("vanilla", [40]), runs("zero-sum", [50]), runs("positive-sum", [50])])
    let context = ClaimContext(moreSeeds: "excite reproduce table1 --seeds 0-2")
    let style = TerminalStyle(color: false)
    let text = claimsReport([verdict], context: context, style: style)
    #expect(
      text.hasSuffix(
        "\n  one seed has no interval; more seeds may decide it: excite reproduce table1 "
          + "--seeds 0-2\n"))
    #expect(claimsMarkdown([verdict], context: context).contains("table1 --seeds 0-2 |"))
    // Without an interval there is no test to name.
    #expect(!text.contains("judged by"))
  }

  /// While runs are missing those may decide, not more seeds.
  @Test(arguments: [nil, "4 of 9 runs finished"])
  func moreSeedsAreAdvisedLast(progress: String?) throws {
    let verdict = try verdict(
      .targetedBeatsVanilla,
      [runs("vanilla", [40, 41]), runs("zero-sum", [39, 43]), runs("positive-sum", [39, 43])])
    let text = claimsReport(
      [verdict], context: ClaimContext(progress: progress), style: TerminalStyle(color: false))
    #expect(verdict.outcome == .undecided)
    #expect(
      text.hasSuffix("reaches to both sides; \(progress ?? "more seeds may decide it")\n"))
  }

  @Test func stoppedRunsAreNotJudged() throws {
    let cut = [
      runs("vanilla", [40, 41, 39]), runs("zero-sum", [47, 48, 46.5]),
      runs("positive-sum", [46, 47.5, 45]),
    ].map { outcomes in
      outcomes.map { outcome in
        var outcome = outcome
        outcome.setting.maxSteps = 2
        return outcome
      }
    }
    let verdict = try verdict(.targetedBeatsVanilla, cut)
    #expect(verdict.outcome == .notJudged)
    let text = claimsReport([verdict], style: TerminalStyle(color: false))
    #expect(text.hasPrefix("not judged     targeted variants beat vanilla\n"))
    #expect(text.contains("3 seeds; paper +5.57\n"))
    #expect(
      text.hasSuffix("  the runs were stopped by --max-steps, so they show no trained model\n"))
  }

  @Test func missingRunsAreCounted() throws {
    let verdict = try verdict(.invertedHurts, [runs("vanilla", [40, 41, 39])])
    let text = claimsReport(
      [verdict], context: ClaimContext(progress: "3 of 6 runs finished, 2 begun"),
      style: TerminalStyle(color: false))
    #expect(text == "not measured   inverted hurts\n  3 of 6 runs finished, 2 begun\n")
  }

  /// A test by signs reaches 0.05 from six seeds on: 2 of 2⁶ signs are 0.03125.
  @Test func sixSeedsHaveBothTests() throws {
    let verdict = try verdict(
      .invertedHurts,
      [runs("vanilla", [40, 41, 39, 40, 41, 39]), runs("inverted", [30, 30, 30, 30, 30, 31])])
    let text = claimsReport([verdict], style: TerminalStyle(color: false))
    #expect(text.contains("how many there are), not by the sign-flip test's p:\n"))
    #expect(verdict.outcome == .holds)
  }
}
