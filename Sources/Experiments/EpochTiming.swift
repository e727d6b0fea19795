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
  public let trainSamples: Int
  public let testSamples: Int

  /// Training samples over the time of the whole epoch.
  public var samplesPerSecond: Double { Double(trainSamples) / epoch.median }
}

/// Times whole epochs of an experiment's first run, on its own data, after one to warm up.
/// - Throws: `.blas`, `.dataset`, `.config` (a batch larger than the data), `.training`.
public func timeEpoch(
  _ experiment: ExperimentConfig, dataDirectory: URL, threads: Int, repetitions: Int,
  expertMetrics: Bool = true
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
  // A whole batch at once, whatever its parts.
  config.microBatch = nil
  let loader = data.data.batches(
    .train, for: config, batchSize: config.batchSize, kernels: .best)
  var (epochs, preparations, evaluations): ([Double], [Double], [Double]) = ([], [], [])
  do throws(TrainingError) {
    let trainer = try Trainer(
      config, dataset: data.data, threads: threads, measuresExperts: expertMetrics)
    for epoch in 0..<config.epochs {
      var preparation = 0.0
      let start = ContinuousClock.now
      preparation += seconds { loader.beginEpoch(epoch) }
      for batch in 0..<loader.batchCount {
        var rows = 0
        preparation += seconds { rows = loader.load(batch) }
        try trainer.step(loader.inputs, targets: loader.targets, rows: rows, epoch: epoch)
      }
      let evaluation = seconds { _ = trainer.evaluate() }
      guard epoch > 0 else { continue }
      epochs.append((ContinuousClock.now - start) / .seconds(1))
      preparations.append(preparation)
      evaluations.append(evaluation)
    }
  } catch {
    throw .training(error)
  }
  return EpochTiming(
    epoch: Timing(epochs), preparation: Timing(preparations), evaluation: Timing(evaluations),
    trainSamples: count, testSamples: data.data.sampleCount(.test, of: config))
}

private func seconds(_ body: () -> Void) -> Double {
  let start = ContinuousClock.now
  body()
  return (ContinuousClock.now - start) / .seconds(1)
}
