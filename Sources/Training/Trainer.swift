import Datasets
import Excitation
import Foundation
import Layers
import Models
import Optimizers
import Tensors

/// What one epoch left behind; accuracies in percent, losses in nats.
public struct EpochRecord: Codable, Hashable, Sendable {
  /// From 1.
  public let epoch: Int
  /// Steps taken so far in the run.
  public let step: Int
  /// η of the epoch's first step.
  public let learningRate: Double
  /// Mean over the epoch's records, each at the step it was trained on.
  public let trainLoss: Double
  public let trainAccuracy: Double
  /// Over the whole test split, after the epoch.
  public let testLoss: Double
  public let testAccuracy: Double
  /// Over the whole validation split; nil where there is none.
  public let validationLoss: Double?
}

/// How long one epoch took, in seconds.
public struct EpochSeconds: Codable, Hashable, Sendable {
  public let train: Double
  public let test: Double
}

/// Trains one model on one data set with one variant and one seed.
public final class Trainer {
  public let config: RunConfig
  public let model: any Model
  let optimizer: Optimizer
  private let schedule: Schedule
  private let training: any BatchSource
  private let validation: (any BatchSource)?
  private let test: any BatchSource
  private let workers: Workers
  private let sampleClasses: Int
  /// Where a batch passes in parts.
  private let gradientSum: GradientSum?
  private let kernels: Kernels
  /// Per expert layer, nothing yet; nil where experts are not measured.
  private var unused: [ExpertUse]?
  /// Per expert layer, what the last evaluation saw.
  private var evaluated: [ExpertUse]?
  /// Per expert layer, from the last epoch that was measured as a whole; empty before.
  public private(set) var expertTables: [ExpertTable] = []
  /// Spent on measuring experts so far, in steps, evaluations and at the end of epochs.
  public private(set) var secondsOnExperts = 0.0
  /// Whether the config's Φ modulates the steps. A benchmark turns it off and on, to time both kinds
  /// of step on one set of weights.
  public var isExcited = true

  /// - Parameters:
  ///   - initial: weights to start from instead of the seed's own, by the names of
  ///     `Model.parameters`.
  ///   - threads: share the work of a transformer; how many there are changes no bit.
  ///   - measuresExperts: whether epochs come with a record of each expert layer; no other number
  ///     depends on it.
  /// - Throws: `.noBLAS`; `.checkpoint` when `initial` lacks a tensor or has one of another shape.
  public init(
    _ config: RunConfig, dataset: any TrainingData, initial: SafetensorsFile? = nil,
    threads: Int = 1, measuresExperts: Bool = true, kernels: Kernels = .best
  ) throws(TrainingError) {
    do { try BLAS.load() } catch { throw .noBLAS(error) }
    self.config = config
    self.kernels = kernels
    workers = Workers(threads)
    sampleClasses = dataset.sampleClasses
    let part = config.microBatch ?? config.batchSize
    let testBatch = config.model.testBatch
    model = try config.model.load(
      initial, inputs: dataset.inputs, classes: dataset.outcomes, capacity: max(part, testBatch),
      seed: config.seed, workers: workers, kernels: kernels)
    gradientSum =
      part < config.batchSize ? GradientSum(model.parameters, workers: workers) : nil
    optimizer = Optimizer(
      config.optimizer, parameters: model.parameters, workers: workers, kernels: kernels)
    training = dataset.batches(.train, for: config, batchSize: part, kernels: kernels)
    validation =
      dataset.hasValidation
      ? dataset.batches(.validation, for: config, batchSize: testBatch, kernels: kernels) : nil
    test = dataset.batches(.test, for: config, batchSize: testBatch, kernels: kernels)
    schedule = Schedule(
      config.schedule, base: config.optimizer.lr, epochs: config.epochs,
      stepsPerEpoch: Self.steps(of: training, config))
    if measuresExperts {
      unused = model.routing.map { ExpertUse(experts: $0.experts, classes: dataset.sampleClasses) }
      evaluated = unused
      position.experts = noSums
    }
    if config.excitation.window > 1 {
      position.windows = model.expertCounts.map { _ in
        UtilizationWindow(config.excitation.window)
      }
    }
  }

