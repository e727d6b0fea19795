import Datasets
import Models
import Optimizers
import Tensors
import TestSupport
import Testing
import Training

@Suite("What training notes of routers and of single experts")
struct ExpertTableTests {
  /// 5 tokens an image, 2 of 6 experts for each.
  private static func config(parts: Int = 1) -> RunConfig {
    var config = Tiny.config(.zeroSum, optimizer: OptimizerConfig(.adam))
    config.model = .moeViT(
      MoEViTConfig(layers: 2, d: 16, heads: 2, experts: 6, k: 2, hidden: 8, patch: 16))
    config.batchSize = 40
    config.epochs = 1
    if parts > 1 { config.microBatch = config.batchSize / parts }
    return config
  }

  @Test("the load-balancing loss is the router's own, mean over the epoch's steps")
  func balance() throws {
    var config = Self.config()
    config.batchSize = 8
    let trainer = try TrainerTests.trainer(config)
    _ = try trainer.records()
    let records = try #require(trainer.position.history.first?.experts)

    let other = try TrainerTests.trainer(config)
    let model = try #require(other.model as? MoEViT)
    let loader = BatchLoader(
      Tiny.dataset.train, config: config.dataset, batchSize: 8, forTraining: true,
      isShuffled: true, seed: 0)
    loader.beginEpoch(0)
    var sums = [0.0, 0.0]
    for batch in 0..<5 {
      try other.step(loader.inputs, targets: loader.targets, rows: loader.load(batch))
      for (layer, block) in model.blocks.enumerated() { sums[layer] += block.router.balance }
    }
    // 40 images in batches of 8.
    #expect(records.map(\.balanceLoss) == sums.map { $0 / 5 })
    // A fresh router's probabilities are nearly even.
    #expect(records.allSatisfy { (($0.balanceLoss ?? 0) - 1).magnitude < 0.05 })
  }

  @Test("without a router there is none")
  func noRouter() throws {
    let trainer = try TrainerTests.trainer(Tiny.config(epochs: 1))
    _ = try trainer.records()
    #expect(trainer.position.history[0].experts.map(\.balanceLoss) == [nil, nil])
  }

  @Test("in parts, a batch's is the mean over them")
  func parts() throws {
    let whole = try TrainerTests.trainer(Self.config())
    let parted = try TrainerTests.trainer(Self.config(parts: 4))
    _ = try whole.records()
    _ = try parted.records()
    for (a, b) in zip(
      whole.position.history[0].experts, parted.position.history[0].experts)
    {
      // f·P of each part instead of the whole's, with P nearly even: both near 1.
      let difference = (a.balanceLoss ?? .nan) - (b.balanceLoss ?? .nan)
      #expect(difference.magnitude < 0.01)
    }
  }

  @Test("the table's shares and counts are those of the record", arguments: [false, true])
  func tables(isTransformer: Bool) throws {
    let config = isTransformer ? Self.config() : Tiny.config(.zeroSum)
    let trainer = try TrainerTests.trainer(config)
    #expect(trainer.expertTables.isEmpty)
    _ = try trainer.records()
    let records = try #require(trainer.position.history.last?.experts)
    #expect(trainer.expertTables.map(\.layer) == [1, 2])
    // Of 20 test images: 4 winners each, or 5 tokens with 2 experts each.
    let uses = isTransformer ? 20 * 5 * 2 : 20 * 4
    for (table, record) in zip(trainer.expertTables, records) {
      #expect(LoadSpread(table.utilization) == record.load)
      #expect(table.classes == Tiny.classes)
      #expect(table.counts.reduce(0, +) == uses)
      let experts = table.utilization.count
      var specialization = 0.0
      var active = 0.0
      for expert in 0..<experts {
        let counts = (0..<table.classes).map { Double(table.count(expert: expert, class: $0)) }
        let total = counts.reduce(0, +)
        guard total > 0 else { continue }
        specialization += counts.reduce(0) { $0 + ($1 / total) * ($1 / total) }
        active += 1
      }
      #expect((specialization / active - record.specialization).magnitude < 1e-12)
    }
  }

  @Test("where experts are not measured there is no table")
  func unmeasured() throws {
    let trainer = try Trainer(Self.config(), dataset: Tiny.dataset, measuresExperts: false)
    _ = try trainer.records()
    #expect(trainer.expertTables.isEmpty)
  }
}
