import Foundation
import Models
import Optimizers
import Tensors
import TestSupport
import Testing
import Training

@Suite("Checkpoints")
struct CheckpointTests {
  private func trainer(_ optimizer: OptimizerName, seed: UInt64 = 0) throws -> Trainer {
    try TrainerTests.trainer(Tiny.config(.randomBoost, optimizer: .init(optimizer), seed: seed))
  }

  @Test(
    "stopped before any step, kept and taken up again by a new trainer: the same bits",
    arguments: OptimizerName.allCases)
  func goesOn(optimizer: OptimizerName) throws {
    let folder = try TemporaryFolder()
    let whole = try trainer(optimizer)
    let records = try whole.records()
    // Two epochs of 5 steps.
    for stop in 0..<10 {
      let path = folder.path("\(stop).safetensors")
      let first = try trainer(optimizer)
      var asked = 0
      var seen: [EpochRecord] = []
      #expect(throws: TrainingError.self) {
        try first.run(
          onEpoch: { record, _ in seen.append(record) },
          shouldStop: {
            asked += 1
            return asked > stop
          })
      }
      try first.writeCheckpoint(to: path, identity: "this run")
      let second = try trainer(optimizer)
      try second.restore(try SafetensorsFile(path: path), identity: "this run")
      #expect(second.position == first.position)
      try second.run(onEpoch: { record, _ in seen.append(record) })
      #expect(seen == records)
      #expect(second.position.history.map(\.record) == records)
      expectSameBits(second.weights, whole.weights, name: "weights after a stop at \(stop)")
    }
  }

  @Test("a transformer, too, goes on to the same bits, with other threads than before")
  func transformer() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("c.safetensors")
    var config = Tiny.config(.zeroSum, optimizer: .init(.adam))
    config.model = .moeViT(
      MoEViTConfig(layers: 2, d: 16, heads: 2, experts: 4, k: 2, hidden: 16, patch: 16))
    func make(threads: Int) throws -> Trainer {
      try Trainer(config, dataset: Tiny.dataset, threads: threads)
    }
    let whole = try make(threads: 1)
    let records = try whole.records()
    // In the second epoch of 5 steps.
    let first = try make(threads: 2)
    #expect(throws: TrainingError.self) {
      try first.run(onEpoch: { _, _ in }, shouldStop: { first.position.step == 7 })
    }
    try first.writeCheckpoint(to: path, identity: "x")
    let file = try SafetensorsFile(path: path)
    #expect(file.shape(of: "blocks.1.moe.w1") == [4, 16, 16])
    #expect(file.shape(of: "optimizer.blocks.1.moe.w1.exp_avg") == [4, 16, 16])
    let second = try make(threads: 1)
    try second.restore(file, identity: "x")
    #expect(try second.records() == Array(records.suffix(1)))
    expectSameBits(second.weights, whole.weights, name: "weights")
  }

  @Test("weights have the reference's names, state PyTorch's")
  func names() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("c.safetensors")
    try trainer(.adam).writeCheckpoint(to: path, identity: "x")
    let file = try SafetensorsFile(path: path)
    #expect(file.names.contains("layers.0.weight"))
    #expect(file.shape(of: "optimizer.layers.0.weight.exp_avg_sq") == [16, 3072])
    // 6 parameters with 2 moments each.
    #expect(file.names.count == 18)
  }

  @Test(
    "a position that is none of the run's is refused, though its checksum is right",
    arguments: [
      (#""batch":2"#, #""batch":-2"#), (#""batch":2"#, #""batch":6"#),
      (#""batch":2"#, #""batch":3"#), (#""step":2"#, #""step":9223372036854775807"#),
      (#""rows":16"#, #""rows":9223372036854775807"#), (#""rows":16"#, #""rows":-1"#),
    ])
  func nonsense(part: String, replaced: String) throws {
    let folder = try TemporaryFolder()
    let path = folder.path("c.safetensors")
    // Plain SGD has no state: the weights are all there is.
    let first = try trainer(.sgd)
    #expect(throws: TrainingError.self) {
      try first.run(onEpoch: { _, _ in }, shouldStop: { first.position.step == 2 })
    }
    try first.writeCheckpoint(to: path, identity: "x")
    let written = try #require(try SafetensorsFile(path: path).metadata["position"])
    #expect(written.contains(part), "\(written)")
    let text = written.replacing(part, with: replaced)
    var hash = ContentHash()
    hash.add(text)
    for parameter in first.model.parameters {
      hash.add(parameter.name)
      hash.add(UnsafeRawBufferPointer(parameter.value.buffer))
    }
    try writeSafetensors(
      first.model.parameters.map { ($0.name, $0.value) },
      metadata: ["identity": "x", "position": text, "checksum": hash.hexadecimal], path: path)
    let second = try trainer(.sgd)
    let error = try TrainerTests.error {
      try second.restore(try SafetensorsFile(path: path), identity: "x")
    }
    #expect(error.description.hasSuffix("its position is none of this run"))
    #expect(second.position.step == 0)
  }

  @Test("another run's checkpoint is refused and leaves the trainer as it was")
  func identity() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("c.safetensors")
    let first = try trainer(.momentum)
    _ = try first.records()
    try first.writeCheckpoint(to: path, identity: "one")
    let second = try trainer(.momentum, seed: 1)
    let weights = second.weights
    let error = try TrainerTests.error {
      try second.restore(try SafetensorsFile(path: path), identity: "two")
    }
    #expect(error.description.contains("belongs to another run"))
    #expect(second.weights == weights)
    #expect(second.position.step == 0 && second.position.history.isEmpty)
    #expect(throws: TrainingError.self) {
      try trainer(.adam).restore(try SafetensorsFile(path: path), identity: "one")
    }
  }
}
