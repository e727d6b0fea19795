import Foundation
import Reports
import SwiftCSV
import TensorBoard
import Tensors
import Training

/// The folder of one run, held by this process.
///
///     config.yaml              the resolved config, which `excite run` accepts
///     metrics.csv              one line an epoch; the same bytes for the same run
///     result.json              the outcome; the same bytes for the same run
///     timing.csv               seconds per epoch, apart because they never repeat
///     events.out.tfevents.*    the metrics for TensorBoard, where asked for
///     checkpoint.safetensors   where an unfinished run goes on
///     claim.N                  the process that is at it
final class RunFolder: Sendable {
  let path: String
  let claim: RunClaim
  private let identity: RunIdentity

  private static let metricsHeader =
    "epoch,step,learning_rate,train_loss,train_accuracy,test_loss,test_accuracy\n"
  private static let timingHeader = "epoch,train_seconds,test_seconds\n"

  var checkpoint: String { "\(path)/checkpoint.safetensors" }
  private var metrics: String { "\(path)/metrics.csv" }
  private var timing: String { "\(path)/timing.csv" }

  init(_ path: String, claim: RunClaim, identity: RunIdentity) {
    self.path = path
    self.claim = claim
    self.identity = identity
  }

  func begin(_ plan: PlannedRun) throws(RunnerError) {
    // What a killed process was writing.
    for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    where name.hasSuffix(".tmp") {
      try? FileManager.default.removeItem(atPath: "\(path)/\(name)")
    }
    try writeFile(plan.config.resolvedYAML, to: "\(path)/config.yaml")
  }

  /// Makes a run start from its first step.
  func discardProgress() {
    for file in ["\(path)/result.json", checkpoint] {
      try? FileManager.default.removeItem(atPath: file)
    }
  }

  /// Puts a new trainer where the checkpoint left the run, if there is one that can be trusted;
  /// any other is set aside and the run starts anew.
  func restore(_ trainer: Trainer, note: (String) -> Void) {
    guard FileManager.default.fileExists(atPath: checkpoint) else { return }
    do throws(TrainingError) {
      let file: SafetensorsFile
      do { file = try SafetensorsFile(path: checkpoint) } catch { throw .checkpoint(error) }
      try trainer.restore(file, identity: identity.text)
    } catch {
      let problem = error.description.replacingOccurrences(of: "\(checkpoint): ", with: "")
      setAside(checkpoint, because: problem, note: note)
    }
  }

  /// Writes the records of the epochs that are over, so that each stands there once.
  func writeHistory(_ history: [RunPosition.Epoch]) throws(RunnerError) {
    try writeFile(
      history.reduce(Self.metricsHeader) { $0 + Self.line($1.record) }, to: metrics)
    try writeFile(
      history.reduce(Self.timingHeader) { $0 + Self.line($1.record.epoch, $1.seconds) }, to: timing)
  }

  func append(_ record: EpochRecord, _ seconds: EpochSeconds) throws(RunnerError) {
    try append(Self.line(record), to: metrics)
    try append(Self.line(record.epoch, seconds), to: timing)
  }

  /// A TensorBoard event file with the epochs that are over.
  func events(_ history: [RunPosition.Epoch]) throws(RunnerError) -> EventFile {
    do {
      return try EventFile(
        in: path, wallTime: Date().timeIntervalSince1970, history: history.map(\.record.scalars))
    } catch {
      throw .tensorBoard(error)
    }
  }

  func save(_ trainer: Trainer) throws(RunnerError) {
    do { try trainer.writeCheckpoint(to: checkpoint, identity: identity.text) } catch {
      throw .training(error)
    }
  }

  /// Keeps the outcome; what it took to go on is no longer needed.
  func finish(_ outcome: RunOutcome, environment: EnvironmentRecord) throws(RunnerError) {
    try RunResult(
      outcome: outcome, identity: identity, engine: RunResult.EngineRecord(environment)
    ).write(to: "\(path)/result.json")
    try? FileManager.default.removeItem(atPath: checkpoint)
  }

  private static func line(_ record: EpochRecord) -> String {
    let fields: [any CustomStringConvertible] = [
      record.epoch, record.step, record.learningRate, record.trainLoss, record.trainAccuracy,
      record.testLoss, record.testAccuracy,
    ]
    return fields.map(\.description).joined(separator: ",") + "\n"
  }

  private static func line(_ epoch: Int, _ seconds: EpochSeconds) -> String {
    "\(epoch),\(seconds.train),\(seconds.test)\n"
  }

  private func append(_ line: String, to file: String) throws(RunnerError) {
    let failure = Array(line.utf8).withUnsafeBytes { appendToFile(at: file, $0) }
    if let failure { throw .unwritable(path: file, reason: failure) }
  }

  // MARK: Reading

  /// Epochs that a run's metrics tell of.
  static func epochs(in path: String) -> Int {
    let text = FileManager.default.contents(atPath: "\(path)/metrics.csv") ?? Data()
    return max(0, text.count { $0 == UInt8(ascii: "\n") } - 1)
  }

  /// The epochs that a run's metrics tell of; a line that is not whole is left out.
  static func points(in path: String) -> [EpochPoint] {
    guard let text = try? String(contentsOfFile: "\(path)/metrics.csv", encoding: .utf8),
      let table = try? CSV<Named>(string: text, loadColumns: false)
    else { return [] }
    return table.rows.compactMap { row in
      let names = ["train_loss", "train_accuracy", "test_loss", "test_accuracy"]
      let values = names.compactMap { row[$0].flatMap(Double.init) }
      guard let epoch = row["epoch"].flatMap({ Int($0) }), values.count == names.count else {
        return nil
      }
      return EpochPoint(
        epoch: epoch, trainLoss: values[0], trainAccuracy: values[1], testLoss: values[2],
        testAccuracy: values[3])
    }
  }

  /// The outcome with the time that its epochs took, which result.json does not tell.
  static func timed(_ outcome: RunOutcome, in path: String) -> RunOutcome {
    var outcome = outcome
    guard let text = try? String(contentsOfFile: "\(path)/timing.csv", encoding: .utf8),
      let table = try? CSV<Named>(string: text, loadColumns: false)
    else { return outcome }
    let seconds = table.rows.compactMap { $0["train_seconds"].flatMap(Double.init) }
    if !seconds.isEmpty {
      outcome.secondsPerEpoch = seconds.reduce(0, +) / Double(seconds.count)
    }
    return outcome
  }
}

extension EpochRecord {
  /// For TensorBoard, now.
  var scalars: ScalarEvent {
    let values = [
      ("loss/train", trainLoss), ("loss/test", testLoss), ("accuracy/train", trainAccuracy),
      ("accuracy/test", testAccuracy), ("learning_rate", learningRate),
    ]
    return ScalarEvent(
      wallTime: Date().timeIntervalSince1970, step: epoch,
      scalars: values.map { Scalar($0.0, Float($0.1)) })
  }
}
