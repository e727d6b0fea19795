import Datasets
import Foundation
import Models
import Reports
import Synchronization
import Tensors
import Training

/// How an experiment is carried out; nothing here changes its numbers.
public struct RunnerOptions: Sendable {
  /// Runs at once, one thread each.
  public var jobs: Int
  /// Where run folders go.
  public var outDirectory: String
  /// Where final weights go, `<label>/final.safetensors`; nil keeps none.
  public var saveDirectory: String?
  public var dataDirectory: URL
  /// Weights that every run starts from instead of its seed's own.
  public var initial: SafetensorsFile?

  public init(
    jobs: Int, outDirectory: String, saveDirectory: String? = nil, dataDirectory: URL,
    initial: SafetensorsFile? = nil
  ) {
    self.jobs = jobs
    self.outDirectory = outDirectory
    self.saveDirectory = saveDirectory
    self.dataDirectory = dataDirectory
    self.initial = initial
  }
}

/// Carries out the runs of an experiment, several at once, and keeps what they leave.
///
/// A run that fails (a diverged loss, a full disk) is an outcome with a reason; the others go on.
public final class Runner: Sendable {
  private let experiment: ExperimentConfig
  private let options: RunnerOptions
  private let plans: [PlannedRun]
  private let state: Mutex<State>

  private struct State {
    var next = 0
    var outcomes: [RunOutcome?]
    var active: [Int: ProgressSnapshot.ActiveRun] = [:]
  }

  public init(_ experiment: ExperimentConfig, options: RunnerOptions) {
    self.experiment = experiment
    self.options = options
    plans = experiment.runs
    state = Mutex(State(outcomes: [RunOutcome?](repeating: nil, count: plans.count)))
  }

  /// Runs everything.
  ///
  /// - Parameters:
  ///   - onProgress: called from any thread, one call at a time, after each epoch and each run.
  ///   - shouldStop: asked before each step; true ends all runs there.
  /// - Returns: outcomes in the order of `experiment.runs`; those never begun are `interrupted`.
  /// - Throws: what stops all runs before the first: `.blas`, `.dataset`, `.config` (a batch
  ///   larger than the data), `.unwritable`.
  public func run(
    onProgress: @escaping @Sendable (ProgressSnapshot) -> Void = { _ in },
    shouldStop: @escaping @Sendable () -> Bool = { false }
  ) throws(RunnerError) -> [RunOutcome] {
    do { try BLAS.load() } catch { throw .blas(error) }
    let datasets = try loadDatasets()
    try prepareFolder(options.outDirectory)
    if let folder = options.saveDirectory { try prepareFolder(folder) }

    let start = Date()
    let done = DispatchGroup()
    for _ in 0..<min(options.jobs, plans.count) {
      done.enter()
      let thread = Thread { [self] in
        work(datasets, onProgress: onProgress, shouldStop: shouldStop, since: start)
        done.leave()
      }
      thread.stackSize = 8 << 20
      thread.start()
    }
    done.wait()
    return state.withLock { state in
      zip(plans, state.outcomes).map { plan, outcome in
        outcome ?? self.outcome(of: plan, status: .interrupted)
      }
    }
  }

  /// The data sets that the plans read, each once, and every plan checked against its own.
  private func loadDatasets() throws(RunnerError) -> [DatasetConfig: ImageDataset] {
    var loaded: [DatasetConfig: ImageDataset] = [:]
    for plan in plans {
      let key = plan.config.dataset.asStored
      if loaded[key] == nil {
        do {
          loaded[key] = try loadDataset(key, directory: options.dataDirectory)
        } catch {
          throw .dataset(error)
        }
      }
      do {
        try experiment.validate(run: plan, trainCount: loaded[key]?.train.count ?? 0)
      } catch {
        throw .config(error)
      }
      try checkMemory(plan, classes: loaded[key]?.classes ?? 0)
    }
    try checkInitialWeights(loaded)
    return loaded
  }

  /// Refuses weights to start from that do not fit a model, before any run begins.
  private func checkInitialWeights(
    _ datasets: [DatasetConfig: ImageDataset]
  ) throws(RunnerError) {
    guard let initial = options.initial else { return }
    var checked: Set<ModelConfig> = []
    for plan in plans where checked.insert(plan.config.model).inserted {
      guard let dataset = datasets[plan.config.dataset.asStored] else { continue }
      do {
        try plan.config.model.load(initial, classes: dataset.classes)
      } catch {
        throw .training(error)
      }
    }
  }

  /// Refuses a run that the machine's memory cannot hold.
  private func checkMemory(_ plan: PlannedRun, classes: Int) throws(RunnerError) {
    let needed = plan.config.model.trainingBytes(
      inputs: ImageSplit.imageBytes, classes: classes, batchSize: plan.config.batchSize,
      optimizerStates: plan.config.optimizer.stateCount)
    let available = Double(ProcessInfo.processInfo.physicalMemory)
    let together = needed * Double(min(options.jobs, plans.count))
    guard together > 0.9 * available else { return }
    throw .tooLarge(run: plan.label, bytes: needed, jobs: options.jobs, available: available)
  }

