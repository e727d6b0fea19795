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
  /// The same as a matrix, zero where a neuron lost, [B, W] and padding.
  let dense: Tensor
  /// Floats from one row of a matrix to the next: an odd number of cache lines, since rows a power
  /// of two apart would share cache sets.
  let rowDistance: Int
  /// How many rows each neuron won in the last forward pass, [W]; they sum to B·K.
  public let counts: UnsafeMutablePointer<Int32>
  /// Whether the winners are so few that lists of them are faster to compute with than matrices.
  public let areSparse: Bool
  /// ∂loss/∂output, laid out as `dense`, which the layer above sets.
  let outputGradient: Tensor
  /// ∂loss/∂pre-activation of the winners, [B, stride]; 0 where ReLU was flat.
  let gradient: UnsafeMutablePointer<Float>

  /// Lists are used up to one winner in so many neurons.
  ///
  /// Measured with AVX-512 as the density where a training step takes equally long with either: for
  /// width 128 35 to 37 % (batches of 128 and 512) or more (smaller ones), for width 1024 26 to 33 %,
  /// with a batch of 16 about 15 %. The choice changes rounding, nothing else.
  static func neuronsPerWinner(width: Int) -> Int { width < 512 ? 3 : 4 }

  public init(capacity: Int, width: Int, count: Int) {
    self.width = width
    self.count = count
    areSparse = count * Self.neuronsPerWinner(width: width) <= width
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
    let floatsPerLine = 16
    rowDistance = ((width + floatsPerLine - 1) / floatsPerLine | 1) * floatsPerLine
    dense = Tensor(capacity, rowDistance)
    outputGradient = Tensor(capacity, rowDistance)
  }

  deinit {
    values.deallocate()
    indices.deallocate()
    gradient.deallocate()
    counts.deallocate()
  }

  /// One row as a matrix would hold it, [W]: zero where a neuron lost.
  public func row(_ row: Int) -> UnsafeBufferPointer<Float> {
    UnsafeBufferPointer(start: dense.data + row * rowDistance, count: width)
  }

  /// Takes the winners' share of the output's gradient through the ReLU.
  func gatherGradient(rows: Int) {
    for row in 0..<rows {
      let source = outputGradient.data + row * rowDistance
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

  /// The input as a matrix and the distance between its rows.
  var matrix: (UnsafePointer<Float>, Int) {
    switch self {
    case .dense(let x, let distance): (x, distance)
    case .winners(let winners): (UnsafePointer(winners.dense.data), winners.rowDistance)
    }
  }
}
