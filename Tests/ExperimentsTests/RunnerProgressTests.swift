import Experiments
import Foundation
import Reports
import Synchronization
import Testing

/// What a runner says of its progress over several starts.
@Suite struct RunnerProgressTests {
  /// One run of four epochs, of two steps each.
  private func experiment() throws -> ExperimentConfig {
    try ExperimentConfig.standard(
      overrides: ConfigOverrides(
        set: [
          "dataset={name: synthetic, augmentation: none, limit: 20, test_limit: 10}",
          "model.width=8", "batch_size=10", "epochs=4",
        ], seeds: "0", variants: "vanilla"))
  }

  /// Starts it, stopping once so many epochs are done.
  private func start(
    in store: RunStore, until epochs: Int
  ) throws -> (progress: [ProgressSnapshot], hasProgressed: Bool) {
    let environment = try EnvironmentRecord.current(jobs: 1)
    let runner = Runner(
      try experiment(),
      options: RunnerOptions(
        jobs: 1, store: store, dataDirectory: URL(fileURLWithPath: store.directory)),
      environment: environment)
    let seen = Mutex<[ProgressSnapshot]>([])
    _ = try runner.run(
      onProgress: { snapshot in seen.withLock { $0.append(snapshot) } },
      shouldStop: { seen.withLock { ($0.last?.active.first?.epoch ?? 0) >= epochs } })
    return (seen.withLock { $0 }, runner.hasProgressed)
  }

  @Test func earlierEpochsAreNoWorkOfThisStart() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("excite-runner-\(UUID().uuidString)", isDirectory: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let store = RunStore(folder.path)

    let first = try start(in: store, until: 3)
    #expect(first.hasProgressed)
    #expect(first.progress.allSatisfy { $0.earlierWork == 0 })
    // It begins with nothing, and ends the start with three epochs.
    #expect(first.progress.compactMap { $0.active.first?.epoch } == [0, 1, 2, 3])

    let idle = try start(in: store, until: 3)
    #expect(!idle.hasProgressed)

    let second = try start(in: store, until: 5)
    #expect(second.hasProgressed)
    #expect(second.progress.compactMap { $0.active.first?.epoch } == [3, 4])
    #expect(second.progress.allSatisfy { $0.earlierWork == 0.75 })
    #expect(second.progress.first?.remaining == nil)
    #expect(second.progress.last?.runsDone == 1)

    let third = try start(in: store, until: 5)
    #expect(!third.hasProgressed)
    #expect(third.progress.map(\.earlierWork) == [1])
    #expect(third.progress.map(\.remaining) == [nil])
  }
}
