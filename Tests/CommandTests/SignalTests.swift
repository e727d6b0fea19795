import Foundation
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Ctrl-C and SIGTERM.
struct SignalTests {
  let work: Workplace

  init() throws { work = try Workplace() }

  /// One run after the other: the first is over at once, the second would take hours.
  static let long = [
    "sweep", "small.yaml", "--set", "epochs=1,1000000", "--seeds", "0", "--variants", "vanilla",
    "--jobs", "1", "--out", "o",
  ]

  /// How many runs have finished an epoch.
  private var begun: Int {
    work.labels(in: "o").count { (try? work.metrics("o/runs/\($0)").lines.isEmpty) == false }
  }

  @Test(arguments: [SIGINT, SIGTERM])
  func signalPrintsWhatIsFinished(number: Int32) throws {
    let child = try work.start(Self.long + ["--format", "json"])
    let isReady = child.wait { begun == 2 }
    child.signal(number)
    let output = child.finish()
    try #require(isReady)

    // As a shell counts the end by a signal.
    #expect(output.status == 128 + number)
    #expect(output.stderr.contains("interrupted: 1 of 2 runs finished"))
    #expect(output.stderr.contains("the same command goes on from here"))
    expectNoCrash(output)
    let rows = try JSONTable(output.stdout).rows
    #expect(rows.map(\.accuracies.count) == [1, 0])
    #expect(rows[1].failures.first?.reason.contains("interrupted") == true)
    #expect(try work.text("\(try work.experiment(in: "o"))/results.json") == output.stdout)

    let files = work.files(in: "o")
    #expect(files.count { $0.hasSuffix("/result.json") } == 1)
    #expect(!files.contains { $0.hasSuffix(".tmp") })
    #expect(files.contains { $0.hasSuffix("/experiment.yaml") })
    for label in work.labels(in: "o") {
      let run = "o/runs/\(label)"
      let text = try work.text("\(run)/metrics.csv")
      let metrics = Metrics(text)
      #expect(text.hasSuffix("\n"))
      #expect(metrics["epoch"] == (1...max(1, metrics.lines.count)).map(String.init))
      #expect(metrics.lines.allSatisfy { $0.count == 7 && $0.allSatisfy { Double($0) != nil } })
      // The finished run has a result; the other has what it needs to go on.
      #expect(work.exists("\(run)/checkpoint.safetensors") != work.exists("\(run)/result.json"))
      #expect(!work.exists("\(run)/claim.1"))
    }
  }

  @Test func tableNamesWhatIsNotFinished() throws {
    let child = try work.start(Self.long + ["--quiet"])
    let isReady = child.wait { begun == 2 }
    child.signal(SIGINT)
    let output = child.finish()
    try #require(isReady)
    #expect(output.status == 130)
    #expect(output.errorLines.count == 1)
    #expect(output.stdout.contains("Not finished:"))
    #expect(output.stdout.contains("interrupted after"))
  }

  /// Progress that nobody reads blocks the program in the middle of its runs, where it cannot heed
  /// the first signal; the second one must end it all the same.
  @Test func secondSignalEndsAtOnce() throws {
    let blocked = Pipe()
    let end = blocked.fileHandleForWriting.fileDescriptor
    let flags = fcntl(end, F_GETFL)
    #expect(fcntl(end, F_SETFL, flags | O_NONBLOCK) == 0)
    let filling = [UInt8](repeating: 0, count: 4096)
    while write(end, filling, filling.count) > 0 {}
    while write(end, filling, 1) > 0 {}
    #expect(fcntl(end, F_SETFL, flags) == 0)

    // Once its folder is there, the first line of progress is what comes next.
    let child = try work.start(
      [
        "run", "small.yaml", "--out", "o", "--set", "epochs=1", "--seeds", "0", "--variants",
        "vanilla",
      ], stderr: .handle(blocked.fileHandleForWriting))
    let isReady = child.wait { !work.labels(in: "o").isEmpty }
    // Two signals may arrive as one, so some more may be needed.
    let isOver = child.wait {
      child.signal(SIGINT)
      Thread.sleep(forTimeInterval: 0.02)
      return !child.isRunning
    }
    let output = child.finish()
    #expect(isReady && isOver)
    #expect(output.status == 130)
    #expect(output.stdout.isEmpty)
    #expect(!work.files(in: "o").contains { $0.hasSuffix("/results.json") })
    // Without a reader, writing to the pipe would fail rather than block.
    withExtendedLifetime(blocked) {}
  }
}
