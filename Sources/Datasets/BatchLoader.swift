import CKernels
import Tensors

/// Cuts a split into batches: gathers records, normalizes and augments them from bytes.
///
/// Order and augmentation are drawn for a whole epoch at once, from streams keyed by (seed,
/// purpose, epoch): any batch of any epoch can be made again from its numbers alone, and two runs
/// of one seed see the same pixels.
public final class BatchLoader {
  public let batchSize: Int
  /// Pixels of the current batch, [B, 3·32·32 and padding]; row n is the n-th record.
  public let inputs: Tensor
  /// Classes of the current batch, [B].
  public let targets: UnsafeMutablePointer<Int32>

  private let split: ImageSplit
  private let config: DatasetConfig
  private let isShuffled: Bool
  private let isAugmented: Bool
  private let seed: UInt64
  private let kernels: UnsafePointer<ExciteKernels>
  private let multiplier: [Float]
  private let offset: [Float]
  private var order: [UInt32] = []
  private var flips: [UInt8] = []
  private var shiftsX: [Int8] = []
  private var shiftsY: [Int8] = []

  /// CIFAR-10's training set, red, green, blue, of pixels in [0, 1].
  static let channelMeans: [Float] = [0.4914, 0.4822, 0.4465]
  static let channelDeviations: [Float] = [0.2470, 0.2435, 0.2616]

  /// Rows start this many floats apart: rows a power of two apart would share cache sets.
  static let rowDistance = ImageSplit.imageBytes + 16

  /// - Parameter forTraining: shuffled and augmented as asked; otherwise the records in file order,
  ///   as they are.
  public init(
    _ split: ImageSplit, config: DatasetConfig, batchSize: Int, forTraining: Bool,
    isShuffled: Bool, seed: UInt64, kernels: Kernels = .best
  ) {
    self.split = split
    self.config = config
    self.batchSize = batchSize
    self.isShuffled = forTraining && isShuffled
    isAugmented = forTraining && config.augmentation != .none
    self.seed = seed
    self.kernels = kernels.table
    inputs = Tensor(batchSize, Self.rowDistance)
    targets = .allocate(capacity: batchSize)
    targets.initialize(repeating: 0, count: batchSize)
    switch config.normalization {
    case .standard:
      multiplier = Self.channelDeviations.map { 1 / (255 * $0) }
      offset = zip(Self.channelMeans, Self.channelDeviations).map { -$0 / $1 }
    case .unit:
      multiplier = [Float](repeating: 1 / 255, count: 3)
      offset = [0, 0, 0]
    case .symmetric:
      multiplier = [Float](repeating: 1 / 127.5, count: 3)
      offset = [-1, -1, -1]
    }
    order = (0..<UInt32(split.count)).map { $0 }
  }

  deinit { targets.deallocate() }

  /// Batches in an epoch; the last may be smaller.
  public var batchCount: Int { (split.count + batchSize - 1) / batchSize }
  /// Images of the split.
  public var sampleCount: Int { split.count }

  /// Draws order and augmentation of an epoch, the first being 0.
  public func beginEpoch(_ epoch: Int) {
    if isShuffled {
      var stream = RandomStream(seed: seed, purpose: .shuffle, index: UInt64(epoch))
      order = stream.permutation(split.count)
    }
    guard isAugmented else { return }
    var stream = RandomStream(seed: seed, purpose: .augmentation, index: UInt64(epoch))
    let flip = config.augmentation == .flip || config.augmentation == .flipCrop
    let crop = config.augmentation == .crop || config.augmentation == .flipCrop
    let positions = UInt32(2 * config.cropPadding + 1)
    if flips.isEmpty {
      flips = [UInt8](repeating: 0, count: split.count)
      shiftsX = [Int8](repeating: 0, count: split.count)
      shiftsY = shiftsX
    }
    for place in 0..<split.count {
      // One word a record, whatever the augmentation: 1 bit, 15 bits, 16 bits.
      let word = stream.nextWord()
      if flip { flips[place] = UInt8(word & 1) }
      guard crop else { continue }
      shiftsX[place] = Int8(Int(((word >> 1 & 0x7FFF) * positions) >> 15) - config.cropPadding)
      shiftsY[place] = Int8(Int(((word >> 16) * positions) >> 16) - config.cropPadding)
    }
  }

  /// Fills `inputs` and `targets` with a batch of the current epoch.
  /// - Returns: its rows.
  public func load(_ batch: Int) -> Int {
    let start = batch * batchSize
    let rows = min(batchSize, split.count - start)
    for row in 0..<rows { targets[row] = Int32(split.labels[Int(order[start + row])]) }
    split.images.withUnsafeBufferPointer { images in
      order.withUnsafeBufferPointer { order in
        flips.withUnsafeBufferPointer { flips in
          shiftsX.withUnsafeBufferPointer { shiftsX in
            shiftsY.withUnsafeBufferPointer { shiftsY in
              kernels.pointee.prepare_images(
                rows, images.baseAddress!, order.baseAddress! + start,
                isAugmented ? flips.baseAddress! + start : nil,
                isAugmented ? shiftsX.baseAddress! + start : nil,
                isAugmented ? shiftsY.baseAddress! + start : nil, multiplier, offset, inputs.data,
                Self.rowDistance)
            }
          }
        }
      }
    }
    return rows
  }
}
