import Foundation
import Reports
import Testing

@Suite struct AccuracyTableTests {
  @Test func deltaIsPairedBySeed() throws {
    // Derivations stand at twoOptimizers().
    let rows = try table(twoOptimizers()).rows
    #expect(
      rows.map { "\($0.setting.optimizer) \($0.variant)" } == [
        "sgd vanilla", "sgd zero-sum", "adam vanilla", "adam zero-sum", "adam positive-sum",
      ])
    #expect(rows.map(\.group) == [0, 0, 1, 1, 1])
    #expect(rows.map(\.accuracyMean) == [41, 47, 49, 147.5 / 3, nil])
    #expect(rows[0].accuracyStd == 1)
    #expect(rows[1].accuracyStd == 2)
    #expect(rows[2].accuracyStd == 2.0.squareRoot())
    #expect(rows.map(\.deltaMean) == [nil, 6, nil, -0.75, nil])
    #expect(rows.map(\.deltaStd) == [nil, 1, nil, 0.125.squareRoot(), nil])
    #expect(rows.map(\.seeds) == [[0, 1, 2], [0, 1, 2], [0, 1], [0, 1, 2], []])
    #expect(rows.map(\.deltaSeeds) == [[], [0, 1, 2], [], [0, 1], []])
    #expect(rows.map(\.deltas) == [[], [5, 6, 7], [], [-0.5, -1], []])
    let t = [nil, Statistics.tInterval([5, 6, 7]), nil, Statistics.tInterval([-0.5, -1]), nil]
    #expect(rows.map(\.deltaCI95T) == t)
    #expect(
      rows.map(\.deltaCI95Bootstrap) == [
        nil, Interval(low: 5, high: 7), nil, Interval(low: -1, high: -0.5), nil,
      ])
    #expect(rows.allSatisfy { $0.signFlipP == nil })
    #expect(rows[2].failures.map(\.reason) == ["loss is not finite at step 120\nstopped"])
    #expect(rows[4].failures.map(\.reason) == ["interrupted after 12 of 300 epochs"])
  }

  @Test func oneSeedHasNoSpread() throws {
    let outcomes = runs(setting(), "vanilla", [40]) + runs(setting(), "zero-sum", [45])
    let rows = try table(outcomes).rows
    #expect(rows.map(\.accuracyStd) == [nil, nil])
    #expect(rows.map(\.deltaMean) == [nil, 5])
    #expect(rows.map(\.deltaStd) == [nil, nil])
    #expect(rows.map(\.deltas) == [[], [5]])
    #expect(rows.allSatisfy { $0.deltaCI95T == nil && $0.deltaCI95Bootstrap == nil })
  }

  @Test func withoutVanillaThereIsNoDelta() throws {
    // Vanilla of another learning rate is not a baseline.
    let outcomes =
      runs(setting(lr: 0.1), "vanilla", [50]) + runs(setting(), "zero-sum", [45, 46])
    let rows = try table(outcomes).rows
    #expect(rows.map(\.deltaMean) == [nil, nil])
    #expect(rows.map(\.group) == [0, 1])
  }

  @Test func oneVanillaServesEveryGamma() throws {
    // γ as a sweep axis: vanilla runs again for each γ, with the same result.
    var outcomes: [RunOutcome] = []
    for gamma in [1.0, 2.0] {
      let recipe = setting(varying: [SettingAxis("excitation.gamma", "\(gamma)")])
      outcomes += runs(recipe, "vanilla", gamma: gamma, [40, 42])
      outcomes += runs(recipe, "zero-sum", gamma: gamma, [40 + gamma, 44 + gamma])
    }
    let rows = try table(outcomes).rows
    #expect(rows.map(\.variant) == ["vanilla", "zero-sum", "zero-sum"])
    #expect(rows.map(\.gamma) == [nil, 1, 2])
    #expect(rows[0].seeds == [0, 1])
    // γ 1: 41 − 40 and 45 − 42, mean 2. γ 2: one more.
    #expect(rows.map(\.deltaMean) == [nil, 2, 3])
    // The paper's Table 7: one vanilla for all γ.
    #expect(rows.map(\.publishedMean) == [41.01, 46.58, 46.19])
    #expect(rows.map(\.publishedDelta) == [nil, 5.57, 5.18])
  }

  @Test func seedsStandInTheExperimentsOrder() throws {
    let outcomes = [
      run(setting(), "vanilla", seed: 3, accuracy: 43),
      run(setting(), "vanilla", seed: 7, accuracy: 47),
      run(setting(), "vanilla", seed: 5, accuracy: 45),
    ]
    let forward = try table(outcomes, experiment: experiment(seeds: [7, 3, 5]))
    let backward = try table(outcomes.reversed(), experiment: experiment(seeds: [7, 3, 5]))
    #expect(forward.rows[0].seeds == [7, 3, 5])
    #expect(forward.rows[0].accuracies == [47, 43, 45])
    #expect(forward == backward)
  }

  @Test func aFinishedRunReplacesAFailedOne() throws {
    let outcomes = [
      run(setting(), "vanilla", seed: 0, status: .interrupted, epochs: 3),
      run(setting(), "vanilla", seed: 0, accuracy: 40),
      run(setting(), "vanilla", seed: 0, status: .failed(reason: "late")),
    ]
    let row = try #require(try table(outcomes).rows.first)
    #expect(row.accuracies == [40])
    #expect(row.failures.isEmpty)
  }

  @Test(arguments: [nil, Double.nan, .infinity])
  func anAccuracyThatIsNoNumberCountsAsFailure(accuracy: Double?) throws {
    let outcomes = [run(setting(), "vanilla", seed: 0, accuracy: accuracy)]
    let row = try #require(try table(outcomes).rows.first)
    #expect(row.accuracyMean == nil)
    #expect(row.failures.map(\.reason) == ["finished without an accuracy"])
  }

  @Test func otherRecipesClaimNoPublishedValue() throws {
    let outcomes = runs(setting(comparable: false), "vanilla", [40])
    #expect(try table(outcomes).rows[0].publishedMean == nil)
  }

  @Test func recordsSurviveJSON() throws {
    let statuses: [RunOutcome.Status] = [.finished, .failed(reason: "a \"b\""), .interrupted]
    let outcomes = statuses.enumerated().map { seed, status in
      run(
        setting(varying: [SettingAxis("lr", "0.1")]), "zero-sum", seed: UInt64(seed),
        accuracy: 40.5, seconds: 0.1, status: status)
    }
    let data = try JSONEncoder().encode(outcomes)
    #expect(try JSONDecoder().decode([RunOutcome].self, from: data) == outcomes)
    let text = String(decoding: data, as: UTF8.self)
    #expect(text.contains(#""status":{"state":"finished"}"#))
    let wrong = Data(#"{"state": "lost"}"#.utf8)
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(RunOutcome.Status.self, from: wrong)
    }
    let machineData = try JSONEncoder().encode(machine)
    #expect(try JSONDecoder().decode(EnvironmentRecord.self, from: machineData) == machine)
    let experimentData = try JSONEncoder().encode(experiment())
    #expect(
      try JSONDecoder().decode(ExperimentRecord.self, from: experimentData) == experiment())
  }
}
