import Tensors

/// A pre-LN transformer block whose MLP is a mixture of experts:
///
///     x ← x + attention(norm1(x))        x ← x + Σ_picked gate·expert(norm2(x))
///
/// Tensor names are the reference's: `blocks.0.norm1.weight`, `blocks.0.qkv.weight`, …,
/// `blocks.0.moe.w1` [E, F, D], …
public final class MoEBlock {
  public let router: Router
  public let experts: Experts
  public let dispatch: Dispatch
  public let parameters: [Parameter]

  private let sizes: BlockSizes
  private let step: Int
  private let norm1: PreNorm
  private let norm2: PreNorm
  private let attention: Attention
  /// The parameters whose gradients tasks sum apart, in that order.
  private let vectors: [Parameter]

  /// - Parameters:
  ///   - index: place among the blocks, also the expert layer.
  ///   - servesFirstTokens: only the first token of each image is read afterwards. The experts then
  ///     work on those alone; all tokens are routed, counted and balanced as ever.
  public init(
    index: Int, sizes: BlockSizes, losses: RouterLosses, servesFirstTokens: Bool, kernels: Kernels
  ) {
    self.sizes = sizes
    step = servesFirstTokens ? sizes.tokens : 1
    let name = "blocks.\(index)"
    norm1 = PreNorm(
      name: "\(name).norm1", width: sizes.width, capacity: sizes.rows, kernels: kernels)
    attention = Attention(name: name, sizes: sizes, kernels: kernels)
    norm2 = PreNorm(
      name: "\(name).norm2", width: sizes.width, capacity: sizes.rows, kernels: kernels)
    router = Router(name: "\(name).moe.router", sizes: sizes, losses: losses, kernels: kernels)
    experts = Experts(name: "\(name).moe", layer: index, sizes: sizes, kernels: kernels)
    dispatch = Dispatch(sizes)
    parameters =
      norm1.parameters + attention.parameters + norm2.parameters + experts.tensors
      + router.linear.parameters
    vectors =
      norm1.parameters + norm2.parameters
      + [attention.qkv.bias, attention.projection.bias].compactMap(\.self)
  }

  public var counts: UnsafeBufferPointer<Int32> {
    UnsafeBufferPointer(start: router.counts.data, count: router.counts.count)
  }

  /// - Parameter x: the residual stream [N, D], which is moved on.
  public func forward(_ x: Tensor, images: Int, memory: BlockMemory) {
    let tasks = sizes.tasks(images: images)
    let width = sizes.width
    memory.workers.run(tasks) { task, worker in
      let rows = sizes.rows(ofTask: task, images: images)
      let scratch = memory.scratch[worker]
      let start = x.data + rows.lowerBound * width
      scratch.clock?.start()
      norm1.forward(start, distance: width, rows: rows)
      scratch.clock?.end(.norms)
      attention.forward(norm1.output, addingTo: x, rows: rows, scratch: scratch)
      scratch.clock?.end(.attention)
      norm2.forward(start, distance: width, rows: rows)
      scratch.clock?.end(.norms)
      router.forward(norm2.output, rows: rows, task: task, scratch: scratch)
      scratch.clock?.end(.router)
    }
    memory.clock?.start()
    router.gather(rows: images * sizes.tokens, tasks: tasks)
    memory.clock?.end(.router)
    dispatch.fill(router, rows: images * sizes.tokens, step: step)
    memory.clock?.end(.dispatch)
    memory.workers.run(dispatch.taskCount) { task, worker in
      let scratch = memory.scratch[worker]
      let (expert, slots) = dispatch.task(task)
      scratch.clock?.start()
      experts.forward(norm2.output, expert: expert, slots: slots, dispatch, scratch)
    }
    memory.workers.run(tasks) { task, worker in
      let clock = memory.scratch[worker].clock
      clock?.start()
      let rows = sizes.rows(ofTask: task, images: images)
      dispatch.combine(
        experts.slotValues, into: x.data + rows.lowerBound * width, rows: rows, weighted: true)
      clock?.end(.dispatch)
    }
  }

  /// - Parameter gradient: ∂loss/∂x after the block [N, D], which becomes that before it.
  public func backward(_ gradient: Tensor, images: Int, memory: BlockMemory) {
    memory.workers.run(sizes.experts) { expert, worker in
      let scratch = memory.scratch[worker]
      scratch.clock?.start()
      experts.backward(norm2.output, gradient: gradient, expert: expert, dispatch, scratch)
    }
    let tasks = sizes.tasks(images: images)
    memory.workers.run(tasks) { task, worker in
      backward(gradient, task: task, images: images, memory, memory.scratch[worker])
    }
    let rows = images * sizes.tokens
    memory.workers.run(attention.weightParts + router.linear.weightParts) { part, worker in
      let clock = memory.scratch[worker].clock
      clock?.start()
      if part < attention.weightParts {
        attention.weightGradient(part: part, norm1.output, rows: rows, memory: memory)
        clock?.end(.attention)
      } else {
        router.linear.weightGradient(
          part: part - attention.weightParts, memory.scoreGradient.data, norm2.output.data,
          rows: rows)
        clock?.end(.router)
      }
    }
    memory.clock?.start()
    sumVectorGradients(tasks: tasks, memory)
    memory.clock?.end(.norms)
  }

  /// The rows of a task's images, back from the experts' inputs to the block's.
  private func backward(
    _ gradient: Tensor, task: Int, images: Int, _ memory: BlockMemory, _ scratch: BlockScratch
  ) {
    let rows = sizes.rows(ofTask: task, images: images)
    let width = sizes.width
    let start = rows.lowerBound * width
    let vectors = memory.vectorGradients.data + task * 8 * width
    vectors.update(repeating: 0, count: 8 * width)
    let dx = gradient.data + start
    let clock = scratch.clock

    clock?.start()
    let dy = scratch.first
    router.backward(
      rows: rows, slots: dispatch.slots.data, slotGradients: experts.gateGradients.data,
      into: memory.scoreGradient, total: images * sizes.tokens, scratch: scratch)
    router.linear.inputGradient(
      memory.scoreGradient.data + rows.lowerBound * sizes.experts, into: dy, rows: rows.count)
    clock?.end(.router)
    dispatch.combine(experts.slotValues, into: dy, rows: rows, weighted: false)
    clock?.end(.dispatch)
    norm2.backward(
      dy, into: dx, distance: width, rows: rows, gain: vectors + 2 * width,
      offset: vectors + 3 * width)
    clock?.end(.norms)

    let middle = memory.middleGradient.data + start
    middle.update(from: dx, count: rows.count * width)
    addColumns(middle, rows: rows.count, width: width, to: vectors + 7 * width)
    attention.backward(into: dy, rows: rows, memory: memory, scratch: scratch)
    addColumns(
      memory.qkvGradient.data + 3 * start, rows: rows.count, width: 3 * width,
      to: vectors + 4 * width)
    clock?.end(.attention)
    norm1.backward(
      dy, into: dx, distance: width, rows: rows, gain: vectors, offset: vectors + width)
    clock?.end(.norms)
  }

  /// In the tasks' order, whichever thread did them.
  private func sumVectorGradients(tasks: Int, _ memory: BlockMemory) {
    var offset = 0
    for vector in vectors {
      let sum = vector.gradient
      sum.setZero()
      for task in 0..<tasks {
        add(
          memory.vectorGradients.data + task * 8 * sizes.width + offset, to: sum.data,
          count: sum.count)
      }
      offset += sum.count
    }
  }
}
