import Testing

/// Half the distance between 1 and the next Float, 2⁻²⁴: the largest relative error of one rounding.
public let floatRounding = 0x1p-24

/// Records a test failure unless every element is within its own bound of the exact value.
///
/// - Parameters:
///   - exact: computed in Double, whose own rounding is nothing beside a Float's.
///   - bounds: largest |actual − exact| of each element.
public func expectWithin(
  _ actual: [Float], _ exact: [Double], bounds: [Double], name: @autoclosure () -> String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard actual.count == exact.count, actual.count == bounds.count else {
    Issue.record(
      "\(name()) has \(actual.count) elements, expected \(exact.count) with \(bounds.count) bounds",
      sourceLocation: sourceLocation)
    return
  }
  for index in actual.indices {
    let difference = (Double(actual[index]) - exact[index]).magnitude
    // Written so that NaN fails.
    if difference <= bounds[index] { continue }
    Issue.record(
      """
      \(name())[\(index)] is \(actual[index]), expected \(exact[index]): differs by \(difference), \
      allowed \(bounds[index])
      """, sourceLocation: sourceLocation)
    return
  }
}

/// Records a test failure unless all elements have the same bits; any NaN equals any other.
public func expectSameBits(
  _ actual: [Float], _ expected: [Float], name: @autoclosure () -> String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard actual.count == expected.count else {
    Issue.record(
      "\(name()) has \(actual.count) elements, expected \(expected.count)",
      sourceLocation: sourceLocation)
    return
  }
  for index in actual.indices {
    let (a, b) = (actual[index], expected[index])
    if a.bitPattern == b.bitPattern || (a.isNaN && b.isNaN) { continue }
    Issue.record(
      "\(name())[\(index)] is \(a), expected \(b)", sourceLocation: sourceLocation)
    return
  }
}
