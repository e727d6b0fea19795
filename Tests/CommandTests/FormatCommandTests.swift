import Foundation
import Testing

/// The table in each `--format`.
struct FormatCommandTests {
  let work: Workplace

  init() throws { work = try Workplace() }

  static let rowKeys = [
    "optimizer", "variant", "gamma", "lr", "batch_size", "sparsity", "schedule", "hidden_layers",
    "width", "model", "dataset", "epochs", "momentum", "axes", "seeds", "accuracies",
    "accuracy_mean", "accuracy_std", "delta_seeds", "deltas", "delta_mean", "delta_std",
    "delta_ci95_t", "delta_ci95_bootstrap", "sign_flip_p", "published_mean", "published_std",
    "published_delta", "sign_agrees", "seconds_per_epoch", "failures",
  ]

  @Test func jsonHasTheDocumentedKeys() throws {
    let output = try work.success(["run", "small.yaml", "--format", "json", "--quiet"])
    let report = try #require(
      JSONSerialization.jsonObject(with: Data(output.stdout.utf8)) as? [String: Any])
    #expect(Set(report.keys) == ["experiment", "environment", "rows"])
    let experiment = try #require(report["experiment"] as? [String: Any])
    #expect(
      Set(experiment.keys) == ["name", "header", "notes", "command", "config", "seeds", "variants"])
    #expect(experiment["header"] as? [String] == ["source: none"])
    let environment = try #require(report["environment"] as? [String: Any])
    let machine = [
      "cpu", "cores", "blas_library", "blas_version", "blas_core", "blas_threads", "kernels", "os",
      "swift", "build", "commit", "version", "jobs",
    ]
    #expect(Set(environment.keys) == Set(machine))
    #expect(environment["blas_threads"] as? Int == 1)
    let rows = try #require(report["rows"] as? [[String: Any]])
    #expect(rows.count == 3)
    for row in rows { #expect(Set(row.keys) == Set(Self.rowKeys)) }
  }

  @Test func jsonNumbersFollowFromTheRuns() throws {
    let output = try work.success(
      ["run", "small.yaml", "--format", "json", "--seeds", "0-2", "--out", "o", "--quiet"])
    let table = try JSONTable(output.stdout)
    #expect(table.experiment.name == "small")
    #expect(table.experiment.seeds == [0, 1, 2])
    #expect(table.rows.map(\.variant) == ["vanilla", "zero-sum", "positive-sum"])
    let results = try work.labels(in: "o").map { try work.result("o/runs/\($0)") }
    #expect(results.count == 9)
    let vanilla = table.rows[0].accuracies
    for row in table.rows {
      #expect(row.seeds == [0, 1, 2])
      #expect(row.failures.isEmpty)
      #expect(row.secondsPerEpoch.map { $0 > 0 } == true)
      // Percent: of 100 test images, so whole numbers.
      #expect(row.accuracies.allSatisfy { (0...100).contains($0) && $0 == $0.rounded() })
      for (seed, accuracy) in zip(row.seeds, row.accuracies) {
        let result = results.first { $0.variant == row.variant && $0.seed == seed }
        #expect(result?.accuracy == accuracy)
      }
      expectStatistics(of: row.accuracies, are: row.accuracyMean, row.accuracyStd)
      if row.variant == "vanilla" {
        #expect(row.gamma == nil)
        #expect(row.deltaSeeds.isEmpty && row.deltaMean == nil && row.deltaStd == nil)
      } else {
        #expect(row.gamma == 1)
        #expect(row.deltaSeeds == [0, 1, 2])
        let deltas = zip(row.accuracies, vanilla).map { $0 - $1 }
        expectStatistics(of: deltas, are: row.deltaMean, row.deltaStd)
      }
    }
  }

  /// Mean, and the sample standard deviation √(Σ(x − mean)² / (n − 1)). They are printed to nine
  /// decimals.
  private func expectStatistics(
    of values: [Double], are mean: Double?, _ deviation: Double?,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let bound = 1e-9
    let expectedMean = values.reduce(0, +) / Double(values.count)
    let squares = values.reduce(0) { $0 + ($1 - expectedMean) * ($1 - expectedMean) }
    let expected = (squares / Double(values.count - 1)).squareRoot()
    #expect(
      mean.map { abs($0 - expectedMean) < bound } == true, "\(mean as Any), not \(expectedMean)",
      sourceLocation: sourceLocation)
    #expect(
      deviation.map { abs($0 - expected) < bound } == true, "\(deviation as Any), not \(expected)",
      sourceLocation: sourceLocation)
  }

  @Test func csvHoldsTheRowsOfTheJSON() throws {
    let csv = try work.success(
      ["run", "small.yaml", "--format", "csv", "--out", "o", "--quiet"]
    ).stdout
    let table = try JSONTable(try work.text("\(try work.experiment(in: "o"))/results.json"))
    #expect(csv.hasSuffix("\r\n"))
    // No field here holds a comma or a quote, so lines and fields are plain.
    let lines = csv.components(separatedBy: "\r\n").dropLast().map {
      $0.components(separatedBy: ",")
    }
    #expect(lines.first == Self.rowKeys)
    #expect(lines.count == 4)
    for (line, row) in zip(lines.dropFirst(), table.rows) {
      try #require(line.count == Self.rowKeys.count)
      let field = Dictionary(uniqueKeysWithValues: zip(Self.rowKeys, line))
      #expect(field["variant"] == row.variant)
      #expect(field["seeds"] == "0;1")
      #expect(Double(field["accuracy_mean"] ?? "") == row.accuracyMean)
      #expect(Double(field["delta_mean"] ?? "") == row.deltaMean)
      #expect(field["published_mean"] == "")
    }
  }

  @Test func markdownIsATable() throws {
    let output = try work.success(["run", "small.yaml", "--format", "markdown", "--quiet"])
    #expect(output.lines.first == "### small")
    let rows = output.lines.filter { $0.hasPrefix("|") }
    // Head, alignment, three variants.
    #expect(rows.count == 5)
    #expect(rows.allSatisfy { $0.hasSuffix("|") && $0.split(separator: "|").count == 5 })
    #expect(rows[0].contains("| variant"))
    #expect(rows[1].allSatisfy { "|:-".contains($0) })
    for (row, variant) in zip(rows.dropFirst(2), ["vanilla", "zero-sum", "positive-sum"]) {
      #expect(row.hasPrefix("| \(variant) "))
      #expect(row.contains(" ± "))
    }
  }

  @Test func latexIsATabular() throws {
    let output = try work.success(["run", "small.yaml", "--format", "latex", "--quiet"])
    for part in [
      "\\begin{table}", "\\begin{tabular}{lrrrr}", "\\toprule", "\\midrule", "\\bottomrule",
      "\\end{tabular}", "\\end{table}",
    ] {
      #expect(output.lines.count { $0.contains(part) } == 1, "\(part)")
    }
    // Head and three variants, five cells each.
    let rows = output.lines.filter { $0.hasSuffix(" \\\\") }
    #expect(rows.count == 4)
    #expect(rows.allSatisfy { $0.components(separatedBy: " & ").count == 5 })
    #expect(output.stdout.contains("\\pm"))
    // What TeX reads as a command is escaped outside of comments.
    let text = output.lines.filter { !$0.hasPrefix("%") }.joined()
    #expect(text.contains("topk\\_mlp") && text.contains("[\\%]"))
  }

  @Test(arguments: ["table", "markdown", "csv", "json", "latex"])
  func noEscapeCodesWithoutATerminal(format: String) throws {
    let output = try work.success(["run", "small.yaml", "--format", format])
    #expect(!output.stdout.contains("\u{1B}"))
    #expect(!output.stderr.contains("\u{1B}") && !output.stderr.contains("\r"))
  }

  /// Variables and whether a terminal then shows colours.
  static let terminals: [([String: String], Bool)] = [
    (["TERM": "xterm-256color"], true),
    (["TERM": "xterm-256color", "NO_COLOR": "1"], false),
    (["TERM": "dumb"], false),
  ]

  @Test(arguments: terminals)
  func coloursOnATerminal(variables: [String: String], colours: Bool) throws {
    let terminal = try #require(Terminal())
    let child = try work.start(
      ["run", "small.yaml", "--quiet"], environment: variables, stdout: .handle(terminal.program))
    let text = try terminal.readToEnd()
    #expect(child.finish().status == 0)
    #expect(text.contains("zero-sum"))
    #expect(text.contains("\u{1B}[") == colours)
    // The best variant is bold: SGR code 1.
    #expect(text.contains("\u{1B}[1m") == colours)
  }

  @Test func coloursMayBeForcedThroughAPipe() throws {
    let arguments = ["run", "small.yaml", "--quiet"]
    let forced = try work.success(arguments, environment: ["CLICOLOR_FORCE": "1"])
    #expect(forced.stdout.contains("\u{1B}[1m"))
    let both = try work.success(arguments, environment: ["CLICOLOR_FORCE": "1", "NO_COLOR": "1"])
    #expect(!both.stdout.contains("\u{1B}"))
  }

  @Test func progressOnATerminalIsOneLineRewritten() throws {
    let terminal = try #require(Terminal())
    let child = try work.start(
      ["run", "small.yaml"], environment: ["TERM": "xterm"], stderr: .handle(terminal.program))
    let text = try terminal.readToEnd()
    let output = child.finish()
    #expect(output.status == 0)
    #expect(output.stdout.contains("\nzero-sum "))
    #expect(text.contains("6/6 runs"))
    // In the end the line is empty again, back to its start and erased, before anything else comes.
    let end = try #require(text.range(of: "\r\u{1B}[Knote: "))
    #expect(!text[..<end.lowerBound].contains("\n"))
  }
}
