import Crypto
import Datasets
import Foundation
import Testing

/// Texts come as zip files.
@Suite struct ZipFetchTests {
  static let one = (0..<70_000).map { UInt8($0 % 251) }
  static let two = Array("two\n".utf8)

  static func entry(_ content: [UInt8], sources: [String], oneBytes: Int? = nil) -> DataEntry {
    let sha256 = SHA256.hash(data: content)
      .map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    return DataEntry(
      name: .wikitext2, summary: "a test's",
      archives: [
        DataArchive(
          fileName: "set.zip", sources: sources, bytes: content.count, sha256: sha256,
          content: .zip(folder: "set"))
      ],
      files: [
        DataFile(path: "set/one.raw", bytes: oneBytes), DataFile(path: "set/two.raw", bytes: 4),
      ])
  }

  static var good: ZipBytes {
    var zip = ZipBytes()
    zip.add("set/", method: 0, mode: 0o040755)
    zip.add("set/one.raw", one)
    zip.add("set/two.raw", two, method: 0)
    return zip
  }

  /// Fetches `content` from a server of its own.
  func fetch(
    _ content: [UInt8], into folder: TemporaryFolder, oneBytes: Int? = nil, force: Bool = false
  ) throws -> FetchResult {
    let server = try LocalServer { request, _ in .file(content, request) }
    defer { server.stop() }
    return try DataFetcher(directory: folder.url, delays: [])
      .fetch(Self.entry(content, sources: [server.address], oneBytes: oneBytes), force: force)
  }

  @Test func fetchesAndUnpacks() throws {
    let folder = try TemporaryFolder()
    let content = Self.good.file(comment: "made by hand")
    #expect(try fetch(content, into: folder) == .fetched(receivedBytes: content.count))
    #expect(folder.contents == ["set", "set/one.raw", "set/two.raw"])
    #expect(try folder.read("set/one.raw") == Self.one)
    #expect(try folder.read("set/two.raw") == Self.two)
    #expect(try fetch(content, into: folder) == .alreadyPresent)
    // A file of unknown length is there if it is not empty, one of known length if it has that.
    try folder.write([0x61], to: "set/one.raw")
    #expect(try fetch(content, into: folder) == .alreadyPresent)
    try folder.write([], to: "set/one.raw")
    #expect(try fetch(content, into: folder) == .fetched(receivedBytes: content.count))
    #expect(try folder.read("set/one.raw") == Self.one)
  }

  /// As Python's zipfile writes it, with a deflate stream of dynamic codes: "set/two.raw" holds
  /// "two\n" and "set/one.raw" 300 times "one two three\n".
  @Test func readsWhatAnotherProgramWrote() throws {
    let folder = try TemporaryFolder()
    let content = try #require(Data(base64Encoded: Self.pythons))
    _ = try fetch([UInt8](content), into: folder)
    let line = Array("one two three\n".utf8)
    #expect(try folder.read("set/one.raw") == Array(repeatElement(line, count: 300).joined()))
    #expect(try folder.read("set/two.raw") == Self.two)
  }

  static let pythons =
    "UEsDBBQAAAAIAAAAIVCwERr6KgAAAGgQAAALAAAAc2V0L29uZS5yYXftx7EJACAMALDdK/pcwcmCFPq+PzgnW+pk"
    + "9FT0vpmrzMzMzMzMzMy+9wBQSwMEFAAAAAgAAAAhUHQIF5YGAAAABAAAAAsAAABzZXQvdHdvLnJhdyspz+cCAFBL"
    + "AQIUAxQAAAAIAAAAIVCwERr6KgAAAGgQAAALAAAAAAAAAAAAAACAAQAAAABzZXQvb25lLnJhd1BLAQIUAxQAAAAI"
    + "AAAAIVB0CBeWBgAAAAQAAAALAAAAAAAAAAAAAACAAVMAAABzZXQvdHdvLnJhd1BLBQYAAAAAAgACAHIAAACCAAAA"
    + "AAA="

