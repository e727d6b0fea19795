import CKernels
import Tensors

/// Weights of the losses that keep a router usable.
public struct RouterLosses: Sendable {
  /// α of the load-balancing loss, E·Σ_e f_e·P_e: f_e the share of the N·K slots that are expert e's
  /// (held fixed), P_e the mean probability. 1 where all experts are used alike.
  public let balance: Double
  /// Of the z-loss, the mean of (log Σ_e exp(score))² (Zoph et al. 2022, arXiv:2202.08906).
  public let z: Double

  public init(balance: Double, z: Double) {
    self.balance = balance
    self.z = z
  }
}

/// Scores = x·Wᵀ; the K largest are picked, of equal ones those of lower number, and weighted by
/// their softmax, renormalized to gates that sum to 1. No capacity, no dropped token.
public final class Router {
  /// The gates of the last forward pass in the order of `picks`, [N, K].
  public let gates: Tensor
  /// Rows per expert, [E]; they sum to N·K.
  let counts: Indices
  /// E·Σ f·P of the last forward pass, and the mean square of log Σ exp; both before weights.
  public private(set) var balance = 0.0
  public private(set) var zLoss = 0.0
  let linear: Linear

  private let sizes: BlockSizes
  private let losses: RouterLosses
  private let kernels: UnsafePointer<ExciteKernels>
  /// [N, E].
  private let scores: Tensor
  /// log Σ_e exp(score), [N].
  private let logSums: Tensor
  /// Experts of each row, ascending, [N, K and padding].
  let picks: Indices
  let pickDistance: Int
  /// ∂loss/∂P_e spread over the rows, [E].
  private let balanceSlopes: Tensor
  /// What each task found: rows per expert, sums of p [tasks, E] and of squares [tasks].
  private let taskCounts: Indices
  private let taskProbabilities: Tensor
  private let taskSquares: Tensor

  init(name: String, sizes: BlockSizes, losses: RouterLosses, kernels: Kernels) {
    self.sizes = sizes
    self.losses = losses
    self.kernels = kernels.table
    linear = Linear(
      name: name, inputs: sizes.width, outputs: sizes.experts, hasBias: false, kernels: kernels)
    gates = Tensor(sizes.rows, sizes.picked)
    counts = Indices(sizes.experts)
    scores = Tensor(sizes.rows, sizes.experts)
    logSums = Tensor(sizes.rows)
    pickDistance = Kernels.winnerStride(sizes.picked)
    picks = Indices(sizes.rows * pickDistance)
    balanceSlopes = Tensor(sizes.experts)
    let tasks = sizes.tasks(images: sizes.capacity)
    taskCounts = Indices(tasks * sizes.experts)
    taskProbabilities = Tensor(tasks, sizes.experts)
    taskSquares = Tensor(tasks)
  }

  /// Whom the last forward pass chose.
  public var routing: Routing {
    Routing(
      scores: UnsafePointer(scores.data), scoreDistance: sizes.experts,
      picks: UnsafePointer(picks.data), pickDistance: pickDistance, experts: sizes.experts,
      picked: sizes.picked, rowsPerSample: sizes.tokens, balance: balance)
  }

  /// Scores, picks and gates of one task's rows of y [N, D].
  func forward(_ y: Tensor, rows: Range<Int>, task: Int, scratch: BlockScratch) {
    let (experts, picked) = (sizes.experts, sizes.picked)
    let scores = scores.data + rows.lowerBound * experts
    linear.forward(
      y.data + rows.lowerBound * sizes.width, into: scores, rows: rows.count,
      scratch: scratch.packed)
    let counts = taskCounts.data + task * experts
    counts.update(repeating: 0, count: experts)
    let picks = picks.data + rows.lowerBound * pickDistance
    kernels.pointee.top_k_relu(
      rows.count, experts, picked, scores, experts, nil, scratch.values, picks, pickDistance, nil,
      0, counts)
    let logSums = logSums.data + rows.lowerBound
    kernels.pointee.log_sum_exp(rows.count, experts, scores, experts, 1, logSums)

    let sums = taskProbabilities.data + task * experts
    sums.update(repeating: 0, count: experts)
    var squares = 0.0
    let p = scratch.probabilities
    for row in 0..<rows.count {
      kernels.pointee.softmax(1, experts, scores + row * experts, experts, 1, logSums + row, p, 0)
      add(p, to: sums, count: experts)
      squares += Double(logSums[row]) * Double(logSums[row])
      let gates = gates.data + (rows.lowerBound + row) * picked
      var sum: Float = 0
      for j in 0..<picked {
        gates[j] = p[Int(picks[row * pickDistance + j])]
        sum += gates[j]
      }
      for j in 0..<picked { gates[j] /= sum }
    }
    taskSquares.data[task] = Float(squares)
  }

  /// Counts and losses over all rows, once every task is done.
  func gather(rows: Int, tasks: Int) {
    let (experts, total) = (sizes.experts, Double(rows))
    counts.data.update(repeating: 0, count: experts)
    for task in 0..<tasks {
      for e in 0..<experts { counts.data[e] += taskCounts.data[task * experts + e] }
    }
    balance = 0
    for e in 0..<experts {
      var probability = 0.0
      for task in 0..<tasks { probability += Double(taskProbabilities.data[task * experts + e]) }
      let share = Double(counts.data[e]) / (total * Double(sizes.picked)) * Double(experts)
      balance += share * probability / total
      balanceSlopes.data[e] = Float(losses.balance * share / total)
    }
    zLoss = (0..<tasks).reduce(0.0) { $0 + Double(taskSquares.data[$1]) } / total
  }

  /// From the gradients of the gates to those of the scores, of the losses too.
  /// - Parameters:
  ///   - slots: of each row's picks, −1 where nothing was asked of the expert, [N, K].
  ///   - slotGradients: ∂loss/∂gate by slot.
  ///   - total: N.
  func backward(
    rows: Range<Int>, slots: UnsafePointer<Int32>, slotGradients: UnsafePointer<Float>,
    into scoreGradient: Tensor, total: Int, scratch: BlockScratch
  ) {
    let (experts, picked) = (sizes.experts, sizes.picked)
    let p = scratch.probabilities
    for row in rows {
      let gradient = scoreGradient.data + row * experts
      kernels.pointee.softmax(
        1, experts, scores.data + row * experts, experts, 1, logSums.data + row, p, 0)
      gradient.update(from: balanceSlopes.data, count: experts)
      kernels.pointee.softmax_gradient(1, experts, p, 0, 1, gradient, 0)
      if losses.z > 0 {
        add(
          Float(2 * losses.z / Double(total)) * logSums.data[row], p, to: gradient, count: experts)
      }
      // The gates are the softmax of the picked scores alone.
      let (slots, gates) = (slots + row * picked, gates.data + row * picked)
      guard slots[0] >= 0 else { continue }
      var mean: Float = 0
      for j in 0..<picked { mean += gates[j] * slotGradients[Int(slots[j])] }
      for j in 0..<picked {
        gradient[Int(picks.data[row * pickDistance + j])] +=
          gates[j] * (slotGradients[Int(slots[j])] - mean)
      }
    }
  }
}
