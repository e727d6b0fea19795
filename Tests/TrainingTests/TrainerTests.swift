import Datasets
import Excitation
import Foundation
import Layers
import Models
import Optimizers
import Tensors
import TestSupport
import Testing
import Training

@Suite("Training")
struct TrainerTests {
  static func trainer(
    _ config: RunConfig, initial: SafetensorsFile? = nil
  ) throws -> Trainer {
    try Trainer(config, dataset: Tiny.dataset, initial: initial)
  }

  static func error(_ body: () throws -> Void) throws -> TrainingError {
    try #require(throws: TrainingError.self, performing: body)
  }

  // MARK: Synchronized seeding

  @Test(
    "the same run twice: the same records and weights, to the bit",
    arguments: ExcitationVariant.allCases)
  func reproducible(variant: ExcitationVariant) throws {
    let config = Tiny.config(variant, optimizer: OptimizerConfig(.momentum))
    let (first, second) = (try Self.trainer(config), try Self.trainer(config))
    #expect(try first.records() == second.records())
    expectSameBits(first.weights, second.weights, name: "weights")
  }

  @Test("another seed is another run")
  func seeds() throws {
    let (first, second) = (
      try Self.trainer(Tiny.config(seed: 0)), try Self.trainer(Tiny.config(seed: 1))
    )
    #expect(first.weights != second.weights)
    #expect(try first.records() != second.records())
  }

  @Test(
    "all variants of a seed share initial weights and the first step's loss, to the bit",
    arguments: ExcitationVariant.allCases)
  func sharedStart(variant: ExcitationVariant) throws {
    let vanilla = try Self.trainer(Tiny.config(maxSteps: 1))
    let excited = try Self.trainer(Tiny.config(variant, maxSteps: 1))
    expectSameBits(excited.weights, vanilla.weights, name: "initial weights")
    let (first, second) = (try vanilla.records(), try excited.records())
    #expect(first.map(\.trainLoss) == second.map(\.trainLoss))
    // What follows is due to Φ: noise on 16 neurons is never used evenly.
    #expect((first == second) == (variant == .vanilla))
    #expect((excited.weights == vanilla.weights) == (variant == .vanilla))
  }

  @Test("with Φ turned off a step is vanilla's, to the bit")
  func turnedOff() throws {
    let vanilla = try Self.trainer(Tiny.config())
    let excited = try Self.trainer(Tiny.config(.zeroSum))
    excited.isExcited = false
    #expect(try vanilla.records() == excited.records())
    expectSameBits(excited.weights, vanilla.weights, name: "weights")
  }

  @Test("γ = 0 trains as vanilla does, to the bit", arguments: ExcitationVariant.allCases)
  func gammaZero(variant: ExcitationVariant) throws {
    let vanilla = try Self.trainer(Tiny.config(optimizer: OptimizerConfig(.adam, lr: 0.01)))
    let excited = try Self.trainer(
      Tiny.config(variant, optimizer: OptimizerConfig(.adam, lr: 0.01), gamma: 0))
    #expect(try vanilla.records() == excited.records())
    expectSameBits(excited.weights, vanilla.weights, name: "weights")
  }

  @Test("random-boost draws anew each step, from the seed alone")
  func randomBoost() throws {
    func weights(_ variant: ExcitationVariant, maxSteps: Int, seed: UInt64 = 0) throws -> [Float] {
      let trainer = try Self.trainer(Tiny.config(variant, maxSteps: maxSteps, seed: seed))
      _ = try trainer.records()
      return trainer.weights
    }
    #expect(try weights(.randomBoost, maxSteps: 6) == weights(.randomBoost, maxSteps: 6))
    #expect(try weights(.randomBoost, maxSteps: 1) != weights(.zeroSum, maxSteps: 1))
  }

