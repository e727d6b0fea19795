import COpenBLAS
import Datasets
import Models
import Optimizers
import Tensors
import Training

/// What steps and evaluations of each kind that occurs cost, some timed and the others in proportion
/// to their arithmetic.
///
/// Kinds are timed in turn, again and again, so that other work on the machine falls on all alike.
struct StepCosts {
  private struct Kind: Hashable {
    let model: ModelConfig
    let outcomes: Int
    let optimizer: OptimizerName
    let batchSize: Int

    init(_ run: RunConfig) {
      model = run.model
      outcomes = StepSample.outcomes(of: run)
      optimizer = run.optimizer.name
      batchSize = run.batchSize
      flop = run.stepFLOP(outcomes: outcomes)
    }

    /// Additions and multiplications of a step.
    let flop: Double
    var flopPerRecord: Double { flop / Double(batchSize) }
  }

  private static let mostTimed = 4
  private static let secondsForAll = 2.0
  /// Enough of both for a median that other work does not move, if it takes half of the time.
  private static let enoughRounds = 20
  private static let enoughSeconds = 0.3
  /// What the first round of a kind costs, in steps: warm-up, and one of each with its evaluation.
  private static let stepsPerRound = 4.0
  /// How much slower than a large matrix product a step may be.
  private static let stepSlowness = 3.0
  /// For a bound on the first timing: a CPU that does less is older than AVX2.
  private static let leastFLOPPerSecond = 5e9
  /// Models beyond this, all together, take long to fill with weights.
  private static let mostBytes = 1e9
  /// Of parts of steps, where that is all there is to time.
  private static let mostPartBytes = 2e9

  let kinds: Int
  /// Light ones first. Seconds of a step with its preparation, and of evaluation per record.
  private var timed: [(kind: Kind, step: Timing, evaluation: Timing)] = []
  var kindsTimed: Int { timed.count }

  /// - Throws: `.blas`, `.training`.
  init(of runs: [RunConfig]) throws(RunnerError) {
    do { try BLAS.load() } catch { throw .blas(error) }
    excite_blas_set_threads(1)
    var examples: [Kind: RunConfig] = [:]
    for run in runs where examples[Kind(run)] == nil { examples[Kind(run)] = run }
    kinds = examples.count
    // The timed ones spread over all.
    let sorted = examples.sorted { a, b in
      (a.key.flop, a.key.batchSize, a.key.optimizer.rawValue)
        < (b.key.flop, b.key.batchSize, b.key.optimizer.rawValue)
    }
    let count = min(Self.mostTimed, sorted.count)
    let start = ContinuousClock.now
    func spent() -> Double { (ContinuousClock.now - start) / .seconds(1) }
    var samples: [(slice: StepSlice, sample: StepSample)] = []
    var seconds: [(step: [Double], evaluation: [Double])] = []
    var bytes = 0.0
    do throws(TrainingError) {
      let speed = try Self.productsPerSecond()
      for index in 0..<count {
        let (kind, run) = sorted[count == 1 ? 0 : index * (sorted.count - 1) / (count - 1)]
        let left = Self.secondsForAll - spent()
        var slice = StepSlice(run)
        if bytes + slice.bytes > Self.mostBytes || expected(kind) * Self.stepsPerRound > left {
          // Of those that take too long, the lightest in any case. Too small a part tells nothing.
          guard timed.isEmpty || left > Self.secondsForAll / 2,
            let part = StepSlice(
              of: run,
              flop: speed / Self.stepSlowness * Self.secondsForAll / Self.stepsPerRound),
            bytes + part.bytes <= Self.mostPartBytes
          else { break }
          slice = part
        }
        bytes += slice.bytes
        let sample = try slice.sample()
        // The first touches memory for the first time.
        _ = try Self.time(sample, slice)
        let first = try Self.time(sample, slice)
        samples.append((slice, sample))
        seconds.append(([first.step], [first.evaluation]))
        timed.append((kind, Timing([first.step]), Timing([first.evaluation])))
      }
      var rounds = 1
      while spent() < Self.secondsForAll,
        rounds < Self.enoughRounds || spent() < Self.enoughSeconds, !samples.isEmpty
      {
        for (index, (slice, sample)) in samples.enumerated() {
          let one = try Self.time(sample, slice)
          seconds[index].step.append(one.step)
          seconds[index].evaluation.append(one.evaluation)
        }
        rounds += 1
      }
    } catch {
      throw .training(error)
    }
    for (index, one) in seconds.enumerated() {
      timed[index].step = Timing(one.step)
      timed[index].evaluation = Timing(one.evaluation)
    }
  }

  /// Of a whole step, and of evaluating a record.
  private static func time(
    _ sample: StepSample, _ slice: StepSlice
  ) throws(TrainingError) -> (step: Double, evaluation: Double) {
    let start = ContinuousClock.now
    sample.prepare()
    try sample.step()
    let trained = ContinuousClock.now
    sample.evaluate()
    let evaluated = ContinuousClock.now
    return (
      (trained - start) / .seconds(1) * slice.steps,
      (evaluated - trained) / .seconds(1) / Double(sample.testRecords) * slice.records
    )
  }

  /// Additions and multiplications of a large matrix product in a second.
  private static func productsPerSecond() throws(TrainingError) -> Double {
    let product = GEMMBenchmark()
    product.run()
    let start = ContinuousClock.now
    product.run()
    return GEMMBenchmark.flop / ((ContinuousClock.now - start) / .seconds(1))
  }

  /// What a step may take, before it is timed.
  private func expected(_ kind: Kind) -> Double {
    timed.isEmpty
      ? kind.flop / Self.leastFLOPPerSecond
      : interpolated(kind.flop, timed.map { ($0.kind.flop, $0.step.median) })
  }

  /// Seconds of a step and of evaluating a record, at a quantile of the timings.
  func cost(of run: RunConfig, quantile: Double) -> (step: Double, evaluation: Double) {
    let kind = Kind(run)
    if let known = timed.first(where: { $0.kind == kind }) {
      return (known.step.quantile(quantile), known.evaluation.quantile(quantile))
    }
    let steps = timed.map { ($0.kind.flop, $0.step.quantile(quantile)) }
    let evaluations = timed.map { ($0.kind.flopPerRecord, $0.evaluation.quantile(quantile)) }
    return (interpolated(kind.flop, steps), interpolated(kind.flopPerRecord, evaluations))
  }
}

/// On the straight line between the nearest points below and above, or in proportion to the nearest
/// where one is missing; 0 without points.
private func interpolated(_ x: Double, _ points: [(x: Double, y: Double)]) -> Double {
  let below = points.filter { $0.x <= x }.max { $0.x < $1.x }
  let above = points.filter { $0.x >= x }.min { $0.x < $1.x }
  guard let low = below ?? above, let high = above ?? below else { return 0 }
  guard high.x > low.x else { return low.x > 0 ? low.y * x / low.x : low.y }
  return low.y + (x - low.x) / (high.x - low.x) * (high.y - low.y)
}
