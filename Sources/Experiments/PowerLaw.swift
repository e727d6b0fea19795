import Foundation

/// y ≈ factor·x^exponent, the straight line through (log x, log y) by least squares.
public struct PowerLaw: Hashable, Sendable {
  public let factor: Double
  public let exponent: Double

  init(factor: Double, exponent: Double) {
    self.factor = factor
    self.exponent = exponent
  }

  /// - Parameter points: x and y above 0.
  /// - Returns: nil unless there are two different x.
  public init?(_ points: [(x: Double, y: Double)]) {
    let logs = points.map { (x: log($0.x), y: log($0.y)) }
    let count = Double(logs.count)
    let x = logs.reduce(0) { $0 + $1.x } / count
    let y = logs.reduce(0) { $0 + $1.y } / count
    let squares = logs.reduce(0) { $0 + ($1.x - x) * ($1.x - x) }
    guard squares > 0 else { return nil }
    exponent = logs.reduce(0) { $0 + ($1.x - x) * ($1.y - y) } / squares
    factor = exp(y - exponent * x)
  }
}
