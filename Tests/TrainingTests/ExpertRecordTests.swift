import Datasets
import Excitation
import Foundation
import Models
import Optimizers
import Tensors
import TestSupport
import Testing
import Training

@Suite("What training records of its expert layers")
struct ExpertRecordTests {
  private static func records(_ trainer: Trainer) -> [[ExpertRecord]] {
    trainer.position.history.map(\.experts)
  }

  @Test("one record for each epoch and layer, within what the numbers mean")
  func ranges() throws {
    let trainer = try TrainerTests.trainer(Tiny.config(.zeroSum, epochs: 3))
    _ = try trainer.records()
    let records = Self.records(trainer)
    #expect(records.map { $0.map(\.layer) } == [[1, 2], [1, 2], [1, 2]])
    for record in records.joined() {
      // 4 classes, 16 experts.
      #expect((0.25...1).contains(record.specialization))
      #expect(record.routingEntropy > 0 && record.routingEntropy <= log(16) + 1e-6)
      #expect((0...1).contains(record.deadShare))
      let load = record.load
      let ordered = [
        load.lowest, load.percentile5, load.percentile25, load.median, load.percentile75,
        load.percentile95, load.highest,
      ]
      #expect(ordered == ordered.sorted() && load.lowest >= 0 && load.highest <= 1)
      // K/W = 4/16 on average.
      #expect(load.lowest <= 0.25 && load.highest >= 0.25)
      #expect((load.lowest == 0) == (record.deadShare > 0))
      #expect(record.modulation.lowest < 1 && record.modulation.highest > 1)
    }
  }

  /// The epoch's steps again, by hand on a second trainer.
  @Test("load and Φ are those of the steps", arguments: ExcitationVariant.allCases)
  func training(variant: ExcitationVariant) throws {
    let config = Tiny.config(variant, gamma: 2, epochs: 1)
    let trainer = try TrainerTests.trainer(config)
    _ = try trainer.records()
    let found = try #require(Self.records(trainer).first)

    let other = try TrainerTests.trainer(config)
    let loader = BatchLoader(
      Tiny.dataset.train, config: config.dataset, batchSize: 8, forTraining: true,
      isShuffled: true, seed: 0)
    loader.beginEpoch(0)
    var counts = [[Int]](repeating: [Int](repeating: 0, count: 16), count: 2)
    var spreads = [[(Double, Double, Double)]](repeating: [], count: 2)
    for batch in 0..<loader.batchCount {
      let rows = loader.load(batch)
      try other.step(loader.inputs, targets: loader.targets, rows: rows)
      for (layer, used) in other.model.expertCounts.enumerated() {
        for expert in 0..<16 { counts[layer][expert] += Int(used[expert]) }
        let u: [Double] = utilization(counts: Array(used), rows: rows)
        // A permutation moves neither deviation nor ends.
        let multipliers = phi(
          u, variant: variant == .randomBoost ? .zeroSum : variant, gamma: 2, epsilon: 1e-6)
        let mean = multipliers.reduce(0, +) / 16
        let square = multipliers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 16
        spreads[layer].append(
          (square.squareRoot(), multipliers.min() ?? 0, multipliers.max() ?? 0))
      }
    }
    for (layer, record) in found.enumerated() {
      // 40 records.
      #expect(record.load == LoadSpread(counts[layer].map { Double($0) / 40 }))
      #expect(record.deadShare == Double(counts[layer].count { $0 == 0 }) / 16)
      let expected = [
        spreads[layer].map(\.0), spreads[layer].map(\.1), spreads[layer].map(\.2),
      ].map { $0.reduce(0, +) / 5 }
      let values = [
        record.modulation.deviation, record.modulation.lowest, record.modulation.highest,
      ]
      // Φ, at most 16 here (inverted: one of 16 experts has it all), is applied as a float32.
      for (value, exact) in zip(values, expected) {
        #expect((value - exact).magnitude < 2e-6, "\(variant) layer \(layer): \(value), \(exact)")
      }
      if variant == .vanilla { #expect(values == [0, 1, 1]) }
    }
  }

  @Test("measuring changes no other number and no weight", arguments: ExcitationVariant.allCases)
  func changesNothing(variant: ExcitationVariant) throws {
    let config = Tiny.config(variant, optimizer: OptimizerConfig(.adam))
    let measured = try TrainerTests.trainer(config)
    let plain = try Trainer(config, dataset: Tiny.dataset, measuresExperts: false)
    #expect(try measured.records() == plain.records())
    expectSameBits(measured.weights, plain.weights, name: "weights")
    #expect(Self.records(plain) == [[], []])
    #expect(Self.records(measured).allSatisfy { $0.count == 2 })
  }

  /// Stopped at every step, the epoch's record is that of the run in one go.
  @Test("an interrupted epoch is recorded as a whole")
  func resumed() throws {
    let folder = try TemporaryFolder()
    let config = Tiny.config(.randomBoost)
    let whole = try TrainerTests.trainer(config)
    _ = try whole.records()
    for stop in 0..<10 {
      let second = try Self.goOn(config, from: stop, in: folder, measuring: (true, true))
      #expect(Self.records(second) == Self.records(whole), "stopped at \(stop)")
    }
  }

  @Test("an epoch measured in part has no record")
  func measuredInPart() throws {
    let folder = try TemporaryFolder()
    let config = Tiny.config(.zeroSum, epochs: 3)
    let whole = try TrainerTests.trainer(config)
    _ = try whole.records()
    let expected = Self.records(whole)
    // 5 steps an epoch: stopped in the second, then at its end.
    let inside = try Self.goOn(config, from: 7, in: folder, measuring: (false, true))
    #expect(Self.records(inside) == [[], [], expected[2]])
    let between = try Self.goOn(config, from: 10, in: folder, measuring: (false, true))
    #expect(Self.records(between) == [[], [], expected[2]])
    let off = try Self.goOn(config, from: 7, in: folder, measuring: (true, false))
    #expect(Self.records(off) == [expected[0], [], []])
  }

  /// A run stopped after some steps and taken up by another trainer, each measuring or not.
  private static func goOn(
    _ config: RunConfig, from stop: Int, in folder: TemporaryFolder, measuring: (Bool, Bool)
  ) throws -> Trainer {
    let path = folder.path("\(stop).safetensors")
    let first = try Trainer(config, dataset: Tiny.dataset, measuresExperts: measuring.0)
    var asked = 0
    #expect(throws: TrainingError.self) {
      try first.run(
        onEpoch: { _, _ in },
        shouldStop: {
          asked += 1
          return asked > stop
        })
    }
    try first.writeCheckpoint(to: path, identity: "this run")
    let second = try Trainer(config, dataset: Tiny.dataset, measuresExperts: measuring.1)
    try second.restore(try SafetensorsFile(path: path), identity: "this run")
    _ = try second.records()
    return second
  }

