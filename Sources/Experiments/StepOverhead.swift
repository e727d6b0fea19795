import COpenBLAS
import Tensors
import Training

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What memory a step without and one with Φ take, in bytes.
public struct StepMemory: Hashable, Sendable {
  /// Given out by the allocator after a step, the model and its data with it; nil where the system
  /// does not tell.
  public let allocated: Int?
  /// The most resident at once during the step; nil where the system does not tell.
  public let peak: Int?

  static func measured(_ step: () throws(TrainingError) -> Void) throws(TrainingError) -> StepMemory
  {
    ProcessMemory.forgetPeak()
    try step()
    return StepMemory(allocated: ProcessMemory.allocated, peak: ProcessMemory.peakResident)
  }
}

/// What a step took, in seconds.
private struct StepSeconds {
  /// On the clock on the wall.
  let wall: Double
  /// Of the CPU, all threads together.
  let cpu: Double
  /// From the end of the backward pass on: utilization, Φ and the optimizer.
  let update: Double

  init(
    _ step: (_ beforeUpdate: () -> Void) throws(TrainingError) -> Void
  ) throws(TrainingError) {
    let (start, before) = (ContinuousClock.now, cpuSeconds())
    var passed = start
    try step { passed = .now }
    let end = ContinuousClock.now
    wall = (end - start) / .seconds(1)
    update = (end - passed) / .seconds(1)
    cpu = cpuSeconds() - before
  }
}

/// That this process has had of the CPU.
private func cpuSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// How much longer a model's training step takes with Φ.
public struct StepOverhead: Sendable {
  public let model: OverheadModel
  /// Weights and biases.
  public let parameters: Int
  /// As carried out.
  public let plan: OverheadPlan
  /// Of the latency.
  public let estimate: OverheadEstimate
  /// Of the CPU's time, which other programs that take the CPU away do not lengthen.
  public let cpuEstimate: OverheadEstimate
  /// Of the update alone, in percent of a whole step. Forward and backward are the same code with Φ and
  /// without, so that what they differ by is noise, of which this is free.
  public let updateEstimate: OverheadEstimate
  public let vanilla: Timing
  public let excited: Timing
  public let vanillaMemory: StepMemory
  public let excitedMemory: StepMemory
}

/// Times a model's steps with and without Φ, turn by turn, on one set of weights, which a rate near 0
/// leaves where they are.
///
/// - Parameters:
///   - plan: at least one session and two trials.
///   - seconds: for all sessions; where `plan` takes longer there are fewer trials.
/// - Throws: `.blas`, `.noRoom`, `.addressSpace`, `.training`.
public func measureOverhead(
  _ model: OverheadModel, plan: OverheadPlan, seconds: Double, threads: Int
) throws(RunnerError) -> StepOverhead {
  do { try BLAS.load() } catch { throw .blas(error) }
  let bytes = benchmarkBytes(model.config, threads: threads, inputs: model.inputs)
  if let shortage = memoryShortage(model.name, bytes: bytes, threads: threads) { throw shortage }
  excite_blas_set_threads(Int32(model.config.model.sharesWork ? 1 : threads))
  do throws(TrainingError) {
    var config = model.config
    config.optimizer.lr = StepSample.restingRate
    let sample = try StepSample(config, threads: threads, inputs: model.inputs)
    func step(excited: Bool) throws(TrainingError) -> StepSeconds {
      sample.trainer.isExcited = excited
      return try StepSeconds(sample.step(beforeUpdate:))
    }
    // The first steps touch memory for the first time.
    _ = try step(excited: false)
    _ = try step(excited: true)
    var fastest = Double.infinity
    let memory = try [false, true].map { excited throws(TrainingError) in
      try StepMemory.measured { () throws(TrainingError) in
        fastest = min(fastest, try step(excited: excited).wall)
      }
    }
    let plan = plan.fitted(to: seconds, step: fastest)
    var sessions: [[[StepSeconds]]] = []
    for _ in 0..<plan.sessions {
      for _ in 0..<plan.burnIn {
        _ = try step(excited: false)
        _ = try step(excited: true)
      }
      var blocks: [[StepSeconds]] = []
      for _ in 0..<plan.trials / 2 {
        var block: [StepSeconds] = []
        for excited in [false, true, true, false] { block.append(try step(excited: excited)) }
        blocks.append(block)
      }
      sessions.append(blocks)
    }
    func blocks(_ seconds: (StepSeconds) -> Double) -> [[OverheadBlock]] {
      sessions.map { $0.map { OverheadBlock($0.map(seconds)) } }
    }
    let walls = blocks(\.wall)
    let updates = zip(walls, sessions).map { walls, session in
      zip(walls, session).map { $0.percent(ofPart: $1.map(\.update)) }
    }
    guard let estimate = OverheadEstimate(walls), let cpu = OverheadEstimate(blocks(\.cpu)),
      let update = OverheadEstimate(percents: updates)
    else {
      preconditionFailure("\(plan.sessions) sessions of \(plan.trials) trials")
    }
    return StepOverhead(
      model: model, parameters: sample.trainer.model.parameters.reduce(0) { $0 + $1.value.count },
      plan: plan, estimate: estimate, cpuEstimate: cpu,
      updateEstimate: update,
      vanilla: Timing(walls.joined().flatMap(\.vanilla)),
      excited: Timing(walls.joined().flatMap(\.excited)), vanillaMemory: memory[0],
      excitedMemory: memory[1])
  } catch {
    throw .training(error)
  }
}
