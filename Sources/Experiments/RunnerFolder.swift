import Foundation
import Reports
import Training

/// The folder of one run: what it was asked, what it measured, how long it took.
///
///     config.yaml    the resolved config, which `excite run` accepts
///     metrics.csv    one line an epoch; the same bytes for the same run
///     result.json    the outcome; the same bytes for the same run
///     timing.csv     seconds per epoch, apart because they never repeat
struct RunFolder {
  let path: String
  private var metrics =
    "epoch,step,learning_rate,train_loss,train_accuracy,test_loss,test_accuracy\n"
  private var timing = "epoch,train_seconds,test_seconds\n"

  init(_ plan: PlannedRun, in directory: String) throws(RunnerError) {
    path = "\(directory)/\(plan.label)"
    try prepareFolder(path)
    // A result of an earlier start must not stand beside this one's unfinished metrics.
    try? FileManager.default.removeItem(atPath: "\(path)/result.json")
    try writeFile(plan.config.resolvedYAML, to: "\(path)/config.yaml")
  }

  mutating func append(_ record: EpochRecord, _ seconds: EpochSeconds) throws(RunnerError) {
    let fields: [any CustomStringConvertible] = [
      record.epoch, record.step, record.learningRate, record.trainLoss, record.trainAccuracy,
      record.testLoss, record.testAccuracy,
    ]
    metrics += fields.map(\.description).joined(separator: ",") + "\n"
    timing += "\(record.epoch),\(seconds.train),\(seconds.test)\n"
    try writeFile(metrics, to: "\(path)/metrics.csv")
    try writeFile(timing, to: "\(path)/timing.csv")
  }

  func finish(_ outcome: RunOutcome) throws(RunnerError) {
    var outcome = outcome
    outcome.secondsPerEpoch = nil
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let json = try? encoder.encode(outcome) else { return }
    try writeFile(String(decoding: json, as: UTF8.self) + "\n", to: "\(path)/result.json")
  }
}
