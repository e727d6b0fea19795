import COpenBLAS
import Datasets
import Models
import Tensors
import Training

/// How long training steps took, in seconds.
public struct StepTiming: Codable, Sendable {
  public let medianSeconds: Double
  public let minSeconds: Double
  public let maxSeconds: Double
  /// Steps per timed repetition and how many repetitions.
  public let steps: Int
  public let repetitions: Int
}

/// Times training steps of a run's model on one batch of random pixels held in memory.
///
/// Each repetition times as many steps as take about 20 ms, after a warm-up.
/// - Throws: `.blas`, `.training`.
public func timeStep(
  _ config: RunConfig, threads: Int, repetitions: Int
) throws(RunnerError) -> StepTiming {
  do { try BLAS.load() } catch { throw .blas(error) }
  excite_blas_set_threads(Int32(threads))
  var stream = RandomStream(seed: 0, purpose: .syntheticImages)
  let images = (0..<config.batchSize * ImageSplit.imageBytes).map { _ in
    UInt8(truncatingIfNeeded: stream.nextWord())
  }
  let labels = (0..<config.batchSize).map { _ in UInt8(stream.below(10)) }
  let split = ImageSplit(images: images, labels: labels)
  let dataset = ImageDataset(name: .synthetic, classes: 10, train: split, test: split)
  let loader = BatchLoader(
    split, config: config.dataset, batchSize: config.batchSize, forTraining: false,
    isShuffled: false, seed: 0)
  do throws(TrainingError) {
    let trainer = try Trainer(config, dataset: dataset)
    let rows = loader.load(0)
    func run(_ steps: Int) throws(TrainingError) -> Double {
      let start = ContinuousClock.now
      for _ in 0..<steps { try trainer.step(loader.inputs, targets: loader.targets, rows: rows) }
      return (ContinuousClock.now - start) / .seconds(1)
    }
    _ = try run(3)
    let once = try run(3) / 3
    let steps = max(1, Int(0.02 / once))
    var times: [Double] = []
    for _ in 0..<repetitions { times.append(try run(steps) / Double(steps)) }
    times.sort()
    return StepTiming(
      medianSeconds: times[times.count / 2], minSeconds: times[0],
      maxSeconds: times[times.count - 1],
      steps: steps, repetitions: repetitions)
  } catch {
    throw .training(error)
  }
}
