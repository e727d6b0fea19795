import Tensors

// Letters of the transformer: B sequences (an image's patches, or text), T tokens of each, N = B·T
// rows, D width, H heads,
// E experts, F hidden width of an expert, K experts picked per token, S slots (a token with one of
// its experts), C classes.

/// The sizes of a transformer block.
public struct BlockSizes: Sendable {
  /// T.
  public let tokens: Int
  /// D.
  public let width: Int
  /// H.
  public let heads: Int
  /// E.
  public let experts: Int
  /// F.
  public let hidden: Int
  /// K.
  public let picked: Int
  /// The largest B.
  public let capacity: Int
  /// Whether a token attends to itself and those before it alone.
  public let isCausal: Bool

  public init(
    tokens: Int, width: Int, heads: Int, experts: Int, hidden: Int, picked: Int, capacity: Int,
    isCausal: Bool = false
  ) {
    self.tokens = tokens
    self.width = width
    self.heads = heads
    self.experts = experts
    self.hidden = hidden
    self.picked = picked
    self.capacity = capacity
    self.isCausal = isCausal
  }

  /// The largest N.
  var rows: Int { capacity * tokens }

  /// Sequences that one task takes through the parts of a block where sequences do not meet. Few:
  /// what they pass on then stays in the second-level cache.
  var imagesPerTask: Int { min(4, max(1, 260 / tokens)) }
  /// Slots of one expert taken at a time.
  static let slotsPerTask = 256

  func tasks(images: Int) -> Int { (images + imagesPerTask - 1) / imagesPerTask }

  /// The rows of a task's images.
  func rows(ofTask task: Int, images: Int) -> Range<Int> {
    let first = task * imagesPerTask
    return first * tokens..<min(first + imagesPerTask, images) * tokens
  }
}

/// Memory that the blocks of one model use in turn.
public final class BlockMemory {
  public let workers: Workers
  let scratch: [BlockScratch]
  /// ∂loss/∂attention's output, [N, D].
  let middleGradient: Tensor
  /// [N, 3·D].
  let qkvGradient: Tensor
  /// ∂loss/∂router's scores, [N, E].
  let scoreGradient: Tensor
  /// Gradients of a block's vectors, a row for each task: the norms' gains and offsets, the biases
  /// of qkv and of the projection, [tasks, 8·D].
  let vectorGradients: Tensor

  public init(_ sizes: BlockSizes, workers: Workers) {
    self.workers = workers
    scratch = (0..<workers.count).map { _ in BlockScratch(sizes) }
    middleGradient = Tensor(sizes.rows, sizes.width)
    qkvGradient = Tensor(sizes.rows, 3 * sizes.width)
    scoreGradient = Tensor(sizes.rows, sizes.experts)
    vectorGradients = Tensor(sizes.tasks(images: sizes.capacity), 8 * sizes.width)
  }

  /// The clock of what no task does.
  var clock: PartClock? { scratch[0].clock }

  /// Notes from now on what each worker spends in which part.
  public func time() -> StepClock {
    let clock = StepClock(workers: scratch.count)
    for (scratch, worker) in zip(scratch, clock.workers) { scratch.clock = worker }
    return clock
  }

  /// Floats that all this takes.
  public static func floats(_ sizes: BlockSizes, workers: Int) -> Double {
    Double(sizes.rows) * Double(4 * sizes.width + sizes.experts)
      + Double(sizes.tasks(images: sizes.capacity) * 8 * sizes.width)
      + Double(workers) * BlockScratch.floats(sizes)
  }
}

/// Memory of one worker.
final class BlockScratch {
  /// For products.
  let packed: UnsafeMutablePointer<Float>
  /// Two of [rows, D].
  let first: UnsafeMutablePointer<Float>
  let second: UnsafeMutablePointer<Float>
  /// [slots, F].
  let hidden: UnsafeMutablePointer<Float>
  /// Two of [queries, `scoreDistance`].
  let scores: UnsafeMutablePointer<Float>
  let scoreGradients: UnsafeMutablePointer<Float>
  /// [E].
  let probabilities: UnsafeMutablePointer<Float>
  /// What selecting winners leaves beside their numbers, [rows, K and padding].
  let values: UnsafeMutablePointer<Float>
  /// In a benchmark.
  var clock: PartClock?
  private let memory: Tensor

  /// Floats from one query's scores to the next: whole vectors.
  static func scoreDistance(_ tokens: Int) -> Int { (tokens + 15) / 16 * 16 }

  private static func parts(_ sizes: BlockSizes) -> [Int] {
    let rows = max(BlockSizes.slotsPerTask, sizes.imagesPerTask * sizes.tokens)
    let scores = min(Attention.queriesAtOnce, sizes.tokens) * scoreDistance(sizes.tokens)
    return [
      Kernels.multiplyScratch, rows * sizes.width, rows * sizes.width,
      BlockSizes.slotsPerTask * sizes.hidden, scores, scores, sizes.experts,
      rows * Kernels.winnerStride(sizes.picked),
    ].map { ($0 + Tensor.slack + 15) / 16 * 16 }
  }

  static func floats(_ sizes: BlockSizes) -> Double {
    parts(sizes).reduce(0) { $0 + Double($1) }
  }

  init(_ sizes: BlockSizes) {
    let parts = Self.parts(sizes)
    memory = Tensor(parts.reduce(0, +))
    var next = memory.data
    func take(_ part: Int) -> UnsafeMutablePointer<Float> {
      defer { next += parts[part] }
      return next
    }
    packed = take(0)
    first = take(1)
    second = take(2)
    hidden = take(3)
    scores = take(4)
    scoreGradients = take(5)
    probabilities = take(6)
    values = take(7)
  }
}
