import Layers
import Tensors

/// A vision transformer with a mixture of experts in place of every MLP: patches and a class token,
/// pre-LN blocks with full attention, a classifier on the class token.
///
/// Tensor names are the reference's: `cls`, `pos_embed`, `patch_embed.weight`, …,
/// `blocks.0.moe.w1` [E, F, D], …, `norm.weight`, `head.bias`. The experts' four tensors are
/// modulated, by the share of tokens that each expert got; nothing else is.
public final class MoEViT: TimedModel {
  public let blocks: [MoEBlock]
  public let head: ClassTokenHead
  public let parameters: [Parameter]

  private let config: MoEViTConfig
  private let embedding: PatchEmbedding
  private let memory: BlockMemory
  /// The residual stream and ∂loss/∂ of it, [N, D].
  private let stream: Tensor
  private let gradient: Tensor
  private var clock: StepClock?

  /// - Parameters:
  ///   - capacity: the largest batch.
  ///   - seed: of the initialization; every tensor draws from a stream of its own.
  ///   - workers: share the work; how many there are changes no bit.
  public init(
    _ config: MoEViTConfig, classes: Int, capacity: Int, seed: UInt64,
    workers: Workers = Workers(), kernels: Kernels = .best
  ) {
    self.config = config
    let sizes = config.sizes(capacity: capacity)
    embedding = PatchEmbedding(patch: config.patch, sizes: sizes, kernels: kernels)
    blocks = (0..<config.layers).map { index in
      MoEBlock(
        index: index, sizes: sizes,
        losses: RouterLosses(balance: config.balanceWeight, z: config.zWeight),
        servesFirstTokens: index == config.layers - 1, kernels: kernels)
    }
    head = ClassTokenHead(classes: classes, sizes: sizes, kernels: kernels)
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

  /// Notes from now on where the time of steps goes.
  public func time() -> StepClock {
    let clock = memory.time()
    self.clock = clock
    return clock
  }

  public func forward(_ inputs: Tensor, rows: Int, afterLayer: (Int) -> Void) {
    clock?.beginPass()
    embedding.forward(inputs, count: rows, into: stream, memory: memory)
    for (index, block) in blocks.enumerated() {
      block.forward(stream, images: rows, memory: memory)
      afterLayer(index)
    }
    clock?.beginHead()
    head.forward(stream, images: rows)
    clock?.endHead()
    clock?.endPass()
  }

  /// Cross entropy alone; the gradients that `backward` sets are those of `auxiliaryLoss` too.
  public func loss(targets: UnsafePointer<Int32>, rows: Int, forTraining: Bool) -> LossSum {
    clock?.beginPass()
    clock?.beginHead()
    defer {
      clock?.endHead()
      clock?.endPass()
    }
    return head.loss(targets: targets, images: rows, forTraining: forTraining)
  }

  public func backward(_ inputs: Tensor, rows: Int) {
    clock?.beginPass()
    gradient.data.update(
      repeating: 0, count: rows * PatchEmbedding.tokens(patch: config.patch) * config.d)
    clock?.beginHead()
    head.backward(into: gradient, images: rows)
    clock?.endHead()
    for block in blocks.reversed() { block.backward(gradient, images: rows, memory: memory) }
    embedding.backward(gradient, count: rows, memory: memory)
    clock?.endPass()
  }
}
