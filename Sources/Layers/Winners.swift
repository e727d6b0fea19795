import Tensors

// Letters: B rows of a batch, W width, K winners per row, I inputs, C classes.

/// What a Top-K layer puts out: the K winners of each row, both as a list and as a full matrix.
public final class Winners {
  public let width: Int
  /// K.
  public let count: Int
  /// Slots per row in `values` and `indices`, of which the first K are used.
  public let stride: Int
  /// max(0, pre-activation) of the winners, [B, stride].
  public let values: UnsafeMutablePointer<Float>
  /// Which neurons won, ascending within a row, [B, stride].
  public let indices: UnsafeMutablePointer<Int32>
  /// The same as a matrix, zero where a neuron lost, [B, W].
  public let dense: Tensor
  /// How many rows each neuron won in the last forward pass, [W]; they sum to B·K.
  public let counts: UnsafeMutablePointer<Int32>
  /// ∂loss/∂pre-activation of the winners, [B, stride]; 0 where ReLU was flat.
  let gradient: UnsafeMutablePointer<Float>

  public init(capacity: Int, width: Int, count: Int) {
    self.width = width
    self.count = count
    stride = Kernels.winnerStride(count)
    let slots = capacity * stride
    values = .allocate(capacity: slots)
    values.initialize(repeating: 0, count: slots)
    indices = .allocate(capacity: slots)
    indices.initialize(repeating: 0, count: slots)
    gradient = .allocate(capacity: slots)
    gradient.initialize(repeating: 0, count: slots)
    counts = .allocate(capacity: width)
    counts.initialize(repeating: 0, count: width)
    dense = Tensor(capacity, width)
  }

  deinit {
    values.deallocate()
    indices.deallocate()
    gradient.deallocate()
    counts.deallocate()
  }

  /// Takes the winners' share of ∂loss/∂output [B, W] through the ReLU.
  func setGradient(from outputGradient: Tensor, rows: Int) {
    for row in 0..<rows {
      let source = outputGradient.data + row * width
      for slot in row * stride..<row * stride + count {
        gradient[slot] = values[slot] > 0 ? source[Int(indices[slot])] : 0
      }
    }
  }
}

/// What a layer reads: a matrix of inputs, or the winners of the layer below.
public enum LayerInput {
  case dense(UnsafePointer<Float>, rowDistance: Int)
  case winners(Winners)
}
