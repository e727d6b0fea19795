import Foundation
import Reports
import SwiftCSV
import TensorBoard
import Training

extension RunFolder {
  /// Epochs that a run's metrics tell of.
  static func epochs(in path: String) -> Int {
    let text = FileManager.default.contents(atPath: "\(path)/metrics.csv") ?? Data()
    return max(0, text.count { $0 == UInt8(ascii: "\n") } - 1)
  }

  /// The epochs that a run's metrics tell of; a line that is not whole is left out.
  static func points(in path: String) -> [EpochPoint] {
    rows(of: "\(path)/metrics.csv").compactMap { row in
      let names = ["train_loss", "train_accuracy", "test_loss", "test_accuracy"]
      let values = names.compactMap { row[$0].flatMap(Double.init) }
      guard let epoch = row["epoch"].flatMap({ Int($0) }), values.count == names.count else {
        return nil
      }
      return EpochPoint(
        epoch: epoch, trainLoss: values[0], trainAccuracy: values[1], testLoss: values[2],
        testAccuracy: values[3],
        validationLoss: row["validation_loss"].flatMap(Double.init) ?? .nan)
    }
  }

  /// The epochs and expert layers that a run measured; a line that is not whole is left out.
  static func expertPoints(in path: String) -> [ExpertPoint] {
    rows(of: "\(path)/experts.csv").compactMap { row in
      let names = ["specialization", "routing_entropy", "dead_share", "load_max", "phi_std"]
      let values = names.compactMap { row[$0].flatMap(Double.init) }
      guard let epoch = row["epoch"].flatMap({ Int($0) }),
        let layer = row["layer"].flatMap({ Int($0) }), values.count == names.count
      else { return nil }
      return ExpertPoint(
        epoch: epoch, layer: layer, specialization: values[0], routingEntropy: values[1],
        deadShare: values[2], highestLoad: values[3], modulationDeviation: values[4])
    }
  }

  /// What each expert of a finished run did, layer by layer; none where it cannot be read.
  static func expertClasses(in path: String) -> [ExpertClassMap.Layer] {
    var layers: [ExpertClassMap.Layer] = []
    for row in rows(of: "\(path)/\(expertClasses)") {
      var counts: [Int] = []
      // Sums of what is counted must not overflow.
      while let count = row["class_\(counts.count)"].flatMap({ Int32($0) }), count >= 0 {
        counts.append(Int(count))
      }
      guard let layer = row["layer"].flatMap({ Int($0) }),
        let utilization = row["utilization"].flatMap(Double.init), !counts.isEmpty,
        layers.last?.experts.last?.counts.count ?? counts.count == counts.count
      else { return [] }
      if layers.last?.layer != layer { layers.append(ExpertClassMap.Layer(layer: layer)) }
      layers[layers.count - 1].experts.append(
        ExpertClassMap.Expert(utilization: utilization, counts: counts))
    }
    return layers
  }

  /// The lines of a CSV file by column; none where it cannot be read.
  private static func rows(of file: String) -> [[String: String]] {
    guard let text = try? String(contentsOfFile: file, encoding: .utf8),
      let table = try? CSV<Named>(string: text, loadColumns: false)
    else { return [] }
    return table.rows
  }

  /// The outcome with the time that its epochs took, which result.json does not tell.
  static func timed(_ outcome: RunOutcome, in path: String) -> RunOutcome {
    var outcome = outcome
    let seconds = rows(of: "\(path)/timing.csv").compactMap {
      $0["train_seconds"].flatMap(Double.init)
    }
    if !seconds.isEmpty {
      outcome.secondsPerEpoch = seconds.reduce(0, +) / Double(seconds.count)
    }
    return outcome
  }
}

extension RunPosition.Epoch {
  /// For TensorBoard, now.
  var scalars: ScalarEvent {
    var values = [
      ("loss/train", record.trainLoss), ("loss/test", record.testLoss),
      ("accuracy/train", record.trainAccuracy), ("accuracy/test", record.testAccuracy),
      ("learning_rate", record.learningRate),
    ]
    if let validation = record.validationLoss { values.append(("loss/validation", validation)) }
    for layer in experts {
      values += [
        ("specialization/layer_\(layer.layer)", layer.specialization),
        ("routing_entropy/layer_\(layer.layer)", layer.routingEntropy),
        ("dead_share/layer_\(layer.layer)", layer.deadShare),
        ("phi_std/layer_\(layer.layer)", layer.modulation.deviation),
      ]
      if let balance = layer.balanceLoss {
        values.append(("balance_loss/layer_\(layer.layer)", balance))
      }
    }
    return ScalarEvent(
      wallTime: Date().timeIntervalSince1970, step: record.epoch,
      scalars: values.map { Scalar($0.0, Float($0.1)) })
  }
}
