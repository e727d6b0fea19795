import CKernels
import Tensors

/// With fewer rows than this, BLAS multiplies without packing the weight and is faster.
private let fewestRowsToPack = 4

/// z = x·Mᵀ for x [rows, inputs], M [outputs, inputs] and z [rows, outputs].
/// - Parameters:
///   - ldx, ldm, ldz: floats from row to row.
///   - scratch: `Kernels.multiplyScratch` floats.
func multiplyTransposed(
  _ x: UnsafePointer<Float>, ldx: Int, _ m: UnsafePointer<Float>, ldm: Int,
  into z: UnsafeMutablePointer<Float>, ldz: Int, rows: Int, outputs: Int, inputs: Int,
  kernels: UnsafePointer<ExciteKernels>, scratch: UnsafeMutablePointer<Float>
) {
  if let multiply = kernels.pointee.multiply, rows >= fewestRowsToPack {
    multiply(rows, outputs, inputs, x, ldx, m, ldm, z, ldz, scratch)
    return
  }
  matmul(
    x, lda: ldx, m, ldb: ldm, transposeB: true, into: z, ldc: ldz, m: rows, n: outputs, k: inputs)
}

/// c = op(a)·b, or c + op(a)·b, as `matmul`: by the engine's kernel where that is faster than BLAS.
func multiply(
  _ a: UnsafePointer<Float>, lda: Int, transposeA: Bool = false, _ b: UnsafePointer<Float>,
  ldb: Int, into c: UnsafeMutablePointer<Float>, ldc: Int, m: Int, n: Int, k: Int,
  adds: Bool = false, kernels: UnsafePointer<ExciteKernels>
) {
  if let product = kernels.pointee.product {
    product(
      m, n, k, a, transposeA ? 1 : lda, transposeA ? lda : 1, b, ldb, c, ldc, adds ? 1 : 0)
    return
  }
  matmul(
    a, lda: lda, transposeA: transposeA, b, ldb: ldb, into: c, ldc: ldc, m: m, n: n, k: k,
    beta: adds ? 1 : 0)
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
