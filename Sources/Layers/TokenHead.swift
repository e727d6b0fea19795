import CKernels
import Tensors

/// The prediction of each next token: logits = norm(x)·Wᵀ, without bias, not tied to the embedding,
/// not modulated. Logits exist for some rows at a time, and turn into their gradients in place.
public final class TokenHead {
  private let norm: PreNorm
  private let linear: Linear
  private let sizes: BlockSizes
  private let vocabulary: Int
  private let kernels: UnsafePointer<ExciteKernels>
  /// Of some rows, then ∂loss/∂logits, [rows at once, V and padding].
  private let logits: Tensor
  /// ∂loss/∂norm's output, [N, D].
  private let gradient: Tensor
  /// Of the norm's gain and offset, a row for each task, [tasks, 2·D].
  private let vectorGradients: Tensor
  /// Per task of rows, what `softmax_cross_entropy` found.
  private var sums: [LossSum] = []

  /// Rows whose logits exist at a time: enough that the weight passes through memory seldom.
  private static let rowsAtOnce = 256
  /// Rows, and tokens of the vocabulary, that one task takes.
  private static let rowsPerTask = 32
  private static let tokensPerTask = 512
  /// Floats of a row of the input's gradient that one task takes.
  private static let columnsPerTask = 128

  /// - Parameter vocabulary: V.
  public init(vocabulary: Int, sizes: BlockSizes, kernels: Kernels) {
    self.sizes = sizes
    self.vocabulary = vocabulary
    self.kernels = kernels.table
    norm = PreNorm(name: "norm", width: sizes.width, capacity: sizes.rows, kernels: kernels)
    linear = Linear(
      name: "head", inputs: sizes.width, outputs: vocabulary, hasBias: false, kernels: kernels)
    logits = Tensor(min(Self.rowsAtOnce, sizes.rows), Self.distance(vocabulary))
    gradient = Tensor(sizes.rows, sizes.width)
    vectorGradients = Tensor(sizes.tasks(images: sizes.capacity), 2 * sizes.width)
  }

  public var parameters: [Parameter] { norm.parameters + linear.parameters }

  /// Floats from one row of logits to the next: an odd number of cache lines.
  private static func distance(_ vocabulary: Int) -> Int { ((vocabulary + 15) / 16 | 1) * 16 }

  /// Floats that all this takes, beside the parameters.
  public static func floats(vocabulary: Int, _ sizes: BlockSizes) -> Double {
    Double(min(rowsAtOnce, sizes.rows)) * Double(distance(vocabulary))
      + Double(sizes.rows) * Double(3 * sizes.width + 1)
  }

  /// - Parameter x: [N, D].
  public func forward(_ x: Tensor, sequences: Int, memory: BlockMemory) {
    memory.workers.run(sizes.tasks(images: sequences)) { task, worker in
      memory.scratch[worker].clock?.start()
      defer { memory.scratch[worker].clock?.end(.head) }
      let rows = sizes.rows(ofTask: task, images: sequences)
      norm.forward(x.data + rows.lowerBound * sizes.width, distance: sizes.width, rows: rows)
    }
  }

  /// The logits of one row of the last forward pass, [V].
  public func logits(row: Int, memory: BlockMemory) -> UnsafeBufferPointer<Float> {
    multiply(row..<row + 1, memory)
    return UnsafeBufferPointer(start: logits.data, count: vocabulary)
  }

  /// Cross entropy of the last forward pass against the next tokens.
  /// - Parameters:
  ///   - targets: [N], each below V, or negative where nothing is asked.
  ///   - forTraining: also sets the weight's gradient and keeps the norm's, of the mean over the
  ///     rows that were asked.
  public func loss(
    targets: UnsafePointer<Int32>, sequences: Int, forTraining: Bool, memory: BlockMemory
  ) -> LossSum {
    let total = sequences * sizes.tokens
    let asked = (0..<total).count { targets[$0] >= 0 }
    var sum = LossSum()
    for start in stride(from: 0, to: total, by: Self.rowsAtOnce) {
      let rows = start..<min(start + Self.rowsAtOnce, total)
      multiply(rows, memory)
      sum += compare(
        targets + start, rows: rows.count, scale: forTraining ? 1 / Float(max(1, asked)) : nil,
        memory)
      if forTraining { takeBack(rows, adds: start > 0, memory) }
    }
    sum.rows = asked
    return sum
  }

