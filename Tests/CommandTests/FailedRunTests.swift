import Foundation
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Runs that cannot start or go on: exit code 1.
struct FailedRunTests {
  let work: Workplace

  init() throws { work = try Workplace() }

  // MARK: Data

  static let cifar = [
    "run", "small.yaml", "--set", "dataset.name=cifar10", "--seeds", "0", "--variants", "vanilla",
    "--out", "o", "--quiet",
  ]
  /// 10,000 records of a label byte and 3,072 pixels.
  static let cifarBytes = 10_000 * 3_073
  static let trainFile = "data/cifar-10-batches-bin/data_batch_1.bin"
  static let testFile = "data/cifar-10-batches-bin/test_batch.bin"

  @Test(arguments: ["flag", "environment", "cache"])
  func missingDataNamesFolderAndCommand(way: String) throws {
    let output =
      switch way {
      case "flag": try work.excite(Self.cifar + ["--data-dir", "nowhere"])
      case "environment": try work.excite(Self.cifar, environment: ["EXCITE_DATA": "nowhere"])
      // HOME is the workplace.
      default: try work.excite(Self.cifar)
      }
    let folder =
      switch way {
      case "flag", "environment": "nowhere"
      default: "excite"
      }
    let command = "excite data fetch cifar10" + (way == "flag" ? " --data-dir " : "")
    expectRefused(
      output, status: 1,
      saying: ["cifar-10-batches-bin/data_batch_1.bin", "/\(folder)", command])
    #expect(work.labels(in: "o").isEmpty)
  }

  @Test func dataMayBeNamedByFlagOrEnvironment() throws {
    // All zero: black aeroplanes.
    for file in [Self.trainFile, Self.testFile] {
      try work.writeSparse(count: Self.cifarBytes, to: file)
    }
    _ = try work.success(Self.cifar + ["--data-dir", "data"])
    _ = try work.success(Self.cifar, environment: ["EXCITE_DATA": "data"])
    let flagFirst = try work.excite(
      Self.cifar + ["--data-dir", "data"], environment: ["EXCITE_DATA": "nowhere"])
    #expect(flagFirst.status == 0)
    let label = try #require(work.labels(in: "o").first)
    // Every test image is of class 0 and looks like every training image.
    #expect(try work.result("o/runs/\(label)").accuracy == 100)
  }

  /// Length, first bytes, and what the message says.
  static let badFiles: [(Int, [UInt8], String)] = [
    (0, [], "is empty; expected 30,730,000 bytes"),
    (cifarBytes - 1, [], "is truncated: expected 30,730,000 bytes, found 30,729,999"),
    (cifarBytes + 1, [], "is too long: expected 30,730,000 bytes, found 30,730,001"),
    (cifarBytes, [10], "record 0 has label 10; labels are 0 to 9"),
  ]

  @Test(arguments: badFiles, [trainFile, testFile])
  func badDataFile(file: (length: Int, bytes: [UInt8], reason: String), path: String) throws {
    for each in [Self.trainFile, Self.testFile] {
      try work.writeSparse(count: Self.cifarBytes, to: each)
    }
    try work.writeSparse(file.bytes, count: file.length, to: path)
    let output = try work.excite(Self.cifar + ["--data-dir", "data"])
    expectRefused(output, status: 1, saying: ["\(path): \(file.reason)"])
    #expect(work.labels(in: "o").isEmpty)
  }

  // MARK: Output

  struct Place: CustomTestStringConvertible {
    let flag: String
    let path: String
    let reason: String
    var testDescription: String { "\(flag) \(path)" }
  }

  /// Places where root may not make a folder either.
  static let places = [
    Place(flag: "--out", path: "small.yaml", reason: "a file stands where a folder should be"),
    Place(flag: "--save", path: "small.yaml", reason: "a file stands where a folder should be"),
    Place(flag: "--out", path: "small.yaml/o", reason: "Not a directory"),
    Place(flag: "--out", path: "small.yaml/o/p", reason: "small.yaml/o: Not a directory"),
    Place(flag: "--out", path: "/dev/null/o", reason: "Not a directory"),
    Place(flag: "--out", path: "", reason: "give a folder's name"),
  ]

  @Test(arguments: places)
  func unwritablePlace(_ place: Place) throws {
    let output = try work.excite(["run", "small.yaml", "--quiet", place.flag, place.path])
    #expect(output.status == 1)
    #expect(output.stdout.isEmpty)
    #expect(output.errorLines.count == 1)
    expectRefused(
      output, status: 1, saying: ["\(place.path): cannot be written: \(place.reason)"])
    #expect(!output.stderr.contains("The operation could not be completed"))
  }

