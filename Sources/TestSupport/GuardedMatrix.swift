/// Memory that shows where a kernel wrote: a matrix whose rows lie `distance` apart, with guards
/// before it, between its rows and behind it.
///
/// Everything starts as bytes of 0xFF, a NaN as Float: an output that was not written, and a sum
/// that took in what lies beside its inputs, cannot look right.
public final class GuardedMatrix<Element: BitwiseCopyable> {
  public let rows: Int
  public let columns: Int
  public let distance: Int
  public let data: UnsafeMutablePointer<Element>

  private let memory: UnsafeMutableRawBufferPointer
  /// Bytes before the first row. Not a multiple of a vector: kernels promise no alignment.
  private static var before: Int { 512 + MemoryLayout<Element>.stride }
  /// Bytes behind the last row; kernels may read one panel of 64 floats there.
  private static var behind: Int { 1024 }

  /// - Parameter distance: from row to row in elements, at least `columns`.
  public init(_ rows: Int, _ columns: Int, distance: Int? = nil) {
    self.rows = rows
    self.columns = columns
    self.distance = distance ?? columns
    precondition(self.distance >= columns, "rows of \(columns) cannot lie \(self.distance) apart")
    let count = rows * self.distance
    memory = .allocate(
      byteCount: Self.before + count * MemoryLayout<Element>.stride + Self.behind, alignment: 64)
    memory.initializeMemory(as: UInt8.self, repeating: 0xFF)
    data = (memory.baseAddress.unsafelyUnwrapped + Self.before)
      .bindMemory(to: Element.self, capacity: count)
  }

  /// A matrix of `values` [rows, columns].
  public convenience init(_ rows: Int, _ columns: Int, distance: Int? = nil, values: [Element]) {
    self.init(rows, columns, distance: distance)
    precondition(values.count == rows * columns, "\(values.count) values for [\(rows), \(columns)]")
    values.withUnsafeBufferPointer { values in
      guard let start = values.baseAddress else { return }
      for row in 0..<rows {
        (data + row * self.distance).update(from: start + row * columns, count: columns)
      }
    }
  }

  /// A vector.
  public convenience init(_ values: [Element]) { self.init(1, values.count, values: values) }

  deinit { memory.deallocate() }

  /// [rows, columns], without what lies between the rows.
  public var values: [Element] {
    [Element](unsafeUninitializedCapacity: rows * columns) { buffer, filled in
      if let start = buffer.baseAddress {
        for row in 0..<rows {
          (start + row * columns).initialize(from: data + row * distance, count: columns)
        }
      }
      filled = rows * columns
    }
  }

  /// Whether all guards are as they were.
  public var isIntact: Bool {
    let stride = MemoryLayout<Element>.stride
    let end = Self.before + rows * distance * stride
    guard isUntouched(memory, 0, Self.before), isUntouched(memory, end, memory.count) else {
      return false
    }
    for row in 0..<rows {
      let start = Self.before + row * distance * stride
      if !isUntouched(memory, start + columns * stride, start + distance * stride) { return false }
    }
    return true
  }
}

private func isUntouched(_ memory: UnsafeMutableRawBufferPointer, _ start: Int, _ end: Int) -> Bool
{
  var all: UInt8 = 0xFF
  for index in start..<end { all &= memory[index] }
  return all == 0xFF
}
