import Foundation
import Testing

/// `excite run`: what it prints where, and the files it leaves.
struct RunTests {
  let work: Workplace

  init() throws { work = try Workplace() }

  @Test func tableOnStandardOutputProgressOnStandardError() throws {
    let output = try work.success(["run", "small.yaml", "--out", "o"])
    #expect(output.lines.first == "small")
    for part in [
      "command  excite run small.yaml --out o", "seeds    0, 1", "variant ", "accuracy [%]",
      "Δ [points]", "\nvanilla ", "\nzero-sum ", "\npositive-sum ", "n = 2",
    ] {
      #expect(output.stdout.contains(part), "\(part) is not in:\n\(output.stdout)")
    }
    #expect(!output.stdout.contains("progress"))

    let progress = output.errorLines.dropLast()
    #expect(progress.allSatisfy { $0.hasPrefix("progress ") }, "\(output.stderr)")
    // A line at the start, one with the first estimate, and one a tenth.
    #expect((1...12).contains(progress.count), "\(output.stderr)")
    #expect(progress.last?.hasPrefix("progress 100 %: ") == true)
  }

  /// The last line says where all is and which command prints the table again.
  @Test func theEndNamesTheFolderAndTheCommand() throws {
    let output = try work.success(["run", "small.yaml", "--set", "epochs=1", "--out", "o p"])
    let folder = try work.experiment(in: "o p")
    #expect(
      output.errorLines.last
        == "note: kept in \(folder); to print it again: excite report '\(folder)'")
    #expect(try work.shell("excite report '\(folder)'").stdout == output.stdout)
  }

  @Test func quietLeavesStandardErrorEmpty() throws {
    let output = try work.success(["run", "small.yaml", "--quiet"])
    #expect(output.stderr.isEmpty)
    #expect(output.lines.first == "small")
  }

  /// At the end all runs are over, so a line that says 100 % names as many done as there are.
  @Test func lastProgressLineCountsAllRuns() throws {
    for _ in 0..<3 {
      let output = try work.success(["run", "small.yaml"])
      let last = output.errorLines.last { $0.hasPrefix("progress ") }
      #expect(last?.hasPrefix("progress 100 %: 6 of 6 runs done") == true)
    }
  }

  @Test func dryRunsKnowWhatTheStoreHas() throws {
    func line(_ flags: [String]) throws -> String? {
      try work.success(["run", "small.yaml", "--out", "kept", "--dry-run"] + flags).lines
        .first { $0.hasPrefix("# 6 runs, ") }
    }
    _ = try work.success(["run", "small.yaml", "--out", "kept", "--quiet", "--seeds", "0"])
    #expect(try line([])?.hasPrefix("# 6 runs, 3 in the store; the others about ") == true)
    #expect(try line(["--fresh"])?.hasPrefix("# 6 runs, about ") == true)
    _ = try work.success(["run", "small.yaml", "--out", "kept", "--quiet"])
    #expect(try line([]) == "# 6 runs, 6 in the store:")
  }

  @Test func everyRunLeavesItsFiles() throws {
    let output = try work.success(["run", "small.yaml", "--out", "deep/o", "--format", "json"])
    let plan = try work.success(["run", "small.yaml", "--dry-run"]).lines
    let labels = plan.filter { $0.hasPrefix("#   ") }.map { String($0.dropFirst(4)) }
    #expect(labels.count == 6)
    let names = [
      "config.yaml", "expert_classes.csv", "experts.csv", "metrics.csv", "result.json",
      "timing.csv",
    ]
    let expected =
      labels.flatMap { label in names.map { "runs/\(label)/\($0)" } }
      + ["experiment.json", "experiment.yaml", "results.json"].map { "experiments/small/\($0)" }
    #expect(work.files(in: "deep/o") == expected.sorted())

    // The table as JSON is what is printed; the experiment is what a dry run prints before its plan.
    #expect(try work.text("deep/o/experiments/small/results.json") == output.stdout)
    let experiment = try work.text("deep/o/experiments/small/experiment.yaml")
    #expect(
      experiment == plan.prefix { !$0.hasPrefix("# 6 runs, ") }.joined(separator: "\n") + "\n")

    for label in labels {
      let metrics = try work.metrics("deep/o/runs/\(label)")
      #expect(metrics.header == Metrics.header)
      #expect(metrics["epoch"] == ["1", "2"])
      // 200 images in batches of 50 are 4 steps an epoch.
      #expect(metrics["step"] == ["4", "8"])
      // 0.1 · (1 + cos(π·e/2)) / 2 for e = 0, 1.
      #expect(metrics["learning_rate"] == ["0.1", "0.05"])
      #expect(metrics.lines.joined().allSatisfy { Double($0)?.isFinite == true })

      let result = try work.result("deep/o/runs/\(label)")
      #expect(result.label == label)
      #expect(result.status.state == "finished")
      #expect(result.epochs == 2)
      #expect(result.accuracy == metrics["test_accuracy"].last.flatMap(Double.init))
      #expect(result.trainLoss == metrics["train_loss"].last.flatMap(Double.init))
      #expect(result.gamma == (result.variant == "vanilla" ? nil : 1))

      let experts = Metrics(try work.text("deep/o/runs/\(label)/experts.csv"))
      #expect(experts.header == Metrics.expertsHeader)
      #expect(experts["epoch"] == ["1", "1", "2", "2"])
      #expect(experts["layer"] == ["1", "2", "1", "2"])
      // No router, no loss that balances it.
      #expect(experts["balance_loss"] == ["", "", "", ""])
      let numbers: [String] = experts.lines.flatMap { $0.dropLast() }
      #expect(numbers.allSatisfy { Double($0)?.isFinite == true })
      let isVanilla = label.contains("vanilla")
      #expect(experts["phi_std"].allSatisfy { ($0 == "0.0") == isVanilla })

      let timing = try work.text("deep/o/runs/\(label)/timing.csv").split(separator: "\n")
      #expect(timing.first == "epoch,train_seconds,test_seconds")
      #expect(timing.count == 3)
    }
  }

  @Test func expertsNeedNotBeMeasured() throws {
    _ = try work.success(["run", "small.yaml", "--out", "with", "--quiet"])
    _ = try work.success(
      ["run", "small.yaml", "--out", "without", "--quiet", "--no-expert-metrics"])
    let labels = work.labels(in: "with")
    #expect(work.labels(in: "without") == labels)
    for label in labels {
      for file in ["metrics.csv", "result.json"] {
        #expect(
          try work.read("with/runs/\(label)/\(file)")
            == work.read("without/runs/\(label)/\(file)"))
      }
      #expect(
        try work.text("without/runs/\(label)/experts.csv") == Metrics.expertsHeader + "\n")
      #expect(!work.exists("without/runs/\(label)/expert_classes.csv"))
    }
  }

  @Test func aRunsConfigRepeatsTheRun() throws {
    _ = try work.success(["run", "small.yaml", "--out", "first", "--quiet"])
    let labels = work.labels(in: "first")
    #expect(labels.count == 6)
    for label in labels {
      _ = try work.success(["run", "first/runs/\(label)/config.yaml", "--out", "again", "--quiet"])
      for file in ["config.yaml", "experts.csv", "metrics.csv", "result.json"] {
        #expect(
          try work.read("again/runs/\(label)/\(file)") == work.read("first/runs/\(label)/\(file)"))
      }
    }
    #expect(work.labels(in: "again") == labels)
  }

  @Test func theExperimentsFileRepeatsTheExperiment() throws {
    _ = try work.success(["sweep", "small.yaml", "--lr", "0.1,0.2", "--out", "first", "--quiet"])
    _ = try work.success([
      "run", "\(try work.experiment(in: "first"))/experiment.yaml", "--out", "again", "--quiet",
    ])
    #expect(work.labels(in: "first").count == 12)
    #expect(work.labels(in: "again") == work.labels(in: "first"))
    #expect(
      try work.read("\(work.experiment(in: "again"))/experiment.yaml")
        == work.read("\(work.experiment(in: "first"))/experiment.yaml"))
  }

  @Test func theStoreIsTheFolderResultsByDefault() throws {
    _ = try work.success(["run", "small.yaml", "--seeds", "0", "--variants", "vanilla"])
    #expect(work.labels(in: "results").count == 1)
  }

  @Test func theConfigMayComeThroughAPipe() throws {
    let output = try work.excite(
      ["run", "/dev/stdin", "--quiet", "--dry-run"], input: Workplace.small)
    #expect(output.status == 0, "\(output.stderr)")
    #expect(output.plan == (try work.success(["run", "small.yaml", "--dry-run"]).plan))
  }

  @Test func aReaderThatLeavesEarlyIsNoCrash() throws {
    for consumer in ["head -1", "true"] {
      let output = try work.shell(
        "{ excite run small.yaml --format csv; echo status $? >&2; } | \(consumer)")
      expectNoCrash(output)
      // Either all was written before the reader left, or SIGPIPE (13) ended the writer.
      let status = output.errorLines.last
      #expect(status == "status 0" || status == "status \(128 + 13)", "\(output.stderr)")
    }
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full"), "needs /dev/full"))
  func progressThatCannotBeWrittenIsNoCrash() throws {
    for target in ["2>/dev/full", "2>&-"] {
      let output = try work.shell("excite run small.yaml \(target)")
      #expect(output.status == 0)
      #expect(output.stdout.contains("\nzero-sum "))
    }
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full"), "needs /dev/full"))
  func aTableThatCannotBeWrittenIsAnError() throws {
    let output = try work.shell("excite run small.yaml --quiet >/dev/full")
    #expect(output.status == 1)
    #expect(output.stderr.hasPrefix("error: "))
  }
}
