/// A Top-K MLP ("Micro-MoE"): every neuron is an expert (SPEC: the paper's section 4.1).
public struct TopKMLPConfig: Codable, Hashable, Sendable {
  public enum Initialization: String, CaseIterable, Codable, Hashable, Sendable {
    /// Uniform ±1/√fan_in for weights and biases: PyTorch's Linear.
    case pytorch
    /// Weights normal with std √(2/fan_in), biases 0.
    case he
    /// Weights uniform ±√(6/(fan_in+fan_out)), biases 0.
    case xavier
  }
  public enum Normalization: String, CaseIterable, Codable, Hashable, Sendable {
    case none
    case layerNorm = "layer_norm"
  }

  /// Number of Top-K layers before the classifier. The paper's "4-layer" fits 2 best.
  public var hiddenLayers: Int
  public var width: Int
  /// Share of neurons silenced per sample, in [0, 1).
  public var sparsity: Double
  /// Winners per sample where given, instead of those that `sparsity` means.
  public var k: Int?
  public var initialization: Initialization
  /// What stands between Linear and Top-K.
  public var normalization: Normalization

  public init(
    hiddenLayers: Int = 2, width: Int = 128, sparsity: Double = 0.9, k: Int? = nil,
    initialization: Initialization = .pytorch, normalization: Normalization = .none
  ) {
    self.hiddenLayers = hiddenLayers
    self.width = width
    self.sparsity = sparsity
    self.k = k
    self.initialization = initialization
    self.normalization = normalization
  }

  /// K, the winners per sample: `k`, or max(1, round((1 − sparsity)·width)), halves to even as
  /// Python rounds them.
  public var winners: Int {
    k ?? max(1, Int(((1 - sparsity) * Double(width)).rounded(.toNearestOrEven)))
  }
}

extension TopKMLPConfig {
  /// As `ModelConfig.usefulFLOP`: the first layer's forward product is full, all others have K of W
  /// factors.
  func usefulFLOP(inputs: Int, classes: Int, batchSize: Int) -> Double {
    let (width, winners) = (Double(width), Double(winners))
    let first = Double(inputs) * (width + winners)
    // Forward K·W; gradients of weight and input K·K each.
    let between = Double(hiddenLayers - 1) * (winners * width + 2 * winners * winners)
    let head = 3 * winners * Double(classes)
    return 2 * Double(batchSize) * (first + between + head)
  }

  /// As `ModelConfig.trainingBytes`.
  func trainingBytes(inputs: Int, classes: Int, batchSize: Int, optimizerStates: Int) -> Double {
    let (width, batch) = (Double(width), Double(batchSize))
    let between = Double(hiddenLayers - 1) * width * width
    let parameters = width * Double(inputs) + between + width * Double(classes)
    // Per layer: pre-activations, output, its gradient; winners as value, index and gradient; a
    // copy of the later weights in panels.
    let layer = batch * (3 * width + 3 * Double(winners) + 3 * 32)
    let floats =
      parameters * Double(2 + optimizerStates) + between + batch * Double(inputs)
      + Double(hiddenLayers) * layer
    return 4 * floats
  }
}
