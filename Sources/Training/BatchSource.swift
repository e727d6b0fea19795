import Datasets
import Tensors

/// A split of a data set in batches.
public protocol BatchSource: AnyObject {
  /// The samples of the current batch, a row each.
  var inputs: Tensor { get }
  /// Their classes, or the tokens that follow theirs; negative where nothing is asked.
  var targets: UnsafeMutablePointer<Int32> { get }
  /// Samples of a batch; the last may have fewer.
  var batchSize: Int { get }
  var sampleCount: Int { get }
  var batchCount: Int { get }
  /// Draws what is random in an epoch, the first being 0.
  func beginEpoch(_ epoch: Int)
  /// Fills `inputs` and `targets` with a batch of the current epoch.
  /// - Returns: its samples.
  func load(_ batch: Int) -> Int
}

extension BatchLoader: BatchSource {}
