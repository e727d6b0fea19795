import CKernels
import Tensors

/// The linear classifier on the last layer's winners: logits = h·Wᵀ + b. Not modulated.
public final class ClassifierHead {
  public let weight: Parameter
  public let bias: Parameter
  /// [B, C].
  public let logits: Tensor

  private let width: Int
  private let classes: Int
  private let kernels: UnsafePointer<ExciteKernels>
  private let logitGradient: Tensor
  private let packedWeight: Tensor
  private let transposedGradient: Tensor
  private let scratch: Tensor

  public init(
    width: Int, winners: Int, classes: Int, capacity: Int, kernels: Kernels = .best
  ) {
    self.width = width
    self.classes = classes
    self.kernels = kernels.table
    weight = Parameter(
      name: "head.weight", value: Tensor(classes, width), gradient: Tensor(classes, width))
    bias = Parameter(name: "head.bias", value: Tensor(classes), gradient: Tensor(classes))
    logits = Tensor(capacity, classes)
    logitGradient = Tensor(capacity, classes)
    packedWeight = Tensor(Kernels.packedCount(rows: classes, columns: width))
    transposedGradient = Tensor(width, classes)
    scratch = Tensor(
      Kernels.scatterScratch(rows: capacity, winners: winners, width: width))
  }

  public func forward(_ input: Winners, rows: Int) {
    kernels.pointee.pack_transposed(classes, width, weight.value.data, width, packedWeight.data)
    kernels.pointee.gather_sum(
      rows, input.count, classes, input.values, input.indices, input.stride, packedWeight.data,
      Kernels.panelColumns, width * Kernels.panelColumns, logits.data, classes)
    for row in 0..<rows {
      for c in 0..<classes { logits.data[row * classes + c] += bias.value.data[c] }
    }
  }

  /// Cross entropy of the logits against targets [B], each below C.
  /// - Parameter forTraining: also sets the gradient of the mean loss over the rows.
  /// - Returns: the loss in nats summed over the rows, and how many rows were right.
  public func loss(targets: UnsafePointer<Int32>, rows: Int, forTraining: Bool) -> LossSum {
    var correct: Int64 = 0
    let nats = kernels.pointee.softmax_cross_entropy(
      rows, classes, logits.data, classes, targets, 1 / Float(rows),
      forTraining ? logitGradient.data : nil, classes, &correct)
    return LossSum(nats: nats, correct: Int(correct), rows: rows)
  }

  /// Sets the gradients of weight, bias and input, after `loss(forTraining: true)`.
  public func backward(_ input: Winners, rows: Int) {
    bias.gradient.setZero()
    for row in 0..<rows {
      for c in 0..<classes { bias.gradient.data[c] += logitGradient.data[row * classes + c] }
    }
    kernels.pointee.scatter_outer(
      rows, input.count, width, classes, input.values, input.indices, input.stride,
      logitGradient.data, classes, transposedGradient.data, classes, scratch.data)
    for c in 0..<classes {
      for n in 0..<width {
        weight.gradient.data[c * width + n] = transposedGradient.data[n * classes + c]
      }
    }
    matmul(
      logitGradient.data, lda: classes, weight.value.data, ldb: width,
      into: input.outputGradient.data,
      ldc: input.rowDistance, m: rows, n: width, k: classes)
  }
}

/// Loss and hits summed over rows; divided once, at the end.
public struct LossSum: Codable, Hashable, Sendable {
  public var nats: Double
  public var correct: Int
  public var rows: Int

  public init(nats: Double = 0, correct: Int = 0, rows: Int = 0) {
    self.nats = nats
    self.correct = correct
    self.rows = rows
  }

  public static func += (sum: inout LossSum, other: LossSum) {
    sum.nats += other.nats
    sum.correct += other.correct
    sum.rows += other.rows
  }

  /// Mean cross entropy in nats.
  public var mean: Double { nats / Double(rows) }
  /// Percent.
  public var accuracy: Double { 100 * Double(correct) / Double(rows) }
}
