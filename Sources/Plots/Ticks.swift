import Foundation

/// Round numbers along an axis.
struct Ticks: Equatable {
  let values: [Double]
  let step: Double

  /// - Parameters:
  ///   - low: where the axis starts; both ends are finite.
  ///   - high: where it ends; an axis without length has one tick.
  ///   - count: about how many are wanted.
  ///   - whole: whether only whole numbers will do.
  init(_ low: Double, _ high: Double, count: Int, whole: Bool = false) {
    let rough = (high - low) / Double(max(count, 1))
    guard rough.isFinite, rough > 0 else {
      values = [low]
      step = 0
      return
    }
    let power = pow(10, floor(log10(rough)))
    // The nearest of 1, 2 and 5 times a power of ten, by ratio: √2, √10 and √50 lie between.
    let share = rough / power
    let factor = share * share < 2 ? 1.0 : share * share < 10 ? 2 : share * share < 50 ? 5 : 10
    let step = whole ? max(1, (factor * power).rounded()) : factor * power
    let slack = 1e-9
    let first = (low / step - slack).rounded(.up)
    let last = (high / step + slack).rounded(.down)
    self.step = step
    values = stride(from: first, through: last, by: 1).map { $0 * step }
  }

  /// The number as text, with the decimals that the step needs.
  func text(_ value: Double) -> String {
    guard value.isFinite else { return "–" }
    let largest = values.map(abs).max() ?? abs(value)
    let digits = step > 0 ? max(0, Int(-floor(log10(step) + 1e-9))) : 2
    if largest >= 1e6 || digits > 5 {
      return signText(String(format: "%.2g", value).replacingOccurrences(of: "e-0", with: "e-"))
    }
    return signText(String(format: "%.\(digits)f", value == 0 ? 0 : value))
  }
}

/// A number's text with a minus as wide as a plus.
func signText(_ text: String) -> String { text.replacingOccurrences(of: "-", with: "−") }

/// The number with the given decimals; zero has no sign.
func numberText(_ value: Double, _ digits: Int, plus: Bool = false) -> String {
  guard value.isFinite else { return "–" }
  let text = String(format: "%.\(digits)f", value)
  let isZero = !text.contains { ("1"..."9").contains($0) }
  if isZero { return text.replacingOccurrences(of: "-", with: "") }
  return (plus && value > 0 ? "+" : "") + signText(text)
}
