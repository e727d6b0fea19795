import Tensors
import Testing

/// Elements of two arrays that are not close, and the one farthest beyond its allowance.
public struct Mismatch<Scalar: BinaryFloatingPoint & Sendable>: CustomStringConvertible, Sendable {
  public let name: String
  /// Where the worst element lies, one number per axis.
  public let position: [Int]
  public let actual: Scalar
  public let expected: Scalar
  /// atol + rtol·|expected| of the worst element.
  public let allowed: Scalar
  /// How many elements are not close, and of how many.
  public let count: Int
  public let total: Int

  public var description: String {
    let place = position.map(String.init).joined(separator: ", ")
    return "\(name)[\(place)] is \(actual), expected \(expected): differs by "
      + "\((actual - expected).magnitude), allowed \(allowed); \(count) of \(total) elements differ"
  }
}

/// Compares element by element: close means |a − b| ≤ atol + rtol·|b|, b being the expected value.
/// Equal infinities are close; a NaN is close to nothing.
///
/// - Parameter shape: of both arrays, for the position in the message; flat where not given.
/// - Returns: nil when all elements are close.
public func mismatch<Scalar: BinaryFloatingPoint & Sendable>(
  _ actual: [Scalar], _ expected: [Scalar], atol: Scalar, rtol: Scalar = 0, name: String,
  shape: [Int]? = nil
) -> Mismatch<Scalar>? {
  precondition(
    actual.count == expected.count,
    "\(name): \(actual.count) elements compared with \(expected.count)")
  var count = 0
  var worst = 0
  var largestExcess = -Scalar.infinity
  for (index, (a, b)) in zip(actual, expected).enumerated() where a != b {
    let excess = (a - b).magnitude - (atol + rtol * b.magnitude)
    // Written so that NaN counts as a difference, and infinity against a number too.
    guard !(excess <= 0) || !b.isFinite else { continue }
    count += 1
    let rank = excess.isNaN ? Scalar.infinity : excess
    if count == 1 || rank > largestExcess {
      largestExcess = rank
      worst = index
    }
  }
  guard count > 0 else { return nil }
  return Mismatch(
    name: name, position: position(of: worst, in: shape ?? [actual.count]),
    actual: actual[worst], expected: expected[worst],
    allowed: atol + rtol * expected[worst].magnitude, count: count, total: actual.count)
}

/// Records a test failure unless all elements are close, see `mismatch`; it names the tensor, the
/// worst element's position and both values.
@discardableResult
public func expectClose<Scalar: BinaryFloatingPoint & Sendable>(
  _ actual: [Scalar], _ expected: [Scalar], atol: Scalar, rtol: Scalar = 0, name: String,
  shape: [Int]? = nil, sourceLocation: SourceLocation = #_sourceLocation
) -> Bool {
  guard actual.count == expected.count else {
    Issue.record(
      "\(name) has \(actual.count) elements, expected \(expected.count)",
      sourceLocation: sourceLocation)
    return false
  }
  guard
    let found = mismatch(
      actual, expected, atol: atol, rtol: rtol, name: name, shape: shape)
  else { return true }
  Issue.record("\(found.description)", sourceLocation: sourceLocation)
  return false
}

/// The same for tensors, whose shapes must agree too.
@discardableResult
public func expectClose(
  _ actual: Tensor, _ expected: Tensor, atol: Float, rtol: Float = 0, name: String,
  sourceLocation: SourceLocation = #_sourceLocation
) -> Bool {
  guard actual.shape == expected.shape else {
    Issue.record(
      "\(name) has shape \(actual.shape), expected \(expected.shape)",
      sourceLocation: sourceLocation)
    return false
  }
  return expectClose(
    actual.values, expected.values, atol: atol, rtol: rtol, name: name, shape: expected.shape,
    sourceLocation: sourceLocation)
}

private func position(of index: Int, in shape: [Int]) -> [Int] {
  var rest = index
  var place: [Int] = []
  for size in shape.reversed() {
    place.append(rest % size)
    rest /= size
  }
  return place.reversed()
}
