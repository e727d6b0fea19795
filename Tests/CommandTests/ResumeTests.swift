import Foundation
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Runs that were killed, damaged or held by another process.
struct ResumeTests {
  let work: Workplace

  init() throws { work = try Workplace() }

  /// Adam and random-boost keep the most that can be lost: moments, and draws of every step.
  static let long = [
    "run", "small.yaml", "--variants", "random-boost", "--seeds", "0", "--set", "epochs=150",
    "--set", "optimizer={name: adam, lr: 0.001}", "--set", "dataset.augmentation=flip+crop",
    "--set", "dataset.test_limit=10", "--quiet", "--save", "w",
  ]
  static let eager = long + ["--out", "o", "--checkpoint-seconds", "0"]

  /// What a run leaves that must not depend on how often it was killed.
  private struct Files: Equatable {
    let label: String
    let weights: Data
    let metrics: Data
    let experts: Data
    let result: Data
  }

  private func files(in store: String) throws -> Files {
    let label = try #require(work.labels(in: store).first)
    return Files(
      label: label, weights: try work.read("w/\(label)/final.safetensors"),
      metrics: try work.read("\(store)/runs/\(label)/metrics.csv"),
      experts: try work.read("\(store)/runs/\(label)/experts.csv"),
      result: try work.read("\(store)/runs/\(label)/result.json"))
  }

  /// The run in one go.
  private func whole() throws -> Files {
    _ = try work.success(Self.long + ["--out", "whole"])
    let files = try files(in: "whole")
    try FileManager.default.removeItem(atPath: work.path("w"))
    return files
  }

  private func epochs(_ label: String) -> Int {
    (try? work.metrics("o/runs/\(label)").lines.count) ?? 0
  }

  /// Starts the run and kills it once it has done some epochs and left a checkpoint.
  private func beginAndKill(_ label: String, epochs: Int = 3) throws {
    let child = try work.start(Self.eager)
    let isReady = child.wait {
      self.epochs(label) >= epochs && work.exists("o/runs/\(label)/checkpoint.safetensors")
    }
    child.signal(SIGKILL)
    #expect(child.finish().status == 128 + SIGKILL)
    try #require(isReady)
  }

