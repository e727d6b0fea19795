/// What a reader of verdicts wants to know besides them.
public struct ClaimContext: Sendable {
  /// How far the runs are; nil where all are over.
  let progress: String?
  /// What repeats it all with more seeds.
  let moreSeeds: String?

  public init(progress: String? = nil, moreSeeds: String? = nil) {
    self.progress = progress
    self.moreSeeds = moreSeeds
  }
}

/// The verdicts as lines for a terminal.
public func claimsReport(
  _ verdicts: [Verdict], context: ClaimContext = ClaimContext(), style: TerminalStyle
) -> String {
  var lines =
    testText(verdicts).map { wrapped("Claims, \($0):", width: style.width) } ?? []
  for verdict in verdicts {
    let outcome = verdict.outcome
    let emphasis: Emphasis? =
      switch outcome {
      case .holds: .green
      case .doesNotHold: .red
      case .undecided, .notJudged, .unmeasured: nil
      }
    let word = outcome.rawValue
    let space = String(repeating: " ", count: max(0, widestOutcome - word.count))
    lines.append("\(style.painted(word, emphasis))\(space)  \(verdict.claim.rawValue)")
    let meaning = outcome == .unmeasured ? [] : ["means: " + verdict.claim.meaning]
    lines += (meaning + details(verdict, context)).map { "  \($0)" }
  }
  return lines.joined(separator: "\n") + "\n"
}

/// The verdicts as a Markdown table with the numbers behind each.
public func claimsMarkdown(
  _ verdicts: [Verdict], context: ClaimContext = ClaimContext()
) -> String {
  let rows = verdicts.map { verdict in
    let cells = [
      verdict.claim.rawValue, verdict.claim.meaning, "**\(verdict.outcome.rawValue)**",
      details(verdict, context).joined(separator: "<br>"),
    ]
    return "| " + cells.joined(separator: " | ") + " |"
  }
  let test = testText(verdicts).map { ["", "Claims: \($0)."] } ?? []
  return
    ([
      "| claim | judged by (95 % interval over \(samples(verdicts))) | verdict | numbers |",
      "|:---|:---|:---|:---|",
    ] + rows + test).joined(separator: "\n") + "\n"
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
                ("values_per", .string(evidence.sample)),
                ("values", .array(evidence.values.map { .number($0) })),
                ("mean", .optional(evidence.mean)), ("published", .optional(evidence.published)),
              ])
            })
        ),
      ])
    })
}

private let widestOutcome = Verdict.Outcome.doesNotHold.rawValue.count

/// What the intervals are over.
private func samples(_ verdicts: [Verdict]) -> String {
  let names = distinct(verdicts.flatMap(\.evidence).map(\.sample))
  return names.isEmpty ? "seeds" : names.map { "\($0)s" }.joined(separator: " or ")
}

/// Which test judges, and why not the other; nil where there is no interval.
private func testText(_ verdicts: [Verdict]) -> String? {
  let judged = verdicts.filter { $0.outcome != .notJudged }
  let most = judged.flatMap(\.evidence).filter { $0.values.count > 1 }
    .max { $0.values.count < $1.values.count }
  guard let most else { return nil }
  let smallest = Statistics.smallestSignFlipP(most.values.count)
  return "judged by 95 % intervals (Student's t over \(samples(judged)), differences taken as "
    + "normal, not corrected for how many there are)"
    + (smallest > Statistics.significance
      ? ", not by a sign-flip test, whose p cannot go below \(shortText(smallest)) "
        + "with \(counted(most.values.count, most.sample))"
      : ", not by the sign-flip test's p")
}

/// The numbers behind a verdict, then what is missing or would decide it.
private func details(_ verdict: Verdict, _ context: ClaimContext) -> [String] {
  let isJudged = verdict.outcome != .notJudged
  let numbers = verdict.evidence.filter { $0.judgement != .unmeasured }
  return numbers.map { evidenceText($0, isJudged: isJudged) }
    + [gapText(verdict, context), openText(verdict, context)].compactMap(\.self)
}

/// "sgd, zero-sum − vanilla: +8.15 points [+5.99, +10.31], 3 seeds; paper +5.57: supports".
private func evidenceText(_ evidence: Evidence, isJudged: Bool) -> String {
  // Specializations and entropies differ by less than points do.
  let digits = ["", "nats"].contains(evidence.unit) ? 4 : 2
  let number = { signed($0, digits: digits) }
  var text = "\(evidence.label): \(evidence.mean.map(number) ?? missing)"
  if !evidence.unit.isEmpty { text += " \(evidence.unit)" }
  if let interval = evidence.interval {
    text += " [\(number(interval.low)), \(number(interval.high))]"
  }
  let count = evidence.values.count
  if let total = evidence.total, total != count {
    text += ", \(count) of \(counted(total, evidence.sample))"
  } else {
    text += ", " + counted(count, evidence.sample)
  }
  if let published = evidence.published { text += "; paper \(number(published))" }
  guard isJudged else { return text }
  switch evidence.judgement {
  case .supports: text += ": supports"
  case .contradicts: text += ": contradicts"
  case .open:
    text += evidence.pointsTo == true ? ": open, leans towards it" : ": open, leans against it"
  case .notJudged: text += ": not judged, on a part of the data set"
  case .unmeasured: break
  }
  return text
}

/// How much evidence is missing; nil where none is.
private func gapText(_ verdict: Verdict, _ context: ClaimContext) -> String? {
  let gaps = verdict.evidence.count { $0.judgement == .unmeasured }
  guard gaps > 0 || verdict.evidence.isEmpty else { return nil }
  let part =
    gaps < verdict.evidence.count
    ? "\(gaps) of \(counted(verdict.evidence.count, "number")) not measured" : nil
  let known = [part, context.progress].compactMap(\.self)
  return known.isEmpty ? nil : known.joined(separator: ": ")
}

/// Why a verdict is open although there are numbers, and what would close it.
private func openText(_ verdict: Verdict, _ context: ClaimContext) -> String? {
  if verdict.outcome == .notJudged {
    return verdict.isCut
      ? "the runs were stopped by --max-steps, so they show no trained model"
      : "the runs had a part of the data set, which says little about the whole"
  }
  let open = verdict.evidence.filter { $0.judgement == .open }
  guard verdict.outcome == .undecided, !open.isEmpty else { return nil }
  let single = open.first { $0.values.count == 1 }
  let reason =
    single.map { "one \($0.sample) has no interval" } ?? "an interval reaches to both sides"
  // More seeds are asked for once those at hand have all run.
  if let progress = context.progress {
    return gapText(verdict, context) == nil ? "\(reason); \(progress)" : reason
  }
  return reason + "; more seeds may decide it" + (context.moreSeeds.map { ": \($0)" } ?? "")
}
