import CKernels
import Tensors

/// With fewer rows than this, BLAS multiplies without packing the weight and is faster.
private let fewestRowsToPack = 4

/// z = x·Mᵀ for x [rows, inputs] and M [outputs, inputs] without gaps; z is [rows, outputs] without
/// gaps.
/// - Parameter scratch: `Kernels.multiplyScratch` floats.
func multiplyTransposed(
  _ x: UnsafePointer<Float>, ldx: Int, _ m: UnsafePointer<Float>,
  into z: UnsafeMutablePointer<Float>, rows: Int, outputs: Int, inputs: Int,
  kernels: UnsafePointer<ExciteKernels>, scratch: UnsafeMutablePointer<Float>
) {
  if let multiply = kernels.pointee.multiply, rows >= fewestRowsToPack {
    multiply(rows, outputs, inputs, x, ldx, m, inputs, z, outputs, scratch)
    return
  }
  matmul(
    x, lda: ldx, m, ldb: inputs, transposeB: true, into: z, ldc: outputs, m: rows, n: outputs,
    k: inputs)
}

/// Adds to sums [W] the rows of x [rows, W].
func addColumns(
  _ x: UnsafePointer<Float>, rows: Int, width: Int, to sums: UnsafeMutablePointer<Float>
) {
  for row in 0..<rows {
    let values = x + row * width
    for c in 0..<width { sums[c] += values[c] }
  }
}

/// Adds x [count] to y.
func add(_ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, count: Int) {
  for i in 0..<count { y[i] += x[i] }
}

/// Adds factor·x [count] to y.
func add(
  _ factor: Float, _ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, count: Int
) {
  for i in 0..<count { y[i] += factor * x[i] }
}