  /// What an epoch starts with.
  private var noSums: [ExpertSums]? { unused?.map { ExpertSums(experts: $0.experts) } }

  private static func steps(of source: any BatchSource, _ config: RunConfig) -> Int {
    (source.sampleCount + config.batchSize - 1) / config.batchSize
  }

  var stepsPerEpoch: Int { Self.steps(of: training, config) }

  /// Steps the run will take.
  public var totalSteps: Int {
    min(config.epochs * stepsPerEpoch, config.maxSteps ?? .max)
  }

  /// Where the run stands.
  public internal(set) var position = RunPosition()

  /// Whether all epochs, or the steps that `max_steps` allows, are done and evaluated.
  public var isFinished: Bool {
    position.history.count >= config.epochs || (position.batch == 0 && optimizer.step >= totalSteps)
  }

  /// Trains from where the run stands to the end.
  /// - Parameters:
  ///   - onEpoch: called after each epoch's evaluation (the last may be cut short by `max_steps`);
  ///     the trainer is then whole and may write a checkpoint.
  ///   - shouldStop: asked before every step, the trainer being whole.
  /// - Throws: `.nonFiniteLoss`; `.interrupted` when `shouldStop` says so.
  public func run(
    onEpoch: (EpochRecord, EpochSeconds) -> Void, shouldStop: () -> Bool = { false }
  ) throws(TrainingError) {
    while !isFinished {
      let epoch = position.history.count
      training.beginEpoch(epoch)
      if position.batch == 0 { position.rate = schedule.rate(step: optimizer.step) }
      while position.batch < stepsPerEpoch, optimizer.step < totalSteps {
        if shouldStop() { throw .interrupted(step: optimizer.step) }
        let start = ContinuousClock.now
        position.sum += try step(position.batch, epoch: epoch)
        position.batch += 1
        position.seconds += start.duration(to: .now) / .seconds(1)
      }
      let trained = ContinuousClock.now
      let measured = evaluate()
      // What the last step broke no later one would tell.
      guard measured.nats.isFinite else {
        throw .nonFiniteLoss(step: optimizer.step, epoch: epoch + 1, value: measured.nats)
      }
      let record = EpochRecord(
        epoch: epoch + 1, step: optimizer.step, learningRate: position.rate,
        trainLoss: position.sum.mean, trainAccuracy: position.sum.accuracy,
        testLoss: measured.mean, testAccuracy: measured.accuracy,
        validationLoss: validation.map { loss(over: $0).mean })
      let seconds = EpochSeconds(
        train: position.seconds, test: trained.duration(to: .now) / .seconds(1))
      var experts: [ExpertRecord] = []
      onExperts {
        expertTables = expertLayers { ExpertTable(layer: $0, trained: $1, test: $2) }
        experts = expertLayers { $1.record(layer: $0, test: $2) }
      }
      position = RunPosition(
        history: position.history + [
          RunPosition.Epoch(record: record, seconds: seconds, experts: experts)
        ],
        experts: noSums, windows: position.windows, step: optimizer.step)
      onEpoch(record, seconds)
    }
  }

  /// One training step on a batch of the current epoch.
  private func step(_ number: Int, epoch: Int) throws(TrainingError) -> LossSum {
    guard let gradientSum else {
      let rows = training.load(number)
      return try step(training.inputs, targets: training.targets, rows: rows, epoch: epoch)
    }
    let parts = config.batchSize / training.batchSize
    let batches = number * parts..<min((number + 1) * parts, training.batchCount)
    let samples = min(config.batchSize, training.sampleCount - number * config.batchSize)
    var sum = LossSum()
    var used: [UsedExperts] = []
    for batch in batches {
      let rows = training.load(batch)
      sum += try pass(training.inputs, targets: training.targets, rows: rows, epoch: epoch)
      let isFirst = batch == batches.lowerBound
      gradientSum.add(share: Float(rows) / Float(samples), isFirst: isFirst)
      let part = usedExperts(rows: rows)
      used = isFirst ? part : zip(used, part).map { $0 + $1 }
    }
    gradientSum.finish()
    update(used)
    return sum
  }

