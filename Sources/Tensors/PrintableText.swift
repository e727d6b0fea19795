/// Text from outside as it may stand in a message: one line, no control characters, not endless.
package func printable(_ text: String) -> String {
  let longest = 500
  let begin = visible(String(String.UnicodeScalarView(text.unicodeScalars.prefix(longest))))
  return text.unicodeScalars.count > longest ? begin + "…" : begin
}

/// Text from outside in one line without control characters, which might steer a terminal.
package func visible(_ text: String) -> String {
  var result = ""
  for scalar in text.unicodeScalars {
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
  return result
}

/// A text between quotation marks, as JSON and YAML read it.
public func quoted(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": result += "\\\""
    case "\\": result += "\\\\"
    // YAML has no control characters of the second kind.
    case "\u{0}"..<"\u{20}", "\u{7F}"..."\u{9F}":
      let hex = String(scalar.value, radix: 16)
      result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}
