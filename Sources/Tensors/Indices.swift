/// Whole numbers that own their memory, as `Tensor` does for floats: tokens, experts, counts.
public final class Indices {
  public let count: Int
  public let data: UnsafeMutablePointer<Int32>

  /// Zeros.
  public init(_ count: Int) {
    self.count = count
    data = .allocate(capacity: max(1, count))
    data.initialize(repeating: 0, count: max(1, count))
  }

  deinit { data.deallocate() }

  public var values: [Int32] { Array(UnsafeBufferPointer(start: data, count: count)) }
}
