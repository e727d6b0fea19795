import Foundation
import Models
import Tensors
import TestSupport
import Testing

@Suite("The Top-K MLP's sizes and initialization")
struct ModelTests {
  @Test("K is the kept share of the width, rounded as Python rounds, at least 1")
  func winners() {
    func winners(_ width: Int, _ sparsity: Double, k: Int? = nil) -> Int {
      TopKMLPConfig(width: width, sparsity: sparsity, k: k).winners
    }
    // 12.8; 115.2; 64.
    #expect([0.9, 0.1, 0.5].map { winners(128, $0) } == [13, 115, 64])
    // Halves go to the even number: 2.5, 3.5, 0.5.
    #expect([5, 7, 1].map { winners($0, 0.5) } == [2, 4, 1])
    #expect(winners(8, 0.99) == 1)
    #expect(winners(128, 0) == 128)
    #expect(winners(128, 0.9, k: 40) == 40)
  }

  static func model(
    _ config: TopKMLPConfig = TopKMLPConfig(hiddenLayers: 2, width: 64), seed: UInt64 = 0
  ) -> TopKMLP {
    TopKMLP(config, inputs: 100, classes: 10, capacity: 1, seed: seed)
  }

  @Test("names and shapes of the reference's tensors, in its order")
  func parameters() {
    let plain = Self.model()
    #expect(
      plain.parameters.map(\.name) == [
        "layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias", "head.weight",
        "head.bias",
      ])
    #expect(
      plain.parameters.map(\.value.shape) == [[64, 100], [64], [64, 64], [64], [10, 64], [10]])
    #expect(plain.parameters.map(\.expertLayer) == [0, 0, 1, 1, nil, nil])
    #expect(plain.expertCounts.map(\.count) == [64, 64])

    let normalized = Self.model(
      TopKMLPConfig(hiddenLayers: 1, width: 64, normalization: .layerNorm))
    #expect(
      normalized.parameters.map(\.name) == [
        "layers.0.weight", "layers.0.bias", "norms.0.weight", "norms.0.bias", "head.weight",
        "head.bias",
      ])
    #expect(normalized.parameters[2].value.values == [Float](repeating: 1, count: 64))
    #expect(normalized.parameters[3].value.values == [Float](repeating: 0, count: 64))
  }

  /// Mean square of a tensor's values.
  static func variance(_ tensor: Tensor) -> Double {
    tensor.values.reduce(0) { $0 + Double($1) * Double($1) } / Double(tensor.count)
  }

  @Test("PyTorch's: uniform in ±1/√fan_in, biases too")
  func pytorch() {
    let fanIns = [100, 100, 64, 64, 64, 64]
    for (parameter, fanIn) in zip(Self.model().parameters, fanIns) {
      let bound = 1 / Double(fanIn).squareRoot()
      #expect(parameter.value.values.allSatisfy { Double($0).magnitude <= 1.000001 * bound })
      // Its variance is bound²/3, and x² has a standard deviation of bound²·√(4/45) = 0.3·bound².
      let error = 5 * 0.3 / Double(parameter.value.count).squareRoot()
      #expect(
        (Self.variance(parameter.value) / (bound * bound) - 1.0 / 3).magnitude < error,
        "\(parameter.name)")
    }
  }

  @Test("He's: normal with variance 2/fan_in; Xavier's: uniform with variance 2/(in + out)")
  func heAndXavier() {
    for scheme in [TopKMLPConfig.Initialization.he, .xavier] {
      let model = Self.model(TopKMLPConfig(hiddenLayers: 2, width: 64, initialization: scheme))
      for parameter in model.parameters {
        guard parameter.value.shape.count == 2 else {
          #expect(parameter.value.values.allSatisfy { $0 == 0 })
          continue
        }
        let (out, fanIn) = (Double(parameter.value.rows), Double(parameter.value.rowLength))
        let expected = scheme == .he ? 2 / fanIn : 2 / (fanIn + out)
        // A normal's x² varies by √2 of its mean, a uniform's by less.
        let error = 5 * (2 / Double(parameter.value.count)).squareRoot()
        #expect(
          (Self.variance(parameter.value) / expected - 1).magnitude < error,
          "\(scheme) \(parameter.name)")
        if scheme == .xavier {
          let bound = (6 / (fanIn + out)).squareRoot()
          #expect(parameter.value.values.allSatisfy { Double($0).magnitude <= 1.000001 * bound })
        }
      }
    }
  }

  @Test("a seed gives the same weights, another seed others, each tensor its own")
  func seeds() {
    let first = Self.model(seed: 3).parameters.map(\.value.values)
    #expect(Self.model(seed: 3).parameters.map(\.value.values) == first)
    #expect(zip(Self.model(seed: 4).parameters, first).allSatisfy { $0.0.value.values != $0.1 })
    // The signs of the first draws of each tensor, whose scales differ.
    let signs = Set(first.map { $0.prefix(10).map { $0 > 0 } } + [[]])
    #expect(signs.count > 4)
    // A deeper model begins with the same layers.
    let deeper = Self.model(TopKMLPConfig(hiddenLayers: 3, width: 64), seed: 3)
    #expect(Array(deeper.parameters.map(\.value.values).prefix(4)) == Array(first.prefix(4)))
  }
}