  /// What each makes of the good archive, and what is said of it.
  static let damages: [(String, [UInt8])] = {
    func with(_ change: (inout ZipBytes) -> Void) -> [UInt8] {
      var zip = Self.good
      change(&zip)
      return zip.file()
    }
    let whole = Self.good.file()
    return [
      ("it is not a zip file, or its end is missing", Array(repeating: 7, count: 500)),
      ("it is not a zip file, or its end is missing", [1, 2, 3]),
      ("it is not a zip file, or its end is missing", Array(whole.dropLast(30))),
      ("its directory lies beyond its end", Self.good.file(directoryOffset: 1 << 30)),
      ("a damaged directory", Self.good.file(directoryOffset: 1)),
      ("a damaged directory", Self.good.file(count: 2)),
      ("a damaged directory", Self.good.file(count: 4)),
      ("more than 1000 entries", Self.good.file(count: 1001)),
      ("a name is in it twice", with { $0.add("set/two.raw", [1]) }),
      ("set/x is encrypted", with { $0.add("set/x", [1], flags: 1) }),
      ("set/x is packed by method 12", with { $0.add("set/x", [1], method: 12) }),
      ("set/x is not a file or folder", with { $0.add("set/x", [1], mode: 0o120777) }),
      ("set/x is an entry of zip64", with { $0.add("set/x", [1], size: 0xFFFF_FFFF) }),
      ("/x has an absolute path", with { $0.add("/x") }),
      ("set/../../x leads out of the folder", with { $0.add("set/../../x") }),
      ("x lies outside set/", with { $0.add("x") }),
      ("set/x/ is a folder with contents", with { $0.add("set/x/", [1]) }),
      ("set/x is not where the directory says", with { $0.add("set/x", [1], offset: 3) }),
      ("it ends early", with { $0.add("set/x", [1], offset: 1 << 30) }),
      ("set/x is longer than the directory says", with { $0.add("set/x", [1, 2], size: 1) }),
      ("set/x is shorter than the directory says", with { $0.add("set/x", [1, 2], size: 3) }),
      (
        "set/x is longer than the directory says",
        with { $0.add("set/x", [1, 2], method: 0, size: 1) }
      ),
      ("set/x has a wrong CRC-32", with { $0.add("set/x", [1, 2], crc: 5) }),
      // 16 MiB for descriptions and 16 times the archive are allowed.
      ("its files take more than ", with { $0.add("set/x", [1], size: 1 << 30) }),
    ]
  }()

  @Test(arguments: damages)
  func damagedArchivesAreRefused(problem: String, content: [UInt8]) throws {
    let folder = try TemporaryFolder()
    let error = #expect(throws: DatasetError.self) { try fetch(content, into: folder) }
    let path = folder.path("set.zip.part")
    #expect(
      error?.description.hasPrefix("\(path): cannot be unpacked: \(problem)") == true,
      "\(String(describing: error))")
    #expect(folder.contents == [])
  }

  @Test func aDamagedStreamIsRefused() throws {
    let folder = try TemporaryFolder()
    var content = Self.good.file()
    // Behind three headers' worth of bytes lies the first block's type: 3 is none.
    let start = try #require(content.firstRange(of: Array("set/one.raw".utf8) + [1, 2, 3]))
    content[start.upperBound] = 7
    let error = #expect(throws: DatasetError.self) { try fetch(content, into: folder) }
    #expect(
      error?.description.contains("set/one.raw: damaged compressed data") == true,
      "\(String(describing: error))")
    #expect(folder.contents == [])
  }

  /// What a set needs must be in it, as long as it is known to be.
  @Test func archivesWithoutTheSetsFiles() throws {
    let folder = try TemporaryFolder()
    let content = Self.good.file()
    #expect(
      throws: DatasetError.badArchive(
        path: folder.path("set.zip.part"),
        problem: "set/one.raw in it has 70,000 bytes, expected 70,001")
    ) { try fetch(content, into: folder, oneBytes: 70_001) }
    var zip = ZipBytes()
    zip.add("set/two.raw", Self.two)
    #expect(
      throws: DatasetError.badArchive(
        path: folder.path("set.zip.part"), problem: "set/one.raw is not in it")
    ) { try fetch(zip.file(), into: folder) }
    #expect(folder.contents == [])
  }

  @Test func anotherFileIsRefusedByItsSHA256() throws {
    let folder = try TemporaryFolder()
    let content = Self.good.file()
    var other = content
    other[40] ^= 1
    let server = try LocalServer { [other] request, _ in .file(other, request) }
    defer { server.stop() }
    let error = #expect(throws: DatasetError.self) {
      try DataFetcher(directory: folder.url, delays: [])
        .fetch(Self.entry(content, sources: [server.address]))
    }
    #expect(error?.description.contains("wrong SHA-256: expected ") == true)
    #expect(folder.contents == [])
  }
}
