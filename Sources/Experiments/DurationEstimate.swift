import Datasets
import Foundation
import Models
import Text
import Training

extension RunConfig {
  /// Samples of the official sets; of a text about so many, as it is not read for this.
  fileprivate var sampleCounts: (train: Int, test: Int) {
    guard let corpus, case .gptMoE(let gpt) = model else {
      let full = dataset.name.recordCounts
      return (
        min(full.train, dataset.limit ?? .max), min(full.test, dataset.testLimit ?? .max)
      )
    }
    let bytes = corpus.roughBytes
    let bytesPerToken =
      switch corpus.tokenizer {
      case .gpt2: 4.5
      case .word: 5.2
      case .byte: 1.0
      }
    func sequences(_ bytes: Int) -> Int {
      max(1, Int(Double(bytes) / bytesPerToken) / gpt.context)
    }
    return (sequences(bytes.train), sequences(bytes.test))
  }
}

extension CorpusConfig {
  fileprivate var roughBytes: (train: Int, test: Int) {
    switch name {
    case .wikitext2: return (10_900_000, 1_260_000)
    case .wikitext103: return (540_000_000, 1_290_000)
    case .synthetic: return (SyntheticText.train.count, SyntheticText.test.count)
    case .files:
      func size(_ path: String?) -> Int? {
        path.flatMap { try? FileManager.default.attributesOfItem(atPath: $0)[.size] as? Int }
      }
      let train = size(train) ?? 0
      return size(test).map { (train, $0) } ?? (train / 20 * 18, train / 20)
    }
  }
}

/// How long runs will take on this machine, from a few timed training steps.
public struct DurationEstimate: Hashable, Sendable {
  /// Of all runs, as many at once as asked for: from what the fastest timings give to what three in
  /// four of them stay below. On a machine with nothing else to do the ends are close.
  public let seconds: ClosedRange<Double>
  /// Of a step, from the lightest kind at its fastest to the heaviest.
  public let step: ClosedRange<Double>
  /// Kinds of step: model, optimizer and batch size.
  public let kinds: Int
  /// Those of `kinds` that were timed; the others are estimated from these.
  public let kindsTimed: Int

  /// Of the timings, this share may be exceeded at the upper end.
  private static let upperQuantile = 0.75

  /// Times steps and evaluations for two seconds at most, whatever the number of kinds.
  ///
  /// - Returns: nil where even the lightest kind of step would take longer to time.
  /// - Throws: `.blas`, `.training`.
  public init?(of runs: [PlannedRun], jobs: Int) throws(RunnerError) {
    let costs = try StepCosts(of: runs.map(\.config))
    guard costs.kindsTimed > 0 else { return nil }
    func bound(_ quantile: Double) -> (total: Double, steps: [Double]) {
      let each = runs.map { costs.cost(of: $0.config, quantile: quantile) }
      let seconds = zip(runs, each).map { run, cost in
        Self.seconds(of: run.config, step: cost.step, evaluation: cost.evaluation)
      }
      return (Self.elapsed(seconds, jobs: jobs), each.map(\.step))
    }
    let (low, high) = (bound(0), bound(Self.upperQuantile))
    guard let fastest = low.steps.min(), let slowest = high.steps.max() else { return nil }
    seconds = low.total...max(low.total, high.total)
    step = fastest...max(fastest, slowest)
    kinds = costs.kinds
    kindsTimed = costs.kindsTimed
  }

  /// One run: its training steps and the evaluation after each epoch.
  /// - Parameters:
  ///   - step: seconds of a training step on a whole batch, preparing it included.
  ///   - evaluation: seconds per test record.
  public static func seconds(of run: RunConfig, step: Double, evaluation: Double) -> Double {
    let (train, test) = run.sampleCounts
    let batches = (train + run.batchSize - 1) / run.batchSize
    let steps = min(run.epochs * batches, run.maxSteps ?? .max)
    let epochs = (steps + batches - 1) / batches
    // An epoch's last batch is smaller, and only as much dearer than its records.
    let trained =
      run.maxSteps == nil
      ? Double(epochs * train) * step / Double(run.batchSize) : Double(steps) * step
    return trained + Double(epochs * test) * evaluation
  }

  /// From the first start to the last end, each run beginning where a job is free first.
  public static func elapsed(_ seconds: [Double], jobs: Int) -> Double {
    var busy = [Double](repeating: 0, count: max(1, min(jobs, seconds.count)))
    for duration in seconds {
      if let first = busy.indices.min(by: { busy[$0] < busy[$1] }) { busy[first] += duration }
    }
    return busy.max() ?? 0
  }
}
