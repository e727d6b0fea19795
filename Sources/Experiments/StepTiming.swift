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
  /// Measured after the steps, on as many more; nil for a model without parts.
  public let breakdown: StepBreakdown?
}

/// A run's model and a batch of random pixels or tokens for it.
struct StepSample {
  /// What a prediction chooses from, as far as it is known without the data: classes, or the size of
  /// a vocabulary.
  static func outcomes(of config: RunConfig) -> Int {
    guard config.model.name == .gptMoE else { return 10 }
    return switch config.corpus?.tokenizer ?? .gpt2 {
    case .gpt2: 50257
    // WikiText-2's.
    case .word: 33_278
    case .byte: 256
    }
  }

  let trainer: Trainer
  /// Records that `evaluate` reads.
  let testRecords: Int
  private let plain: any BatchSource
  private let augmented: any BatchSource
  private let rows: Int

  /// For timing: the same batch over and over would diverge at a run's own rate, and weights that stand
  /// still route alike at every step.
  static let restingRate = 1e-9

  /// - Parameters:
  ///   - outcomes: what a prediction chooses from; nil for what the run's own does.
  ///   - inputs: of a Top-K MLP; other than an image's they are no image.
  /// - Throws: `.noBLAS`.
  init(
    _ config: RunConfig, outcomes: Int? = nil, threads: Int = 1,
    inputs: Int = ImageSplit.imageBytes
  ) throws(TrainingError) {
    // A whole batch at once, whatever its parts.
    var config = config
    config.microBatch = nil
    let outcomes = outcomes ?? Self.outcomes(of: config)
    let batch: any TrainingData
    let data: any TrainingData
    switch config.model {
    case .topKMLP where inputs != ImageSplit.imageBytes:
      testRecords = config.model.testBatch
      batch = RandomVectors(count: config.batchSize, inputs: inputs, outcomes: outcomes)
      data = RandomVectors(count: testRecords, inputs: inputs, outcomes: outcomes)
    case .topKMLP, .moeViT:
      let images = Self.randomImages(config.batchSize, classes: outcomes)
      testRecords = 512
      batch = ImageDataset(name: .synthetic, classes: outcomes, train: images, test: images)
      data = ImageDataset(
        name: .synthetic, classes: outcomes, train: images,
        test: Self.randomImages(testRecords, classes: outcomes))
    case .gptMoE(let gpt):
      testRecords = config.model.testBatch
      func text(_ sequences: Int) -> RandomTokens {
        RandomTokens(count: sequences * gpt.context + 1, vocabulary: outcomes)
      }
      let tokens = text(config.batchSize)
      batch = TextDataset(
        vocabulary: outcomes, train: tokens, test: tokens, testWords: 1, fingerprint: "")
      data = TextDataset(
        vocabulary: outcomes, train: tokens, test: text(testRecords), testWords: 1,
        fingerprint: "")
    }
    trainer = try Trainer(config, dataset: data, threads: threads)
    plain = batch.batches(.test, for: config, batchSize: config.batchSize, kernels: .best)
    augmented = batch.batches(.train, for: config, batchSize: config.batchSize, kernels: .best)
    augmented.beginEpoch(0)
    rows = plain.load(0)
  }

  private static func randomImages(_ count: Int, classes: Int) -> ImageSplit {
    var stream = RandomStream(seed: 0, purpose: .syntheticImages)
    let images = (0..<count * ImageSplit.imageBytes).map { _ in
      UInt8(truncatingIfNeeded: stream.nextWord())
    }
    let labels = (0..<count).map { _ in UInt8(stream.below(UInt32(classes))) }
    return ImageSplit(images: images, labels: labels)
  }

  private struct RandomTokens: TokenSource {
    let numbers: [Int]

    init(count: Int, vocabulary: Int) {
      var stream = RandomStream(seed: 0, purpose: .syntheticImages)
      numbers = (0..<count).map { _ in Int(stream.below(UInt32(vocabulary))) }
    }

    var count: Int { numbers.count }
    subscript(place: Int) -> Int { numbers[place] }
  }

  /// A step on a batch that lies ready.
  func step() throws(TrainingError) { try step(beforeUpdate: {}) }

  /// - Parameter beforeUpdate: called between the backward pass and all that Φ has a part in.
  func step(beforeUpdate: () -> Void) throws(TrainingError) {
    try trainer.step(
      plain.inputs, targets: plain.targets, rows: rows, beforeUpdate: beforeUpdate)
  }

  /// Makes a batch as training does.
  func prepare() { _ = augmented.load(0) }

  func evaluate() { _ = trainer.evaluate() }
}

/// Times training steps of a run's model, and the preparation of a batch, on random pixels.
/// - Throws: `.blas`, `.training`.
public func timeStep(
  _ config: RunConfig, threads: Int, repetitions: Int
) throws(RunnerError) -> StepTiming {
  do { try BLAS.load() } catch { throw .blas(error) }
  let bytes = benchmarkBytes(config, threads: threads)
  if let shortage = memoryShortage(config.model.name.rawValue, bytes: bytes, threads: threads) {
    throw shortage
  }
  excite_blas_set_threads(Int32(config.model.sharesWork ? 1 : threads))
  // The yardstick has the threads that the model has: in BLAS, or a product for each.
  let workers = Workers(config.model.sharesWork ? threads : 1)
  let products = (0..<workers.count).map { _ in GEMMBenchmark() }
  do throws(TrainingError) {
    let sample = try StepSample(config, threads: threads)
    func multiply() { workers.run(products.count) { task, _ in products[task].run() } }
    let timings = try timeInTurn(
      repetitions: repetitions, [sample.step, sample.prepare, multiply])
    let flop = config.model.usefulFLOP(
      inputs: ImageSplit.imageBytes, classes: StepSample.outcomes(of: config),
      batchSize: config.batchSize)
    return StepTiming(
      step: timings[0], preparation: timings[1], usefulGFLOPS: flop / timings[0].median / 1e9,
      gemmGFLOPS: Double(products.count) * GEMMBenchmark.flop / timings[2].median / 1e9,
      breakdown: try sample.breakdown(steps: repetitions, threads: threads))
  } catch {
    throw .training(error)
  }
}

/// Seconds to build a run's model with a random batch, and of its first step.
/// - Throws: `.blas`, `.noRoom`, `.training`.
public func timeStart(
  _ config: RunConfig, threads: Int
) throws(RunnerError) -> (build: Double, step: Double) {
  let start = ContinuousClock.now
  do { try BLAS.load() } catch { throw .blas(error) }
  let bytes = benchmarkBytes(config, threads: threads)
  if let shortage = memoryShortage(config.model.name.rawValue, bytes: bytes, threads: threads) {
    throw shortage
  }
  excite_blas_set_threads(Int32(config.model.sharesWork ? 1 : threads))
  do {
    let sample = try StepSample(config, threads: threads)
    let built = ContinuousClock.now
    try sample.step()
    return ((built - start) / .seconds(1), (ContinuousClock.now - built) / .seconds(1))
  } catch {
    throw .training(error)
  }
}
