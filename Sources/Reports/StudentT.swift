import Foundation

/// An interval of the reals, both ends included.
public struct Interval: Hashable, Sendable {
  public let low: Double
  public let high: Double

  public init(low: Double, high: Double) {
    self.low = low
    self.high = high
  }
}

extension Statistics {
  /// How sure the intervals of a table are.
  public static let confidence = 0.95

  /// The interval that holds the mean with `confidence`, if the values are draws from a normal
  /// distribution: mean ± t·s/√n, with t of n − 1 degrees of freedom.
  ///
  /// - Returns: nil below two values, which have no spread to go by.
  public static func tInterval(_ values: [Double]) -> Interval? {
    guard let mean = mean(values), let std = sampleStd(values) else { return nil }
    let t = studentT(central: confidence, degreesOfFreedom: values.count - 1)
    let half = t * std / Double(values.count).squareRoot()
    return Interval(low: mean - half, high: mean + half)
  }

  /// The t > 0 for which a variable of Student's distribution lies in [−t, t] with the given
  /// probability: the inverse of the distribution, for whole degrees of freedom.
  ///
  /// - Parameters:
  ///   - probability: in (0, 1).
  ///   - degreesOfFreedom: ν ≥ 1.
  public static func studentT(central probability: Double, degreesOfFreedom: Int) -> Double {
    precondition(
      probability > 0 && probability < 1 && degreesOfFreedom >= 1,
      "no t for probability \(probability) with \(degreesOfFreedom) degrees of freedom")
    // Over the angle the probability rises from 0 to 1 on a bounded range; bisection to the last bit.
    var low = 0.0
    var high = Double.pi / 2
    while true {
      let middle = low + (high - low) / 2
      guard low < middle, middle < high else { break }
      if centralProbability(angle: middle, degreesOfFreedom: degreesOfFreedom) < probability {
        low = middle
      } else {
        high = middle
      }
    }
    return Double(degreesOfFreedom).squareRoot() * tan(low)
  }

  /// P(|T| ≤ t) with t = √ν·tan(angle), a finite sum for whole ν: Abramowitz and Stegun, Handbook
  /// of Mathematical Functions, 26.7.3 (odd ν) and 26.7.4 (even ν).
  private static func centralProbability(angle: Double, degreesOfFreedom: Int) -> Double {
    let isOdd = !degreesOfFreedom.isMultiple(of: 2)
    let square = cos(angle) * cos(angle)
    // Even: 1 + 1/2·cos² + (1·3)/(2·4)·cos⁴ + … up to cos^(ν−2).
    // Odd: cos·(1 + 2/3·cos² + (2·4)/(3·5)·cos⁴ + …) up to cos^(ν−2).
    var term = isOdd ? cos(angle) : 1
    var sum = 0.0
    var power = isOdd ? 1 : 0
    while power <= degreesOfFreedom - 2 {
      sum += term
      term *= Double(power + 1) / Double(power + 2) * square
      power += 2
    }
    return isOdd ? 2 / Double.pi * (angle + sin(angle) * sum) : sin(angle) * sum
  }
}
