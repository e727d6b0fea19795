import Foundation
import Reports
import TensorBoard
import Tensors
import Training

/// The folder of one run, held by this process.
///
///     config.yaml              the resolved config, which `excite run` accepts
///     metrics.csv              one line an epoch; the same bytes for the same run
///     experts.csv              one line an epoch and expert layer, where measured; the same bytes too
///     expert_classes.csv       one line an expert, at the end of a run that was measured; likewise
///     result.json              the outcome; the same bytes for the same run
///     timing.csv               seconds per epoch, apart because they never repeat
///     events.out.tfevents.*    the metrics for TensorBoard, where asked for
///     checkpoint.safetensors   where an unfinished run goes on
///     claim.N                  the process that is at it
final class RunFolder: Sendable {
  let path: String
  let claim: RunClaim
  private let identity: RunIdentity
  /// Whether the run learns from text, so that it has perplexities.
  private let isText: Bool

  private static let metricsColumns = [
    "epoch", "step", "learning_rate", "train_loss", "train_accuracy", "test_loss", "test_accuracy",
  ]
  /// Of a text.
  private static let perplexityColumns = [
    "test_perplexity", "validation_loss", "validation_perplexity",
  ]
  private static let expertsHeader =
    (["epoch", "layer"] + ExpertRecord.columns).joined(separator: ",") + "\n"
  private static let timingHeader = "epoch,train_seconds,test_seconds\n"
  static let expertClasses = "expert_classes.csv"

  var checkpoint: String { "\(path)/checkpoint.safetensors" }
  private var metrics: String { "\(path)/metrics.csv" }
  private var experts: String { "\(path)/experts.csv" }
  private var timing: String { "\(path)/timing.csv" }

  init(_ path: String, claim: RunClaim, identity: RunIdentity, isText: Bool) {
    self.path = path
    self.claim = claim
    self.identity = identity
    self.isText = isText
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
    let columns = Self.metricsColumns + (isText ? Self.perplexityColumns : [])
    let header = columns.joined(separator: ",") + "\n"
    try writeFile(history.reduce(header) { $0 + line($1.record) }, to: metrics)
    try writeFile(
      history.reduce(Self.timingHeader) { $0 + Self.line($1.record.epoch, $1.seconds) }, to: timing)
    try writeFile(history.reduce(Self.expertsHeader) { $0 + Self.expertLines($1) }, to: experts)
  }

  func append(_ epoch: RunPosition.Epoch) throws(RunnerError) {
    try append(line(epoch.record), to: metrics)
    try append(Self.line(epoch.record.epoch, epoch.seconds), to: timing)
    if !epoch.experts.isEmpty { try append(Self.expertLines(epoch), to: experts) }
  }

  /// A TensorBoard event file with the epochs that are over.
  func events(_ history: [RunPosition.Epoch]) throws(RunnerError) -> EventFile {
    do {
      return try EventFile(
        in: path, wallTime: Date().timeIntervalSince1970, history: history.map(\.scalars))
    } catch {
      throw .tensorBoard(error)
    }
  }

  func save(_ trainer: Trainer) throws(RunnerError) {
    do { try trainer.writeCheckpoint(to: checkpoint, identity: identity.text) } catch {
      throw .training(error)
    }
  }

  /// Keeps what each expert did in the last epoch, where that was measured.
  func write(_ tables: [ExpertTable]) throws(RunnerError) {
    guard let classes = tables.first?.classes else { return }
    let names = (0..<classes).map { "class_\($0)" }
    var text = (["layer", "expert", "utilization"] + names).joined(separator: ",") + "\n"
    for table in tables {
      for (expert, share) in table.utilization.enumerated() {
        let counts = (0..<classes).map { "\(table.count(expert: expert, class: $0))" }
        text +=
          (["\(table.layer)", "\(expert)", "\(share)"] + counts).joined(separator: ",") + "\n"
      }
    }
    try writeFile(text, to: "\(path)/\(Self.expertClasses)")
  }

  /// Keeps the outcome; what it took to go on is no longer needed.
  func finish(_ outcome: RunOutcome, environment: EnvironmentRecord) throws(RunnerError) {
    try RunResult(
      outcome: outcome, identity: identity, engine: RunResult.EngineRecord(environment)
    ).write(to: "\(path)/result.json")
    try? FileManager.default.removeItem(atPath: checkpoint)
  }

  private func line(_ record: EpochRecord) -> String {
    var fields: [any CustomStringConvertible] = [
      record.epoch, record.step, record.learningRate, record.trainLoss, record.trainAccuracy,
      record.testLoss, record.testAccuracy,
    ]
    if isText {
      let validation = record.validationLoss
      fields += [
        exp(record.testLoss), validation.map(\.description) ?? "",
        validation.map { exp($0).description } ?? "",
      ]
    }
    return fields.map(\.description).joined(separator: ",") + "\n"
  }

  private static func line(_ epoch: Int, _ seconds: EpochSeconds) -> String {
    "\(epoch),\(seconds.train),\(seconds.test)\n"
  }

  private static func expertLines(_ epoch: RunPosition.Epoch) -> String {
    epoch.experts.reduce("") { lines, record in
      let values = record.values.map { $0.isNaN ? "" : $0.description }.joined(separator: ",")
      return lines + "\(epoch.record.epoch),\(record.layer),\(values)\n"
    }
  }

  private func append(_ line: String, to file: String) throws(RunnerError) {
    let failure = Array(line.utf8).withUnsafeBytes { appendToFile(at: file, $0) }
    if let failure { throw .unwritable(path: file, reason: failure) }
  }
}