  /// One training step on a batch; the model keeps the batch's utilization.
  /// - Parameter beforeUpdate: called between the backward pass and all that Φ has a part in.
  @discardableResult
  public func step(
    _ inputs: Tensor, targets: UnsafePointer<Int32>, rows: Int, epoch: Int = 0,
    beforeUpdate: () -> Void = {}
  ) throws(TrainingError) -> LossSum {
    let loss = try pass(inputs, targets: targets, rows: rows, epoch: epoch)
    beforeUpdate()
    update(usedExperts(rows: rows))
    return loss
  }

  /// The gradients of a batch, or of a part of one.
  private func pass(
    _ inputs: Tensor, targets: UnsafePointer<Int32>, rows: Int, epoch: Int
  ) throws(TrainingError) -> LossSum {
    model.forward(inputs, rows: rows)
    let loss = model.loss(targets: targets, rows: rows, forTraining: true)
    guard loss.nats.isFinite else {
      throw .nonFiniteLoss(step: optimizer.step + 1, epoch: epoch + 1, value: loss.mean)
    }
    model.backward(inputs, rows: rows)
    return loss
  }

  /// How many rows (samples or tokens) there were, and how many of them used each expert.
  private struct UsedExperts {
    var rows: Int
    var counts: [Int32]
    /// The router's load-balancing loss, mean over the rows.
    var balance: Double?

    static func + (a: UsedExperts, b: UsedExperts) -> UsedExperts {
      let rows = a.rows + b.rows
      var balance: Double?
      if let first = a.balance, let second = b.balance {
        balance = (first * Double(a.rows) + second * Double(b.rows)) / Double(rows)
      }
      return UsedExperts(
        rows: rows, counts: zip(a.counts, b.counts).map { $0 + $1 }, balance: balance)
    }
  }

  /// Of the last forward pass, per expert layer.
  private func usedExperts(rows: Int) -> [UsedExperts] {
    zip(model.expertCounts, model.routing).map { counts, routing in
      UsedExperts(
        rows: rows * routing.rowsPerSample, counts: Array(counts), balance: routing.balance)
    }
  }

  /// Moves the weights by the gradients that lie ready.
  private func update(_ used: [UsedExperts]) {
    if let limit = config.clipNorm {
      clipGradients(model.parameters, to: limit, workers: workers)
    }
    let modulation = modulation(used)
    optimizer.update(rate: schedule.rate(step: optimizer.step), modulation: modulation)
    position.step = optimizer.step
    guard var sums = position.experts else { return }
    onExperts {
      position.experts = nil  // so that the sums are no copy
      for (layer, used) in used.enumerated() {
        sums[layer].add(
          used.counts, rows: used.rows, modulation: modulation?[layer], balance: used.balance)
      }
      position.experts = sums
    }
  }

  /// Does what only the expert metrics need, and counts its time.
  private func onExperts(_ body: () -> Void) {
    let start = ContinuousClock.now
    body()
    secondsOnExperts += start.duration(to: .now) / .seconds(1)
  }

  /// Something of each expert layer, by its place from 1, from what the epoch's steps and the
  /// evaluation after them saw; empty where the epoch is not measured.
  private func expertLayers<Value>(
    _ body: (_ layer: Int, _ trained: ExpertSums, _ test: ExpertUse) -> Value
  ) -> [Value] {
    guard let sums = position.experts, let evaluated else { return [] }
    return zip(sums, evaluated).enumerated().map { body($0 + 1, $1.0, $1.1) }
  }

