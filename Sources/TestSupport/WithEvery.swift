/// Where a test stands in its loops, for the message of a failure.
public struct TestCase: CustomStringConvertible, Sendable {
  public let description: String

  public init(_ description: String = "") { self.description = description }

  public func adding<Value>(_ name: String, _ value: Value) -> TestCase {
    TestCase(description.isEmpty ? "\(name) \(value)" : "\(description), \(name) \(value)")
  }
}

/// Runs `body` with each of the values and a case that names it, inside the loops of `outer`.
public func withEvery<Values: Sequence>(
  _ name: String, in values: Values, _ outer: TestCase = TestCase(),
  _ body: (Values.Element, TestCase) throws -> Void
) rethrows {
  for value in values { try body(value, outer.adding(name, value)) }
}
