/// The verdicts as lines for a terminal.
public func claimsReport(_ verdicts: [Verdict], style: TerminalStyle) -> String {
  var lines: [String] = []
  for verdict in verdicts {
    let outcome = verdict.outcome
    let emphasis: Emphasis? =
      switch outcome {
      case .holds: .green
      case .doesNotHold: .red
      case .undecided, .unmeasured: nil
      }
    let word = outcome.rawValue
    let space = String(repeating: " ", count: max(0, widestOutcome - word.count))
    lines.append("\(style.painted(word, emphasis))\(space)  \(verdict.claim.rawValue)")
    lines += verdict.evidence.filter { $0.judgement != .unmeasured }
      .map { "  \(evidenceText($0))" }
    if let gap = gapText(verdict) { lines.append("  \(gap)") }
  }
  return lines.joined(separator: "\n") + "\n"
}

/// The verdicts as a Markdown table with the numbers behind each.
public func claimsMarkdown(_ verdicts: [Verdict]) -> String {
  let rows = verdicts.map { verdict in
    let numbers = verdict.evidence.filter { $0.judgement != .unmeasured }.map(evidenceText)
    let cells = [
      verdict.claim.rawValue, verdict.claim.meaning, "**\(verdict.outcome.rawValue)**",
      (numbers + [gapText(verdict)].compactMap(\.self)).joined(separator: "<br>"),
    ]
    return "| " + cells.joined(separator: " | ") + " |"
  }
  return
    ([
      "| claim | judged by (95 % interval over seeds) | verdict | numbers |",
      "|:---|:---|:---|:---|",
    ] + rows).joined(separator: "\n") + "\n"
}

/// The verdicts as a JSON array.
func claimsValue(_ verdicts: [Verdict]) -> JSONValue {
  .array(
    verdicts.map { verdict in
      .object([
        ("claim", .string(verdict.claim.rawValue)), ("meaning", .string(verdict.claim.meaning)),
        ("verdict", .string(verdict.outcome.rawValue)),
        (
          "evidence",
          .array(
            verdict.evidence.map { evidence in
              .object([
                ("label", .string(evidence.label)), ("unit", .string(evidence.unit)),
                ("judgement", .string(evidence.judgement.rawValue)),
                ("values", .array(evidence.values.map { .number($0) })),
                ("mean", .optional(evidence.mean)), ("published", .optional(evidence.published)),
              ])
            })
        ),
      ])
    })
}

private let widestOutcome = Verdict.Outcome.doesNotHold.rawValue.count

/// "sgd, zero-sum − vanilla: +8.15 points [+5.99, +10.31], 3 seeds; paper +5.57: supports".
private func evidenceText(_ evidence: Evidence) -> String {
  var text = "\(evidence.label): \(evidence.mean.map(signed) ?? missing)"
  if !evidence.unit.isEmpty { text += " \(evidence.unit)" }
  if let interval = evidence.interval {
    text += " [\(signed(interval.low)), \(signed(interval.high))]"
  }
  text += ", " + counted(evidence.values.count, "seed")
  if let published = evidence.published { text += "; paper \(signed(published))" }
  switch evidence.judgement {
  case .supports: text += ": supports"
  case .contradicts: text += ": contradicts"
  case .open:
    text += evidence.pointsTo == true ? ": open, leans towards it" : ": open, leans against it"
  case .unmeasured: break
  }
  return text
}

/// How much evidence is missing; nil where none is, or all of it.
private func gapText(_ verdict: Verdict) -> String? {
  let gaps = verdict.evidence.count { $0.judgement == .unmeasured }
  guard gaps > 0, gaps < verdict.evidence.count else { return nil }
  return "\(gaps) of \(counted(verdict.evidence.count, "number")) not measured"
}
