import Experiments
import Foundation
import Testing

private let configs = URL(fileURLWithPath: #filePath)
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  .appendingPathComponent("configs")

/// The experiments that come with the program.
@Suite struct ConfigFilesTests {
  /// File, settings, runs: settings × variants × seeds.
  @Test(arguments: [
    ("cifar10_topk", 1, 1 * 3 * 3), ("cifar10_deep40", 1, 1 * 7 * 3),
    ("quickstart", 1, 1 * 3 * 3), ("smoke", 2, 2 * 7 * 2), ("synthetic_gpt", 1, 1 * 3 * 3),
    ("paper/table1", 6, 6 * 3 * 3),
    ("paper/table3", 14, 14 * 3 * 3), ("paper/table4", 10, 10 * 2 * 3),
    ("paper/table5", 12, 12 * 2 * 3), ("paper/table6", 4, 4 * 2 * 3),
    // Vanilla has no γ.
    ("paper/table7", 2, 2 * (1 + 2 * 3) * 3), ("paper/figure2", 1, 1 * 7 * 3),
    ("paper/figure3a", 1, 1 * 3 * 3), ("paper/figure9", 5, 5 * 3 * 3),
    ("cifar10_moe_vit", 2, 2 * 3 * 3), ("paper/figure6a", 2, 2 * 3 * 3),
    ("paper/figure6b", 2, 2 * 3 * 3), ("paper/figure10b", 2, 2 * 3 * 3),
    ("paper/figure11a", 2, 2 * 3 * 3),
    // 5 × 3 × 5, less k 4 and 8 of 4 experts, and 8 of 8.
    ("paper/table2", 60, 60 * 2), ("paper/table2_quick", 60, 60 * 2),
  ])
  func plans(name: String, settings: Int, runs: Int) throws {
    let path = configs.appendingPathComponent("\(name).yaml").path
    let experiment = try ExperimentConfig.load(path: path)
    #expect(experiment.name == name.replacing("paper/", with: ""))
    #expect(experiment.settings.count == settings)
    #expect(experiment.runs.count == runs)
    #expect(Set(experiment.runs.map(\.label)).count == runs)
  }

  @Test(arguments: ["", "paper/"])
  func everyFileLoadsAndSaysWhatToExpect(folder: String) throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: "\(configs.path)/\(folder)")
      .filter { $0.hasSuffix(".yaml") }.sorted()
    #expect(!files.isEmpty)
    for file in files {
      let experiment = try ExperimentConfig.load(path: "\(configs.path)/\(folder)\(file)")
      let header = experiment.header
      #expect(header.contains { $0.hasPrefix("source: ") }, "\(file)")
      #expect(
        header.contains {
          $0.hasPrefix(
            folder.isEmpty ? "run: excite run configs/\(file)" : "run: excite reproduce ")
        }, "\(file)")
      #expect(header.contains { $0.hasPrefix("minutes on 2 cores: ") }, "\(file)")
      let measure = experiment.base.model.name == .gptMoE ? "perplexity" : "accuracy"
      #expect(header.contains { $0.hasPrefix("expected \(measure)") }, "\(file)")
    }
  }
}
