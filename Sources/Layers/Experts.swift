import CKernels
import Tensors

/// The experts of a layer, each y = GELU(x·W1ᵀ + b1)·W2ᵀ + b2, their tensors stacked along the first
/// axis. An expert without tokens costs nothing, forward or backward.
public final class Experts {
  /// [E, F, D], [E, F], [E, D, F], [E, D].
  public let w1: Parameter
  public let b1: Parameter
  public let w2: Parameter
  public let b2: Parameter
  /// By slot, [S, D]: the outputs, until the way back turns them into the inputs' gradients.
  let slotValues: Tensor
  /// ∂loss/∂gate by slot, [S].
  let gateGradients: Tensor

  private let sizes: BlockSizes
  private let kernels: UnsafePointer<ExciteKernels>
  private let activity: RowActivity
  /// GELU's value and derivative by slot, [S, F].
  private let activations: Tensor
  private let slopes: Tensor

  /// - Parameter layer: place among the expert layers.
  init(name: String, layer: Int, sizes: BlockSizes, kernels: Kernels) {
    self.sizes = sizes
    self.kernels = kernels.table
    let (e, f, d) = (sizes.experts, sizes.hidden, sizes.width)
    let activity = RowActivity(rows: e)
    self.activity = activity
    func stacked(_ part: String, _ shape: [Int]) -> Parameter {
      Parameter(
        name: "\(name).\(part)", value: Tensor(shape: shape), gradient: Tensor(shape: shape),
        expertLayer: layer, activity: activity)
    }
    w1 = stacked("w1", [e, f, d])
    b1 = stacked("b1", [e, f])
    w2 = stacked("w2", [e, d, f])
    b2 = stacked("b2", [e, d])
    let slots = sizes.rows * sizes.picked
    slotValues = Tensor(slots, d)
    gateGradients = Tensor(slots)
    activations = Tensor(slots, f)
    slopes = Tensor(slots, f)
  }

  public var tensors: [Parameter] { [w1, b1, w2, b2] }

  /// The outputs of one expert for some of its slots.
  /// - Parameter x: [N, D].
  func forward(
    _ x: Tensor, expert: Int, slots: Range<Int>, _ dispatch: Dispatch, _ scratch: BlockScratch
  ) {
    let (f, d, count) = (sizes.hidden, sizes.width, slots.count)
    gather(x, slots: slots, dispatch, into: scratch.first)
    scratch.clock?.end(.dispatch)
    let z = slopes.data + slots.lowerBound * f
    let h = activations.data + slots.lowerBound * f
    let y = slotValues.data + slots.lowerBound * d
    multiplyTransposed(
      scratch.first, ldx: d, w1.value.data + expert * f * d, ldm: d, into: z, ldz: f, rows: count,
      outputs: f,
      inputs: d, kernels: kernels, scratch: scratch.packed)
    kernels.pointee.gelu(count, f, b1.value.data + expert * f, z, h)
    multiplyTransposed(
      h, ldx: f, w2.value.data + expert * d * f, ldm: f, into: y, ldz: d, rows: count, outputs: d,
      inputs: f,
      kernels: kernels, scratch: scratch.packed)
    for slot in 0..<count { add(b2.value.data + expert * d, to: y + slot * d, count: d) }
    scratch.clock?.end(.experts)
  }

  private func gather(
    _ x: Tensor, slots: Range<Int>, _ dispatch: Dispatch, into rows: UnsafeMutablePointer<Float>
  ) {
    let d = sizes.width
    for (row, slot) in slots.enumerated() {
      (rows + row * d).update(from: x.data + Int(dispatch.tokens.data[slot]) * d, count: d)
    }
  }

  /// Sets the gradients of one expert's tensors, of its slots' gates and inputs.
  /// - Parameters:
  ///   - x: what the forward pass read, [N, D].
  ///   - gradient: ∂loss/∂y of the whole layer, [N, D].
  func backward(
    _ x: Tensor, gradient: Tensor, expert: Int, _ dispatch: Dispatch, _ scratch: BlockScratch
  ) {
    let (f, d) = (sizes.hidden, sizes.width)
    let gradients = (
      w1: w1.gradient.data + expert * f * d, b1: b1.gradient.data + expert * f,
      w2: w2.gradient.data + expert * d * f, b2: b2.gradient.data + expert * d
    )
    let all = dispatch.slots(of: expert)
    guard !all.isEmpty else {
      guard activity.hasGradient[expert] else { return }
      activity.hasGradient[expert] = false
      gradients.w1.update(repeating: 0, count: f * d)
      gradients.b1.update(repeating: 0, count: f)
      gradients.w2.update(repeating: 0, count: d * f)
      gradients.b2.update(repeating: 0, count: d)
      return
    }
    activity.hasGradient[expert] = true
    gradients.b1.update(repeating: 0, count: f)
    gradients.b2.update(repeating: 0, count: d)
    let (dy, dz) = (scratch.second, scratch.hidden)
    for start in stride(from: all.lowerBound, to: all.upperBound, by: BlockSizes.slotsPerTask) {
      let slots = start..<min(start + BlockSizes.slotsPerTask, all.upperBound)
      let count = slots.count
      let adds = start > all.lowerBound
      let values = slotValues.data + start * d
      let (h, slope) = (activations.data + start * f, slopes.data + start * f)
      gather(x, slots: slots, dispatch, into: scratch.first)
      kernels.pointee.gather_scaled(
        count, d, dispatch.tokens.data + start, dispatch.gates.data + start, gradient.data, values,
        dy, gateGradients.data + start)
      scratch.clock?.end(.dispatch)
      addColumns(dy, rows: count, width: d, to: gradients.b2)
      multiply(
        dy, lda: d, transposeA: true, h, ldb: f, into: gradients.w2, ldc: f, m: d, n: f, k: count,
        adds: adds, kernels: kernels)
      multiply(
        dy, lda: d, w2.value.data + expert * d * f, ldb: f, into: dz, ldc: f, m: count, n: f, k: d,
        kernels: kernels)
      for i in 0..<count * f { dz[i] *= slope[i] }
      addColumns(dz, rows: count, width: f, to: gradients.b1)
      multiply(
        dz, lda: f, transposeA: true, scratch.first, ldb: d, into: gradients.w1, ldc: d, m: f,
        n: d, k: count, adds: adds, kernels: kernels)
      multiply(
        dz, lda: f, w1.value.data + expert * f * d, ldb: d, into: values, ldc: d, m: count, n: d,
        k: f, kernels: kernels)
      scratch.clock?.end(.experts)
    }
  }
}