  /// The first step of SGD: θ − η·Φ·g by row, with Φ from the counts of the step itself.
  @Test("a step multiplies each neuron's update by its Φ, and the head's by 1")
  func oneStep() throws {
    let config = Tiny.config(.zeroSum)
    let vanilla = try Self.trainer(Tiny.config())
    let excited = try Self.trainer(config)
    let start = vanilla.model.parameters.map(\.value.values)
    let loader = BatchLoader(
      Tiny.dataset.train, config: config.dataset, batchSize: 8, forTraining: true,
      isShuffled: true, seed: 0)
    loader.beginEpoch(0)
    let rows = loader.load(0)
    let first = try vanilla.step(loader.inputs, targets: loader.targets, rows: rows)
    let second = try excited.step(loader.inputs, targets: loader.targets, rows: rows)
    #expect(first.nats == second.nats)
    for (index, parameter) in excited.model.parameters.enumerated() {
      let plain = vanilla.model.parameters[index].value.values
      guard let layer = parameter.expertLayer else {
        expectSameBits(parameter.value.values, plain, name: parameter.name)
        continue
      }
      // u/E[u] with E[u] = K/W = 4/16.
      let phi = excited.model.expertCounts[layer].map { Double($0) / Double(rows) / 0.25 }
      let length = parameter.value.rowLength
      let exact = start[index].enumerated().map { i, old in
        Double(old) + phi[i / length] * (Double(plain[i]) - Double(old))
      }
      // Weights are below 0.25 and rounded to 2⁻²⁷ by both steps; Φ is at most 4.
      expectWithin(
        parameter.value.values, exact, bounds: exact.map { _ in 5 * 0x1p-26 },
        name: parameter.name)
    }
  }

  @Test("three steps of every optimizer with every Φ are finite", arguments: OptimizerName.allCases)
  func allPairs(name: OptimizerName) throws {
    for variant in ExcitationVariant.allCases {
      for normalization in TopKMLPConfig.Normalization.allCases {
        let trainer = try Self.trainer(
          Tiny.config(
            variant, optimizer: OptimizerConfig(name), maxSteps: 3, normalization: normalization))
        let start = trainer.weights
        let records = try trainer.records()
        #expect(records.map(\.step) == [3])
        #expect(records.allSatisfy { $0.trainLoss.isFinite && $0.testLoss.isFinite })
        #expect(trainer.weights.allSatisfy { $0.isFinite })
        #expect(trainer.weights != start)
      }
    }
  }

  // MARK: Length and records

  @Test("a run takes its epochs' steps, or fewer where told")
  func maxSteps() throws {
    // 40 records in batches of 8: 5 steps an epoch.
    for (limit, total, steps) in [
      (nil, 15, [5, 10, 15]), (1, 1, [1]), (5, 5, [5]), (7, 7, [5, 7]), (99, 15, [5, 10, 15]),
    ] as [(Int?, Int, [Int])] {
      let trainer = try Self.trainer(Tiny.config(epochs: 3, maxSteps: limit))
      #expect(trainer.totalSteps == total)
      let records = try trainer.records()
      #expect(records.map(\.step) == steps)
      #expect(records.map(\.epoch) == Array(1...steps.count))
    }
  }

  @Test("a record holds means over the epoch's records and over the whole test split")
  func recordValues() throws {
    // With a rate of 0 every loss of the epoch is that of the initial weights.
    let config = Tiny.config(optimizer: OptimizerConfig(.sgd, lr: 0), epochs: 1)
    let trainer = try Self.trainer(config)
    let record = try #require(try trainer.records().first)
    #expect(record.epoch == 1)
    #expect(record.step == 5)
    #expect(record.learningRate == 0)
    // Untrained logits are of order 0.1: close to ln 4 = 1.386.
    #expect((record.trainLoss - log(4.0)).magnitude < 0.3)
    #expect((record.testLoss - log(4.0)).magnitude < 0.3)
    // Whole numbers of 40 and of 20 records, in percent.
    #expect(record.trainAccuracy.truncatingRemainder(dividingBy: 2.5) == 0)
    #expect(record.testAccuracy.truncatingRemainder(dividingBy: 5) == 0)
    let measured = trainer.evaluate()
    #expect(measured.rows == 20)
    #expect(measured.mean == record.testLoss)
    #expect(measured.accuracy == record.testAccuracy)
  }