  /// Φ of each expert layer from a batch, and from those before it that the window holds; nil for
  /// vanilla.
  private func modulation(_ used: [UsedExperts]) -> [[Float]]? {
    let excitation = config.excitation
    guard isExcited, excitation.variant != .vanilla else { return nil }
    return used.enumerated().map { layer, used in
      var permutation: [UInt32] = []
      if excitation.variant == .randomBoost {
        // A stream for every step and layer: no other draw moves, and none is carried along.
        let index = UInt64(optimizer.step) << 16 | UInt64(layer)
        var stream = RandomStream(seed: config.seed, purpose: .excitation, index: index)
        permutation = stream.permutation(used.counts.count)
      }
      var u: [Double] = utilization(counts: used.counts, rows: used.rows)
      u = position.windows?[layer].average(adding: u) ?? u
      return phi(
        u, variant: excitation.variant, gamma: excitation.gamma, epsilon: excitation.epsilon,
        permutation: permutation
      ).map { Float($0) }
    }
  }

  /// Loss and accuracy over the test split, without augmentation.
  public func evaluate() -> LossSum {
    evaluated = unused
    return loss(over: test) { layer, rows in
      guard evaluated != nil else { return }
      onExperts {
        evaluated?[layer].add(
          model.routing[layer], targets: sampleClasses > 1 ? test.targets : nil, samples: rows,
          kernels: kernels)
      }
    }
  }

  /// Over a whole split.
  /// - Parameter afterLayer: called after each expert layer's forward pass, with its index and the
  ///   batch's samples.
  private func loss(
    over split: any BatchSource, afterLayer: (_ layer: Int, _ rows: Int) -> Void = { _, _ in }
  ) -> LossSum {
    var sum = LossSum()
    for batch in 0..<split.batchCount {
      let rows = split.load(batch)
      model.forward(split.inputs, rows: rows) { afterLayer($0, rows) }
      sum += model.loss(targets: split.targets, rows: rows, forTraining: false)
    }
    return sum
  }

  /// Goes to where a checkpoint left the run.
  func move(to position: RunPosition) {
    optimizer.step = position.step
    self.position = position
    if position.batch == 0 {
      self.position.experts = noSums
    } else if position.experts?.map(\.counts.count) != unused?.map(\.experts) {
      // An epoch is measured as a whole or not at all.
      self.position.experts = nil
    }
  }

  /// Writes the weights under the reference's names.
  public func save(to path: String, metadata: [String: String]) throws(TrainingError) {
    do {
      try writeSafetensors(
        model.parameters.map { ($0.name, $0.value) }, metadata: metadata, path: path)
    } catch {
      throw .checkpoint(error)
    }
  }
}

extension ModelConfig {
  /// The model itself, its weights drawn from the seed or taken from a file.
  /// - Parameters:
  ///   - inputs: of a Top-K MLP.
  ///   - classes: of an image, or the vocabulary.
  ///   - capacity: the largest batch.
  /// - Throws: `.checkpoint` when the file lacks a tensor or has one of another shape.
  @discardableResult
  public func load(
    _ initial: SafetensorsFile?, inputs: Int = ImageSplit.imageBytes, classes: Int,
    capacity: Int = 1, seed: UInt64 = 0,
    workers: Workers = Workers(), kernels: Kernels = .best
  ) throws(TrainingError) -> any Model {
    let model: any Model =
      switch self {
      case .topKMLP(let mlp):
        TopKMLP(
          mlp, inputs: inputs, classes: classes, capacity: capacity, seed: seed,
          kernels: kernels)
      case .moeViT(let vit):
        MoEViT(
          vit, classes: classes, capacity: capacity, seed: seed, workers: workers,
          kernels: kernels)
      case .gptMoE(let gpt):
        GPTMoE(
          gpt, vocabulary: classes, capacity: capacity, seed: seed, workers: workers,
          kernels: kernels)
      }
    guard let initial else { return model }
    for parameter in model.parameters {
      do {
        parameter.value.copy(
          from: try initial.tensor(parameter.name, shape: parameter.value.shape))
      } catch {
        throw .checkpoint(error)
      }
    }
    return model
  }
}
