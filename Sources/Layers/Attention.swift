import CKernels
import Tensors

/// Multi-head self-attention, every token of a sequence attending to all of them, or to itself and
/// those before it:
///
///     q, k, v = x·Wqkvᵀ + b        o_h = softmax(q_h·k_hᵀ/√(D/H))·v_h        out = [o_1 … o_H]·Wᵀ + b
///
/// Only some rows of one head's T×T weights exist at a time; the way back makes them anew from the
/// logarithms of their sums.
final class Attention {
  let qkv: Linear
  let projection: Linear
  private let sizes: BlockSizes
  private let kernels: UnsafePointer<ExciteKernels>
  /// [N, 3·D], q then k then v of each token, head after head.
  private let projected: Tensor
  /// The heads' outputs, [N, D].
  private let mixed: Tensor
  /// Of each query's softmax, [B, H, T].
  private let logSums: Tensor

  /// Queries whose weights exist at a time.
  static let queriesAtOnce = 128

  init(name: String, sizes: BlockSizes, kernels: Kernels) {
    self.sizes = sizes
    self.kernels = kernels.table
    let width = sizes.width
    qkv = Linear(name: "\(name).qkv", inputs: width, outputs: 3 * width, kernels: kernels)
    projection = Linear(name: "\(name).proj", inputs: width, outputs: width, kernels: kernels)
    projected = Tensor(sizes.rows, 3 * width)
    mixed = Tensor(sizes.rows, width)
    logSums = Tensor(sizes.capacity, sizes.heads, sizes.tokens)
  }

  var parameters: [Parameter] { qkv.parameters + projection.parameters }
  private var headWidth: Int { sizes.width / sizes.heads }
  private var scale: Float { 1 / Float(headWidth).squareRoot() }

  /// Adds to the residual stream x [N, D] what attention makes of y [N, D], for the rows of whole
  /// sequences.
  func forward(
    _ y: Tensor, addingTo x: Tensor, rows: Range<Int>, scratch: BlockScratch
  ) {
    let width = sizes.width
    let start = rows.lowerBound * width
    qkv.forward(
      y.data + start, into: projected.data + 3 * start, rows: rows.count, scratch: scratch.packed)
    for row in stride(from: rows.lowerBound, to: rows.upperBound, by: sizes.tokens) {
      for head in 0..<sizes.heads { mix(row: row, head: head, scratch: scratch) }
    }
    projection.forward(
      mixed.data + start, into: scratch.first, rows: rows.count, scratch: scratch.packed)
    add(scratch.first, to: x.data + start, count: rows.count * width)
  }

  /// The queries of a sequence, some at a time.
  private var queryBlocks: LazyMapCollection<Range<Int>, Range<Int>> {
    let (tokens, most) = (sizes.tokens, Self.queriesAtOnce)
    return (0..<(tokens + most - 1) / most).lazy.map {
      $0 * most..<min(($0 + 1) * most, tokens)
    }
  }

  /// How many keys, from the first on, some queries attend to.
  private func keys(of queries: Range<Int>) -> Int {
    sizes.isCausal ? queries.upperBound : sizes.tokens
  }

  /// softmax(q·kᵀ·scale) of the sequence whose first row is `row`, into `scratch.scores`.
  private func weigh(
    row: Int, head: Int, queries: Range<Int>, sums: Bool, scratch: BlockScratch
  ) {
    let (keys, distance) = (keys(of: queries), BlockScratch.scoreDistance(sizes.tokens))
    let ld = 3 * sizes.width
    let q = projected.data + row * ld + head * headWidth
    multiplyTransposed(
      q + queries.lowerBound * ld, ldx: ld, q + sizes.width, ldm: ld, into: scratch.scores,
      ldz: distance, rows: queries.count, outputs: keys, inputs: headWidth, kernels: kernels,
      scratch: scratch.packed)
    if sizes.isCausal {
      for (index, query) in queries.enumerated() {
        (scratch.scores + index * distance + query + 1).update(
          repeating: -.infinity, count: keys - query - 1)
      }
    }
    let logSum = logSums.data + row * sizes.heads + head * sizes.tokens + queries.lowerBound
    if sums {
      kernels.pointee.log_sum_exp(queries.count, keys, scratch.scores, distance, scale, logSum)
    }
    kernels.pointee.softmax(
      queries.count, keys, scratch.scores, distance, scale, logSum, scratch.scores, distance)
  }

