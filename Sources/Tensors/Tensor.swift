#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A row-major array of Float32 that owns its memory.
///
/// A reference type: layers, gradients and optimizers share tensors without copies. A tensor
/// belongs to one run and so to one thread at a time.
public final class Tensor {
  public let shape: [Int]
  public let count: Int
  /// 64-byte aligned; `Tensor.slack` more floats behind the last may be read (and mean nothing).
  public let data: UnsafeMutablePointer<Float>

  /// Floats behind the end that kernels may read: one panel of a packed matrix.
  public static let slack = 64

  /// Zeros.
  /// - Parameter shape: sizes ≥ 0 whose product fits in memory; a caller with sizes from outside
  ///   checks them first.
  public init(shape: [Int]) {
    self.shape = shape
    count = shape.reduce(1, *)
    data = Self.allocate(count)
  }

  public convenience init(_ shape: Int...) { self.init(shape: shape) }

  public init(shape: [Int], values: [Float]) {
    self.shape = shape
    count = shape.reduce(1, *)
    precondition(values.count == count, "\(values.count) values for shape \(shape)")
    data = Self.allocate(count)
    values.withUnsafeBufferPointer {
      if count > 0 { data.update(from: $0.baseAddress!, count: count) }
    }
  }

  deinit { free(data) }

  /// Rows of a matrix, or elements of a vector: the size of the first axis.
  public var rows: Int { shape.first ?? 1 }
  /// Floats in one row: the product of the other axes.
  public var rowLength: Int { shape.dropFirst().reduce(1, *) }

  public var buffer: UnsafeMutableBufferPointer<Float> { .init(start: data, count: count) }
  public var values: [Float] { Array(buffer) }

  public func setZero() { data.update(repeating: 0, count: count) }

  public func copy(from other: Tensor) {
    precondition(shape == other.shape, "copy of \(other.shape) into \(shape)")
    data.update(from: other.data, count: count)
  }

  private static func allocate(_ count: Int) -> UnsafeMutablePointer<Float> {
    let bytes = (count + slack) * MemoryLayout<Float>.stride
    // Large pages: a matrix whose rows lie kilobytes apart otherwise misses the TLB on every row.
    let largePage = 2 << 20
    let isLarge = bytes >= largePage
    var memory: UnsafeMutableRawPointer?
    let status = posix_memalign(&memory, isLarge ? largePage : 64, bytes)
    guard status == 0, let memory else {
      endForLackOfMemory(bytes: bytes)
    }
    #if os(Linux)
      let adviseHugePages: Int32 = 14  // MADV_HUGEPAGE, a macro that Swift does not import
      if isLarge { madvise(memory, bytes, adviseHugePages) }
    #endif
    memset(memory, 0, bytes)
    return memory.bindMemory(to: Float.self, capacity: count + slack)
  }
}

/// Ends the process with a message: nothing can be done about it here, files are only renamed into
/// place when whole, and a trap would bury the reason under a stack trace.
private func endForLackOfMemory(bytes: Int) -> Never {
  let message = "error: out of memory: \(bytes) bytes more are not to be had\n"
  _ = message.withCString { write(STDERR_FILENO, $0, strlen($0)) }
  _exit(1)
}

/// One trainable tensor of a model with its gradient.
public struct Parameter {
  /// The reference implementation's `state_dict` key.
  public let name: String
  public let value: Tensor
  public let gradient: Tensor
  /// The expert layer whose utilization modulates it, row n being expert n; nil where it is not
  /// modulated.
  public let expertLayer: Int?
  /// Which rows the last backward pass gave a gradient; nil where all have one.
  public let activity: RowActivity?

  public init(
    name: String, value: Tensor, gradient: Tensor, expertLayer: Int? = nil,
    activity: RowActivity? = nil
  ) {
    self.name = name
    self.value = value
    self.gradient = gradient
    self.expertLayer = expertLayer
    self.activity = activity
  }
}

/// Of each row of a parameter (an expert, a token), whether its gradient may be other than 0.
public final class RowActivity {
  public let hasGradient: UnsafeMutableBufferPointer<Bool>

  /// - Parameter rows: all without gradient.
  public init(rows: Int) {
    hasGradient = .allocate(capacity: rows)
    hasGradient.initialize(repeating: false)
  }

  deinit { hasGradient.deallocate() }
}
