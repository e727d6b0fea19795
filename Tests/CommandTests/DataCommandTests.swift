import Foundation
import TestSupport
import Testing

/// `excite data`; downloads are tested with the target that makes them.
struct DataCommandTests {
  let work: Workplace

  init() throws { work = try Workplace() }

  @Test func listNamesFolderAndSets() throws {
    let output = try work.success(["data", "list", "--data-dir", "nowhere"])
    #expect(output.lines.first?.hasPrefix("data directory: ") == true)
    #expect(output.lines.first?.hasSuffix("/nowhere") == true)
    let names = output.lines.dropFirst().map { String($0.prefix { $0 != " " }) }
    #expect(
      names == [
        "cifar10", "cifar100", "svhn", "synthetic", "wikitext2", "wikitext103", "gpt2",
      ])
    #expect(output.lines[1].contains("not here, a download of 170.1 MB"))
    #expect(output.lines[4].contains("embedded"))
    #expect(!work.exists("nowhere"))
  }

  static let folders: [([String: String], String)] = [
    (["EXCITE_DATA": "elsewhere"], "/elsewhere"),
    (["EXCITE_DATA": "", "XDG_CACHE_HOME": "/nowhere/cache"], "/excite"),
    ([:], "/excite"),
  ]

  @Test(arguments: folders)
  func folderFromTheEnvironment(variables: [String: String], ending: String) throws {
    let output = try work.excite(["data", "list"], environment: variables)
    #expect(output.status == 0)
    #expect(output.lines.first?.hasSuffix(ending) == true)
  }

  @Test func listTellsWhatIsThere() throws {
    try work.writeSparse(count: 30_730_000, to: "data/cifar-10-batches-bin/data_batch_1.bin")
    try work.writeSparse(count: 1, to: "data/svhn/other.txt")
    let output = try work.success(["data", "list", "--data-dir", "data"])
    #expect(output.lines[1].contains("incomplete, without "))
    #expect(output.lines[1].contains("test_batch.bin"))
    #expect(!output.lines[1].contains("data_batch_1.bin"))
  }

  @Test func verifySynthetic() throws {
    let output = try work.success(["data", "verify", "synthetic"])
    #expect(
      output.stdout == "synthetic: readable, 10,000 + 2,000 records, drawn by this program\n")
    #expect(output.stderr.isEmpty)
  }

  @Test(arguments: ["cifar10", "cifar100", "svhn", "wikitext2", "wikitext103", "gpt2"])
  func verifyWithoutData(name: String) throws {
    let output = try work.excite("data", "verify", name, "--data-dir", "nowhere")
    #expect(output.status == 1)
    #expect(output.lines.count == 1)
    let conclusion = try #require(output.lines.last)
    #expect(conclusion.hasPrefix("\(name): "))
    #expect(conclusion.contains("/nowhere"))
    #expect(conclusion.contains("excite data fetch \(name) --data-dir "))
    expectNoCrash(output)
  }

  @Test func verifyTellsABadFile() throws {
    try work.write("short", to: "data/cifar-10-batches-bin/data_batch_1.bin")
    let output = try work.excite("data", "verify", "cifar10", "--data-dir", "data")
    #expect(output.status == 1)
    #expect(
      output.lines.first?.hasPrefix(
        "cifar-10-batches-bin/data_batch_1.bin: differs from the official file (SHA-256 ") == true)
    #expect(output.lines.last?.hasSuffix("expected 30,730,000 bytes, found 5") == true)
  }

  /// Images that can be trained on, but are not what the paper's numbers are for.
  @Test func verifyFailsForOtherImages() throws {
    try SVHNFiles.write(train: 8, test: 4, to: URL(fileURLWithPath: work.path("data")))
    let output = try work.excite("data", "verify", "svhn", "--data-dir", "data")
    #expect(output.status == 1)
    #expect(output.lines.last?.hasPrefix("svhn: readable, 8 + 4 records, but not byte-") == true)
  }

  @Test func nothingToFetchForSynthetic() throws {
    let output = try work.excite("data", "fetch", "synthetic", "--data-dir", "d")
    expectRefused(output, status: 1, saying: ["synthetic", "cifar10, cifar100, svhn"])
    #expect(!work.exists("d"))
  }

  @Test func fetchFromNoAddressIsRefused() throws {
    let output = try work.excite(
      "data", "fetch", "cifar10", "--source", "nonsense", "--data-dir", "d", "--quiet")
    expectRefused(output, status: 1, saying: ["nonsense: not an http or https address"])
  }
}