  private func expectEnd(
    as expected: Files, noting parts: [String] = [],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let output = try work.success(Self.eager, sourceLocation: sourceLocation)
    #expect(output.errorLines.count == (parts.isEmpty ? 0 : 1), sourceLocation: sourceLocation)
    for part in parts {
      #expect(
        output.stderr.contains(part), "\(output.stderr)", sourceLocation: sourceLocation)
    }
    #expect(try files(in: "o") == expected, sourceLocation: sourceLocation)
    let left = work.files(in: "o/runs/\(expected.label)").filter { !$0.contains("set-aside") }
    #expect(
      left == [
        "config.yaml", "expert_classes.csv", "experts.csv", "metrics.csv", "result.json",
        "timing.csv",
      ],
      sourceLocation: sourceLocation)
  }

  @Test func killedAtAnyMomentItEndsTheSame() throws {
    let expected = try whole()
    for number in 0..<20 {
      let child = try work.start(Self.eager)
      // Every other time within the first moments, when files are made.
      Thread.sleep(forTimeInterval: Double.random(in: 0...(number % 2 == 0 ? 0.1 : 0.4)))
      child.signal(SIGKILL)
      _ = child.finish()
    }
    // Chance may have let it finish; a last kill is certain to leave something to go on from.
    if !work.exists("o/runs/\(expected.label)/result.json") {
      try beginAndKill(expected.label, epochs: epochs(expected.label) + 1)
    }
    try expectEnd(as: expected)
  }

  @Test func interruptedItGoesOnWhereItWas() throws {
    let expected = try whole()
    let child = try work.start(Self.long + ["--out", "o"])
    let isReady = child.wait { epochs(expected.label) >= 2 }
    child.signal(SIGINT)
    #expect(child.finish().status == 130)
    try #require(isReady)
    // The step under way is kept, however rarely checkpoints are written.
    #expect(work.exists("o/runs/\(expected.label)/checkpoint.safetensors"))
    #expect(!work.exists("o/runs/\(expected.label)/claim.1"))
    try expectEnd(as: expected)
  }

  /// What may become of a checkpoint, and what is said of it.
  static let damages: [(String, @Sendable (inout Data) -> Void, String)] = [
    ("truncated", { $0.removeLast(1000) }, "not a valid safetensors file"),
    ("empty", { $0 = Data() }, "not a valid safetensors file"),
    (
      "one bit of a weight", { $0[$0.count - 4001] ^= 0x10 },
      "its contents do not match its checksum"
    ),
    ("text", { $0 = Data("a checkpoint".utf8) }, "not a valid safetensors file"),
    (
      "of another run",
      { data in
        data.replace(Data("\\\"seed\\\":0".utf8), with: Data("\\\"seed\\\":1".utf8))
      }, "it belongs to another run"
    ),
  ]

  @Test(arguments: damages)
  func damagedCheckpointIsSetAside(
    name: String, damage: @Sendable (inout Data) -> Void, reason: String
  ) throws {
    let expected = try whole()
    try beginAndKill(expected.label)
    let path = "o/runs/\(expected.label)/checkpoint.safetensors"
    var data = try work.read(path)
    let good = data
    damage(&data)
    try #require(data != good)
    try work.write(data, to: path)
    try expectEnd(as: expected, noting: ["\(path): ", reason])
    #expect(try work.read("\(path).set-aside-1") == data)
  }

  @Test(arguments: ["truncated", "changed"])
  func damagedResultIsSetAside(damage: String) throws {
    let expected = try whole()
    _ = try work.success(Self.eager)
    let path = "o/runs/\(expected.label)/result.json"
    var text = try work.text(path)
    if damage == "truncated" {
      text.removeLast(20)
    } else {
      // A result that reads well and is not true.
      text.replace("\"epochs\" : 150", with: "\"epochs\" : 151")
    }
    try work.write(text, to: path)
    let status = try work.success(["status", "o"])
    #expect(status.stdout.contains("damaged"))
    try FileManager.default.removeItem(atPath: work.path("w"))
    try expectEnd(as: expected, noting: ["\(path): "])
    #expect(try work.text("\(path).set-aside-1") == text)
  }

  // MARK: Two processes

  /// A run that would take hours.
  static let endless = [
    "run", "small.yaml", "--variants", "vanilla", "--seeds", "0", "--set", "epochs=1000000",
    "--out", "o", "--quiet", "--jobs", "1",
  ]

  private func startEndless() throws -> (child: Child, label: String) {
    let plan = try work.success(Self.endless + ["--dry-run"]).lines
    let label = String(try #require(plan.last { $0.hasPrefix("#   ") }).dropFirst(4))
    let child = try work.start(Self.endless)
    let isReady = child.wait { epochs(label) > 1 }
    try #require(isReady)
    return (child, label)
  }

  @Test(arguments: [SIGKILL, SIGINT])
  func anotherProcessWaitsAndTakesOver(end: Int32) throws {
    let (first, label) = try startEndless()
    let log = FileManager.default.createFile(atPath: work.path("log"), contents: nil)
    try #require(log)
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: work.path("log")))
    let second = try work.start(Self.endless, stderr: .handle(handle))
    let isWaiting = second.wait { (try? work.text("log").contains("is at it")) == true }
    #expect(isWaiting)
    #expect(try work.text("log").hasPrefix("note: \(label): process "))
    #expect(try work.success(["status", "o"]).stdout.contains("running"))

    first.signal(end)
    _ = first.finish()
    let reached = epochs(label)
    // Waiting ends within seconds, and the work goes on beyond where the first one was.
    let isTaken = second.wait { epochs(label) > reached + 1 }
    #expect(isTaken)
    second.signal(SIGINT)
    #expect(second.finish().status == 130)
    #expect(try work.success(["status", "o"]).stdout.contains("partial"))
    let numbers = try work.metrics("o/runs/\(label)")["epoch"]
    #expect(numbers == (1...numbers.count).map(String.init))
  }

  /// A claim by a process on another host, which cannot be asked whether it lives: its file tells, by
  /// when it was touched last.
  @Test(arguments: [
    #"{"host": "elsewhere", "process": 1, "began": "", "system": ""}"#, "not a claim", "",
  ])
  func claimOfAnotherHostCountsWhileItIsTouched(text: String) throws {
    let plan = try work.success(["run", "small.yaml", "--dry-run"]).plan
    let labels = plan.filter { $0.hasPrefix("#   ") }.map { String($0.dropFirst(4)) }
    let claim = "o/runs/\(labels[0])/claim.1"
    try work.write(text, to: claim)
    let child = try work.start(["run", "small.yaml", "--out", "o", "--quiet"])
    let areOthersDone = child.wait {
      work.files(in: "o").count { $0.hasSuffix("result.json") } == 5
    }
    #expect(areOthersDone)
    #expect(child.isRunning)
    #expect(!work.exists("o/runs/\(labels[0])/config.yaml"))
    // Two minutes without a touch are a dead process.
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -130)], ofItemAtPath: work.path(claim))
    let output = child.finish()
    #expect(output.status == 0, "\(output.stderr)")
    #expect(
      output.stderr.contains(text.contains("elsewhere") ? "process 1 on elsewhere" : "another"))
    #expect(work.exists("o/runs/\(labels[0])/result.json"))
    #expect(!work.files(in: "o").contains { $0.contains("claim.") })
  }

  @Test func partsMakeTheWhole() throws {
    let whole = try work.success(["run", "small.yaml", "--out", "whole", "--format", "csv"])
    for part in ["1/2", "2/2"] {
      _ = try work.success(["run", "small.yaml", "--out", "o", "--quiet", "--shard", part])
      if part == "1/2" { #expect(work.labels(in: "o").count == 3) }
    }
    #expect(work.labels(in: "o") == work.labels(in: "whole"))
    let report = try work.success(["report", "o", "--format", "csv"])
    // Times differ; they are the last columns that do.
    func withoutTimes(_ text: String) throws -> [[String]] {
      let rows = text.split(whereSeparator: \.isNewline).map { $0.components(separatedBy: ",") }
      let column = try #require(rows[0].firstIndex(of: "seconds_per_epoch"))
      return rows.map { row in row.indices.filter { $0 != column }.map { row[$0] } }
    }
    #expect(try withoutTimes(report.stdout) == withoutTimes(whole.stdout))
  }

  @Test(arguments: ["0/2", "3/2", "1", "a/b", "1/0", "/"])
  func badShardIsRefused(text: String) throws {
    let output = try work.excite("run", "small.yaml", "--shard", text)
    #expect(output.status == 64)
    #expect(output.stderr.contains("--shard"))
    #expect(output.stderr.contains("as 2/4"))
  }

  // MARK: Status and report

  @Test func statusTellsEveryState() throws {
    _ = try work.excite(
      ["sweep", "small.yaml", "--lr", "0.1,1e30", "--variants", "vanilla", "--out", "o", "--quiet"])
    let (child, label) = try startEndless()
    let output = try work.success(["status", "o", "--json"])
    child.signal(SIGKILL)
    _ = child.finish()
    struct Line: Decodable {
      let run: String
      let state: String
      let reason: String?
      let process: Int32?
    }
    let lines = try JSONDecoder().decode([Line].self, from: Data(output.stdout.utf8))
    let states = Dictionary(grouping: lines, by: \.state).mapValues(\.count)
    #expect(states == ["finished": 2, "failed": 2, "running": 1])
    #expect(lines.first { $0.state == "running" }?.run == label)
    #expect(lines.first { $0.state == "running" }?.process != nil)
    #expect(lines.filter { $0.state == "failed" }.allSatisfy { $0.reason?.contains("NaN") == true })
    let later = try work.success(["status", "o"])
    #expect(later.lines.last == "5 runs: 2 finished, 1 partial, 2 failed")
  }

  @Test func reportIsTheTableThatWasPrinted() throws {
    for format in ["table", "markdown", "csv", "json", "latex"] {
      let printed = try work.success(["run", "small.yaml", "--out", "o", "--format", format])
      // The command is told as it was first typed.
      if format == "table" || format == "csv" || format == "latex" {
        let reported = try work.success(["report", "o", "--format", format])
        #expect(reported.stdout == printed.stdout)
      }
      let one = try work.success(["report", "o/experiments/small", "--format", format])
      #expect(one.stdout == (try work.success(["report", "o", "--format", format])).stdout)
    }
  }

  @Test func reportDrawsAndWritesAPage() throws {
    _ = try work.success(["run", "small.yaml", "--out", "o", "--quiet"])
    let output = try work.success(
      [
        "report", "o", "--plot", "curves", "--plot", "bars", "--plot", "heatmap", "--html",
        "p.html",
      ])
    for kind in ["curves", "bars", "heatmap"] {
      let base = "o/experiments/small/\(kind)"
      #expect(output.stderr.contains("wrote ") && output.stderr.contains("\(base).svg\n"))
      #expect(try work.text("\(base).svg").hasPrefix("<svg"))
      #expect(try work.read("\(base).png").starts(with: [0x89, 0x50, 0x4E, 0x47]))
    }
    // What was asked for are files; the table comes where it is asked for too.
    #expect(output.stdout.isEmpty)
    let both = try work.success(["report", "o", "--plot", "bars", "--format", "csv"])
    #expect(both.stdout == (try work.success(["report", "o", "--format", "csv"])).stdout)
    #expect(both.stdout.hasPrefix("optimizer,variant,"))
    let page = try work.text("p.html")
    #expect(page.hasPrefix("<!DOCTYPE html>") && page.contains("zero-sum"))
    #expect(page.components(separatedBy: "<svg").count - 1 == 4)
  }

  /// The events of a run that was killed and went on: each epoch once.
  @Test func tensorBoardFileGrowsWithTheRun() throws {
    let arguments = Self.eager + ["--tensorboard"]
    let plan = try work.success(Self.eager + ["--dry-run"]).plan
    let label = String(try #require(plan.last { $0.hasPrefix("#   ") }).dropFirst(4))
    let child = try work.start(arguments)
    let isReady = child.wait { epochs(label) >= 3 }
    child.signal(SIGKILL)
    _ = child.finish()
    try #require(isReady)
    _ = try work.success(arguments)
    let data = try work.read("o/runs/\(label)/events.out.tfevents.excite")
    let tag = Data("accuracy/test".utf8)
    var count = 0
    var rest = data[...]
    while let range = rest.range(of: tag) {
      count += 1
      rest = rest[range.upperBound...]
    }
    #expect(count == 150)
  }

  @Test func reportWithoutAnExperimentSaysSo() throws {
    expectRefused(
      try work.excite("report", "nowhere"), status: 1, saying: ["nowhere: cannot be read"])
    try work.write("", to: "empty/file")
    expectRefused(
      try work.excite("report", "empty"), status: 1, saying: ["no experiment is kept here"])
    try work.write("{", to: "bad/experiments/x/experiment.json")
    expectRefused(
      try work.excite("report", "bad"), status: 1, saying: ["not an experiment as excite keeps it"])
    expectRefused(
      try work.excite("status", "nowhere"), status: 1, saying: ["there is no such folder"])
  }

  /// One that cannot be read does not hide the others.
  @Test func reportNamesADamagedExperimentAndGoesOn() throws {
    let printed = try work.success(["run", "small.yaml", "--out", "o", "--quiet"])
    try work.write("{", to: "o/experiments/x/experiment.json")
    let output = try work.success(["report", "o"])
    #expect(output.stdout == printed.stdout)
    #expect(output.errorLines.count == 1)
    #expect(output.stderr.hasPrefix("note: ") && output.stderr.contains("x/experiment.json: "))
  }

  /// A whole result of one run in another's folder is not taken for that run's.
  @Test func aResultOfAnotherRunIsNotReported() throws {
    let arguments = ["run", "small.yaml", "--variants", "vanilla", "--out", "o", "--quiet"]
    _ = try work.success(arguments)
    let runs = work.labels(in: "o")
    try #require(runs.count == 2)
    try work.write(work.read("o/runs/\(runs[1])/result.json"), to: "o/runs/\(runs[0])/result.json")
    let status = try work.success(["status", "--out", "o"])
    #expect(status.stdout.contains("damaged"))
    #expect(status.stdout.contains("result.json: of another run, \(runs[1])"))
    let report = try work.success(["report", "o"])
    #expect(report.stdout.contains("\(runs[0]): result.json: of another run"))
    // Running sets it aside and does the run again.
    let again = try work.success(arguments)
    #expect(again.stderr.contains("of another configuration; set aside"))
    #expect(try work.success(["report", "o", "--format", "csv"]).stdout.contains(",0;1,"))
  }
}
