import Foundation
import Testing

/// `excite sweep`: plans of the paper's grids, and small grids really run.
struct SweepTests {
  let work: Workplace

  init() throws { work = try Workplace() }

  struct Plan: CustomTestStringConvertible {
    let arguments: [String]
    let runs: Int
    let lines: [String]
    var testDescription: String { arguments.joined(separator: " ") }
  }

  /// On the default experiment: 3 variants × 3 seeds = 9 runs a setting.
  static let plans = [
    // Table 3, SGD: 7 rates.
    Plan(
      arguments: ["--lr"], runs: 7 * 9,
      lines: [
        "dataset: {name: cifar10,", "optimizer: {name: sgd,",
        "optimizer.lr: [0.01, 0.015, 0.02, 0.05, 0.1, 0.2, 0.3]",
      ]),
    // Table 3 whole: another 7 for Adam.
    Plan(
      arguments: ["--lr", "--optimizer", "sgd,adam"], runs: 14 * 9,
      lines: ["- {name: sgd, lr: 0.01,", "- {name: adam, lr: 0.0001,", "- {name: adam, lr: 0.003,"]),
    Plan(
      arguments: ["--sparsity"], runs: 5 * 9, lines: ["model.sparsity: [0.9, 0.7, 0.5, 0.3, 0.1]"]),
    Plan(
      arguments: ["--batch-size"], runs: 6 * 9, lines: ["batch_size: [16, 32, 64, 128, 256, 512]"]),
    Plan(arguments: ["--schedule"], runs: 2 * 9, lines: ["schedule.name: [constant, cosine]"]),
    Plan(
      arguments: ["--hidden-layers"], runs: 4 * 9, lines: ["model.hidden_layers: [2, 6, 8, 18]"]),
    Plan(arguments: ["--optimizer"], runs: 6 * 9, lines: ["- {name: sgd,", "- {name: adagrad,"]),
    // Table 7: vanilla has no γ, so (1 + 2 · 3) × 3 seeds.
    Plan(arguments: ["--gamma"], runs: 7 * 3, lines: ["gamma: [1, 2, 3]"]),
    Plan(arguments: ["--gamma", "1,2"], runs: 5 * 3, lines: ["gamma: [1, 2]"]),
    Plan(
      arguments: ["--set", "model.width=16,32", "--seeds", "0"], runs: 2 * 3,
      lines: ["model.width: [16, 32]"]),
    Plan(arguments: ["--lr", "0.1", "--schedule"], runs: 2 * 9, lines: ["optimizer.lr: [0.1]"]),
  ]

  @Test(arguments: plans)
  func plan(_ plan: Plan) throws {
    let output = try work.success(["sweep"] + plan.arguments + ["--dry-run"])
    #expect(output.lines.contains { $0.hasPrefix("# \(plan.runs) runs, about ") })
    #expect(output.lines.count { $0.hasPrefix("#   ") } == plan.runs)
    for line in plan.lines { #expect(output.stdout.contains(line), "\(line)\n\(output.stdout)") }
  }

  /// Axes of the file's own need no flag: a sweep section, a list of optimizers, a list of γ.
  @Test(arguments: [
    ("optimizer: {name: sgd, lr: 0.1}", "optimizer: [{name: sgd, lr: 0.1}, {name: adam}]"),
    ("gamma: 1}", "gamma: [1, 2]}"), ("seeds:", "sweep: {epochs: [1, 2]}\nseeds:"),
  ])
  func axesOfTheFile(old: String, new: String) throws {
    try work.write(Workplace.small.replacingOccurrences(of: old, with: new), to: "grid.yaml")
    _ = try work.success(["sweep", "grid.yaml", "--dry-run"])
  }

  struct Grid: CustomTestStringConvertible {
    let arguments: [String]
    /// The column of the axis, and its values.
    let axis: String
    let values: [String]
    /// The same values in the rows' own fields.
    let field: @Sendable (JSONTable.Row) -> String
    var testDescription: String { arguments.joined(separator: " ") }
  }

  static let grids = [
    Grid(arguments: ["--lr", "0.1,0.2"], axis: "lr", values: ["0.1", "0.2"]) { "\($0.lr)" },
    Grid(arguments: ["--sparsity", "0.5,0.75"], axis: "sparsity", values: ["0.5", "0.75"]) {
      "\($0.sparsity)"
    },
    Grid(arguments: ["--batch-size", "25,50"], axis: "batch_size", values: ["25", "50"]) {
      "\($0.batchSize)"
    },
    Grid(arguments: ["--optimizer", "sgd,adam"], axis: "optimizer", values: ["sgd", "adam"]) {
      $0.optimizer
    },
    Grid(
      arguments: ["--schedule", "constant,cosine"], axis: "schedule",
      values: ["constant", "cosine"]
    ) { $0.schedule },
    Grid(arguments: ["--hidden-layers", "1,2"], axis: "hidden_layers", values: ["1", "2"]) {
      "\($0.hiddenLayers)"
    },
    Grid(arguments: ["--set", "model.width=16,32"], axis: "width", values: ["16", "32"]) {
      "\($0.width)"
    },
  ]

  @Test(arguments: grids)
  func everyRowHasItsSetting(_ grid: Grid) throws {
    let output = try work.success(
      ["sweep", "small.yaml"] + grid.arguments + ["--format", "json", "--quiet", "--out", "o"])
    let rows = try JSONTable(output.stdout).rows
    #expect(
      rows.map(\.variant) == ["vanilla", "zero-sum", "positive-sum"] + rows[..<3].map(\.variant))
    #expect(rows.map { $0.axes } == rows.map { [grid.axis: grid.field($0)] })
    #expect(rows.map(grid.field) == grid.values.flatMap { [$0, $0, $0] })
    #expect(rows.allSatisfy { $0.seeds == [0, 1] && $0.accuracies.count == 2 })
    #expect(work.labels(in: "o").count == 12)
  }

