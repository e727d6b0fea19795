import Datasets
import Excitation
import Optimizers
import Tensors
import TestSupport
import Testing
import Training

@Suite("Φ from the last batches")
struct WindowTests {
  /// A step of SGD: θ − η·Φ·g by row, with Φ from the mean of the utilizations so far.
  @Test("the third step's Φ is that of the mean over three batches")
  func threeSteps() throws {
    let config = Tiny.config(.zeroSum, window: 3)
    let excited = try TrainerTests.trainer(config)
    let loader = BatchLoader(
      Tiny.dataset.train, config: config.dataset, batchSize: 8, forTraining: true,
      isShuffled: true, seed: 0)
    loader.beginEpoch(0)
    var used = [[Double]](repeating: [Double](repeating: 0, count: 16), count: 2)
    for batch in 0..<3 {
      let rows = loader.load(batch)
      let start = excited.model.parameters.map(\.value.values)
      try excited.step(loader.inputs, targets: loader.targets, rows: rows)
      for (layer, counts) in excited.model.expertCounts.enumerated() {
        for expert in 0..<16 { used[layer][expert] += Double(counts[expert]) / Double(rows) }
      }
      for (index, parameter) in excited.model.parameters.enumerated() {
        // u/E[u] with E[u] = K/W = 4/16, of the sums over the batches so far; η = 0.01.
        let factors = parameter.expertLayer.map { layer in
          used[layer].map { $0 / Double(batch + 1) / 0.25 }
        }
        let length = parameter.value.rowLength
        let gradient = parameter.gradient.values
        for (i, old) in start[index].enumerated() {
          let exact = Double(old) - 0.01 * (factors?[i / length] ?? 1) * Double(gradient[i])
          #expect((Double(parameter.value.values[i]) - exact).magnitude < 1e-7, "\(parameter.name)")
        }
      }
    }
  }

  @Test("every window is another run, but for vanilla", arguments: ExcitationVariant.allCases)
  func windows(variant: ExcitationVariant) throws {
    let weights = try [1, 2, 40].map { window in
      let trainer = try TrainerTests.trainer(Tiny.config(variant, window: window))
      _ = try trainer.records()
      return trainer.weights
    }
    #expect(Set(weights).count == (variant == .vanilla ? 1 : 3))
  }

  @Test("stopped at any step it goes on with the same bits")
  func resumed() throws {
    let folder = try TemporaryFolder()
    let config = Tiny.config(.randomBoost, optimizer: OptimizerConfig(.adam), window: 4)
    let whole = try TrainerTests.trainer(config)
    _ = try whole.records()
    for stop in 0..<10 {
      let path = folder.path("\(stop).safetensors")
      let first = try TrainerTests.trainer(config)
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
      let second = try TrainerTests.trainer(config)
      try second.restore(try SafetensorsFile(path: path), identity: "this run")
      _ = try second.records()
      expectSameBits(second.weights, whole.weights, name: "weights after a stop at \(stop)")
      #expect(second.position.history.map(\.experts) == whole.position.history.map(\.experts))
    }
  }
}
