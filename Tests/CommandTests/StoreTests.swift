import Foundation
import Tensors
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The store of runs: what is done is not done again, what is begun goes on where it was.
struct StoreTests {
  let work: Workplace

  init() throws { work = try Workplace() }

  /// When each run was begun last, by its label: a run that is repeated writes its config anew.
  private func begun(in store: String) throws -> [String: Date] {
    try work.labels(in: store).reduce(into: [:]) { dates, label in
      let path = work.path("\(store)/runs/\(label)/config.yaml")
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      dates[label] = attributes[.modificationDate] as? Date
    }
  }

  private func runs(of store: String, named name: String) throws -> [String: Data] {
    try work.labels(in: store).reduce(into: [:]) { files, label in
      files[label] = try work.read("\(store)/runs/\(label)/\(name)")
    }
  }

  // MARK: Finished runs

  @Test func finishedRunsAreNotRepeated() throws {
    let first = try work.success(["run", "small.yaml", "--out", "o", "--format", "csv"])
    let dates = try begun(in: "o")
    let second = try work.success(["run", "small.yaml", "--out", "o", "--format", "csv"])
    #expect(try begun(in: "o") == dates)
    #expect(second.stdout == first.stdout)
    #expect(second.errorLines.count == 2)
    #expect(second.stderr.hasPrefix("progress 100 %: 6 of 6 runs done"))
  }

  @Test func anExperimentTakesOverTheRunsOfAnother() throws {
    _ = try work.success(
      ["run", "small.yaml", "--variants", "vanilla", "--out", "o", "--quiet"])
    let dates = try begun(in: "o")
    #expect(dates.count == 2)
    let output = try work.success(
      ["sweep", "small.yaml", "--lr", "0.1,0.2", "--out", "o", "--format", "json", "--quiet"])
    // The rows are this experiment's, whoever made the runs.
    #expect(try JSONTable(output.stdout).rows.allSatisfy { $0.axes.keys.contains("lr") })
    let later = try begun(in: "o")
    #expect(later.count == 12)
    for (label, date) in dates { #expect(later[label] == date) }
  }

  @Test func statusOfAnExperimentsFolder() throws {
    _ = try work.success(["run", "small.yaml", "--out", "o", "--quiet"])
    _ = try work.success(
      ["run", "small.yaml", "--seeds", "7", "--out", "o", "--quiet"])
    let status = try work.success(["status", "o/experiments/small"])
    #expect(status.stdout.hasSuffix("\n6 runs: 6 finished\n"))
    #expect(!status.stdout.contains("seed7"))
    let all = try work.success(["status", "o"])
    #expect(all.stdout.hasSuffix("\n9 runs: 9 finished\n"))
    // Each run with the experiments that ask for it.
    #expect(all.lines.count { $0.hasSuffix("  small") } == 6)
    #expect(all.lines.count { $0.contains("-seed7-") && $0.contains("  small-") } == 3)
    let other = try work.success(["status", "o/runs"])
    #expect(other.stderr.contains("note: o/runs has neither runs nor experiments"))
  }

  @Test func statusMarksRunsThatAreCut() throws {
    let cut = ["--max-steps", "2", "--variants", "vanilla", "--out", "o", "--quiet"]
    _ = try work.success(["run", "small.yaml"] + cut)
    let status = try work.success(["status", "o"]).lines
    #expect(status.count { $0.hasSuffix("  stopped after 2 steps") } == 2)
    let name = try #require(work.files().first { $0.hasSuffix("/experiment.json") })
    try work.write("{", to: name)
    let later = try work.success(["status", "o"])
    #expect(later.stderr.contains("note: \(name): cannot be read: not an experiment"))
  }

  /// What an earlier engine made is said to be so, by everything that shows it.
  @Test func runsOfAnotherEngineAreTold() throws {
    _ = try work.success(["run", "small.yaml", "--out", "o", "--quiet"])
    let label = work.labels(in: "o")[0]
    try changeResult(of: label) {
      $0.replacing("\"numerics\" : 1", with: "\"numerics\" : 0")
    }
    let status = try work.success(["status", "o"]).lines
    #expect(
      status.contains {
        $0.hasPrefix(label) && $0.hasSuffix("numerics version 0, not 1: run repeats it")
      })
    let note = "1 of these runs were made by an engine of numerics version 0; this program's is 1"
    #expect(try work.success(["report", "o"]).stdout.contains(note))
    // Repeated, it is this engine's.
    _ = try work.success(["run", "small.yaml", "--out", "o", "--quiet"])
    #expect(!(try work.success(["report", "o"]).stdout.contains("numerics version")))
  }

