import Tensors
import Training

/// Random inputs of any length, for a Top-K MLP that does not read images.
struct RandomVectors: TrainingData {
  /// Samples of either split.
  let count: Int
  let inputs: Int
  let outcomes: Int

  var sampleClasses: Int { outcomes }
  var fingerprint: String { "" }
  var tokensPerTestWord: Double? { nil }
  var hasValidation: Bool { false }

  func sampleCount(_ split: DataSplit, of config: RunConfig) -> Int { count }

  func batches(
    _ split: DataSplit, for config: RunConfig, batchSize: Int, kernels: Kernels
  ) -> any BatchSource {
    RandomVectorBatches(self, batchSize: batchSize)
  }
}

/// The same batch over and over.
private final class RandomVectorBatches: BatchSource {
  let inputs: Tensor
  let targets: UnsafeMutablePointer<Int32>
  let batchSize: Int
  let sampleCount: Int

  init(_ data: RandomVectors, batchSize: Int) {
    self.batchSize = batchSize
    sampleCount = data.count
    inputs = Tensor(batchSize, data.inputs)
    targets = .allocate(capacity: batchSize)
    var stream = RandomStream(seed: 0, purpose: .syntheticImages)
    for i in 0..<inputs.count { inputs.data[i] = stream.normal() }
    for row in 0..<batchSize {
      (targets + row).initialize(to: Int32(stream.below(UInt32(data.outcomes))))
    }
  }

  deinit { targets.deallocate() }

  var batchCount: Int { (sampleCount + batchSize - 1) / batchSize }

  func beginEpoch(_ epoch: Int) {}

  func load(_ batch: Int) -> Int { min(batchSize, sampleCount - batch * batchSize) }
}
