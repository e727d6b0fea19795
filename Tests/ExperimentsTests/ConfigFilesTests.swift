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
    ("cifar10_topk", 1, 1 * 3 * 3), ("cifar10_variants", 1, 1 * 7 * 3),
    ("cifar10_deep40", 1, 1 * 7 * 3), ("table1_optimizers", 6, 6 * 3 * 3),
    ("cifar100_topk", 1, 1 * 7 * 3), ("svhn_topk", 1, 1 * 7 * 3), ("quickstart", 1, 1 * 3 * 3),
    ("smoke", 2, 2 * 7 * 2),
  ])
  func plans(name: String, settings: Int, runs: Int) throws {
    let path = configs.appendingPathComponent("\(name).yaml").path
    let experiment = try ExperimentConfig.load(path: path)
    #expect(experiment.name == name)
    #expect(experiment.settings.count == settings)
    #expect(experiment.runs.count == runs)
    #expect(Set(experiment.runs.map(\.label)).count == runs)
  }

  @Test func everyFileLoadsAndSaysWhatToExpect() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: configs.path)
      .filter { $0.hasSuffix(".yaml") }.sorted()
    #expect(!files.isEmpty)
    for file in files {
      let experiment = try ExperimentConfig.load(path: configs.appendingPathComponent(file).path)
      let header = experiment.header
      #expect(header.contains { $0.hasPrefix("source: ") }, "\(file)")
      #expect(header.contains("run: excite run configs/\(file)"), "\(file)")
      #expect(header.contains { $0.hasPrefix("minutes on 2 cores: ") }, "\(file)")
      #expect(header.contains { $0.hasPrefix("expected accuracy") }, "\(file)")
    }
  }
}