  private func mix(row: Int, head: Int, scratch: BlockScratch) {
    let (width, ld) = (sizes.width, 3 * sizes.width)
    for queries in queryBlocks {
      weigh(row: row, head: head, queries: queries, sums: true, scratch: scratch)
      multiply(
        scratch.scores, lda: BlockScratch.scoreDistance(sizes.tokens),
        projected.data + row * ld + 2 * width + head * headWidth, ldb: ld,
        into: mixed.data + (row + queries.lowerBound) * width + head * headWidth, ldc: width,
        m: queries.count, n: headWidth, k: keys(of: queries), kernels: kernels)
    }
  }

  /// From the gradient of the output, `memory.middleGradient`, sets that of qkv,
  /// `memory.qkvGradient`, and adds that of y to dy [rows, D], for the rows of whole images.
  func backward(
    into dy: UnsafeMutablePointer<Float>, rows: Range<Int>, memory: BlockMemory,
    scratch: BlockScratch
  ) {
    let start = rows.lowerBound * sizes.width
    projection.inputGradient(
      memory.middleGradient.data + start, into: scratch.second, rows: rows.count)
    for row in stride(from: rows.lowerBound, to: rows.upperBound, by: sizes.tokens) {
      for head in 0..<sizes.heads {
        unmix(
          scratch.second + (row - rows.lowerBound) * sizes.width + head * headWidth, row: row,
          head: head, memory: memory, scratch: scratch)
      }
    }
    qkv.inputGradient(memory.qkvGradient.data + 3 * start, into: dy, rows: rows.count)
  }

  /// - Parameter gradient: of one head's output, rows D apart.
  private func unmix(
    _ gradient: UnsafePointer<Float>, row: Int, head: Int, memory: BlockMemory,
    scratch: BlockScratch
  ) {
    let (width, ld) = (sizes.width, 3 * sizes.width)
    let distance = BlockScratch.scoreDistance(sizes.tokens)
    let (weights, slopes) = (scratch.scores, scratch.scoreGradients)
    let q = projected.data + row * ld + head * headWidth
    let dq = memory.qkvGradient.data + row * ld + head * headWidth
    // From the last queries on, which attend to all keys: they set what the others add to.
    for queries in queryBlocks.reversed() {
      weigh(row: row, head: head, queries: queries, sums: false, scratch: scratch)
      let (keys, first) = (keys(of: queries), queries.lowerBound)
      let adds = queries.upperBound < sizes.tokens
      // ∂v = Pᵀ·∂o
      multiply(
        weights, lda: distance, transposeA: true, gradient + first * width, ldb: width,
        into: dq + 2 * width, ldc: ld, m: keys, n: headWidth, k: queries.count, adds: adds,
        kernels: kernels)
      // ∂P = ∂o·vᵀ
      multiplyTransposed(
        gradient + first * width, ldx: width, q + 2 * width, ldm: ld, into: slopes, ldz: distance,
        rows: queries.count, outputs: keys, inputs: headWidth, kernels: kernels,
        scratch: scratch.packed)
      kernels.pointee.softmax_gradient(
        queries.count, keys, weights, distance, scale, slopes, distance)
      // ∂q = ∂S·k and ∂k = ∂Sᵀ·q
      multiply(
        slopes, lda: distance, q + width, ldb: ld, into: dq + first * ld, ldc: ld,
        m: queries.count, n: headWidth, k: keys, kernels: kernels)
      multiply(
        slopes, lda: distance, transposeA: true, q + first * ld, ldb: ld, into: dq + width,
        ldc: ld, m: keys, n: headWidth, k: queries.count, adds: adds, kernels: kernels)
    }
  }

  /// Parts of the weights' gradients, each a task.
  var weightParts: Int { qkv.weightParts + projection.weightParts }

  /// - Parameter y: what the forward pass read.
  func weightGradient(part: Int, _ y: Tensor, rows: Int, memory: BlockMemory) {
    if part < qkv.weightParts {
      qkv.weightGradient(part: part, memory.qkvGradient.data, y.data, rows: rows)
    } else {
      projection.weightGradient(
        part: part - qkv.weightParts, memory.middleGradient.data, mixed.data, rows: rows)
    }
  }
}
