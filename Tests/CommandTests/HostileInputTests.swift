import Foundation
import Testing

/// Every reader of outside bytes against inputs that nobody should have to expect: some made from a
/// seed, so the same each time, and those that once did harm.
@Suite(.serialized) struct HostileInputTests {
  let work: Workplace

  init() throws { work = try Workplace() }

  /// As `excite-fuzz --help` lists them.
  static let readers = [
    "config", "cifar10", "cifar100", "svhn", "safetensors", "weights", "checkpoint", "position",
    "tar", "targz", "zip", "encoder", "merges", "text", "tokens", "experiment", "result", "metrics",
    "experts", "classes", "timing", "claim",
  ]

  private func fuzz(_ arguments: [String]) throws -> Output {
    try Child(
      try Program.path("excite-fuzz"), arguments,
      // A trap must end the program, not have it explained at length.
      environment: ["TMPDIR": work.folder.path, "SWIFT_BACKTRACE": "enable=no"],
      folder: work.folder, input: nil
    ).finish()
  }

  @Test func everyReaderIsTried() throws {
    let help = try fuzz(["--help"]).stdout.filter { !$0.isWhitespace }
    #expect(help.contains("(values:\(Self.readers.joined(separator: ",")))"), "\(help)")
  }

  @Test(arguments: readers)
  func holds(reader: String) throws {
    let output = try fuzz([reader, "--runs", "25", "--seed", "1"])
    #expect(
      output.status == 0, "\(reader): status \(output.status)\n\(output.stdout)\(output.stderr)")
    #expect(output.lines.last?.hasPrefix("\(reader): ") == true)
    // The culprit goes when there is none, and so does the reader's folder.
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: work.folder.path) == ["small.yaml"])
  }

  /// `HostileInputs/READER/…`: inputs by which an earlier version trapped, hung or wrote too far.
  @Test func whatOnceDidHarm() throws {
    let folder = try #require(
      Bundle.module.url(forResource: "HostileInputs", withExtension: nil))
    for reader in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() {
      guard Self.readers.contains(reader) else { continue }
      let inputs = folder.appendingPathComponent(reader)
      let files = try FileManager.default.contentsOfDirectory(atPath: inputs.path).sorted()
        .map { inputs.appendingPathComponent($0).path }
      let output = try fuzz([reader] + files)
      #expect(output.status == 0, "\(reader)\n\(output.stdout)\(output.stderr)")
      #expect(output.lines.last == "\(reader): \(files.count) inputs")
    }
  }
}
