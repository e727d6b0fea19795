import Foundation
import Reports

/// A table or figure of the paper that this program makes from its own runs, or an addition to them.
public struct PaperArtifact: Sendable {
  /// As a command names it: `table1`, `fig2`.
  public let name: String
  public let title: String
  /// Config files of `configs/paper`, without `.yaml`: one for each panel, none for the toy problem.
  public let configs: [String]
  /// What is drawn beside the table.
  public let figure: Figure
  public let claims: [Claim]
  /// Epochs of the quick version: under ten minutes on 2 cores.
  public let quickEpochs: Int
  /// What else the quick version changes, as `--set` takes it.
  public var quickChanges: [String] = []
  /// Configs of the quick version, where it is another experiment; they give their own epochs.
  public var quickConfigs: [String] = []

  public enum Figure: Sendable {
    /// Test accuracy over epochs.
    case curves
    /// Mean Δ over the table's axes.
    case bars
    /// Specialization of the expert layers by depth.
    case specialization
    /// Routing entropy over epochs, mean over the layers.
    case entropy
    /// Mean Δ PPL over the number of experts.
    case scaling
    /// Paths on a problem of two weights; needs no run.
    case toyProblem
  }

  /// In the paper's order, what goes beyond it last.
  public static let all: [PaperArtifact] = [
    PaperArtifact(
      name: "table1", title: "Table 1: optimizers on CIFAR-10", configs: ["table1"], figure: .bars,
      claims: [.targetedBeatsVanilla], quickEpochs: 50),
    languageModels("table2", "Table 2: language models"),
    PaperArtifact(
      name: "table3", title: "Table 3: learning rates", configs: ["table3"], figure: .bars,
      claims: [.gainFallsWithLearningRate], quickEpochs: 22),
    PaperArtifact(
      name: "table4", title: "Table 4: sparsity", configs: ["table4"], figure: .bars,
      claims: [.gainGrowsWithSparsity], quickEpochs: 32),
    PaperArtifact(
      name: "table5", title: "Table 5: batch size", configs: ["table5"], figure: .bars,
      claims: [.gainGrowsWithBatchSize], quickEpochs: 18),
    PaperArtifact(
      name: "table6", title: "Table 6: schedule", configs: ["table6"], figure: .bars,
      claims: [.gainIsLargerWithCosine], quickEpochs: 110),
    PaperArtifact(
      name: "table7", title: "Table 7: intensity γ", configs: ["table7"], figure: .bars,
      claims: [.positiveSumIsRobust], quickEpochs: 65),
    PaperArtifact(
      name: "fig1", title: "Figure 1, bottom: a toy problem", configs: [], figure: .toyProblem,
      claims: [], quickEpochs: 0),
    PaperArtifact(
      name: "fig2", title: "Figure 2: the variants on CIFAR-10", configs: ["figure2"],
      figure: .curves,
      claims: [.targetedBeatsVanilla, .controlsDoNot, .targetedBeatsControls, .invertedHurts],
      quickEpochs: 110),
    PaperArtifact(
      name: "fig3", title: "Figure 3: deep models", configs: ["figure3a", "figure3b"],
      figure: .curves, claims: [.deepRescue], quickEpochs: 90),
    PaperArtifact(
      name: "fig4", title: "Figure 4: specialization by depth",
      configs: ["figure4a", "figure4b"], figure: .specialization, claims: [.specialization],
      quickEpochs: 90),
    PaperArtifact(
      name: "fig5", title: "Figure 5: routing entropy over training",
      configs: ["figure4a", "figure4b"], figure: .entropy, claims: [.lowerEntropy],
      quickEpochs: 90),
    transformers("fig6", "Figure 6: vision transformers on CIFAR-10", "figure6"),
    languageModels("fig7", "Figure 7: Δ PPL over the number of experts"),
    PaperArtifact(
      name: "fig8", title: "Figure 8: the variants on SVHN and CIFAR-100",
      configs: ["figure8a", "figure8b"], figure: .curves,
      claims: [.targetedBeatsVanilla, .controlsDoNot, .targetedBeatsControls, .invertedHurts],
      quickEpochs: 55),
    PaperArtifact(
      name: "fig9", title: "Figure 9: learning curves of the optimizers", configs: ["figure9"],
      figure: .curves, claims: [.targetedBeatsVanilla], quickEpochs: 50),
    transformers("fig10", "Figure 10: vision transformers on CIFAR-100", "figure10"),
    transformers("fig11", "Figure 11: vision transformers on SVHN", "figure11"),
    PaperArtifact(
      name: "vit17m", title: "Figure 6(a), three epochs: the 17 M vision transformer",
      configs: ["vit17m"], figure: .curves, claims: [], quickEpochs: 3,
      quickChanges: quickImages),
    PaperArtifact(
      name: "window", title: "Beyond the paper: utilization averaged over several batches",
      configs: ["window"], figure: .bars, claims: [.windowRestores], quickEpochs: 18),
    PaperArtifact(
      name: "wikitext2", title: "Beyond the paper: a small language model on WikiText-2",
      configs: ["wikitext2"], figure: .bars, claims: [], quickEpochs: 1,
      quickChanges: ["max_steps=300"]),
  ]

