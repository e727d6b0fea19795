import Datasets
import Foundation
import Models
import Reports
import Synchronization
import TensorBoard
import Tensors
import Training

/// How an experiment is carried out; nothing here changes its numbers.
public struct RunnerOptions: Sendable {
  /// Runs at once, one thread each; where there are fewer runs, transformers share the threads.
  public var jobs: Int
  public var store: RunStore
  /// Where final weights go, `<label>/final.safetensors`; nil keeps none.
  public var saveDirectory: String?
  public var dataDirectory: URL
  /// Weights that every run starts from instead of its seed's own.
  public var initial: SafetensorsFile?
  /// Repeat runs that the store has: all of them, or those that failed.
  public var fresh = false
  public var retryFailed = false
  /// Stop at the first run that fails instead of going on with the others.
  public var failFast = false
  /// Seconds of work that a killed process may lose.
  public var checkpointSeconds = 20.0
  /// Measure the expert layers, for `experts.csv` in each run's folder.
  public var expertMetrics = true
  /// Keep a TensorBoard event file in each run's folder.
  public var tensorBoard = false
  /// Only every `of`-th run, from the `index`-th on (from 0).
  public var shard: (index: Int, of: Int)?

  public init(
    jobs: Int, store: RunStore, saveDirectory: String? = nil, dataDirectory: URL,
    initial: SafetensorsFile? = nil
  ) {
    self.jobs = jobs
    self.store = store
    self.saveDirectory = saveDirectory
    self.dataDirectory = dataDirectory
    self.initial = initial
  }
}

/// Carries out the runs of an experiment, several at once, and keeps what they leave.
///
/// Runs that the store has are not repeated, runs begun go on where they were, and runs that another
/// process is at are waited for. A run that fails (a diverged loss, a full disk) is an outcome with
/// a reason; the others go on.
public final class Runner: Sendable {
  private let experiment: ExperimentConfig
  private let options: RunnerOptions
  private let environment: EnvironmentRecord
  private let plans: [PlannedRun]
  /// The fingerprint of the weights that runs start from.
  private let weights: String?
  private let state: Mutex<State>

  private struct State {
    /// Plans to take, the first first, and those that another process holds.
    var open: [Int]
    var held: [Int] = []
    var nextLook = ContinuousClock.now
    var isTold: Set<Int> = []
    /// Labels of the runs that this process has taken.
    var isBegun: Set<String> = []
    var outcomes: [RunOutcome?]
    /// Of the outcomes: not interrupted, and of those failed. Counted as they come, so that telling of a
    /// run takes no longer with many of them.
    var over = 0
    var failed = 0
    var active: [Int: ProgressSnapshot.ActiveRun] = [:]
    var claims: [Int: RunClaim] = [:]
    /// What earlier starts had done of the plans, in runs.
    var earlierWork = 0.0
    var hasProgressed = false
    var isStopping = false
  }

  public init(
    _ experiment: ExperimentConfig, options: RunnerOptions, environment: EnvironmentRecord
  ) {
    self.experiment = experiment
    self.options = options
    self.environment = environment
    weights = options.initial?.fingerprint
    plans = experiment.runs.enumerated().filter { index, _ in
      options.shard.map { index % $0.of == $0.index } ?? true
    }.map(\.element)
    state = Mutex(
      State(
        open: Array(plans.indices), outcomes: [RunOutcome?](repeating: nil, count: plans.count)))
  }

