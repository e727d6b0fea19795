extension Drawing {
  /// The picture as SVG text, with the system's fonts; the same bytes for the same drawing.
  ///
  /// - Parameter inPage: for a place inside an HTML page: without background, and with the page's
  ///   colours `--ink`, `--muted`, `--grid` and `--paper`.
  public func svg(inPage: Bool = false) -> String {
    let size = "\(decimal(width)) \(decimal(height))"
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(size)\""
        + " width=\"\(decimal(width))\" height=\"\(decimal(height))\" role=\"img\""
        + " font-family=\"Helvetica, Arial, 'Liberation Sans', sans-serif\""
        + " stroke-linecap=\"round\" stroke-linejoin=\"round\">"
    ]
    if !title.isEmpty { lines.append("<title>\(xmlEscaped(title))</title>") }
    if !inPage {
      lines.append("<rect width=\"100%\" height=\"100%\" fill=\"\(Paint.paper.svg(false))\"/>")
    }
    lines += shapes.map { $0.svg(inPage) }
    return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
  }
}

extension Shape {
  fileprivate func svg(_ inPage: Bool) -> String {
    switch self {
    case .polygon(let points, let paint, let opacity):
      let opacity = opacity < 1 ? " fill-opacity=\"\(decimal(opacity))\"" : ""
      return "<polygon points=\"\(list(points))\" fill=\"\(paint.svg(inPage))\"\(opacity)/>"
    case .dot(let center, let radius, let paint):
      return "<circle cx=\"\(decimal(center.x))\" cy=\"\(decimal(center.y))\""
        + " r=\"\(decimal(radius))\" fill=\"\(paint.svg(inPage))\"/>"
    case .line(let points, let paint, let width, let dash):
      let dashes = dash.map(decimal).joined(separator: " ")
      return "<polyline points=\"\(list(points))\" fill=\"none\" stroke=\"\(paint.svg(inPage))\""
        + " stroke-width=\"\(decimal(width))\""
        + (dash.isEmpty ? "" : " stroke-dasharray=\"\(dashes)\"") + "/>"
    case .label(let label):
      let anchor =
        switch label.anchor {
        case .start: ""
        case .middle: " text-anchor=\"middle\""
        case .end: " text-anchor=\"end\""
        }
      let place = "\(decimal(label.at.x)) \(decimal(label.at.y))"
      let position =
        label.isUpright
        ? "transform=\"translate(\(place)) rotate(-90)\""
        : "x=\"\(decimal(label.at.x))\" y=\"\(decimal(label.at.y))\""
      return "<text \(position) font-size=\"\(decimal(label.size))\"\(anchor)"
        + (label.isBold ? " font-weight=\"bold\"" : "")
        + " fill=\"\(label.paint.svg(inPage))\">\(xmlEscaped(label.string))</text>"
    }
  }
}

extension Paint {
  fileprivate func svg(_ inPage: Bool) -> String {
    if inPage {
      switch self {
      case .ink: return "var(--ink)"
      case .muted: return "var(--muted)"
      case .grid: return "var(--grid)"
      case .paper: return "var(--paper)"
      case .color: break
      }
    }
    let color = light
    return "#" + [color.red, color.green, color.blue].map(hex).joined()
  }
}

private func hex(_ byte: UInt8) -> String {
  (byte < 16 ? "0" : "") + String(byte, radix: 16)
}

private func list(_ points: [Point]) -> String {
  points.map { "\(decimal($0.x)),\(decimal($0.y))" }.joined(separator: " ")
}

/// At most two decimals, without trailing zeros: 12, 0.5, -3.25.
private func decimal(_ value: Double) -> String {
  // Beyond this no drawing is a picture, and an integer would overflow.
  guard value.isFinite, abs(value) < 1e12 else { return "0" }
  let hundredths = Int((value * 100).rounded())
  let whole = abs(hundredths) / 100
  let rest = abs(hundredths) % 100
  let sign = hundredths < 0 ? "-" : ""
  if rest == 0 { return "\(sign)\(whole)" }
  return "\(sign)\(whole)." + (rest % 10 == 0 ? "\(rest / 10)" : rest < 10 ? "0\(rest)" : "\(rest)")
}

/// Text for an XML or HTML element or attribute, without what XML 1.0 forbids even as an entity.
public func xmlEscaped(_ text: String) -> String {
  var escaped = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": escaped += "&amp;"
    case "<": escaped += "&lt;"
    case ">": escaped += "&gt;"
    case "\"": escaped += "&quot;"
    case "\t", "\n", "\r": escaped.unicodeScalars.append(scalar)
    case "\u{0}"..<"\u{20}", "\u{7F}"..<"\u{A0}", "\u{FFFE}", "\u{FFFF}": break
    default: escaped.unicodeScalars.append(scalar)
    }
  }
  return escaped
}