  /// A figure of the two vision transformers. Its quick version takes less than twenty minutes, and
  /// for that a part of the images.
  private static func transformers(
    _ name: String, _ title: String, _ config: String
  ) -> PaperArtifact {
    PaperArtifact(
      name: name, title: title, configs: ["\(config)a", "\(config)b"], figure: .curves,
      claims: [.granularityRescue, .capacityIsSafe], quickEpochs: 3,
      quickChanges: quickImages)
  }

  /// Of vision transformers' quick versions.
  private static let quickImages = ["dataset.limit=2048", "dataset.test_limit=1000"]

  /// The grid of language models. Its quick version has the same ratios in small models, on text
  /// that needs no data, and takes less than thirty minutes.
  private static func languageModels(_ name: String, _ title: String) -> PaperArtifact {
    PaperArtifact(
      name: name, title: title, configs: ["table2"], figure: .scaling,
      claims: [.languageGains, .peakAtEight, .reboundAtSixtyFour, .gainFallsWithPicks],
      quickEpochs: 2, quickConfigs: ["table2_quick"])
  }

  public static func named(_ name: String) -> PaperArtifact? { all.first { $0.name == name } }

  /// The name that a mistyped one was meant to be; nil where none is close.
  public static func nearest(to name: String) -> String? {
    // The number is the half of a name that says which.
    let number = name.filter(\.isNumber)
    let alike = (all.map(\.name) + ["all"]).filter { $0.filter(\.isNumber) == number }
    return Experiments.nearest(to: name.lowercased().replacing("figure", with: "fig"), in: alike)
  }

  /// The folder of the configs: the given one, else `configs/paper` in the working directory, else
  /// in one above the program, as where it was built.
  /// - Throws: `.unreadable` naming the places.
  static func configFolder(_ given: String?) throws(RunnerError) -> String {
    if let given { return given }
    return try found("configs/paper", else: "--configs says where it is")
  }

  /// A file or folder of the repository: in the working directory, else in one above the program.
  /// - Parameter remedy: what to do where it is in none.
  static func found(_ relative: String, else remedy: String) throws(RunnerError) -> String {
    var places = [relative]
    var folder = Bundle.main.executableURL?.resolvingSymlinksInPath().deletingLastPathComponent()
    while let url = folder, url.path != "/" {
      places.append(url.appendingPathComponent(relative).path)
      folder = url.deletingLastPathComponent()
    }
    let found = places.first { FileManager.default.fileExists(atPath: $0) }
    guard let found else {
      throw .unreadable(
        path: relative,
        reason: "not in this folder nor above the program; \(remedy)")
    }
    return found
  }

  /// The experiments, one for each panel.
  /// - Parameters:
  ///   - folder: where the configs are.
  ///   - isQuick: one seed, and `quickEpochs` and `quickChanges` or `quickConfigs`.
  ///   - overrides: seeds, where given, go before the quick version's own.
  /// - Throws: `ConfigError`.
  public func experiments(
    in folder: String, isQuick: Bool, overrides: ConfigOverrides
  ) throws(ConfigError) -> [ExperimentConfig] {
    var overrides = overrides
    let isOther = isQuick && !quickConfigs.isEmpty
    if isQuick {
      if !isOther { overrides.set += ["epochs=\(quickEpochs)"] + quickChanges }
      if overrides.seeds == nil { overrides.seeds = "0" }
    }
    var experiments: [ExperimentConfig] = []
    for config in isOther ? quickConfigs : configs {
      experiments.append(
        try ExperimentConfig.load(path: "\(folder)/\(config).yaml", overrides: overrides))
    }
    return experiments
  }
}
