import Datasets
import Excitation
import Foundation
import Models
import Optimizers
import Tensors
import TestSupport
import Testing
import Training

/// What is at the edge of arithmetic: numbers stay finite where mathematics has finite ones, and
/// where it has none the run ends with an error that names the step.
@Suite("Training under stress")
struct StressTests {
  static let everything: [(ExcitationVariant, OptimizerName)] =
    ExcitationVariant.allCases.flatMap { variant in
      OptimizerName.allCases.map { (variant, $0) }
    }

  private static func mlp(sparsity: Double) -> ModelConfig {
    .topKMLP(TopKMLPConfig(hiddenLayers: 2, width: 4, sparsity: sparsity, normalization: .none))
  }

  private static func transformer(k: Int) -> ModelConfig {
    .moeViT(MoEViTConfig(layers: 1, d: 8, heads: 2, experts: 4, k: k, hidden: 8, patch: 16))
  }

  private static func trainer(
    _ variant: ExcitationVariant, _ optimizer: OptimizerConfig, model: ModelConfig,
    gamma: Double = 50, batchSize: Int = 1, dataset: ImageDataset = StressTests.few, epochs: Int = 2
  ) throws -> Trainer {
    var config = Tiny.config(variant, optimizer: optimizer, gamma: gamma, epochs: epochs)
    config.model = model
    config.batchSize = batchSize
    return try Trainer(config, dataset: dataset)
  }

  /// 6 train and 4 test images of noise, 4 classes.
  static let few = ImageDataset(
    name: .synthetic, classes: Tiny.classes, train: Tiny.random(6, seed: 1),
    test: Tiny.random(4, seed: 2))

  private func expectFinite(
    _ trainer: Trainer, _ records: [EpochRecord], _ place: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(
      trainer.weights.allSatisfy(\.isFinite)
        && records.allSatisfy { $0.trainLoss.isFinite && $0.testLoss.isFinite },
      "\(place)", sourceLocation: sourceLocation)
  }

  /// With one sample u is 0 or 1. γ = 50 then moves Φ to its ends, 0 and the number of experts.
  @Test(
    "batches of one, γ = 50, one expert or all: finite",
    arguments: everything.filter { $0.0 != .globalExp })
  func corners(variant: ExcitationVariant, optimizer: OptimizerName) throws {
    // K = 1 of 4 and K = 4 of 4, neurons and experts.
    let models = [
      Self.mlp(sparsity: 0.75), Self.mlp(sparsity: 0), Self.transformer(k: 1),
      Self.transformer(k: 4),
    ]
    for model in models {
      let trainer = try Self.trainer(variant, OptimizerConfig(optimizer), model: model)
      expectFinite(trainer, try trainer.records(), "\(model)")
    }
  }

  /// Its energy is e^(50·(u − E[u])), here up to e^37.5 = 1.9·10¹⁶ for all updates alike.
  @Test(
    "global-exp at γ = 50: finite, or an error with its step", arguments: OptimizerName.allCases)
  func energy(optimizer: OptimizerName) throws {
    for model in [Self.mlp(sparsity: 0.75), Self.transformer(k: 1)] {
      let trainer = try Self.trainer(.globalExp, OptimizerConfig(optimizer), model: model)
      do {
        expectFinite(trainer, try trainer.records(), "\(model)")
      } catch TrainingError.nonFiniteLoss(let step, _, _) {
        #expect((1...12).contains(step))
      }
    }
  }

  /// All u are 1, whatever γ is, and so are all Φ.
  @Test("with every neuron active each variant is vanilla, to the bit", arguments: everything)
  func allActive(variant: ExcitationVariant, optimizer: OptimizerName) throws {
    func weights(_ variant: ExcitationVariant) throws -> [Float] {
      let trainer = try Self.trainer(
        variant, OptimizerConfig(optimizer), model: Self.mlp(sparsity: 0), gamma: 3, batchSize: 3)
      _ = try trainer.records()
      return trainer.weights
    }
    expectSameBits(try weights(variant), try weights(.vanilla), name: "\(variant)")
  }

  /// The softmax of one class is 1, so loss and every gradient are exactly 0. AdamW's decay moves
  /// the weights all the same.
  @Test("one class: no loss, no gradient, no step", arguments: everything)
  func oneClass(variant: ExcitationVariant, optimizer: OptimizerName) throws {
    let split = ImageSplit(images: Self.few.train.images, labels: [UInt8](repeating: 0, count: 6))
    let trainer = try Self.trainer(
      variant, OptimizerConfig(optimizer), model: Self.mlp(sparsity: 0.5), gamma: 2, batchSize: 4,
      dataset: ImageDataset(name: .synthetic, classes: 1, train: split, test: split))
    let start = trainer.weights
    let records = try trainer.records()
    for record in records {
      #expect(record.trainLoss == 0 && record.testLoss == 0)
      #expect(record.trainAccuracy == 100 && record.testAccuracy == 100)
    }
    if optimizer == .adamw {
      #expect(trainer.weights.allSatisfy(\.isFinite) && trainer.weights != start)
    } else {
      #expect(trainer.weights == start)
    }
  }

  /// Of some 10⁻⁴⁰: the logits are next to 0 and the first loss is log 4, that of four equal classes.
  @Test("denormal weights", arguments: everything)
  func denormals(variant: ExcitationVariant, optimizer: OptimizerName) throws {
    let trainer = try Self.trainer(
      variant, OptimizerConfig(optimizer), model: Self.mlp(sparsity: 0.5), gamma: 2, batchSize: 6,
      epochs: 1)
    for parameter in trainer.model.parameters {
      for place in 0..<parameter.value.count {
        parameter.value.data[place] = .leastNormalMagnitude / 100
      }
    }
    let records = try trainer.records()
    expectFinite(trainer, records, "\(variant)")
    let first = try #require(records.first)
    #expect((first.trainLoss - log(4)).magnitude < 1e-6)
  }

  /// A rate of 10³⁰ takes weights beyond what products of them can hold.
  @Test("overflow: finite, or an error with its step", arguments: everything)
  func overflow(variant: ExcitationVariant, optimizer: OptimizerName) throws {
    let trainer = try Self.trainer(
      variant, OptimizerConfig(optimizer, lr: 1e30), model: Self.mlp(sparsity: 0.5), gamma: 2,
      batchSize: 2)
    do {
      expectFinite(trainer, try trainer.records(), "\(variant)")
    } catch TrainingError.nonFiniteLoss(let step, let epoch, let value) {
      // The first loss is that of the initial weights; an epoch has 3 steps.
      #expect((1...6).contains(step) && epoch == (step + 2) / 3)
      #expect(!value.isFinite)
    }
  }

  @Test("what the last step breaks is told, too")
  func lastStep() throws {
    // The one step's update of some 10³⁷ leaves weights whose products overflow.
    let trainer = try TrainerTests.trainer(
      Tiny.config(optimizer: OptimizerConfig(.sgd, lr: 3e38), maxSteps: 1))
    let error = try TrainerTests.error { _ = try trainer.records() }
    guard case .nonFiniteLoss(step: 1, epoch: 1, let value) = error else {
      Issue.record("threw \(error)")
      return
    }
    #expect(!value.isFinite)
  }
}
