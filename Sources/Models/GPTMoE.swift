import Layers
import Tensors

/// A GPT whose MLPs are mixtures of experts: tokens and their places, pre-LN blocks with causal
/// attention, an untied head.
///
/// Tensor names are the reference's: `tok_embed.weight` [V, D], `pos_embed.weight` [T, D],
/// `blocks.0.norm1.weight`, …, `blocks.0.moe.w1` [E, F, D], …, `norm.weight`, `head.weight` [V, D].
/// The experts' four tensors are modulated, by the share of tokens that each expert got; nothing
/// else is. A row of inputs is a sequence of token numbers, its targets the tokens that follow.
public final class GPTMoE: TimedModel {
  public let blocks: [MoEBlock]
  public let head: TokenHead
  public let parameters: [Parameter]

  private let config: GPTMoEConfig
  private let embedding: TokenEmbedding
  private let memory: BlockMemory
  /// The residual stream and ∂loss/∂ of it, [N, D].
  private let stream: Tensor
  private let gradient: Tensor
  /// In a benchmark.
  private var clock: StepClock?

  /// - Parameters:
  ///   - vocabulary: V, numbers from 0 on.
  ///   - capacity: the largest batch, in sequences.
  ///   - seed: of the initialization; every tensor draws from a stream of its own.
  ///   - workers: share the work; how many there are changes no bit.
  public init(
    _ config: GPTMoEConfig, vocabulary: Int, capacity: Int, seed: UInt64,
    workers: Workers = Workers(), kernels: Kernels = .best
  ) {
    self.config = config
    let sizes = config.sizes(capacity: capacity)
    embedding = TokenEmbedding(vocabulary: vocabulary, sizes: sizes)
    blocks = (0..<config.layers).map { index in
      MoEBlock(
        index: index, sizes: sizes,
        losses: RouterLosses(balance: config.balanceWeight, z: config.zWeight),
        servesFirstTokens: false, kernels: kernels)
    }
    head = TokenHead(vocabulary: vocabulary, sizes: sizes, kernels: kernels)
    parameters = embedding.parameters + blocks.flatMap(\.parameters) + head.parameters
    memory = BlockMemory(sizes, workers: workers)
    stream = Tensor(sizes.capacity * sizes.tokens, sizes.width)
    gradient = Tensor(sizes.capacity * sizes.tokens, sizes.width)
    initializeTransformer(parameters, layers: config.layers, seed: seed, workers: workers)
  }

  public var expertCounts: [UnsafeBufferPointer<Int32>] { blocks.map(\.counts) }

  public var routing: [Routing] { blocks.map(\.router.routing) }

  /// What the last forward pass adds to the loss: the weighted sums over the blocks of the
  /// load-balancing loss and the z-loss.
  public var auxiliaryLoss: Double {
    blocks.reduce(0) {
      $0 + config.balanceWeight * $1.router.balance + config.zWeight * $1.router.zLoss
    }
  }

  /// The logits of what follows one token of the last forward pass, [V].
  public func logits(row: Int) -> UnsafeBufferPointer<Float> {
    head.logits(row: row, memory: memory)
  }

  /// Notes from now on where the time of steps goes.
  public func time() -> StepClock {
    let clock = memory.time()
    self.clock = clock
    return clock
  }

  public func forward(_ inputs: Tensor, rows: Int, afterLayer: (Int) -> Void) {
    clock?.beginPass()
    defer { clock?.endPass() }
    embedding.forward(inputs, count: rows, into: stream, memory: memory)
    for (index, block) in blocks.enumerated() {
      block.forward(stream, images: rows, memory: memory)
      afterLayer(index)
    }
    head.forward(stream, sequences: rows, memory: memory)
  }

  /// Cross entropy alone; the gradients that `backward` sets are those of `auxiliaryLoss` too.
  /// - Parameter targets: [B, T]; negative where nothing is asked.
  public func loss(targets: UnsafePointer<Int32>, rows: Int, forTraining: Bool) -> LossSum {
    clock?.beginPass()
    defer { clock?.endPass() }
    return head.loss(targets: targets, sequences: rows, forTraining: forTraining, memory: memory)
  }

  public func backward(_ inputs: Tensor, rows: Int) {
    clock?.beginPass()
    defer { clock?.endPass() }
    gradient.data.update(repeating: 0, count: rows * config.context * config.d)
    head.backward(into: gradient, sequences: rows, memory: memory)
    for block in blocks.reversed() { block.backward(gradient, images: rows, memory: memory) }
    embedding.backward(gradient, count: rows, memory: memory)
  }
}
