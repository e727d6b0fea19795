/// A table or figure of the paper as this program made it.
public struct Reproduction: Sendable {
  /// Its name is the title, its command makes it again.
  public let table: AccuracyTable
  public let verdicts: [Verdict]
  /// Runs that are over, of those it needs.
  public let runsOver: Int
  public let runs: Int
  /// How long all of it takes, as its configs say.
  public let minutes: [String]
  /// Its picture, by the path from the page.
  public let picture: String?

  /// - Parameter experts: what the runs told of their expert layers, for the claims about those.
  public init(
    table: AccuracyTable, experts: [ExpertCurve] = [], claims: [Claim], runsOver: Int, runs: Int,
    minutes: [String],
    picture: String?
  ) {
    self.table = table
    verdicts = claims.map { $0.verdict(on: table, experts: experts) }
    self.runsOver = runsOver
    self.runs = runs
    self.minutes = minutes
    self.picture = picture
  }

  private var title: String { oneLine(table.experiment.name) }
}

extension Reproduction {
  /// As text that ends in a line break: the table, then the claims. CSV and LaTeX have the table
  /// alone.
  public func text(format: ReportFormat, style: TerminalStyle) -> String {
    switch format {
    case .table:
      let claims = verdicts.isEmpty ? "" : "\n" + claimsReport(verdicts, style: style)
      return terminalReport(table, style: style) + claims
    case .markdown: return section
    case .json:
      return JSONValue.object([("table", jsonValue(table)), ("claims", claimsValue(verdicts))])
        .text() + "\n"
    case .csv, .latex: return render(table, format: format, style: style)
    }
  }

  /// A section of a page.
  fileprivate var section: String {
    let time = minutes.isEmpty ? "" : "Minutes on 2 cores: " + minutes.joined(separator: "; ") + "."
    var lines = ["## \(title)", ""]
    if runsOver == runs {
      lines.append(time)
    } else {
      lines.append(
        "**\(runsOver) of \(runs) runs are done;** `\(table.experiment.command)` does the others. \(time)"
      )
    }
    if runsOver > 0 || runs == 0 {
      lines += ["", markdownReport(table, isSection: false)]
      if let picture { lines += ["![\(title)](\(picture))", ""] }
      if !verdicts.isEmpty { lines.append(claimsMarkdown(verdicts)) }
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
    let cells = [
      title, "\(runsOver) of \(runs)", distance, signs, claims.joined(separator: "<br>"),
    ]
    return "| " + cells.joined(separator: " | ") + " |"
  }
}

/// A page of reproductions, an overview first.
/// - Parameter command: what writes the page again.
public func reproductionPage(_ reproductions: [Reproduction], command: String) -> String {
  let head = [
    "# Reproduction", "",
    "The paper's tables and figures from our own runs, beside the published numbers "
      + "(arXiv:2602.21798). Written by `\(command)` from the runs that its store holds; nothing is "
      + "typed by hand.", "",
    "| | runs | mean distance to the paper, vanilla / excited [points] | sign of Δ | claims |",
    "|:---|---:|:---|---:|:---|",
  ]
  return (head + reproductions.map(\.overview) + [""]).joined(separator: "\n") + "\n"
    + reproductions.map(\.section).joined(separator: "\n")
}