  @Test("evaluation takes every test record, in batches, and changes no weight")
  func evaluation() throws {
    // 600 records: one batch of 512, and the rest.
    let test = Tiny.random(600, seed: 43)
    let dataset = ImageDataset(
      name: .synthetic, classes: Tiny.classes, train: Tiny.dataset.train, test: test)
    let trainer = try Trainer(Tiny.config(), dataset: dataset)
    let start = trainer.weights
    let whole = trainer.evaluate()
    #expect(whole.rows == 600)
    expectSameBits(trainer.weights, start, name: "weights")
    // The same records as two test splits, cut elsewhere.
    var parts = LossSum()
    for range in [0..<100, 100..<600] {
      let part = ImageSplit(
        images: Array(
          test.images[
            range.lowerBound * ImageSplit.imageBytes..<range.upperBound * ImageSplit.imageBytes]),
        labels: Array(test.labels[range]))
      parts += try Trainer(
        Tiny.config(),
        dataset: ImageDataset(
          name: .synthetic, classes: Tiny.classes, train: Tiny.dataset.train, test: part)
      ).evaluate()
    }
    #expect(parts.rows == 600)
    #expect(parts.correct == whole.correct)
    // Sums of 3072 products may be cut elsewhere by other batch sizes: 1e-6 of a loss of 1.4 each.
    #expect((parts.mean - whole.mean).magnitude < 1e-5)
  }

  @Test("the rate follows the schedule")
  func schedule() throws {
    // Cosine by epoch over two: 1, then ½.
    let records = try Self.trainer(
      Tiny.config(optimizer: OptimizerConfig(.sgd, lr: 0.02))
    ).records()
    #expect(records.map(\.learningRate) == [0.02, 0.01])
  }

  @Test("file order and shuffled order are different runs from the same weights")
  func order() throws {
    let (shuffled, sequential) = (
      try Self.trainer(Tiny.config()), try Self.trainer(Tiny.config(order: .sequential))
    )
    expectSameBits(sequential.weights, shuffled.weights, name: "initial weights")
    #expect(try shuffled.records() != sequential.records())
  }

  @Test("images of four plain colours are learned", arguments: ExcitationVariant.allCases)
  func learns(variant: ExcitationVariant) throws {
    // Class c is a plain image with its red and green on or off.
    func split(_ count: Int) -> ImageSplit {
      var images: [UInt8] = []
      for record in 0..<count {
        for isOn in [record % 2 == 1, record / 2 % 2 == 1, false] {
          images += [UInt8](repeating: isOn ? 230 : 20, count: 1024)
        }
      }
      return ImageSplit(images: images, labels: (0..<count).map { UInt8($0 % 4) })
    }
    let trainer = try Trainer(
      Tiny.config(variant, optimizer: OptimizerConfig(.sgd, lr: 0.05), epochs: 40),
      dataset: ImageDataset(name: .synthetic, classes: 4, train: split(40), test: split(8)))
    let records = try trainer.records()
    let (first, last) = (try #require(records.first), try #require(records.last))
    #expect(last.trainLoss < first.trainLoss)
    // Inverted feeds the neurons that nothing uses: a control that is meant to be slow.
    guard variant != .inverted else { return }
    #expect(last.trainLoss < 0.5 * first.trainLoss)
    #expect(last.testAccuracy == 100)
  }

  // MARK: Stops

  @Test("a loss that is not finite stops the run at its step")
  func diverges() throws {
    // The first step's loss is that of the initial weights; its update of 10³⁰ ruins the second's.
    let trainer = try Self.trainer(Tiny.config(optimizer: OptimizerConfig(.sgd, lr: 1e30)))
    let error = try Self.error { _ = try trainer.records() }
    guard case .nonFiniteLoss(let step, let epoch, let value) = error else {
      Issue.record("threw \(error)")
      return
    }
    #expect(step == 2)
    #expect(epoch == 1)
    #expect(!value.isFinite)
    #expect(
      error.description
        == "the loss became \(value.isNaN ? "NaN" : "infinite") at step 2 (epoch 1): the run "
        + "diverged; a lower learning rate may help")
  }

