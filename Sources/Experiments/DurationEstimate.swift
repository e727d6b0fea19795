import Datasets
import Models
import Optimizers
import Training

/// How long runs will take on this machine, from a few timed training steps.
public struct DurationEstimate: Hashable, Sendable {
  /// Of all runs, as many at once as asked for.
  public let seconds: Double
  /// Of the shortest and the longest step among the runs.
  public let fastestStep: Double
  public let slowestStep: Double
  /// Kinds of step: model, optimizer and batch size.
  public let kinds: Int
  /// Those of `kinds` that were timed; the others are estimated from these.
  public let kindsTimed: Int

  /// Times steps for two seconds at most, whatever the number of kinds.
  ///
  /// - Returns: nil where even the shortest kind of step would take longer to time.
  /// - Throws: `.blas`, `.training`.
  public init?(of runs: [PlannedRun], jobs: Int) throws(RunnerError) {
    let costs = try StepCosts(of: runs.map(\.config))
    let steps = runs.map { costs.seconds(of: $0.config) }
    guard costs.kindsTimed > 0, let fastest = steps.min(), let slowest = steps.max() else {
      return nil
    }
    let each = zip(runs, steps).map { Self.seconds(of: $0.config, secondsPerStep: $1) }
    seconds = Self.elapsed(each, jobs: jobs)
    fastestStep = fastest
    slowestStep = slowest
    kinds = costs.kinds
    kindsTimed = costs.kindsTimed
  }

  /// A forward pass alone takes so much of a training step per record. Measured on the Top-K MLP,
  /// whose backward pass is sparse: 18 µs of 29; where it is dense, it is a third.
  private static let evaluationShare = 0.63

  /// One run: its training steps and the evaluation after each epoch.
  public static func seconds(of run: RunConfig, secondsPerStep: Double) -> Double {
    let full = run.dataset.name.recordCounts
    let train = min(full.train, run.dataset.limit ?? .max)
    let test = min(full.test, run.dataset.testLimit ?? .max)
    let batches = (train + run.batchSize - 1) / run.batchSize
    let steps = min(run.epochs * batches, run.maxSteps ?? .max)
    let epochs = (steps + batches - 1) / batches
    let perRecord = secondsPerStep / Double(run.batchSize)
    // An epoch's last batch is smaller, and only as much dearer than its records.
    let trained =
      run.maxSteps == nil
      ? Double(epochs * train) * perRecord : Double(steps) * secondsPerStep
    return trained + Double(epochs * test) * perRecord * evaluationShare
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

/// Seconds per step of each kind that occurs, some timed and the others in proportion to their
/// arithmetic.
private struct StepCosts {
  private struct Kind: Hashable {
    let model: ModelConfig
    let optimizer: OptimizerName
    let batchSize: Int

    init(_ run: RunConfig) {
      model = run.model
      optimizer = run.optimizer.name
      batchSize = run.batchSize
    }

    /// Additions and multiplications of a step. The number of classes makes no difference to speak
    /// of.
    var flop: Double {
      model.usefulFLOP(inputs: ImageSplit.imageBytes, classes: 10, batchSize: batchSize)
    }
  }

  private static let mostTimed = 4
  private static let secondsForAll = 2.0
  /// What timing one kind costs: warm-up and measurement of a step, in steps.
  private static let stepsPerTiming = 8.0
  /// For a bound on the first timing: a CPU that does less is older than AVX2.
  private static let leastFLOPPerSecond = 5e9
  /// A model beyond this takes long to fill with weights.
  private static let mostBytes = 1e9

  let kinds: Int
  private var timed: [(kind: Kind, seconds: Double)] = []
  var kindsTimed: Int { timed.count }

  init(of runs: [RunConfig]) throws(RunnerError) {
    var examples: [Kind: RunConfig] = [:]
    for run in runs where examples[Kind(run)] == nil { examples[Kind(run)] = run }
    kinds = examples.count
    // Light ones first, the timed ones spread over all.
    let sorted = examples.sorted { a, b in
      (a.key.flop, a.key.batchSize, a.key.optimizer.rawValue)
        < (b.key.flop, b.key.batchSize, b.key.optimizer.rawValue)
    }
    let count = min(Self.mostTimed, sorted.count)
    let start = ContinuousClock.now
    for index in 0..<count {
      let place = count == 1 ? 0 : index * (sorted.count - 1) / (count - 1)
      let (kind, run) = sorted[place]
      let left = Self.secondsForAll - (ContinuousClock.now - start) / .seconds(1)
      guard expected(kind) * Self.stepsPerTiming <= left, run.trainingBytes() <= Self.mostBytes
      else {
        break
      }
      let timing = try timeStep(run, threads: 1, repetitions: 1)
      timed.append((kind, timing.step.median + timing.preparation.median))
    }
  }

  /// What a step may take, before it is timed.
  private func expected(_ kind: Kind) -> Double {
    timed.isEmpty ? kind.flop / Self.leastFLOPPerSecond : seconds(of: kind)
  }

  func seconds(of run: RunConfig) -> Double { seconds(of: Kind(run)) }

  /// Timed, or on the straight line between the nearest lighter and heavier kinds, or in proportion
  /// to the heaviest.
  private func seconds(of kind: Kind) -> Double {
    if let known = timed.first(where: { $0.kind == kind }) { return known.seconds }
    guard let lighter = timed.last(where: { $0.kind.flop <= kind.flop }) ?? timed.first else {
      return 0
    }
    guard let heavier = timed.first(where: { $0.kind.flop >= kind.flop }) else {
      return lighter.seconds * kind.flop / lighter.kind.flop
    }
    let span = heavier.kind.flop - lighter.kind.flop
    guard span > 0 else { return lighter.seconds }
    let share = (kind.flop - lighter.kind.flop) / span
    return lighter.seconds + share * (heavier.seconds - lighter.seconds)
  }
}
