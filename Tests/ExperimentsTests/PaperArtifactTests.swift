import Experiments
import Foundation
import Reports
import Testing

private let folder = URL(fileURLWithPath: #filePath)
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  .appendingPathComponent("configs/paper").path

/// The paper's tables and figures as configs.
@Suite struct PaperArtifactTests {
  @Test(arguments: PaperArtifact.all.map(\.name))
  func configsNameTheirCommand(name: String) throws {
    let artifact = try #require(PaperArtifact.named(name))
    for experiment in try artifact.experiments(
      in: folder, isQuick: false, overrides: ConfigOverrides())
    {
      // Figure 5 shows the runs of Figure 4, Figure 7 those of Table 2, which have one seed.
      let owner = ["fig5": "fig4", "fig7": "table2"][name] ?? name
      #expect(experiment.header.contains("run: excite reproduce \(owner)"))
      #expect(experiment.seeds == (["table2", "vit17m"].contains(owner) ? [0] : [0, 1, 2]))
    }
  }

  @Test(arguments: PaperArtifact.all.filter { !$0.configs.isEmpty }.map(\.name))
  func quickVersionHasOneSeedAndFewerEpochs(name: String) throws {
    let artifact = try #require(PaperArtifact.named(name))
    for experiment in try artifact.experiments(
      in: folder, isQuick: true, overrides: ConfigOverrides())
    {
      #expect(experiment.seeds == [0])
      #expect(Set(experiment.settings.map(\.epochs)) == [artifact.quickEpochs], "\(name)")
    }
    let seeds = try artifact.experiments(
      in: folder, isQuick: true, overrides: ConfigOverrides(seeds: "4,5")
    ).map(\.seeds)
    #expect(Set(seeds) == [[4, 5]])
  }

  /// Figure 9 draws the runs of Table 1, and the quick vision transformer is Figure 6's.
  @Test(arguments: [false, true]) func runsAreShared(isQuick: Bool) throws {
    func labels(_ name: String) throws -> Set<String> {
      let artifact = try #require(PaperArtifact.named(name))
      return Set(
        try artifact.experiments(in: folder, isQuick: isQuick, overrides: ConfigOverrides())
          .flatMap(\.runs).map(\.label))
    }
    #expect(try labels("fig9").isSubset(of: labels("table1")))
    if isQuick { #expect(try labels("vit17m").isSubset(of: labels("fig6"))) }
  }

  /// Of the depths that "4-layer" may mean, the default one alone is the recipe.
  @Test(arguments: [
    ("model.hidden_layers=2", []), ("model.hidden_layers=10", []),
    (
      "model.hidden_layers=3",
      ["recipe differs from the one fitted to the paper: 3 Top-K layers instead of 2"]
    ),
    (
      "epochs=300",
      ["recipe differs from the one fitted to the paper: 300 epochs instead of 150"]
    ),
  ])
  func otherRecipesAreTold(change: String, notes: [String]) throws {
    let experiment = try ExperimentConfig.load(
      path: Self.base, overrides: ConfigOverrides(set: [change]))
    #expect(Self.stored(experiment).experiment.notes == notes)
  }

  private static func stored(_ experiment: ExperimentConfig) -> StoredExperiment {
    let environment = EnvironmentRecord(
      cpu: "cpu", cores: 1, blasLibrary: "none", blasVersion: nil, blasCore: nil, blasThreads: 1,
      kernels: "plain", os: "os", commit: nil, version: "0", jobs: 1)
    return experiment.stored(command: "", environment: environment, initial: nil)
  }

  /// Every cell of a table has a published value, and the config's header says it.
  @Test(arguments: ["table1", "table3", "table4", "table5", "table6", "table7"])
  func headersHaveThePublishedNumbers(name: String) throws {
    let artifact = try #require(PaperArtifact.named(name))
    let experiment = try #require(
      try artifact.experiments(in: folder, isQuick: false, overrides: ConfigOverrides()).first)
    let stored = Self.stored(experiment)
    let table = try accuracyTable(stored, outcomes: stored.runs)
    let header = experiment.header.joined(separator: "\n")
    for row in table.rows {
      let published = try #require(row.publishedMean, "\(row.setting) \(row.variant)")
      let text = String(format: "%.2f", published)
      #expect(header.contains(text), "\(row.variant) \(text)")
    }
  }

  /// Every model of Table 2 has a published Δ, and the header says it; so has its small twin.
  @Test(arguments: ["table2", "fig7"], [false, true])
  func languageModelsHaveThePublishedGains(name: String, isQuick: Bool) throws {
    let artifact = try #require(PaperArtifact.named(name))
    let experiments = try artifact.experiments(
      in: folder, isQuick: isQuick, overrides: ConfigOverrides())
    let stored = Self.stored(try #require(experiments.first))
    let table = try accuracyTable(stored, outcomes: stored.runs)
    let gains = table.rows.filter { $0.variant == "zero-sum" }.compactMap(\.publishedDelta)
    #expect(gains.count == 60)
    // N 4, k 2 comes first, N 64, k 8 last.
    #expect(gains.prefix(5) == [0.64, 0.42, 0.15, 0.75, 0.55])
    #expect(gains.suffix(5) == [0.5, 0.49, 0.5, 0.19, 0.45])
    #expect(table.rows.allSatisfy { $0.variant != "vanilla" || $0.publishedDelta == nil })
    #expect(
      stored.experiment.notes.contains { $0.hasPrefix("the paper's grid in small") } == isQuick)
    #expect(stored.experiment.notes.last?.contains("does not say which variant") == true)
    guard !isQuick else { return }
    let header = stored.experiment.header.joined(separator: "\n")
    for start in stride(from: 0, to: gains.count, by: 5) {
      let row = gains[start..<start + 5].map { String(format: "%+.2f", $0) }
      #expect(header.contains(row.joined(separator: "  ")), "\(row)")
    }
  }

  @Test(arguments: ["model.d=256", "model.context=512", "model.layers=6", "excitation.window=4"])
  func otherLanguageModelsHaveNoPublishedGains(change: String) throws {
    let artifact = try #require(PaperArtifact.named("table2"))
    let experiments = try artifact.experiments(
      in: folder, isQuick: false, overrides: ConfigOverrides(set: [change]))
    #expect(experiments.flatMap { Self.stored($0).runs }.allSatisfy { !$0.setting.comparable })
  }

  /// Of Figures 6 and 11, each panel's published numbers: vanilla's, then that of excited runs twice.
  @Test(
    arguments: [
      ("fig6", ["43.64", "50.14", "50.14", "61.53", "63.74", "63.74", "73.50", "73.85", "73.85"]),
      ("fig10", []), ("fig11", ["20.00", "65.00", "65.00"]),
    ])
  func transformersHaveThePublishedNumbers(name: String, expected: [String]) throws {
    let artifact = try #require(PaperArtifact.named(name))
    var found: [String] = []
    for isQuick in [false, true] {
      found = []
      for experiment in try artifact.experiments(
        in: folder, isQuick: isQuick, overrides: ConfigOverrides())
      {
        let stored = Self.stored(experiment)
        let table = try accuracyTable(stored, outcomes: stored.runs)
        let header = experiment.header.joined(separator: "\n")
        for published in table.rows.compactMap(\.publishedMean) {
          let text = String(format: "%.2f", published)
          found.append(text)
          #expect(header.contains(text.replacing(".00", with: "")), "\(text)")
        }
        let notes = stored.experiment.notes
        #expect(
          notes.first == "cut: 3 epochs instead of 30, the first 2048 training images, "
            + "the first 1000 test images" ? isQuick : !isQuick)
        #expect(notes.last?.contains("does not say which variant") == true)
      }
      #expect(found == expected)
    }
  }

  /// Another model than the paper's has no published number.
  @Test(arguments: ["model.experts=33", "model.hidden=128", "excitation.window=4"])
  func otherTransformersHaveNoPublishedNumbers(change: String) throws {
    let artifact = try #require(PaperArtifact.named("fig6"))
    let experiments = try artifact.experiments(
      in: folder, isQuick: false, overrides: ConfigOverrides(set: [change]))
    let runs = experiments.flatMap { Self.stored($0).runs }
    #expect(runs.count == 2 * 2 * 3 * 3)
    #expect(runs.allSatisfy { !$0.setting.comparable })
  }

  /// Table 1's SGD row is also in Tables 3 to 7, as the same runs.
  @Test(arguments: ["table3", "table4", "table5", "table6", "table7", "fig2"])
  func tablesShareRuns(name: String) throws {
    func labels(_ name: String) throws -> Set<String> {
      let artifact = try #require(PaperArtifact.named(name))
      return Set(
        try artifact.experiments(in: folder, isQuick: false, overrides: ConfigOverrides())
          .flatMap(\.runs).map(\.label))
    }
    // One seed of vanilla and zero-sum at least, for each of three seeds.
    #expect(try labels("table1").intersection(labels(name)).count >= 2 * 3)
  }

  @Test(
    arguments: [
      ("tabel1", "table1"), ("Table3", "table3"), ("figure2", "fig2"), ("fg9", "fig9"),
      ("al", "all"),
      ("table8", nil), ("xyz", nil), ("fig12", nil),
    ] as [(String, String?)])
  func mistypedNamesHaveAGuess(name: String, guess: String?) {
    #expect(PaperArtifact.nearest(to: name) == guess)
  }

  private func plan(
    _ name: String, isQuick: Bool = false, _ overrides: ConfigOverrides = ConfigOverrides()
  ) throws -> PaperPlan {
    try PaperPlan(
      try #require(PaperArtifact.named(name)), in: folder, isQuick: isQuick, overrides: overrides)
  }

  /// What flags change is in the title; what the config says anyway is not.
  @Test func titlesSayWhatIsChanged() throws {
    let title = "Table 6: schedule"
    #expect(try plan("table6").title == title)
    #expect(try plan("table6", isQuick: true).title == "\(title) (quick)")
    #expect(try plan("table6", ConfigOverrides(seeds: "0-2")).title == title)
    #expect(
      try plan("table6", isQuick: true, ConfigOverrides(seeds: "0-4", maxSteps: "2")).title
        == "\(title) (quick, stopped after 2 steps, seeds 0-4)")
    #expect(
      try plan(
        "table6", ConfigOverrides(seeds: "3", variants: "vanilla", order: "sequential")
      ).title == "\(title) (seed 3, only vanilla, records in sequential order)")
  }

  @Test func panelsHaveTheirOwnMinutesAndDeviations() throws {
    let vision = try plan("fig8")
    #expect(vision.minutes.map { $0.prefix(5) } == ["(a) ~", "(b) ~"])
    #expect(vision.deviations.map { $0.prefix(7) } == ["(a) The", "(b) The"])
    // What the headers of both say alike is said once.
    #expect(try plan("fig3").deviations.map { $0.prefix(10) } == ["The figure"])
    #expect(try plan("table3").minutes.map { $0.prefix(1) } == ["~"])
  }

  private static let base = "\(folder)/../cifar10_topk.yaml"

  @Test(arguments: [
    ("optimizer.lr=0.1", "every published cell has its own"),
    ("batch_size=64", "every published cell has its own"),
    ("model.sparsity=0.5", "every published cell has its own"),
    ("schedule=constant", "every published cell has its own"),
    ("dataset=svhn", "all of CIFAR-10"), ("model.width=64", "of width 128"),
    ("excitation.window=4", "only vanilla"), ("seeds=0,1", "give --seeds"),
    ("epochs=200,200", "200 is given twice"), ("epochs=150", "the same recipe as 'as it is'"),
    ("optimizer.beta1=0.8", "sgd has no beta1"), ("epochs", "expected key.path=value"),
  ])
  func calibrationRefuses(choice: String, reason: String) throws {
    let error = #expect(throws: RunnerError.self) {
      try Calibration(path: Self.base, choices: [choice])
    }
    let text = error?.description ?? ""
    #expect(text.hasPrefix("--try \(choice.prefix { $0 != "," && $0 != "=" })"), "\(text)")
    #expect(text.contains(reason), "\(text)")
  }

  @Test func calibrationWarnsOfCutRuns() throws {
    let whole = try Calibration(path: Self.base, choices: ["epochs=200"])
    #expect(try whole.warning() == nil)
    let cut = try Calibration(
      path: Self.base, choices: ["epochs=200"],
      overrides: ConfigOverrides(set: ["dataset.limit=600"], maxSteps: "2"))
    #expect(
      try cut.warning()?.contains("first 600 training images, stopped after 2 steps") == true)
  }

  @Test func calibrationHalvesItsCandidates() throws {
    let calibration = try Calibration(
      path: Self.base, choices: ["epochs=100,200", "model.hidden_layers=4"])
    #expect(
      calibration.candidates.map(\.name)
        == ["as it is", "epochs=100", "epochs=200", "model.hidden_layers=4"])
    #expect(calibration.rounds.map(\.count) == [3, 7, 38])
    #expect((0..<3).map(calibration.survivors) == [4, 2, 1])
    let runs = try calibration.experiment(calibration.candidates, round: 0).runs
    #expect(runs.count == 4 * 3)
    #expect(Set(runs.map(\.config.excitation.variant.rawValue)) == ["vanilla"])
    #expect(Set(runs.map(\.config.epochs)) == [100, 150, 200])
    // All of Table 1's optimizers are among all cells.
    let all = try calibration.experiment([calibration.candidates[0]], round: 2).runs
    #expect(all.count == 38)
    #expect(Set(all.map(\.config.optimizer.name.rawValue)).count == 6)
  }
}