  /// Changes a run's result in the store `o`, with a checksum that fits.
  private func changeResult(of label: String, _ change: (String) -> String) throws {
    let path = "o/runs/\(label)/result.json"
    var text = change(try work.text(path))
    text.removeLast()
    // The checksum is of the file with an empty one.
    let sum = try #require(text.firstMatch(of: /"checksum" : "([0-9a-f]+)"/)).output.1
    let blank = text.replacing(sum, with: "")
    var hash = ContentHash()
    hash.add(blank)
    try work.write(text.replacing(sum, with: hash.hexadecimal) + "\n", to: path)
  }

  /// A store may be carried from one machine to another.
  @Test func runsOfAnotherMachineAreTold() throws {
    let run = ["run", "small.yaml", "--out", "o", "--quiet"]
    _ = try work.success(run)
    #expect(!(try work.success(["report", "o"]).stdout.contains("another machine")))
    try changeResult(of: work.labels(in: "o")[0]) {
      $0.replacing(/"cpu" : ".*"/, with: "\"cpu\" : \"abacus\"")
    }
    let note =
      "1 of these runs were made on another machine or with other kernels, whose bits may differ: "
      + "abacus ("
    #expect(try work.success(["report", "o"]).stdout.contains(note))
    #expect(try work.success(run).stdout.contains(note))
  }

  @Test func freshRepeatsAll() throws {
    _ = try work.success(["run", "small.yaml", "--out", "o", "--quiet"])
    let (dates, results) = (try begun(in: "o"), try runs(of: "o", named: "result.json"))
    _ = try work.success(["run", "small.yaml", "--out", "o", "--quiet", "--fresh"])
    for (label, date) in try begun(in: "o") { #expect(dates[label] != date) }
    #expect(try runs(of: "o", named: "result.json") == results)
  }

  /// The weights of a finished run are not in the store, so asking for them repeats it.
  @Test func weightsThatAreMissingAreMade() throws {
    let arguments = ["run", "small.yaml", "--out", "o", "--quiet"]
    _ = try work.success(arguments)
    let results = try runs(of: "o", named: "result.json")
    _ = try work.success(arguments + ["--save", "w"])
    #expect(work.files(in: "w").count == 6)
    #expect(try runs(of: "o", named: "result.json") == results)
    let dates = try begun(in: "o")
    _ = try work.success(arguments + ["--save", "w"])
    #expect(try begun(in: "o") == dates)
  }

  @Test func otherDataIsAnotherRun() throws {
    for file in [FailedRunTests.trainFile, FailedRunTests.testFile] {
      try work.writeSparse(count: FailedRunTests.cifarBytes, to: file)
    }
    let arguments = FailedRunTests.cifar + ["--max-steps", "1", "--data-dir", "data"]
    _ = try work.success(arguments)
    // One byte of one pixel.
    try work.writeSparse([0, 1], count: FailedRunTests.cifarBytes, to: FailedRunTests.trainFile)
    let plan = try work.success(arguments + ["--dry-run"]).stdout
    #expect(plan.contains("# 1 run, about "), "\(plan)")
    #expect(plan.contains("\n# 1 run of the store from other data, counted as not there"))
    let output = try work.success(arguments)
    let label = try #require(work.labels(in: "o").first)
    #expect(work.labels(in: "o").count == 1)
    #expect(output.stderr.contains("\(label)/result.json: made from other data; set aside as"))
    #expect(work.exists("o/runs/\(label)/result.json.set-aside-1"))
    #expect(try work.success(arguments).stderr.isEmpty)
    #expect(try work.success(arguments + ["--dry-run"]).stdout.contains("# 1 run, 1 in the store"))
  }

  // MARK: Failures

  static let diverging = [
    "sweep", "small.yaml", "--lr", "1e30,0.1", "--variants", "vanilla", "--out", "o", "--quiet",
    "--jobs", "1",
  ]

  @Test func aFailureIsRepeatedOnlyOnRequest() throws {
    #expect(try work.excite(Self.diverging).status == 1)
    let dates = try begun(in: "o")
    #expect(dates.count == 4)
    let again = try work.excite(Self.diverging)
    #expect(again.status == 1)
    #expect(again.stdout.contains("the loss became NaN at step 2"))
    #expect(try begun(in: "o") == dates)
    #expect(try work.excite(Self.diverging + ["--retry-failed"]).status == 1)
    #expect(try begun(in: "o").count { dates[$0.key] != $0.value } == 2)
  }

  @Test func failFastStopsTheOthers() throws {
    let output = try work.excite(Self.diverging + ["--fail-fast"])
    #expect(output.status == 1)
    #expect(output.stderr.contains("1 of 4 runs failed"))
    #expect(work.labels(in: "o").count == 1)
    #expect(output.stdout.contains("not begun"))
  }
}
