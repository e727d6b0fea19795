import COpenBLAS
import Datasets
import Models
import Tensors
import Training

/// A matrix product large enough for BLAS's full speed, the yardstick of a step.
struct GEMMBenchmark {
  private let a = Tensor(size, size)
  private let b = Tensor(size, size)
  private let c = Tensor(size, size)

  static let size = 768
  /// Multiplications and additions of one product.
  static let flop = 2 * Double(size * size * size)

  init() {
    var stream = RandomStream(seed: 0, purpose: .syntheticImages)
    for tensor in [a, b] { for i in 0..<tensor.count { tensor.data[i] = stream.uniform() } }
  }

  func run() {
    let size = Self.size
    matmul(
      a.data, lda: size, b.data, ldb: size, into: c.data, ldc: size, m: size, n: size, k: size)
  }
}

/// How fast BLAS multiplies matrices, in GFLOP/s.
/// - Throws: `.blas`.
public func timeGEMM(threads: Int, repetitions: Int) throws(RunnerError) -> Double {
  do { try BLAS.load() } catch { throw .blas(error) }
  excite_blas_set_threads(Int32(threads))
  let gemm = GEMMBenchmark()
  do {
    let timing = try timeInTurn(repetitions: repetitions, [gemm.run])[0]
    return GEMMBenchmark.flop / timing.median / 1e9
  } catch {
    throw .training(error)
  }
}

/// What a training step costs.
public struct StepTiming: Sendable {
  public let step: Timing
  /// Making the step's batch from bytes: gather, normalize, flip, crop.
  public let preparation: Timing
  /// Speed over the additions and multiplications that the step needs, GFLOP/s.
  public let usefulGFLOPS: Double
  /// Speed of a large matrix product measured in turn with the steps, GFLOP/s.
  public let gemmGFLOPS: Double
}

/// Times training steps of a run's model, and the preparation of a batch, on random pixels.
/// - Throws: `.blas`, `.training`.
public func timeStep(
  _ config: RunConfig, threads: Int, repetitions: Int
) throws(RunnerError) -> StepTiming {
  do { try BLAS.load() } catch { throw .blas(error) }
  excite_blas_set_threads(Int32(config.model.sharesWork ? 1 : threads))
  var stream = RandomStream(seed: 0, purpose: .syntheticImages)
  let images = (0..<config.batchSize * ImageSplit.imageBytes).map { _ in
    UInt8(truncatingIfNeeded: stream.nextWord())
  }
  let classes = 10
  let labels = (0..<config.batchSize).map { _ in UInt8(stream.below(UInt32(classes))) }
  let split = ImageSplit(images: images, labels: labels)
  let dataset = ImageDataset(name: .synthetic, classes: classes, train: split, test: split)
  let batch = BatchLoader(
    split, config: config.dataset, batchSize: config.batchSize, forTraining: false,
    isShuffled: false, seed: 0)
  let augmented = BatchLoader(
    split, config: config.dataset, batchSize: config.batchSize, forTraining: true,
    isShuffled: true, seed: 0)
  augmented.beginEpoch(0)
  // The yardstick has the threads that the model has: in BLAS, or a product for each.
  let workers = Workers(config.model.sharesWork ? threads : 1)
  let products = (0..<workers.count).map { _ in GEMMBenchmark() }
  do throws(TrainingError) {
    let trainer = try Trainer(config, dataset: dataset, threads: threads)
    let rows = batch.load(0)
    func step() throws(TrainingError) {
      try trainer.step(batch.inputs, targets: batch.targets, rows: rows)
    }
    func prepare() { _ = augmented.load(0) }
    func multiply() { workers.run(products.count) { task, _ in products[task].run() } }
    let timings = try timeInTurn(repetitions: repetitions, [step, prepare, multiply])
    let flop = config.model.usefulFLOP(
      inputs: ImageSplit.imageBytes, classes: classes, batchSize: config.batchSize)
    return StepTiming(
      step: timings[0], preparation: timings[1], usefulGFLOPS: flop / timings[0].median / 1e9,
      gemmGFLOPS: Double(products.count) * GEMMBenchmark.flop / timings[2].median / 1e9)
  } catch {
    throw .training(error)
  }
}
