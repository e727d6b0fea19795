import Tensors

/// Kernel sets that this CPU runs, by name.
public enum KernelSets {
  /// The readable one that the others are held against.
  public static let plain = "plain"
  public static let all = Kernels.available
  public static let fast = all.filter { $0 != plain }
}

extension RandomStream {
  /// A stream for the values of a test.
  public init(test seed: UInt64) { self.init(seed: seed, purpose: .initialization) }

  /// Independent normal values.
  public mutating func normals(_ count: Int, deviation: Float = 1) -> [Float] {
    (0..<count).map { _ in normal() * deviation }
  }

  /// Independent draws from a list, with repetition.
  public mutating func picks<Value>(_ count: Int, of values: [Value]) -> [Value] {
    (0..<count).map { _ in values[Int(below(UInt32(values.count)))] }
  }

  /// `count` different numbers below `bound`, ascending.
  public mutating func subset(_ count: Int, below bound: Int) -> [Int32] {
    permutation(bound).prefix(count).sorted().map { Int32($0) }
  }
}
