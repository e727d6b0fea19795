/// ∂f/∂x by central differences, (f(x + h) − f(x − h)) / 2h for each element of x.
///
/// Its error is h²/6 of the third derivative and about 2⁻⁵³·|f|/h of rounding.
public func centralDifferences(
  at x: [Double], step: Double, _ f: ([Double]) -> Double
) -> [Double] {
  var moved = x
  return x.indices.map { index in
    moved[index] = x[index] + step
    let above = f(moved)
    moved[index] = x[index] - step
    let below = f(moved)
    moved[index] = x[index]
    return (above - below) / (2 * step)
  }
}
