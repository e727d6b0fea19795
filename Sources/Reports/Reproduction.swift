/// A table or figure of the paper as this program made it.
public struct Reproduction: Sendable {
  /// Its name is the title, its command makes it again.
  public let table: AccuracyTable
  public let verdicts: [Verdict]
  /// How far its runs are.
  public let counts: RunCounts
  /// How long all of it takes, as its configs say.
  public let minutes: [String]
  /// How long the finished runs trained, one after the other, minutes.
  public let trained: Double
  /// Where the runs differ from the paper's or the paper is silent, a paragraph each.
  public let deviations: [String]
  /// What a reader of the overview must know of the runs, one sentence each.
  public let warnings: [String]
  /// Its picture, by the path from the page.
  public let picture: String?
  /// Of what its claims compare in expert layers.
  private let expertGrids: [ExpertGrid]
  private let context: ClaimContext

  /// - Parameters:
  ///   - experts: what the runs told of their expert layers, for the claims about those.
  ///   - parts: data sets of which the runs had a part, which judges nothing.
  ///   - moreSeeds: the command that repeats it with more seeds.
  public init(
    table: AccuracyTable, experts: [ExpertCurve] = [], claims: [Claim], counts: RunCounts,
    parts: Set<String> = [], moreSeeds: String? = nil, minutes: [String] = [],
    trained: Double = 0, deviations: [String] = [], warnings: [String] = [],
    picture: String? = nil
  ) {
    self.table = table
    verdicts = claims.map { $0.verdict(on: table, experts: experts, parts: parts) }
    expertGrids = claims.compactMap(\.expertMetric).compactMap {
      ExpertGrid(experts, metric: $0)
    }
    self.counts = counts
    self.minutes = minutes
    self.trained = trained
    self.deviations = deviations
    self.warnings = warnings
    self.picture = picture
    let tellsNothing =
      claims.contains { $0.expertMetric != nil } && experts.allSatisfy(\.points.isEmpty)
    context = ClaimContext(
      progress: counts.areOver
        ? (tellsNothing && counts.finished > 0
          ? "the runs kept nothing of their expert layers, as with --no-expert-metrics" : nil)
        : counts.text,
      moreSeeds: moreSeeds)
  }

  private var title: String { oneLine(table.experiment.name) }
}

extension Reproduction {
  /// As text that ends in a line break: the table, then the claims. CSV and LaTeX have the table
  /// alone.
  public func text(format: ReportFormat, style: TerminalStyle) -> String {
    switch format {
    case .table:
      let grids =
        GainGrid.all(table.rows).map { "\n" + $0.text(style) }.joined()
        + expertGrids.map { "\n" + $0.text(style) }.joined()
      let claims =
        verdicts.isEmpty ? "" : "\n" + claimsReport(verdicts, context: context, style: style)
      return terminalReport(table, style: style) + grids + claims
    case .markdown: return section
    case .json: return value.text() + "\n"
    case .csv, .latex: return render(table, format: format, style: style)
    }
  }

  fileprivate var value: JSONValue {
    .object([
      ("table", jsonValue(table)), ("claims", claimsValue(verdicts)),
      (
        "runs",
        .object([
          ("finished", .integer(counts.finished)), ("failed", .integer(counts.failed)),
          ("begun", .integer(counts.begun)), ("all", .integer(counts.all)),
        ])
      ),
    ])
  }

  /// A section of a page.
  fileprivate var section: String {
    let time = [
      minutes.isEmpty ? nil : "Minutes on 2 cores: " + minutes.joined(separator: "; ") + ".",
      trained > 0
        ? "The finished runs trained for \(fixed(trained, trained < 10 ? 1 : 0)) minutes, one after "
          + "the other." : nil,
    ].compactMap(\.self).joined(separator: " ")
    var lines = ["## \(title)", ""]
    if counts.areOver {
      if !time.isEmpty { lines += [time, ""] }
    } else {
      let begun = counts.begun > 0 ? ", \(counts.begun) begun" : ""
      let rest = "`\(table.experiment.command)` does the others."
      let state = "**\(counts.over) of \(counted(counts.all, "run")) are done\(begun);** \(rest)"
      lines += [[state, time].filter { !$0.isEmpty }.joined(separator: " "), ""]
    }
    if !deviations.isEmpty { lines += ["Deviations: " + deviations.joined(separator: " "), ""] }
    if counts.over > 0 || counts.all == 0 {
      lines.append(markdownReport(table, isSection: false))
      lines += GainGrid.all(table.rows).map(\.markdown) + expertGrids.map(\.markdown)
      if let picture { lines += ["![\(title)](\(picture))", ""] }
      if !verdicts.isEmpty { lines.append(claimsMarkdown(verdicts, context: context)) }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// A line of the page's overview.
  fileprivate var overview: String {
    let fit = PublishedFit(table.rows)
    func points(_ value: Double?) -> String { value.map { fixed($0, 2) } ?? missing }
    let distance =
      fit.map { "\(points($0.vanillaDifference)) / \(points($0.excitedDifference))" } ?? missing
    let signs = fit.map { $0.signs > 0 ? "\($0.sameSigns) of \($0.signs)" : missing } ?? missing
    let claims = verdicts.map { "\($0.claim.rawValue): **\($0.outcome.rawValue)**" }
    let begun = counts.begun > 0 ? ", \(counts.begun) begun" : ""
    let cells = [
      ([title] + warnings.map(oneLine)).joined(separator: "<br>"),
      "\(counts.over) of \(counts.all)\(begun)", distance, signs, claims.joined(separator: "<br>"),
    ]
    return "| " + cells.joined(separator: " | ") + " |"
  }
}

/// Several reproductions as one document: an array in JSON, one header in CSV; else one after the
/// other.
public func text(
  of reproductions: [Reproduction], format: ReportFormat, style: TerminalStyle
) -> String {
  switch format {
  case .json where reproductions.count != 1:
    JSONValue.array(reproductions.map(\.value)).text() + "\n"
  case .csv: csvReport(reproductions.map(\.table))
  default: reproductions.map { $0.text(format: format, style: style) }.joined(separator: "\n")
  }
}

/// A page of reproductions, an overview first.
/// - Parameters:
///   - command: what writes the page again.
///   - notes: what whoever made the runs says of them, Markdown.
public func reproductionPage(
  _ reproductions: [Reproduction], command: String, notes: String? = nil
) -> String {
  let head = [
    "# Reproduction", "",
    "The paper's tables and figures from our own runs, beside the published numbers "
      + "(arXiv:2602.21798). Written by `\(command)` from the runs that its store holds; no result is "
      + "typed by hand"
      + (notes == nil ? "." : ", only what its makers say of them:"), "",
  ]
  let overview = [
    "| | runs | mean distance to the paper, vanilla / excited [points] | sign of Δ | claims |",
    "|:---|---:|:---|---:|:---|",
  ]
  let words = notes.map { [$0, ""] } ?? []
  return (head + words + overview + reproductions.map(\.overview) + [""]).joined(separator: "\n")
    + "\n"
    + reproductions.map(\.section).joined(separator: "\n")
}
