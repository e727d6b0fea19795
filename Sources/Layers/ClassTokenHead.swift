import CKernels
import Tensors

/// The classifier on the class token: logits = norm(x₀)·Wᵀ + b. Not modulated.
public final class ClassTokenHead {
  /// [B, C].
  public let logits: Tensor
  private let norm: PreNorm
  private let linear: Linear
  private let sizes: BlockSizes
  private let classes: Int
  private let kernels: UnsafePointer<ExciteKernels>
  private let logitGradient: Tensor
  /// Of the norm's output, [B, D].
  private let gradient: Tensor
  private let scratch = Tensor(Kernels.multiplyScratch)

  public init(classes: Int, sizes: BlockSizes, kernels: Kernels) {
    self.sizes = sizes
    self.classes = classes
    self.kernels = kernels.table
    norm = PreNorm(name: "norm", width: sizes.width, capacity: sizes.capacity, kernels: kernels)
    linear = Linear(name: "head", inputs: sizes.width, outputs: classes, kernels: kernels)
    logits = Tensor(sizes.capacity, classes)
    logitGradient = Tensor(sizes.capacity, classes)
    gradient = Tensor(sizes.capacity, sizes.width)
  }

  public var parameters: [Parameter] { norm.parameters + linear.parameters }

  /// Floats from one image's class token to the next.
  private var distance: Int { sizes.tokens * sizes.width }

  /// - Parameter x: [N, D].
  public func forward(_ x: Tensor, images: Int) {
    norm.forward(x.data, distance: distance, rows: 0..<images)
    linear.forward(norm.output.data, into: logits.data, rows: images, scratch: scratch.data)
  }

  /// Cross entropy of the logits against targets [B], as `ClassifierHead.loss`.
  public func loss(targets: UnsafePointer<Int32>, images: Int, forTraining: Bool) -> LossSum {
    var correct: Int64 = 0
    let nats = kernels.pointee.softmax_cross_entropy(
      images, classes, logits.data, classes, targets, 1 / Float(images),
      forTraining ? logitGradient.data : nil, classes, &correct)
    return LossSum(nats: nats, correct: Int(correct), rows: images)
  }

  /// Sets the gradients of the head and adds that of x [N, D] at the class tokens.
  public func backward(into dx: Tensor, images: Int) {
    for part in 0..<linear.weightParts {
      linear.weightGradient(part: part, logitGradient.data, norm.output.data, rows: images)
    }
    if let bias = linear.bias {
      bias.gradient.setZero()
      addColumns(logitGradient.data, rows: images, width: classes, to: bias.gradient.data)
    }
    linear.inputGradient(logitGradient.data, into: gradient.data, rows: images)
    norm.gain.gradient.setZero()
    norm.offset.gradient.setZero()
    norm.backward(
      gradient.data, into: dx.data, distance: distance, rows: 0..<images,
      gain: norm.gain.gradient.data, offset: norm.offset.gradient.data)
  }
}
