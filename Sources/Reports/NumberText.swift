import Foundation

/// What stands where nothing was measured.
let missing = "–"

/// The shortest decimal that reads back as the same number: 0.01, 1e-5, 300.
func shortText(_ value: Double) -> String {
  var text = "\(value)"
  if text.hasSuffix(".0") { text.removeLast(2) }
  // Swift writes two digits of exponent: 1e-05.
  return text.replacingOccurrences(of: "e-0", with: "e-")
}

func fixed(_ value: Double, _ digits: Int) -> String {
  String(format: "%.\(digits)f", value)
}

/// Points with their sign: +5.57, -0.15, 0.00.
func signed(_ value: Double) -> String { signed(value, digits: 2) }

/// Likewise, with so many decimals.
func signed(_ value: Double, digits: Int) -> String {
  let text = fixed(value, digits)
  let zero = fixed(0, digits)
  if text == zero || text == "-" + zero { return zero }
  return value > 0 ? "+" + text : text
}

/// A p to three decimals: 0.031, <0.001.
func probabilityText(_ value: Double) -> String {
  value < 0.0005 ? "<0.001" : fixed(value, 3)
}

/// Seconds to about three digits: 0.004, 0.42, 12.35, 250.
func secondsText(_ value: Double) -> String {
  fixed(value, value < 0.0995 ? 3 : value < 100 ? 2 : 0)
}

/// "1 core", "2 cores".
func counted(_ count: Int, _ noun: String) -> String {
  "\(count) \(noun)\(count == 1 ? "" : "s")"
}

/// Text from outside on one line, without control characters that a terminal would obey.
func oneLine(_ text: String) -> String {
  let words = text.split(whereSeparator: { $0.isNewline || $0 == "\t" }).joined(separator: " ")
  return String(
    String.UnicodeScalarView(
      words.unicodeScalars.filter {
        $0.properties.generalCategory != .control
      }))
}
