import Foundation
import Testing

/// The flags that change what is run.
struct FlagTests {
  let work: Workplace

  init() throws { work = try Workplace() }

  /// The metrics of the one run that these arguments make.
  private func metrics(_ name: String, _ arguments: [String]) throws -> Metrics {
    _ = try work.success(
      ["run", "small.yaml", "--seeds", "0", "--variants", "vanilla", "--out", name, "--quiet"]
        + arguments)
    let labels = work.labels(in: name)
    try #require(labels.count == 1)
    return try work.metrics("\(name)/runs/\(labels[0])")
  }

  private func plan(_ arguments: String...) throws -> Output {
    try work.success(["run", "small.yaml", "--dry-run"] + arguments)
  }

  /// Steps after each epoch of 4.
  static let limits: [(String, [String])] = [
    ("1", ["1"]), ("3", ["3"]), ("4", ["4"]), ("5", ["4", "5"]), ("8", ["4", "8"]),
    ("100", ["4", "8"]),
  ]

  @Test(arguments: limits)
  func maxStepsEndsARun(limit: String, steps: [String]) throws {
    let metrics = try metrics("o", ["--max-steps", limit])
    #expect(metrics["step"] == steps)
    #expect(metrics["epoch"] == (1...steps.count).map(String.init))
  }

  /// The cosine goes by the planned epochs, so stopping early changes nothing before the stop.
  @Test func maxStepsOnlyCutsOff() throws {
    let whole = try metrics("whole", [])
    let cut = try metrics("cut", ["--max-steps", "4"])
    #expect(cut.lines == Array(whole.lines.prefix(1)))
  }

  @Test func sequentialOrderIsAnotherOrder() throws {
    let shuffled = try metrics("shuffled", [])
    let sequential = try metrics("sequential", ["--order", "sequential"])
    #expect(sequential["train_loss"] != shuffled["train_loss"])
    #expect(sequential["step"] == shuffled["step"])
    #expect(try plan("--order", "sequential").stdout.contains("\norder: sequential\n"))
  }

  static let seedLists = [
    ("0-2", "[0, 1, 2]"), ("0,1,2", "[0, 1, 2]"), ("7", "[7]"), ("3,0-1", "[3, 0, 1]"),
    ("5-5", "[5]"),
  ]

  @Test(arguments: seedLists)
  func seeds(list: String, resolved: String) throws {
    let output = try plan("--seeds", list)
    #expect(output.stdout.contains("\nseeds: \(resolved)\n"))
    let count = resolved.split(separator: ",").count * 3
    #expect(output.stdout.contains("\n# \(count) runs, about "))
  }

  @Test func variantsKeepTheirOrder() throws {
    let output = try work.success(
      ["run", "small.yaml", "--variants", "inverted,vanilla", "--format", "json", "--quiet"])
    let table = try JSONTable(output.stdout)
    #expect(table.experiment.variants == ["inverted", "vanilla"])
    #expect(Set(table.rows.map(\.variant)) == ["inverted", "vanilla"])
  }

  @Test func setChangesValues() throws {
    let output = try plan(
      "--set", "model.width=32", "--set", "optimizer={name: adam, lr: 0.002}", "--set",
      "seeds=4,5", "--set", "model.width=24")
    // The later one wins.
    #expect(output.stdout.contains("width: 24"))
    #expect(output.stdout.contains("optimizer: {name: adam, lr: 0.002,"))
    #expect(output.stdout.contains("\nseeds: [4, 5]\n"))
  }

  @Test func aFlagOfItsOwnWinsOverSet() throws {
    let output = try plan("--seeds", "9", "--set", "seeds=4")
    #expect(output.stdout.contains("\nseeds: [9]\n"))
  }

  /// A constant that only some settings use, as the floor of a cosine, is part of the experiment.
  @Test(arguments: ["schedule.name: [constant, cosine]", "dataset.augmentation: [none, crop]"])
  func dryRunKeepsConstantsOfOtherSettings(axis: String) throws {
    let text = Workplace.small.replacingOccurrences(of: "cosine}", with: "cosine, floor: 0.1}")
      .replacingOccurrences(of: "augmentation: none", with: "augmentation: crop, crop_padding: 2")
    try work.write(text + "sweep: {\(axis)}\n", to: "grid.yaml")
    let plan = try work.success(["run", "grid.yaml", "--dry-run"])
    try work.write(plan.stdout, to: "plan.yaml")
    let again = try work.success(["run", "plan.yaml", "--dry-run"])
    #expect(again.plan == plan.plan)
  }

  struct Estimate: CustomTestStringConvertible {
    let arguments: [String]
    let start: String
    let end: String
    var testDescription: String { arguments.joined(separator: " ") }
  }

  /// Kinds of step are models, optimizers and batch sizes; seeds and variants are none.
  static let estimates = [
    Estimate(
      arguments: ["run", "small.yaml", "--jobs", "2"], start: "# 6 runs, about ",
      end: " ms a step):"),
    Estimate(
      arguments: ["run", "small.yaml", "--seeds", "0", "--variants", "vanilla", "--jobs", "8"],
      start: "# 1 run, about ", end: " ms a step):"),
    Estimate(
      arguments: ["sweep", "small.yaml", "--batch-size", "10,20,40,80,100,200", "--jobs", "1"],
      start: "# 36 runs, about ", end: " of 6 kinds of step timed):"),
    // 12,288² weights and their gradients, 4 bytes each, take 1.2 GB.
    Estimate(
      arguments: ["run", "small.yaml", "--set", "model.width=12288"], start: "# 6 runs, not timed",
      end: ": a step of theirs takes too long for that:"),
  ]

  @Test(arguments: estimates) func dryRunSaysHowLong(_ estimate: Estimate) throws {
    let output = try work.success(estimate.arguments + ["--dry-run"])
    let line = try #require(output.lines.first { $0.hasPrefix(estimate.start) })
    #expect(line.hasSuffix(estimate.end), "\(line)")
    let jobs = estimate.arguments.contains("1") || line.hasPrefix("# 1 run") ? "1 job " : "2 jobs "
    #expect(line.contains(" with \(jobs)(calibrated here: ") || line.contains("not timed"))
  }

  /// What a dry run prints is an experiment, and its dry run is the same.
  static let plans: [[String]] = [
    ["run", "small.yaml"],
    ["run", "small.yaml", "--max-steps", "3", "--order", "sequential", "--seeds", "4"],
    ["sweep", "small.yaml", "--gamma", "1,2"],
    ["sweep", "small.yaml", "--set", "model.width=16,32", "--set", "model.normalization=none"],
    ["sweep", "--lr"],
    ["sweep", "--lr", "--optimizer", "sgd,adam"],
    ["sweep", "--lr", "--gamma", "--sparsity", "--schedule"],
    ["sweep", "--optimizer", "--batch-size", "--hidden-layers"],
  ]

  @Test(arguments: plans)
  func dryRunRepeatsItselfAndDoesNothing(arguments: [String]) throws {
    let plan = try work.success(arguments + ["--dry-run"])
    #expect(plan.stderr.isEmpty)
    #expect(work.files() == ["small.yaml"])
    try work.write(plan.stdout, to: "plan.yaml")
    #expect(try work.success(["run", "plan.yaml", "--dry-run"]).plan == plan.plan)
    #expect(work.files() == ["plan.yaml", "small.yaml"])
  }
}
