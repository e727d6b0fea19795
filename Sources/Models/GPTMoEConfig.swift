import Layers

/// A language model whose MLPs are mixtures of experts (SPEC: the paper's Table 2). The defaults make
/// its smallest model, 77 million parameters with GPT-2's vocabulary.
public struct GPTMoEConfig: Codable, Hashable, Sendable {
  /// Blocks, L.
  public var layers: Int
  /// Width, D.
  public var d: Int
  /// H, which divides D.
  public var heads: Int
  /// E per block.
  public var experts: Int
  /// Experts picked per token, K.
  public var k: Int
  /// Hidden width of an expert, F.
  public var hidden: Int
  /// Tokens that a prediction may look back on, T.
  public var context: Int
  /// α of the load-balancing loss, one term per block, summed.
  public var balanceWeight: Double
  /// Weight of the routers' z-loss, likewise.
  public var zWeight: Double

  public init(
    layers: Int = 12, d: Int = 512, heads: Int = 8, experts: Int = 4, k: Int = 2,
    hidden: Int = 256, context: Int = 1024, balanceWeight: Double = 0.01, zWeight: Double = 0
  ) {
    self.layers = layers
    self.d = d
    self.heads = heads
    self.experts = experts
    self.k = k
    self.hidden = hidden
    self.context = context
    self.balanceWeight = balanceWeight
    self.zWeight = zWeight
  }

  /// Weights and biases in all; nil where there are more than an `Int` counts bytes of.
  /// - Parameter vocabulary: V.
  public func parameterCount(vocabulary: Int) -> Int? {
    let perBlock = blockParameterTerms(d: d, hidden: hidden, experts: experts)
    return checkedSum(
      perBlock.map { $0 + [layers] } + [[2, vocabulary, d], [context, d], [2, d]])
  }

  func sizes(capacity: Int) -> BlockSizes {
    BlockSizes(
      tokens: context, width: d, heads: heads, experts: experts, hidden: hidden, picked: k,
      capacity: capacity, isCausal: true)
  }

  /// As `ModelConfig.usefulFLOP`: each product once forward and twice back.
  func usefulFLOP(vocabulary: Int, batchSize: Int) -> Double {
    let (d, tokens) = (Double(d), Double(context))
    // A token attends to half of the context on average.
    let attention = 4 * d * d + (tokens + 1) * d
    let experts = d * Double(experts) + Double(k) * 2 * d * Double(hidden)
    let perToken = Double(layers) * (attention + experts) + d * Double(vocabulary)
    return 6 * Double(batchSize) * tokens * perToken
  }

  /// As `ModelConfig.trainingBytes`.
  func trainingBytes(
    vocabulary: Int, capacity: Int, optimizerStates: Int, threads: Int
  ) -> Double {
    guard let parameters = parameterCount(vocabulary: vocabulary) else { return .infinity }
    let sizes = sizes(capacity: capacity)
    let rows = Double(capacity) * Double(context)
    let floats =
      Double(parameters) * Double(2 + optimizerStates) + Double(layers) * sizes.activationFloats
      + 2 * rows * Double(d) + TokenHead.floats(vocabulary: vocabulary, sizes)
      + BlockMemory.floats(sizes, workers: threads) + 6 * rows
    return 4 * floats
  }
}