  @Test func oneUnwritableRunFolderFailsThatRunAlone() throws {
    let plan = try work.success(["run", "small.yaml", "--dry-run"]).lines
    let label = try #require(plan.last { $0.hasPrefix("#   ") }).dropFirst(4)
    try work.write("in the way", to: "o/runs/\(label)")
    let output = try work.excite("run", "small.yaml", "--out", "o", "--format", "json", "--quiet")
    #expect(output.status == 1)
    #expect(output.stderr == "error: 1 of 6 runs failed\n")
    let rows = try JSONTable(output.stdout).rows
    #expect(rows.map(\.seeds) == [[0, 1], [0, 1], [0]])
    #expect(rows[2].failures.map(\.label) == [String(label)])
    #expect(rows[2].failures.first?.reason.contains("a file stands where a folder") == true)
    #expect(work.labels(in: "o").count == 5)
  }

  #if os(Linux)
    /// A file system of 64 KiB, made and taken away again; needs root, and a machine that lets it.
    static let canMount: Bool = {
      guard let work = try? Workplace() else { return false }
      return (try? SmallDisk(at: work.path("trial"))) != nil
    }()

    @Test(.enabled(if: canMount, "needs the right to mount a tmpfs"))
    func fullDiskStillPrintsTheTable() throws {
      // Six runs keep four files each, of a page at least: more than 16 pages.
      let disk = try SmallDisk(at: work.path("disk"))
      let output = try work.excite("run", "small.yaml", "--out", "disk/o", "--jobs", "1", "--quiet")
      #expect(output.status == 1)
      expectNoCrash(output)
      #expect((output.stdout + output.stderr).contains("No space left on device"))
      #expect(output.errorLines.allSatisfy { $0.hasPrefix("error: ") })
      // What is there is whole.
      let files = work.files(in: "disk/o")
      #expect(!files.contains { $0.hasSuffix(".tmp") })
      let metrics = files.filter { $0.hasSuffix("metrics.csv") }
      #expect(!metrics.isEmpty)
      for file in metrics {
        let lines = Metrics(try work.text("disk/o/\(file)")).lines
        #expect(lines.count <= 2 && lines.allSatisfy { $0.count == 7 })
      }
      #expect(output.stdout.contains("\nvanilla "))
      #expect(output.stdout.contains("Not finished:"))
      withExtendedLifetime(disk) {}
    }
  #endif

  // MARK: Loss

  @Test func divergedRunsFailAndOthersGoOn() throws {
    let arguments = ["sweep", "small.yaml", "--lr", "0.1,1e30", "--out", "o", "--quiet"]
    let output = try work.excite(arguments)
    #expect(output.status == 1)
    #expect(output.stderr == "error: 6 of 12 runs failed\n")
    #expect(output.stdout.contains("Not finished:"))
    // The first step's loss is that of the initial weights; its update makes them useless.
    // Six that fail alike are one line.
    let reasons = output.lines.filter { $0.contains("the loss became NaN at step 2 (epoch 1)") }
    #expect(reasons.count == 1, "\(output.stdout)")
    #expect(reasons.first?.contains(" and 5 other runs: the loss became NaN") == true)

    let rows = try JSONTable(try work.text("\(try work.experiment(in: "o"))/results.json")).rows
    for row in rows {
      #expect(row.accuracies.count == (row.lr == 0.1 ? 2 : 0))
      #expect(row.failures.count == (row.lr == 0.1 ? 0 : 2))
      #expect((row.accuracyMean == nil) == (row.lr != 0.1))
    }
    let states = try work.labels(in: "o").map { try work.result("o/runs/\($0)").status }
    #expect(states.count { $0.state == "finished" } == 6)
    #expect(states.count { $0.state == "failed" && $0.reason != nil } == 6)
  }

  @Test func failuresAreToldInProgress() throws {
    let output = try work.excite("run", "small.yaml", "--set", "optimizer.lr=1e30")
    #expect(output.status == 1)
    #expect(output.stderr.contains("progress 100 %: 6 of 6 runs done; 6 failed; "))
    #expect(output.errorLines.last == "error: 6 of 6 runs failed")
  }
}

#if os(Linux)
  /// A tmpfs of 64 KiB, unmounted with the last reference.
  final class SmallDisk {
    struct Refused: Error {}
    private let path: String

    init(at path: String) throws {
      self.path = path
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      guard mount("none", path, "tmpfs", 0, "size=64k") == 0 else { throw Refused() }
    }

    deinit { umount2(path, Int32(MNT_DETACH)) }
  }
#endif
