import Datasets
import Excitation
import Models
import Optimizers
import Tensors
import TestSupport
import Testing
import Training

@Suite("A batch in parts, and clipped gradients")
struct MicroBatchTests {
  @Test(
    "parts give the batch's own weights but for rounding",
    arguments: [(ExcitationVariant.vanilla, 1), (.zeroSum, 1), (.zeroSum, 3)], [2, 4])
  func sameWeights(excitation: (variant: ExcitationVariant, window: Int), part: Int) throws {
    // 40 images in batches of 16: the last has 8.
    var config = Tiny.config(
      excitation.variant, optimizer: .init(.sgd, lr: 0.05), window: excitation.window)
    config.batchSize = 16
    let whole = try Trainer(config, dataset: Tiny.dataset)
    config.microBatch = part
    let parts = try Trainer(config, dataset: Tiny.dataset)
    let (a, b) = (try whole.records(), try parts.records())
    #expect(a.map(\.step) == [3, 6] && b.map(\.step) == [3, 6])
    // Sums of 16 products in another order, six steps: some 1e-7 of weights below 1.
    expectWithin(
      parts.weights, whole.weights.map(Double.init),
      bounds: whole.weights.map { _ in 2e-6 }, name: "weights")
    for (x, y) in zip(a, b) {
      #expect((x.trainLoss - y.trainLoss).magnitude < 1e-5)
      #expect(x.trainAccuracy == y.trainAccuracy)
    }
  }

  @Test("a part as large as the batch is the batch")
  func wholePart() throws {
    var config = Tiny.config(.zeroSum)
    let plain = try Trainer(config, dataset: Tiny.dataset)
    config.microBatch = config.batchSize
    let parted = try Trainer(config, dataset: Tiny.dataset)
    _ = (try plain.records(), try parted.records())
    #expect(plain.weights == parted.weights)
  }

  @Test("utilization is the whole batch's: parts alone would boost otherwise")
  func utilizationOfAll() throws {
    // With parts of one image every u is 0 or 1; the batch's own is in between.
    var config = Tiny.config(.zeroSum, epochs: 1, maxSteps: 1)
    config.microBatch = 1
    let trainer = try Trainer(config, dataset: Tiny.dataset)
    _ = try trainer.records()
    let load = try #require(trainer.position.history.first?.experts.first?.load)
    #expect(load.highest <= 1 && load.highest > 0)
    let phi = try #require(trainer.position.history.first?.experts.first?.modulation)
    // Of 16 neurons 4 win: with u of one image Φ would be 4 for those and 0 for the others.
    #expect(phi.highest < 4)
  }

  @Test("a gradient longer than the limit is scaled to it, a shorter one left alone")
  func clips() throws {
    // SGD with rate 1: the step is −gradient.
    func step(_ limit: Double?) throws -> (before: [Float], after: [Float]) {
      var config = Tiny.config(optimizer: .init(.sgd, lr: 1), epochs: 1, maxSteps: 1)
      config.clipNorm = limit
      let trainer = try Trainer(config, dataset: Tiny.dataset)
      let before = trainer.weights
      _ = try trainer.records()
      return (before, trainer.weights)
    }
    func norm(_ run: (before: [Float], after: [Float])) -> Double {
      zip(run.before, run.after).reduce(0) { sum, pair in
        let d = Double(pair.1) - Double(pair.0)
        return sum + d * d
      }.squareRoot()
    }
    let free = try step(nil)
    let length = norm(free)
    #expect(length > 0.01)
    #expect(try step(2 * length).after == free.after)
    let clipped = try step(length / 10)
    #expect((norm(clipped) / (length / 10) - 1).magnitude < 1e-3)
  }
}
