import COpenBLAS
import Datasets
import Foundation
import Tensors
import Training

/// What one epoch costs: every training batch made and stepped on, then the whole evaluation.
public struct EpochTiming: Sendable {
  public let epoch: Timing
  /// The epoch's share that goes into order, augmentation and batches of the training split.
  public let preparation: Timing
  /// The share that goes into the test split, its batches included.
  public let evaluation: Timing
  /// The share that goes into the expert metrics; what is written of them (a line a layer) not.
  public let expertMetrics: Timing
  public let trainSamples: Int
  public let testSamples: Int

  /// Training samples over the time of the whole epoch.
  public var samplesPerSecond: Double { Double(trainSamples) / epoch.median }
}

/// Times whole epochs of an experiment's first run, on its own data, after one to warm up.
/// - Throws: `.blas`, `.dataset`, `.config` (a batch larger than the data), `.training`.
public func timeEpoch(
  _ experiment: ExperimentConfig, dataDirectory: URL, threads: Int, repetitions: Int
) throws(RunnerError) -> EpochTiming {
  do { try BLAS.load() } catch { throw .blas(error) }
  let plan = experiment.runs[0]
  excite_blas_set_threads(Int32(plan.config.model.sharesWork ? 1 : threads))
  let data = try RunData(plan.config.dataKey, directory: dataDirectory, threads: threads)
  let count = try data.trainCount(of: plan.config)
  do {
    try experiment.validate(run: plan, trainCount: count)
  } catch {
    throw .config(error)
  }
  var config = plan.config
  config.epochs = repetitions + 1
  config.maxSteps = nil
  let part = config.microBatch ?? config.batchSize
  let loader = data.data.batches(.train, for: config, batchSize: part, kernels: .best)
  var epochs: [(whole: Double, preparation: Double, evaluation: Double, experts: Double)] = []
  do throws(TrainingError) {
    let trainer = try Trainer(config, dataset: data.data, threads: threads)
    var (start, before) = (ContinuousClock.now, 0.0)
    try trainer.run(onEpoch: { record, seconds in
      let whole = (ContinuousClock.now - start) / .seconds(1)
      let preparation = secondsToPrepare(loader, epoch: record.epoch - 1)
      epochs.append((whole, preparation, seconds.test, trainer.secondsOnExperts - before))
      before = trainer.secondsOnExperts
      start = .now
    })
  } catch {
    throw .training(error)
  }
  epochs.removeFirst()
  return EpochTiming(
    epoch: Timing(epochs.map(\.whole)), preparation: Timing(epochs.map(\.preparation)),
    evaluation: Timing(epochs.map(\.evaluation)), expertMetrics: Timing(epochs.map(\.experts)),
    trainSamples: count, testSamples: data.data.sampleCount(.test, of: config))
}

/// Makes all batches of an epoch once more.
private func secondsToPrepare(_ loader: any BatchSource, epoch: Int) -> Double {
  let start = ContinuousClock.now
  loader.beginEpoch(epoch)
  for batch in 0..<loader.batchCount { _ = loader.load(batch) }
  return (ContinuousClock.now - start) / .seconds(1)
}
