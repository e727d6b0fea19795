import Layers
import Tensors

/// A Top-K MLP ("Micro-MoE"): Top-K layers, then a linear classifier.
///
/// Tensor names are the reference's: `layers.0.weight` [W, I], `layers.0.bias` [W], …,
/// `head.weight` [C, W], `head.bias` [C]; with layer norm also `norms.0.weight`, `norms.0.bias`.
public final class TopKMLP: Model {
  public let layers: [TopKLayer]
  public let head: ClassifierHead
  public let parameters: [Parameter]

  /// - Parameters:
  ///   - capacity: the largest batch.
  ///   - seed: of the initialization; every tensor draws from a stream of its own.
  public init(
    _ config: TopKMLPConfig, inputs: Int, classes: Int, capacity: Int, seed: UInt64,
    kernels: Kernels = .best
  ) {
    layers = (0..<config.hiddenLayers).map { index in
      TopKLayer(
        index: index, inputs: index == 0 ? inputs : config.width, width: config.width,
        winners: config.winners, capacity: capacity,
        normalized: config.normalization == .layerNorm, kernels: kernels)
    }
    head = ClassifierHead(
      width: config.width, winners: config.winners, classes: classes, capacity: capacity,
      kernels: kernels)
    parameters =
      layers.flatMap { layer in
        [layer.weight, layer.bias] + (layer.norm.map { [$0.gain, $0.offset] } ?? [])
      } + [head.weight, head.bias]

    let linear =
      layers.map { ($0.weight.value, $0.bias.value) } + [(head.weight.value, head.bias.value)]
    for (index, (weight, bias)) in linear.enumerated() {
      initialize(weight, bias, config.initialization) { part in
        RandomStream(seed: seed, purpose: .initialization, index: UInt64(2 * index + part))
      }
    }
  }

  public var expertCounts: [UnsafeBufferPointer<Int32>] {
    layers.map { UnsafeBufferPointer(start: $0.output.counts, count: $0.output.width) }
  }

  /// It has no router: the scores are what Top-K chooses by, the pre-activations.
  public var routing: [Routing] {
    layers.map { layer in
      Routing(
        scores: UnsafePointer(layer.preactivations.data), scoreDistance: layer.output.width,
        picks: UnsafePointer(layer.output.indices), pickDistance: layer.output.stride,
        experts: layer.output.width, picked: layer.output.count)
    }
  }

  public func forward(_ inputs: Tensor, rows: Int, afterLayer: (Int) -> Void) {
    var input = LayerInput.dense(inputs.data, rowDistance: inputs.rowLength)
    for (index, layer) in layers.enumerated() {
      layer.forward(input, rows: rows)
      input = .winners(layer.output)
      afterLayer(index)
    }
    head.forward(layers[layers.count - 1].output, rows: rows)
  }

  public func loss(targets: UnsafePointer<Int32>, rows: Int, forTraining: Bool) -> LossSum {
    head.loss(targets: targets, rows: rows, forTraining: forTraining)
  }

  public func backward(_ inputs: Tensor, rows: Int) {
    head.backward(layers[layers.count - 1].output, rows: rows)
    for index in layers.indices.reversed() {
      let input: LayerInput =
        index == 0
        ? .dense(inputs.data, rowDistance: inputs.rowLength) : .winners(layers[index - 1].output)
      layers[index].backward(input, rows: rows)
    }
  }
}

/// Draws a Linear's weight [out, in] and bias [out].
private func initialize(
  _ weight: Tensor, _ bias: Tensor, _ scheme: TopKMLPConfig.Initialization,
  stream: (Int) -> RandomStream
) {
  let (out, fanIn) = (weight.rows, weight.rowLength)
  var weights = stream(0)
  switch scheme {
  case .pytorch:
    let bound = 1 / Float(fanIn).squareRoot()
    var biases = stream(1)
    for i in 0..<weight.count { weight.data[i] = (2 * weights.uniform() - 1) * bound }
    for i in 0..<out { bias.data[i] = (2 * biases.uniform() - 1) * bound }
  case .he:
    let deviation = (2 / Float(fanIn)).squareRoot()
    for i in 0..<weight.count { weight.data[i] = weights.normal() * deviation }
  case .xavier:
    let bound = (6 / Float(fanIn + out)).squareRoot()
    for i in 0..<weight.count { weight.data[i] = (2 * weights.uniform() - 1) * bound }
  }
}
