import Datasets
import Excitation
import Foundation
import Models
import Optimizers
import Tensors
import TestSupport
import Training

/// Images that show where their pixels came from: red is 7·x + 5, green 7·y + 5, blue the record.
/// No byte of red or green is 0, as the border is.
enum Coordinates {
  static func split(count: Int) -> ImageSplit {
    var images: [UInt8] = []
    for record in 0..<count {
      for channel in 0..<3 {
        for y in 0..<32 {
          for x in 0..<32 {
            images.append([UInt8(7 * x + 5), UInt8(7 * y + 5), UInt8(record)][channel])
          }
        }
      }
    }
    return ImageSplit(images: images, labels: (0..<count).map { UInt8($0) })
  }

  /// What was done to the image in a row of a batch.
  struct Seen: Hashable {
    let record: Int
    let flip: Bool
    let dx: Int
    let dy: Int
  }

  /// Reads it off the pixels at the centre, which no shift of up to 8 moves out of the image.
  static func see(_ inputs: Tensor, row: Int, _ normalization: DatasetConfig.Normalization) -> Seen
  {
    func byte(_ channel: Int, _ x: Int, _ y: Int) -> Int {
      let value = Double(inputs.data[row * inputs.rowLength + channel * 1024 + y * 32 + x])
      let scaled =
        switch normalization {
        case .standard:
          255 * (value * [0.2470, 0.2435, 0.2616][channel] + [0.4914, 0.4822, 0.4465][channel])
        case .unit: value * 255
        case .symmetric: (value + 1) * 127.5
        }
      return Int(scaled.rounded())
    }
    let (column, next) = ((byte(0, 16, 16) - 5) / 7, (byte(0, 17, 16) - 5) / 7)
    let flip = next < column
    return Seen(
      record: byte(2, 16, 16), flip: flip, dx: flip ? 15 - column : column - 16,
      dy: (byte(1, 16, 16) - 5) / 7 - 16)
  }
}

/// Tiny settings that train in milliseconds.
enum Tiny {
  static let classes = 4

  static func random(_ count: Int, seed: UInt64) -> ImageSplit {
    var stream = RandomStream(test: seed)
    return ImageSplit(
      images: (0..<count * ImageSplit.imageBytes).map { _ in
        UInt8(truncatingIfNeeded: stream.nextWord())
      }, labels: (0..<count).map { _ in UInt8(stream.below(UInt32(classes))) })
  }

  /// 40 train and 20 test images of noise.
  static let dataset = ImageDataset(
    name: .synthetic, classes: classes, train: random(40, seed: 41), test: random(20, seed: 42))

  /// 8 per batch: 5 steps an epoch.
  static func config(
    _ variant: ExcitationVariant = .vanilla, optimizer: OptimizerConfig = .init(.sgd),
    gamma: Double = 1, window: Int = 1, epochs: Int = 2, maxSteps: Int? = nil,
    normalization: TopKMLPConfig.Normalization = .none, order: RunConfig.Order = .shuffled,
    seed: UInt64 = 0
  ) -> RunConfig {
    RunConfig(
      dataset: DatasetConfig(name: .synthetic),
      model: .topKMLP(
        TopKMLPConfig(hiddenLayers: 2, width: 16, sparsity: 0.75, normalization: normalization)),
      optimizer: optimizer, schedule: ScheduleConfig(),
      excitation: ExcitationConfig(variant: variant, gamma: gamma, window: window), batchSize: 8,
      epochs: epochs,
      maxSteps: maxSteps, order: order, seed: seed)
  }
}

extension Trainer {
  /// All weights, in the order of the model's parameters.
  var weights: [Float] { model.parameters.flatMap(\.value.values) }

  /// Trains to the end and returns what each epoch left behind.
  func records() throws -> [EpochRecord] {
    var records: [EpochRecord] = []
    try run(onEpoch: { record, _ in records.append(record) })
    return records
  }
}

/// A folder for a test's files, removed with the value.
final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }
}
