import Datasets
import Foundation
import Models
import Text
import Training

extension RunConfig {
  /// Additions and multiplications of the whole run: training takes three times as many as the
  /// evaluations after each epoch, record by record.
  func flop(_ images: ImagesAtHand) -> Double {
    let perRecord = stepFLOP(outcomes: StepSample.outcomes(of: self)) / Double(batchSize)
    return DurationEstimate.seconds(
      of: self, step: perRecord * Double(batchSize), evaluation: perRecord / 3, images: images)
  }

  /// Images that are used; of a text about so many sequences, as it is not read for this, those of
  /// the validation text counted as tests.
  fileprivate func sampleCounts(_ images: ImagesAtHand) -> (train: Int, test: Int) {
    guard let corpus, case .gptMoE(let gpt) = model else {
      let counts = images.used(by: dataset)
      return (counts.train, counts.test)
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

/// Counted once: the text is written anew each time.
private let syntheticBytes = (
  train: SyntheticText.train.count, test: SyntheticText.valid.count + SyntheticText.test.count
)

extension CorpusConfig {
  fileprivate var roughBytes: (train: Int, test: Int) {
    switch name {
    case .wikitext2: return (10_900_000, 2_390_000)
    case .wikitext103: return (540_000_000, 2_440_000)
    case .synthetic: return syntheticBytes
    case .files:
      func size(_ path: String?) -> Int? {
        path.flatMap { try? FileManager.default.attributesOfItem(atPath: $0)[.size] as? Int }
      }
      let train = size(train) ?? 0
      return size(test).map { (train, $0 + (size(valid) ?? 0)) } ?? (train / 20 * 18, train / 10)
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
  /// Of a job over all runs, at the fastest: additions and multiplications a second.
  public let flopPerSecond: Double
  /// Kinds of step: model, optimizer and batch size.
  public let kinds: Int
  /// Those of `kinds` that were timed; the others are estimated from these.
  public let kindsTimed: Int

  /// Of the timings, this share may be exceeded at the upper end.
  private static let upperQuantile = 0.75

  /// Times steps and evaluations for about two seconds, whatever the number of kinds; of a
  /// transformer's large ones a part, from which the whole follows by arithmetic.
  ///
  /// - Parameter images: what there is to train on.
  /// - Returns: nil where even the lightest kind of step, or of a transformer a part of it, would take
  ///   longer to time.
  /// - Throws: `.blas`, `.training`.
  public init?(
    of runs: [PlannedRun], jobs: Int, images: ImagesAtHand = .official
  ) throws(RunnerError) {
    let costs = try StepCosts(of: runs.map(\.config))
    guard costs.kindsTimed > 0 else { return nil }
    func bound(_ quantile: Double) -> (total: Double, sum: Double, steps: [Double]) {
      let each = runs.map { costs.cost(of: $0.config, quantile: quantile) }
      let seconds = zip(runs, each).map { run, cost in
        Self.seconds(
          of: run.config, step: cost.step, evaluation: cost.evaluation, images: images)
      }
      return (Self.elapsed(seconds, jobs: jobs), seconds.reduce(0, +), each.map(\.step))
    }
    let (low, high) = (bound(0), bound(Self.upperQuantile))
    guard let fastest = low.steps.min(), let slowest = high.steps.max() else { return nil }
    seconds = low.total...max(low.total, high.total)
    step = fastest...max(fastest, slowest)
    flopPerSecond = Self.flop(of: runs, images: images).reduce(0, +) / low.sum
    kinds = costs.kinds
    kindsTimed = costs.kindsTimed
  }

  /// Additions and multiplications of each run, its evaluations included.
  public static func flop(
    of runs: [PlannedRun], images: ImagesAtHand = .official
  ) -> [Double] {
    runs.map { $0.config.flop(images) }
  }

  /// One run: its training steps and the evaluation after each epoch.
  /// - Parameters:
  ///   - step: seconds of a training step on a whole batch, preparing it included.
  ///   - evaluation: seconds per test record.
  public static func seconds(
    of run: RunConfig, step: Double, evaluation: Double, images: ImagesAtHand = .official
  ) -> Double {
    let (train, test) = run.sampleCounts(images)
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
