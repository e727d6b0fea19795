import Foundation
import Tensors

/// What the store lacks of an experiment, by the parts that tasks do.
public struct SlurmWork: Sendable {
  /// Parts, from 1, with a run that is to be done and that no process is at.
  public let parts: [Int]
  /// Runs that are over, and runs that a process is at now.
  public let over: Int
  public let running: Int

  /// - Parameters:
  ///   - parts: how many equal parts there are.
  ///   - initial: the weights that runs start from, if not their seeds' own.
  ///   - retryFailed: whether failed runs are to be done again.
  ///   - saveDirectory: where final weights are to be; a run without them is to be done again.
  public init(
    _ experiment: ExperimentConfig, in store: RunStore, parts: Int, initial: SafetensorsFile?,
    retryFailed: Bool, saveDirectory: String?
  ) {
    var open: Set<Int> = []
    var over = 0
    var running = 0
    let weights = initial?.fingerprint
    for (index, run) in experiment.runs.enumerated() {
      let folder = run.folder(initialWeights: weights)
      switch store.state(ofRun: folder) {
      case .finished where hasWeights(folder, in: saveDirectory): over += 1
      case .failed where !retryFailed: over += 1
      case .running: running += 1
      default: open.insert(index % parts + 1)
      }
    }
    self.parts = open.sorted()
    self.over = over
    self.running = running
  }
}

private func hasWeights(_ run: String, in directory: String?) -> Bool {
  guard let directory else { return true }
  return FileManager.default.fileExists(atPath: "\(directory)/\(run)/final.safetensors")
}

extension RunStore {
  /// Keeps a script with the experiment that it carries out.
  /// - Throws: `.unwritable`.
  public func keep(_ script: SlurmScript) throws(RunnerError) {
    try prepareFolder(script.folder)
    try writeFile(script.text, to: script.path)
  }
}