  /// Runs everything.
  ///
  /// - Parameters:
  ///   - onStart: called once everything is checked, before the first run.
  ///   - onProgress: called from any thread, one call at a time, after each epoch and each run.
  ///   - onNote: told what a user should know besides, from any thread.
  ///   - shouldStop: asked before each step; true ends all runs there.
  /// - Returns: outcomes in the order of `experiment.runs` (of the shard's, where there is one);
  ///   those never begun are `interrupted`.
  /// - Throws: what stops all runs before the first: `.blas`, `.dataset`, `.config` (a batch
  ///   larger than the data), `.tooLarge`, `.unwritable`, `.noThread`.
  public func run(
    onStart: () throws(RunnerError) -> Void = {},
    onProgress: @escaping @Sendable (ProgressSnapshot) -> Void = { _ in },
    onNote: @escaping @Sendable (String) -> Void = { _ in },
    shouldStop: @escaping @Sendable () -> Bool = { false }
  ) throws(RunnerError) -> [RunOutcome] {
    do { try BLAS.load() } catch { throw .blas(error) }
    // Before the data, which may be what is too much.
    try checkMemory(of: plans, jobs: options.jobs)
    let datasets = try loadDatasets(note: onNote)
    for (key, data) in datasets { data.note(on: key).map(onNote) }
    try prepareFolder(options.store.directory)
    if let folder = options.saveDirectory { try prepareFolder(folder) }
    try onStart()

    let heartbeat = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "excite.claims"))
    heartbeat.schedule(deadline: .now() + RunClaim.heartbeat, repeating: RunClaim.heartbeat)
    heartbeat.setEventHandler { [self] in
      for claim in state.withLock({ $0.claims.values.map(\.self) }) { claim.beat() }
    }
    heartbeat.resume()
    defer { heartbeat.cancel() }

    let report = Reporting(onProgress: onProgress, note: onNote, since: Date())
    let done = DispatchGroup()
    var started = 0
    for _ in 0..<min(options.jobs, plans.count) {
      done.enter()
      do {
        try WorkThread.start(stackBytes: 8 << 20) { [self] in
          work(datasets, report: report) {
            shouldStop() || state.withLock(\.isStopping)
          }
          done.leave()
        }
        started += 1
      } catch {
        done.leave()
        guard started > 0 else { throw error }
        // Fewer at once do the same work.
        onNote("\(error); \(started) at once instead of \(options.jobs)")
        break
      }
    }
    done.wait()
    return state.withLock { state in
      zip(plans, state.outcomes).map { plan, outcome in outcome ?? self.outcome(of: plan) }
    }
  }

  /// Whether `run` has done a step of training.
  public var hasProgressed: Bool { state.withLock(\.hasProgressed) }

  private struct Reporting: Sendable {
    let onProgress: @Sendable (ProgressSnapshot) -> Void
    let note: @Sendable (String) -> Void
    let since: Date
  }

  /// The data sets that the plans read, each once, and every plan checked against its own.
  private func loadDatasets(
    note: @escaping (String) -> Void
  ) throws(RunnerError) -> [DataKey: RunData] {
    var loaded: [DataKey: RunData] = [:]
    for plan in plans {
      let key = plan.config.dataKey
      let data: RunData
      if let known = loaded[key] {
        data = known
      } else {
        data = try RunData(
          key, directory: options.dataDirectory, threads: options.jobs, note: note)
        loaded[key] = data
      }
      let count = try data.trainCount(of: plan.config)
      do {
        try experiment.validate(run: plan, trainCount: count)
      } catch {
        throw .config(error)
      }
      let shortage = memoryShortage(
        of: plan, classes: data.data.outcomes, jobs: options.jobs, runs: plans.count)
      if let shortage { throw shortage }
    }
    try checkInitialWeights(loaded)
    return loaded
  }

  /// Refuses weights to start from that do not fit a model, before any run begins.
  private func checkInitialWeights(
    _ datasets: [DataKey: RunData]
  ) throws(RunnerError) {
    guard let initial = options.initial else { return }
    var checked: Set<ModelConfig> = []
    for plan in plans where checked.insert(plan.config.model).inserted {
      guard let dataset = datasets[plan.config.dataKey] else { continue }
      do {
        try plan.config.model.load(initial, classes: dataset.data.outcomes)
      } catch {
        throw .training(error)
      }
    }
  }

  private enum Task {
    case run(Int)
    /// All that is left is held by other processes, which are asked about again later.
    case wait
    case nothing
  }

  private func nextTask() -> Task {
    state.withLock { state in
      if state.open.isEmpty, !state.held.isEmpty, ContinuousClock.now >= state.nextLook {
        (state.open, state.held) = (state.held, [])
        state.nextLook = .now + .seconds(2)
      }
      if !state.open.isEmpty { return .run(state.open.removeFirst()) }
      return state.held.isEmpty ? .nothing : .wait
    }
  }

  /// Takes plans until none is left.
  private func work(
    _ datasets: [DataKey: RunData], report: Reporting, shouldStop: () -> Bool
  ) {
    while !shouldStop() {
      switch nextTask() {
      case .nothing: return
      case .wait: Thread.sleep(forTimeInterval: 0.2)
      case .run(let index):
        guard let data = datasets[plans[index].config.dataKey] else { return }
        take(index, data: data, report: report, shouldStop: shouldStop)
      }
    }
  }

  /// One plan: from the store, or left to who is at it, or done.
  private func take(
    _ index: Int, data: RunData, report: Reporting, shouldStop: () -> Bool
  ) {
    let plan = plans[index]
    let identity = RunIdentity(plan.config, data: data.fingerprint, initialWeights: weights)
    // Settings may share a run, which is repeated once.
    let isRepeated = state.withLock { $0.isBegun.contains(plan.label) }
    let repeating = Repetition(
      all: options.fresh && !isRepeated, failed: options.retryFailed && !isRepeated,
      unlessPresent: weightsFile(plan))
    do throws(RunnerError) {
      switch try options.store.open(
        plan, identity: identity, repeating: repeating, note: report.note)
      {
      case .over(let outcome):
        var outcome = outcome
        // The same numbers under another experiment's name for the row.
        outcome.setting = self.outcome(of: plan).setting
        // Results of earlier versions do not tell; the data are the same, as the identity is.
        if let images = data.data as? ImageDataset {
          outcome.trainImages = images.train.count
          outcome.testImages = images.test.count
        }
        finish(index, outcome, isReused: true, report: report)
      case .held(let holder):
        let isNews = state.withLock { state in
          state.held.append(index)
          // It may be another thread of this process, for another setting.
          return holder != .own && state.isTold.insert(index).inserted
        }
        if isNews {
          let who = holder.map { "process \($0.process) on \($0.host)" } ?? "another process"
          report.note("\(plan.label): \(who) is at it; waiting for that")
        }
      case .mine(let folder):
        state.withLock {
          $0.claims[index] = folder.claim
          $0.isBegun.insert(plan.label)
        }
        let outcome = carryOut(
          plan, in: folder, data: data.data, note: report.note, shouldStop: shouldStop
        ) { record in
          tell(report) { state in
            let run = ProgressSnapshot.ActiveRun(
              label: plan.shortLabel, epoch: record?.epoch ?? 0, epochs: plan.config.epochs,
              loss: record?.trainLoss)
            // Told for the first time, a run stands where an earlier start left it.
            if state.active[index] == nil { state.earlierWork += run.share(ofEpochs: run.epoch) }
            state.active[index] = run
          }
        }
        _ = state.withLock { $0.claims.removeValue(forKey: index) }
        folder.claim.release()
        finish(index, outcome, isReused: false, report: report)
      }
    } catch {
      finish(index, outcome(of: plan, failed: error.description), isReused: false, report: report)
    }
  }

  private func finish(_ index: Int, _ outcome: RunOutcome, isReused: Bool, report: Reporting) {
    tell(report, silently: isReused) { state in
      state.active[index] = nil
      state.outcomes[index] = outcome
      if outcome.status != .interrupted { state.over += 1 }
      if outcome.status.isFailure { state.failed += 1 }
      if isReused { state.earlierWork += 1 }
      if options.failFast, outcome.status.isFailure { state.isStopping = true }
    }
  }

  /// - Parameter silently: shown only where it is the last, as runs from the store come at once.
  private func tell(
    _ report: Reporting, silently: Bool = false, change: (inout State) -> Void
  ) {
    state.withLock { state in
      change(&state)
      if silently, state.over < plans.count { return }
      report.onProgress(
        ProgressSnapshot(
          runsDone: state.over, runsFailed: state.failed, runsTotal: plans.count,
          earlierWork: state.earlierWork,
          active: state.active.sorted { $0.key < $1.key }.map(\.value),
          elapsed: Date().timeIntervalSince(report.since)))
    }
  }

  private func weightsFile(_ plan: PlannedRun) -> String? {
    options.saveDirectory.map {
      "\($0)/\(plan.folder(initialWeights: weights))/final.safetensors"
    }
  }

  /// One run from where its checkpoint left it, or its first step, to its files.
  private func carryOut(
    _ plan: PlannedRun, in folder: RunFolder, data: any TrainingData, note: (String) -> Void,
    shouldStop: () -> Bool, onEpoch: (EpochRecord?) -> Void
  ) -> RunOutcome {
    var trainer: Trainer?
    func outcome(_ status: RunOutcome.Status) -> RunOutcome {
      var outcome = self.outcome(of: plan)
      let history = trainer?.position.history ?? []
      let last = history.last?.record
      outcome.status = status
      if let images = data as? ImageDataset {
        outcome.trainImages = images.train.count
        outcome.testImages = images.test.count
      }
      if status == .finished, let last {
        if let tokensPerWord = data.tokensPerTestWord {
          outcome.perplexity = exp(last.testLoss)
          outcome.wordPerplexity = exp(last.testLoss * tokensPerWord)
          outcome.validationPerplexity = last.validationLoss.map { exp($0) }
        } else {
          outcome.accuracy = last.testAccuracy
        }
      }
      outcome.trainLoss = last?.trainLoss
      outcome.epochs = history.count
      if !history.isEmpty {
        outcome.secondsPerEpoch =
          history.reduce(0) { $0 + $1.seconds.train } / Double(history.count)
      }
      return outcome
    }
    do throws(RunnerError) {
      let made: Trainer
      do {
        made = try Trainer(
          plan.config, dataset: data, initial: options.initial,
          threads: threadsPerRun(jobs: options.jobs, runs: plans.count),
          measuresExperts: options.expertMetrics)
      } catch {
        throw .training(error)
      }
      trainer = made
      folder.restore(made, note: note)
      let start = made.position.step
      defer {
        if made.position.step > start { state.withLock { $0.hasProgressed = true } }
      }
      try train(made, in: folder, shouldStop: shouldStop, onEpoch: onEpoch)
      if let file = weightsFile(plan) {
        try prepareFolder(String(file.dropLast("/final.safetensors".count)))
        do {
          try made.save(to: file, metadata: ["config": plan.config.canonicalJSON])
        } catch {
          throw .training(error)
        }
      }
      try folder.write(made.expertTables)
      try folder.finish(outcome(.finished), environment: environment)
      return outcome(.finished)
    } catch {
      switch error {
      case .training(.interrupted): return outcome(.interrupted)
      case .training(.nonFiniteLoss):
        // The same steps would lead there again, so it is kept like any other outcome.
        let failed = outcome(.failed(reason: error.description))
        try? folder.finish(failed, environment: environment)
        return failed
      default: return outcome(.failed(reason: error.description))
      }
    }
  }

  /// Trains to the end, keeping metrics and checkpoints on the way.
  /// - Throws: `.training(.interrupted)` after a last checkpoint.
  private func train(
    _ trainer: Trainer, in folder: RunFolder, shouldStop: () -> Bool,
    onEpoch: (EpochRecord?) -> Void
  ) throws(RunnerError) {
    try folder.writeHistory(trainer.position.history)
    var events = options.tensorBoard ? try folder.events(trainer.position.history) : nil
    onEpoch(trainer.position.history.last?.record)
    var failure: RunnerError?
    var saved = ContinuousClock.now
    func attempt(_ body: () throws(RunnerError) -> Void) {
      do throws(RunnerError) { try body() } catch { failure = error }
    }
    /// Writes a checkpoint when so much time has passed since the last one.
    func save(after seconds: Double) {
      guard failure == nil, saved.duration(to: .now) >= .seconds(seconds) else { return }
      attempt { () throws(RunnerError) in try folder.save(trainer) }
      saved = .now
    }
    do throws(TrainingError) {
      try trainer.run(
        onEpoch: { record, _ in
          attempt { () throws(RunnerError) in
            guard let epoch = trainer.position.history.last else { return }
            try folder.append(epoch)
            do throws(EventFileError) { try events?.append(epoch.scalars) } catch {
              throw .tensorBoard(error)
            }
          }
          onEpoch(record)
          // Short epochs are not worth a file each.
          if !trainer.isFinished { save(after: min(1, options.checkpointSeconds)) }
        },
        shouldStop: {
          if failure != nil || folder.claim.isLost || shouldStop() { return true }
          save(after: options.checkpointSeconds)
          return false
        })
    } catch {
      if failure == nil, case .interrupted = error, !folder.claim.isLost {
        try folder.save(trainer)
      }
      throw failure ?? .training(error)
    }
    if let failure { throw failure }
  }

  /// The outcome of a plan of which nothing is known: interrupted before its first epoch, or failed.
  private func outcome(of plan: PlannedRun, failed reason: String? = nil) -> RunOutcome {
    plan.outcome(
      initialWeights: weights, status: reason.map { .failed(reason: $0) } ?? .interrupted)
  }
}

extension PlannedRun {
  /// What is known of the run before it begins.
  /// - Parameter initialWeights: the fingerprint of the file it starts from, if it does.
  func outcome(
    initialWeights: String?, status: RunOutcome.Status = .interrupted
  ) -> RunOutcome {
    let variant = config.excitation.variant
    return RunOutcome(
      label: folder(initialWeights: initialWeights),
      setting: setting.record(isUnchanged: initialWeights == nil), variant: variant.rawValue,
      gamma: variant == .vanilla ? nil : config.excitation.gamma, seed: config.seed,
      status: status, accuracy: nil, trainLoss: nil, secondsPerEpoch: nil, epochs: 0)
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