  @Test func twoAxesMakeAllPairs() throws {
    let output = try work.success(
      [
        "sweep", "small.yaml", "--lr", "0.1,0.2", "--set", "model.width=16,32", "--seeds", "0",
        "--variants", "vanilla", "--format", "json", "--quiet",
      ])
    let pairs = try JSONTable(output.stdout).rows.map { "\($0.lr) \($0.width)" }
    #expect(pairs == ["0.1 16", "0.1 32", "0.2 16", "0.2 32"])
  }

  @Test func vanillaRunsOncePerSeedWhateverTheIntensities() throws {
    let output = try work.success(
      ["sweep", "small.yaml", "--gamma", "1,2", "--format", "json", "--quiet", "--out", "o"])
    let table = try JSONTable(output.stdout)
    let rows = table.rows.map { "\($0.variant) \($0.gamma.map { "\($0)" } ?? "–")" }
    let expected = [
      "vanilla –", "zero-sum 1.0", "zero-sum 2.0", "positive-sum 1.0", "positive-sum 2.0",
    ]
    #expect(rows.sorted() == expected.sorted())
    #expect(work.labels(in: "o").count == 10)
    // Each is compared with the one vanilla.
    let vanilla = try #require(table.rows.first { $0.variant == "vanilla" }).accuracies
    for row in table.rows where row.variant != "vanilla" {
      let deltas = zip(row.accuracies, vanilla).map { $0 - $1 }
      #expect(row.deltaMean == (deltas[0] + deltas[1]) / 2)
    }
  }

  @Test func aSweepsRowIsTheRunOfItsSetting() throws {
    _ = try work.success(["sweep", "small.yaml", "--lr", "0.1,0.2", "--out", "grid", "--quiet"])
    _ = try work.success(
      ["run", "small.yaml", "--set", "optimizer.lr=0.2", "--out", "one", "--quiet"])
    let grid = try JSONTable(try work.text("\(try work.experiment(in: "grid"))/results.json")).rows
      .filter { $0.lr == 0.2 }
    let one = try JSONTable(try work.text("\(try work.experiment(in: "one"))/results.json")).rows
    #expect(grid.map(\.accuracies) == one.map(\.accuracies))
    #expect(Set(work.labels(in: "one")).isSubset(of: work.labels(in: "grid")))
  }

  /// The grids that a file may hold itself.
  @Test func fileWithItsOwnGrid() throws {
    let text = Workplace.small.replacingOccurrences(
      of: "optimizer: {name: sgd, lr: 0.1}",
      with: "optimizer: [{name: sgd, lr: 0.1}, {name: adam, lr: 0.001}]")
    try work.write(text + "sweep: {model.width: [16, 24]}\n", to: "grid.yaml")
    let output = try work.success(["run", "grid.yaml", "--format", "json", "--quiet"])
    let rows = try JSONTable(output.stdout).rows.filter { $0.variant == "vanilla" }
    #expect(
      rows.map { "\($0.optimizer) \($0.width)" } == ["sgd 16", "sgd 24", "adam 16", "adam 24"])
  }

  @Test func gridIsShownInTheTable() throws {
    let output = try work.success(["sweep", "small.yaml", "--lr", "0.1,0.2", "--quiet"])
    let head = try #require(output.lines.first { $0.contains("variant ") })
    #expect(head.split(separator: " ").prefix(2) == ["lr", "variant"])
    let rates = output.lines.compactMap { $0.split(separator: " ").first }.filter {
      ["0.1", "0.2"].contains($0)
    }
    #expect(rates == ["0.1", "0.1", "0.1", "0.2", "0.2", "0.2"])
  }

  /// Vanilla knows no window: its run is done once and stands in every setting.
  @Test(arguments: [[], ["--fresh"]])
  func windowsShareVanilla(flags: [String]) throws {
    let output = try work.success(
      [
        "sweep", "small.yaml", "--set", "excitation.window=1,3", "--seeds", "0", "--out", "o",
        "--format", "json", "--quiet", "--jobs", "2",
      ] + flags)
    // vanilla, and zero-sum and positive-sum with two windows each.
    #expect(work.labels(in: "o").count == 5)
    #expect(output.stderr.isEmpty)
    let rows = try JSONTable(output.stdout).rows
    let windows = rows.map { $0.axes["window"] ?? "" }
    #expect(windows == ["1", "1", "1", "3", "3", "3"])
    let variants = ["vanilla", "zero-sum", "positive-sum"]
    #expect(rows.map(\.variant) == variants + variants)
    #expect(rows[0].accuracies == rows[3].accuracies)
    #expect(rows[0].accuracies.count == 1)
  }
}