  /// What an earlier version kept of an epoch.
  @Test("a position without expert records is read, a damaged one is not")
  func earlierPositions() throws {
    let trainer = try TrainerTests.trainer(Tiny.config(epochs: 1))
    _ = try trainer.records()
    let encoded = try JSONEncoder().encode(trainer.position)
    #expect(try JSONDecoder().decode(RunPosition.self, from: encoded) == trainer.position)
    func changed(_ change: (inout [String: Any]) -> Void) throws -> Data {
      var position = try #require(
        JSONSerialization.jsonObject(with: encoded) as? [String: Any])
      var history = try #require(position["history"] as? [[String: Any]])
      change(&history[0])
      position["history"] = history
      position["experts"] = nil
      return try JSONSerialization.data(withJSONObject: position)
    }
    let earlier = try changed { $0["expert_layers"] = nil }
    let read = try JSONDecoder().decode(RunPosition.self, from: earlier)
    #expect(read.history.map(\.record) == trainer.position.history.map(\.record))
    #expect(read.history.map(\.experts) == [[]])
    // A layer's number and 13 values, then a balance that there is not here: NaN.
    let unbalanced = try changed { epoch in
      let packed = (epoch["expert_layers"] as? String).flatMap { Data(base64Encoded: $0) } ?? Data()
      let layers = stride(from: 0, to: packed.count, by: 15 * 8).map {
        packed[$0..<$0 + 14 * 8]
      }
      #expect(layers.count == 2)
      epoch["expert_layers"] = nil
      epoch["experts"] = Data(layers.joined()).base64EncodedString()
    }
    let older = try JSONDecoder().decode(RunPosition.self, from: unbalanced)
    #expect(older.history.map(\.experts) == trainer.position.history.map(\.experts))
    for text in ["AAAA", "not base64"] {
      let damaged = try changed { $0["expert_layers"] = text }
      #expect(throws: DecodingError.self) {
        try JSONDecoder().decode(RunPosition.self, from: damaged)
      }
    }
  }
}