  /// Logits of some rows.
  private func multiply(_ rows: Range<Int>, _ memory: BlockMemory) {
    let tasks = (vocabulary + Self.tokensPerTask - 1) / Self.tokensPerTask
    memory.workers.run(tasks) { task, worker in
      memory.scratch[worker].clock?.start()
      defer { memory.scratch[worker].clock?.end(.head) }
      let first = task * Self.tokensPerTask
      multiplyTransposed(
        norm.output.data + rows.lowerBound * sizes.width, ldx: sizes.width,
        linear.weight.value.data + first * sizes.width, ldm: sizes.width,
        into: logits.data + first, ldz: logits.rowLength, rows: rows.count,
        outputs: min(Self.tokensPerTask, vocabulary - first), inputs: sizes.width,
        kernels: kernels, scratch: memory.scratch[worker].packed)
    }
  }

  /// - Parameter scale: of the gradient that takes the logits' place; nil makes none.
  private func compare(
    _ targets: UnsafePointer<Int32>, rows: Int, scale: Float?, _ memory: BlockMemory
  ) -> LossSum {
    let tasks = (rows + Self.rowsPerTask - 1) / Self.rowsPerTask
    sums = [LossSum](repeating: LossSum(), count: tasks)
    sums.withUnsafeMutableBufferPointer { sums in
      nonisolated(unsafe) let sums = sums
      memory.workers.run(tasks) { task, worker in
        memory.scratch[worker].clock?.start()
        defer { memory.scratch[worker].clock?.end(.head) }
        let first = task * Self.rowsPerTask
        let start = logits.data + first * logits.rowLength
        var correct: Int64 = 0
        let nats = kernels.pointee.softmax_cross_entropy(
          min(Self.rowsPerTask, rows - first), vocabulary, start, logits.rowLength,
          targets + first, scale ?? 0, scale == nil ? nil : start, logits.rowLength, &correct)
        sums[task] = LossSum(nats: nats, correct: Int(correct))
      }
    }
    return sums.reduce(into: LossSum()) { $0 += $1 }
  }

  /// From the logits' gradient to the weight's, dlogitsᵀ·y, and the norm's, dlogits·W.
  private func takeBack(_ rows: Range<Int>, adds: Bool, _ memory: BlockMemory) {
    let width = sizes.width
    let tasks = (vocabulary + Self.tokensPerTask - 1) / Self.tokensPerTask
    let columnTasks = (width + Self.columnsPerTask - 1) / Self.columnsPerTask
    memory.workers.run(columnTasks + tasks) { task, worker in
      memory.scratch[worker].clock?.start()
      defer { memory.scratch[worker].clock?.end(.head) }
      if task < columnTasks {
        let first = task * Self.columnsPerTask
        matmul(
          logits.data, lda: logits.rowLength, linear.weight.value.data + first, ldb: width,
          into: gradient.data + rows.lowerBound * width + first, ldc: width, m: rows.count,
          n: min(Self.columnsPerTask, width - first), k: vocabulary)
        return
      }
      let first = (task - columnTasks) * Self.tokensPerTask
      matmul(
        logits.data + first, lda: logits.rowLength, transposeA: true,
        norm.output.data + rows.lowerBound * width, ldb: width,
        into: linear.weight.gradient.data + first * width, ldc: width,
        m: min(Self.tokensPerTask, vocabulary - first), n: width, k: rows.count,
        beta: adds ? 1 : 0)
    }
  }

  /// Sets the norm's gradients and adds that of x to dx [N, D], after `loss(forTraining: true)`.
  public func backward(into dx: Tensor, sequences: Int, memory: BlockMemory) {
    let width = sizes.width
    let tasks = sizes.tasks(images: sequences)
    memory.workers.run(tasks) { task, worker in
      memory.scratch[worker].clock?.start()
      defer { memory.scratch[worker].clock?.end(.head) }
      let rows = sizes.rows(ofTask: task, images: sequences)
      let vectors = vectorGradients.data + task * 2 * width
      vectors.update(repeating: 0, count: 2 * width)
      norm.backward(
        gradient.data + rows.lowerBound * width, into: dx.data + rows.lowerBound * width,
        distance: width, rows: rows, gain: vectors, offset: vectors + width)
    }
    for (index, vector) in norm.parameters.enumerated() {
      vector.gradient.setZero()
      for task in 0..<tasks {
        add(
          vectorGradients.data + (2 * task + index) * width, to: vector.gradient.data,
          count: width)
      }
    }
  }
}
