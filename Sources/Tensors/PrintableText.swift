/// Text from outside as it may stand in a message: one line, no control characters, not endless.
package func printable(_ text: String) -> String {
  let longest = 500
  var result = ""
  for scalar in text.unicodeScalars.prefix(longest) {
    switch scalar {
    case "\n": result += "\\n"
    case "\t": result += "\\t"
    case "\r": result += "\\r"
    default:
      let hidden =
        scalar.properties.generalCategory == .control
        || scalar.properties.generalCategory == .format
      if hidden {
        result += "\\u{" + String(scalar.value, radix: 16) + "}"
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
  }
  return text.unicodeScalars.count > longest ? result + "…" : result
}