  /// Takes plans until none is left.
  private func work(
    _ datasets: [DatasetConfig: ImageDataset],
    onProgress: (ProgressSnapshot) -> Void, shouldStop: () -> Bool, since start: Date
  ) {
    while !shouldStop() {
      let taken: Int? = state.withLock { state in
        guard state.next < plans.count else { return nil }
        defer { state.next += 1 }
        return state.next
      }
      guard let index = taken else { return }
      let plan = plans[index]
      guard let dataset = datasets[plan.config.dataset.asStored] else { return }
      let outcome = carryOut(plan, dataset: dataset, shouldStop: shouldStop) { record in
        report(to: onProgress, since: start) { state in
          state.active[index] = ProgressSnapshot.ActiveRun(
            label: plan.shortLabel, epoch: record?.epoch ?? 0, epochs: plan.config.epochs,
            loss: record?.trainLoss)
        }
      }
      report(to: onProgress, since: start) { state in
        state.active[index] = nil
        state.outcomes[index] = outcome
      }
    }
  }

  private func report(
    to onProgress: (ProgressSnapshot) -> Void, since start: Date, change: (inout State) -> Void
  ) {
    state.withLock { state in
      change(&state)
      let over = state.outcomes.compactMap(\.self).filter { $0.status != .interrupted }
      onProgress(
        ProgressSnapshot(
          runsDone: over.count, runsFailed: over.count { $0.status.isFailure },
          runsTotal: plans.count, active: state.active.sorted { $0.key < $1.key }.map(\.value),
          elapsed: Date().timeIntervalSince(start)))
    }
  }

  /// One run from its first step to its files.
  private func carryOut(
    _ plan: PlannedRun, dataset: ImageDataset, shouldStop: () -> Bool,
    onEpoch: (EpochRecord?) -> Void
  ) -> RunOutcome {
    onEpoch(nil)
    var last: EpochRecord?
    var seconds = 0.0
    func outcome(_ status: RunOutcome.Status) -> RunOutcome {
      var outcome = self.outcome(of: plan, status: status)
      outcome.accuracy = status == .finished ? last?.testAccuracy : nil
      outcome.trainLoss = last?.trainLoss
      outcome.epochs = last?.epoch ?? 0
      outcome.secondsPerEpoch = last.map { seconds / Double($0.epoch) }
      return outcome
    }
    do throws(RunnerError) {
      var folder = try RunFolder(plan, in: options.outDirectory)
      var status = RunOutcome.Status.finished
      do throws(TrainingError) {
        let trainer = try Trainer(plan.config, dataset: dataset, initial: options.initial)
        var failure: RunnerError?
        try trainer.run(
          onEpoch: { record, time in
            last = record
            seconds += time.train
            do throws(RunnerError) { try folder.append(record, time) } catch { failure = error }
            onEpoch(record)
          }, shouldStop: { failure != nil || shouldStop() })
        if failure == nil, let directory = options.saveDirectory {
          let folder = "\(directory)/\(plan.label)"
          do throws(RunnerError) { try prepareFolder(folder) } catch { failure = error }
          if failure == nil {
            try trainer.save(
              to: "\(folder)/final.safetensors", metadata: ["config": plan.config.canonicalJSON])
          }
        }
        if let failure { status = .failed(reason: failure.description) }
      } catch {
        if case .interrupted = error {
          status = .interrupted
        } else {
          status = .failed(reason: error.description)
        }
      }
      let result = outcome(status)
      try folder.finish(result)
      return result
    } catch {
      return outcome(.failed(reason: error.description))
    }
  }

  private func outcome(of plan: PlannedRun, status: RunOutcome.Status) -> RunOutcome {
    let variant = plan.config.excitation.variant
    return RunOutcome(
      label: plan.label, setting: plan.setting.record(isUnchanged: options.initial == nil),
      variant: variant.rawValue, gamma: variant == .vanilla ? nil : plan.config.excitation.gamma,
      seed: plan.config.seed, status: status, accuracy: nil, trainLoss: nil, secondsPerEpoch: nil,
      epochs: 0)
  }
}

extension RunOutcome.Status {
  public var isFailure: Bool {
    if case .failed = self { true } else { false }
  }
}

extension PlannedRun {
  /// For a progress line.
  var shortLabel: String {
    let excitation = config.excitation
    let values = setting.varying.map(\.value).joined(separator: " ")
    return (values.isEmpty ? "" : values + " ")
      + "\(excitation.variant.rawValue) seed \(config.seed)"
  }
}

extension DatasetConfig {
  /// The same records whatever is done to their pixels later: what a set is loaded by.
  var asStored: DatasetConfig {
    DatasetConfig(name: name, labels: labels, limit: limit, testLimit: testLimit)
  }
}