  @Test("weights that are NaN from the start stop the run before it moves")
  func badWeights() throws {
    let trainer = try Self.trainer(Tiny.config())
    trainer.model.parameters[0].value.data[0] = .nan
    let start = trainer.weights
    let error = try Self.error { _ = try trainer.records() }
    guard case .nonFiniteLoss(1, 1, _) = error else {
      Issue.record("threw \(error)")
      return
    }
    expectSameBits(trainer.weights, start, name: "weights")
  }

  @Test("asked to stop, a run stops before the next step", arguments: [0, 1, 7])
  func interrupted(after steps: Int) throws {
    let trainer = try Self.trainer(Tiny.config())
    var asked = 0
    var epochs = 0
    let error = try Self.error {
      try trainer.run(
        onEpoch: { _, _ in epochs += 1 },
        shouldStop: {
          asked += 1
          return asked > steps
        })
    }
    guard case .interrupted(let step) = error else {
      Issue.record("threw \(error)")
      return
    }
    #expect(step == steps)
    #expect(epochs == steps / 5)
    #expect(error.description == "interrupted after step \(steps)")
    // The steps before it are those of the run without a stop.
    if steps > 0 {
      let whole = try Self.trainer(Tiny.config(maxSteps: steps))
      _ = try whole.records()
      expectSameBits(trainer.weights, whole.weights, name: "weights")
    }
  }

  // MARK: Weights from and to files

  @Test("saved weights are read back: same tensors, same evaluation, metadata kept")
  func saveAndLoad() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("final.safetensors")
    let trained = try Self.trainer(Tiny.config(.zeroSum, normalization: .layerNorm))
    _ = try trained.records()
    try trained.save(to: path, metadata: ["variant": "zero-sum"])

    let file = try SafetensorsFile(path: path)
    #expect(file.metadata == ["variant": "zero-sum"])
    #expect(file.names == trained.model.parameters.map(\.name).sorted())
    // From another seed, so that whatever is not read shows.
    let loaded = try Self.trainer(
      Tiny.config(.zeroSum, normalization: .layerNorm, seed: 9), initial: file)
    expectSameBits(loaded.weights, trained.weights, name: "weights")
    #expect(loaded.evaluate().nats == trained.evaluate().nats)
    #expect(loaded.evaluate().correct == trained.evaluate().correct)
  }

  @Test("a run from its own initial weights is the run itself")
  func fromInitial() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("initial.safetensors")
    let config = Tiny.config(.expDiff)
    let first = try Self.trainer(config)
    try first.save(to: path, metadata: [:])
    let second = try Self.trainer(config, initial: try SafetensorsFile(path: path))
    #expect(try first.records() == second.records())
    expectSameBits(second.weights, first.weights, name: "weights")
  }

  @Test("weights that do not fit the model are refused, named")
  func wrongWeights() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("w.safetensors")
    let model = try Self.trainer(Tiny.config()).model
    func text(_ tensors: [(name: String, tensor: Tensor)]) throws -> String {
      try writeSafetensors(tensors, path: path)
      let file = try SafetensorsFile(path: path)
      let error = try Self.error { _ = try Self.trainer(Tiny.config(), initial: file) }
      guard case .checkpoint = error else { return "\(error)" }
      return error.description
    }
    let good = model.parameters.map { (name: $0.name, tensor: $0.value) }
    let other = good.map { $0.name == "layers.1.bias" ? ($0.name, Tensor(17)) : $0 }
    #expect(
      try text(other) == "\(path): tensor layers.1.bias has shape [17], expected [16]")
    #expect(
      try text(good.filter { $0.name != "head.bias" })
        == "\(path): has no tensor head.bias; it has head.weight, layers.0.bias, "
        + "layers.0.weight, layers.1.bias, layers.1.weight")
  }

  @Test("weights that cannot be written are an error with the path")
  func unwritable() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("no/such/folder.safetensors")
    let trainer = try Self.trainer(Tiny.config())
    let error = try Self.error { try trainer.save(to: path, metadata: [:]) }
    guard case .checkpoint(.unwritable) = error else {
      Issue.record("threw \(error)")
      return
    }
    #expect(error.description.hasPrefix("\(path): cannot be written: "))
  }
}
