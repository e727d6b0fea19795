import Layers

/// A vision transformer whose MLPs are mixtures of experts (SPEC: the paper's Figure 6). The
/// defaults make its model of 17 million parameters.
public struct MoEViTConfig: Codable, Hashable, Sendable {
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
  /// Side of a patch in pixels, which divides the image's 32.
  public var patch: Int
  /// α of the load-balancing loss, one term per block, summed.
  public var balanceWeight: Double
  /// Weight of the routers' z-loss, likewise.
  public var zWeight: Double

  public init(
    layers: Int = 4, d: Int = 128, heads: Int = 4, experts: Int = 64, k: Int = 2,
    hidden: Int = 256, patch: Int = 4, balanceWeight: Double = 0.01, zWeight: Double = 0
  ) {
    self.layers = layers
    self.d = d
    self.heads = heads
    self.experts = experts
    self.k = k
    self.hidden = hidden
    self.patch = patch
    self.balanceWeight = balanceWeight
    self.zWeight = zWeight
  }

  /// Weights and biases in all; nil where there are more than an `Int` counts bytes of.
  public func parameterCount(classes: Int) -> Int? {
    let tokens = PatchEmbedding.tokens(patch: patch)
    let area = PatchEmbedding.channels * patch * patch
    let perBlock = blockParameterTerms(d: d, hidden: hidden, experts: experts)
    let vectors = 1 + tokens + area + 1 + 2 + classes
    return checkedSum(perBlock.map { $0 + [layers] } + [[vectors, d], [classes]])
  }

  func sizes(capacity: Int) -> BlockSizes {
    BlockSizes(
      tokens: PatchEmbedding.tokens(patch: patch), width: d, heads: heads, experts: experts,
      hidden: hidden, picked: k, capacity: capacity)
  }

  /// As `ModelConfig.usefulFLOP`: each product once forward and twice back. The last block's experts
  /// work on the class tokens alone.
  func usefulFLOP(batchSize: Int) -> Double {
    let tokens = Double(PatchEmbedding.tokens(patch: patch))
    let (d, layers) = (Double(d), Double(layers))
    let attention = layers * tokens * (4 * d * d + 2 * tokens * d)
    let router = layers * tokens * d * Double(experts)
    let worked = (layers - 1) * tokens + 1
    let expert = worked * Double(k) * 2 * d * Double(hidden)
    let embedding = tokens * Double(PatchEmbedding.channels * patch * patch) * d
    return 2 * Double(batchSize) * (3 * (attention + router + expert) + 2 * embedding)
  }

  /// As `ModelConfig.trainingBytes`.
  func trainingBytes(
    classes: Int, capacity: Int, optimizerStates: Int, threads: Int
  ) -> Double {
    guard let parameters = parameterCount(classes: classes) else { return .infinity }
    let sizes = sizes(capacity: capacity)
    let tokens = PatchEmbedding.tokens(patch: patch)
    let image = 1024.0 * 3
    let rows = Double(capacity) * Double(tokens)
    // The residual stream, its gradient, the patches, and the batches to train and test on.
    let stream = rows * Double(2 * d + PatchEmbedding.channels * patch * patch)
    let batches = 2 * Double(capacity) * image
    let floats =
      Double(parameters) * Double(2 + optimizerStates) + Double(layers) * sizes.activationFloats
      + stream
      + batches
      + BlockMemory.floats(sizes, workers: threads)
    return 4 * floats
  }
}
