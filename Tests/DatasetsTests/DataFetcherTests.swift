import Crypto
import Datasets
import Foundation
import Testing

@Suite struct DataFetcherTests {
  // MARK: - A small set: two files in an archive

  static let one = (0..<5000).map { UInt8($0 % 251) }
  static let two = (0..<700).map { UInt8($0 % 13) }

  static let archive: [UInt8] = {
    var tar = TarBytes()
    tar.add("set/", type: "5")
    tar.add("set/one.bin", one)
    tar.add("set/readme.html", Array("about".utf8))
    tar.add("./set/two.bin", two)
    return tar.gzip
  }()

  static func md5(_ bytes: [UInt8]) -> String {
    Insecure.MD5.hash(data: bytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// A set that unpacks from `content`, which every source is expected to have.
  static func entry(
    _ content: [UInt8] = archive, sources: [String] = [], sha256: String? = nil
  ) -> DataEntry {
    DataEntry(
      name: .cifar10, summary: "a test's",
      archives: [
        DataArchive(
          fileName: "set.tar.gz", sources: sources, bytes: content.count, md5: md5(content),
          sha256: sha256, content: .tarGzip(folder: "set"))
      ],
      files: [
        DataFile(path: "set/one.bin", bytes: one.count),
        DataFile(path: "set/two.bin", bytes: two.count),
      ])
  }

  static let unpacked = ["set", "set/one.bin", "set/readme.html", "set/two.bin"]

  /// One fetch: its events, waits and outcome, in a folder of its own.
  final class Fetch {
    let folder: TemporaryFolder
    var events: [FetchEvent] = []
    var waits: [Double] = []

    init() throws { folder = try TemporaryFolder() }

    func callAsFunction(
      _ entry: DataEntry, sources: [String]? = nil, force: Bool = false
    ) throws -> FetchResult {
      try DataFetcher(
        directory: folder.url, sources: sources, delays: [1, 2], sleep: { self.waits.append($0) },
        onEvent: { self.events.append($0) }
      ).fetch(entry, force: force)
    }

    /// Why the fetch failed, by source.
    func failures(_ entry: DataEntry, sources: [String]? = nil) throws -> [SourceFailure] {
      do {
        _ = try self(entry, sources: sources)
        return []
      } catch DatasetError.allSourcesFailed(_, let failures) {
        return failures
      }
    }

    func expectUnpacked() throws {
      #expect(folder.contents == unpacked)
      #expect(try folder.read("set/one.bin") == one)
      #expect(try folder.read("set/two.bin") == two)
    }

    func expectPart(_ count: Int) throws {
      #expect(folder.contents == ["set.tar.gz.part", "set.tar.gz.part.json"])
      #expect(try folder.read("set.tar.gz.part") == Array(archive.prefix(count)))
    }
  }

  // MARK: - Well-behaved servers

  @Test func fetchesAndUnpacks() throws {
    let server = try LocalServer { request, _ in .file(Self.archive, request) }
    defer { server.stop() }
    let fetch = try Fetch()
    #expect(
      try fetch(Self.entry(sources: [server.address + "a.tar.gz"]))
        == .fetched(receivedBytes: Self.archive.count))
    try fetch.expectUnpacked()
    #expect(fetch.waits.isEmpty)
    let request = try #require(server.requests.first)
    #expect(server.requests.count == 1)
    #expect(request.path == "/a.tar.gz")
    #expect(request.headers["user-agent"] == DataFetcher.userAgent)
    #expect(request.headers["accept-encoding"] == "identity")
    #expect(request.headers["range"] == nil)
    #expect(
      fetch.events.first
        == .started(
          file: "set.tar.gz", source: server.address + "a.tar.gz", receivedBytes: 0,
          totalBytes: Self.archive.count))
    let lastProgress = fetch.events.last {
      if case .progress = $0 { true } else { false }
    }
    guard case .progress("set.tar.gz", Self.archive.count, Self.archive.count, _) = lastProgress
    else {
      Issue.record("\(String(describing: lastProgress))")
      return
    }
    #expect(
      fetch.events.suffix(4) == [
        .checking(file: "set.tar.gz"), .unpacking(file: "set/one.bin"),
        .unpacking(file: "set/readme.html"), .unpacking(file: "./set/two.bin"),
      ])
  }

  @Test func followsARedirect() throws {
    let server = try LocalServer { request, _ in
      request.path == "/old"
        ? .init(status: 302, headers: ["Location": "/new"]) : .file(Self.archive, request)
    }
    defer { server.stop() }
    let fetch = try Fetch()
    _ = try fetch(Self.entry(sources: [server.address + "old"]))
    #expect(server.requests.map(\.path) == ["/old", "/new"])
    try fetch.expectUnpacked()
  }

  @Test func leavesAPresentCopyAloneUnlessForced() throws {
    let server = try LocalServer { request, _ in .file(Self.archive, request) }
    defer { server.stop() }
    let fetch = try Fetch()
    let entry = Self.entry(sources: [server.address])
    _ = try fetch(entry)
    try fetch.folder.write([UInt8](repeating: 1, count: 700), to: "set/two.bin")
    try fetch.folder.write([5], to: "set/notes.txt")
    #expect(try fetch(entry) == .alreadyPresent)
    #expect(server.requests.count == 1)
    #expect(try fetch(entry, force: true) == .fetched(receivedBytes: Self.archive.count))
    #expect(try fetch.folder.read("set/two.bin") == Self.two)
    // What the archive does not have stays.
    #expect(fetch.folder.contents == (Self.unpacked + ["set/notes.txt"]).sorted())
  }

  @Test func replacesADamagedCopy() throws {
    let server = try LocalServer { request, _ in .file(Self.archive, request) }
    defer { server.stop() }
    let fetch = try Fetch()
    try fetch.folder.write([1, 2, 3], to: "set/one.bin")
    _ = try fetch(Self.entry(sources: [server.address]))
    try fetch.expectUnpacked()
  }

  @Test func takesSourcesInPlaceOfTheCatalogs() throws {
    let server = try LocalServer { request, _ in .file(Self.archive, request) }
    defer { server.stop() }
    let entry = Self.entry(sources: ["http://127.0.0.1:1/never"])
    // A folder's address gets the file's name; another is taken as it is.
    for (source, path) in [("mirror/", "/mirror/set.tar.gz"), ("m/x.tgz", "/m/x.tgz")] {
      let fetch = try Fetch()
      _ = try fetch(entry, sources: [server.address + source])
      try fetch.expectUnpacked()
      #expect(server.requests.last?.path == path)
    }
  }

  @Test func refusesSourcesThatAreNone() throws {
    let fetch = try Fetch()
    for text in ["", "file:///etc/passwd", "ftp://example.org/x", "mirror/", "http://"] {
      #expect(throws: DatasetError.self, "\(text)") {
        try fetch(Self.entry(), sources: [text])
      }
    }
    #expect(throws: DatasetError.sourceNotAURL(text: "ftp://example.org/x")) {
      try fetch(Self.entry(), sources: ["ftp://example.org/x"])
    }
    #expect(
      throws: DatasetError.sourceMustBeAFolder(
        source: "http://h/x.mat", archives: ["train_32x32.mat", "test_32x32.mat"])
    ) { try fetch(DataCatalog.svhn, sources: ["http://h/x.mat"]) }
    #expect(
      throws: DatasetError.nothingToFetch(
        name: "synthetic",
        fetchable: ["cifar10", "cifar100", "svhn", "wikitext2", "wikitext103", "gpt2"])
    ) { try fetch(DataCatalog.synthetic) }
    #expect(fetch.folder.contents == [])
  }

  @Test func fetchesASetOfSingleFiles() throws {
    let server = try LocalServer { request, _ in
      .file(request.path == "/one.mat" ? Self.one : Self.two, request)
    }
    defer { server.stop() }
    func archive(_ name: String, _ content: [UInt8]) -> DataArchive {
      DataArchive(
        fileName: name, sources: [server.address], bytes: content.count, md5: Self.md5(content),
        content: .file(path: "svhn/" + name))
    }
    let entry = DataEntry(
      name: .svhn, summary: "a test's",
      archives: [archive("one.mat", Self.one), archive("two.mat", Self.two)],
      files: [
        DataFile(path: "svhn/one.mat", bytes: 5000), DataFile(path: "svhn/two.mat", bytes: 700),
      ])
    let fetch = try Fetch()
    // The first is there already.
    try fetch.folder.write(Self.one, to: "svhn/one.mat")
    #expect(try fetch(entry) == .fetched(receivedBytes: 700))
    #expect(server.requests.map(\.path) == ["/two.mat"])
    #expect(fetch.folder.contents == ["svhn", "svhn/one.mat", "svhn/two.mat"])
    #expect(try fetch.folder.read("svhn/two.mat") == Self.two)
  }

  // MARK: - Broken transfers

  @Test func goesOnWhereATransferBrokeOff() throws {
    let server = try LocalServer { request, number in
      var response = LocalServer.Response.file(Self.archive, request, tag: "\"v1\"")
      if number < 2 { response.breakAfter = 1000 }
      return response
    }
    defer { server.stop() }
    let fetch = try Fetch()
    #expect(
      try fetch(Self.entry(sources: [server.address]))
        == .fetched(receivedBytes: Self.archive.count))
    try fetch.expectUnpacked()
    #expect(server.requests.map(\.rangeStart) == [nil, 1000, 2000])
    // The source's own mark of this version of the file, so that a changed one comes whole.
    #expect(server.requests.map { $0.headers["if-range"] } == [nil, "\"v1\"", "\"v1\""])
    #expect(fetch.waits == [1, 2])
  }

  @Test func goesOnInALaterProcess() throws {
    let server = try LocalServer { request, number in
      var response = LocalServer.Response.file(Self.archive, request, tag: "\"v1\"")
      if number < 3 { response.breakAfter = 100 }
      return response
    }
    defer { server.stop() }
    let fetch = try Fetch()
    let entry = Self.entry(sources: [server.address])
    // Three tries of 100 bytes, then given up.
    let failure = try #require(try fetch.failures(entry).first)
    guard case .brokeOff(received: 300, expected: Self.archive.count, _) = failure.reason else {
      Issue.record("\(failure)")
      return
    }
    try fetch.expectPart(300)
    let listing = DataCatalog.listing(entry, directory: fetch.folder.url)
    #expect(listing.state == .resumable(receivedBytes: 300))
    #expect(try fetch(entry) == .fetched(receivedBytes: Self.archive.count - 300))
    #expect(server.requests.last?.rangeStart == 300)
    try fetch.expectUnpacked()
  }

  @Test func startsOverWhereTheServerKnowsNoRanges() throws {
    let server = try LocalServer { request, number in
      var response = LocalServer.Response.file(Self.archive, request, ranges: false)
      if number == 0 { response.breakAfter = 1000 }
      return response
    }
    defer { server.stop() }
    let fetch = try Fetch()
    #expect(
      try fetch(Self.entry(sources: [server.address]))
        == .fetched(receivedBytes: Self.archive.count + 1000))
    #expect(server.requests.map(\.rangeStart) == [nil, 1000])
    try fetch.expectUnpacked()
  }

  @Test func startsOverWhereTheFileChangedAtItsSource() throws {
    let server = try LocalServer { request, number in
      // The first version is other bytes of the same length, under another tag.
      var response = LocalServer.Response.file(
        number == 0 ? [UInt8](repeating: 7, count: Self.archive.count) : Self.archive, request,
        tag: number == 0 ? "\"v1\"" : "\"v2\"")
      if number == 0 { response.breakAfter = 1000 }
      return response
    }
    defer { server.stop() }
    let fetch = try Fetch()
    _ = try fetch(Self.entry(sources: [server.address]))
    #expect(server.requests.count == 2)
    #expect(server.requests[1].headers["if-range"] == "\"v1\"")
    try fetch.expectUnpacked()
  }

  @Test func startsOverWhereThePartsDoNotFitTogether() throws {
    let server = try LocalServer { request, _ in .file(Self.archive, request) }
    defer { server.stop() }
    let fetch = try Fetch()
    // A part of something else, left without a note.
    try fetch.folder.write([UInt8](repeating: 9, count: 1000), to: "set.tar.gz.part")
    _ = try fetch(Self.entry(sources: [server.address]))
    #expect(server.requests.map(\.rangeStart) == [1000, nil])
    #expect(
      fetch.events.contains(
        .startedOver(file: "set.tar.gz", reason: "the parts do not fit together")))
    try fetch.expectUnpacked()
  }

  @Test(arguments: ["bytes 0-9/10", "bytes 999-1000/2000", "nonsense", ""])
  func startsOverWhereTheAnswerIsAnotherRange(range: String) throws {
    let server = try LocalServer { request, number in
      var response = LocalServer.Response.file(Self.archive, request)
      if number == 0 { response.breakAfter = 1000 }
      if number == 1 { response.headers["Content-Range"] = range }
      return response
    }
    defer { server.stop() }
    let fetch = try Fetch()
    _ = try fetch(Self.entry(sources: [server.address]))
    #expect(server.requests.map(\.rangeStart) == [nil, 1000, nil])
    try fetch.expectUnpacked()
  }

  @Test func dropsAPartThatIsTooLong() throws {
    let server = try LocalServer { request, _ in .file(Self.archive, request) }
    defer { server.stop() }
    let fetch = try Fetch()
    try fetch.folder.write(
      [UInt8](repeating: 9, count: Self.archive.count + 1), to: "set.tar.gz.part")
    _ = try fetch(Self.entry(sources: [server.address]))
    #expect(server.requests.map(\.rangeStart) == [nil])
    try fetch.expectUnpacked()
  }

  @Test func usesAPartThatIsWholeWithoutAskingAnyone() throws {
    let fetch = try Fetch()
    try fetch.folder.write(Self.archive, to: "set.tar.gz.part")
    #expect(
      try fetch(Self.entry(sources: ["http://127.0.0.1:1/x"])) == .fetched(receivedBytes: 0))
    try fetch.expectUnpacked()
  }

  @Test func goesOnAtTheNextSource() throws {
    let breaking = try LocalServer { request, _ in
      var response = LocalServer.Response.file(Self.archive, request, tag: "\"a\"")
      response.breakAfter = request.rangeStart == nil ? 1000 : 0
      return response
    }
    let whole = try LocalServer { request, _ in .file(Self.archive, request, tag: "\"b\"") }
    defer {
      breaking.stop()
      whole.stop()
    }
    let fetch = try Fetch()
    #expect(
      try fetch(Self.entry(sources: [breaking.address, whole.address]))
        == .fetched(receivedBytes: Self.archive.count))
    // The other source's tag says nothing here: the checksum decides.
    #expect(whole.requests.map(\.rangeStart) == [1000])
    #expect(whole.requests[0].headers["if-range"] == nil)
    try fetch.expectUnpacked()
  }

  // MARK: - Servers that do not have the file

  /// What one answer leads to, with a good source behind it and without.
  struct BadAnswer: CustomTestStringConvertible, Sendable {
    var testDescription: String
    /// Whether the same source is asked again.
    var tries: Int
    var reason: SourceFailure.Reason
    var answer: @Sendable (LocalServer.Request) -> LocalServer.Response
  }

  static let page = Array("<html>Sorry</html>".utf8)
  /// Right in length, wrong in one byte.
  static let forged: [UInt8] = archive.dropLast() + [archive[archive.count - 1] ^ 1]

  static let badAnswers: [BadAnswer] = [
    BadAnswer(testDescription: "404", tries: 1, reason: .status(404)) { _ in
      .init(status: 404, headers: ["Content-Type": "text/html"], body: page)
    },
    BadAnswer(testDescription: "403", tries: 1, reason: .status(403)) { _ in .init(status: 403) },
    BadAnswer(testDescription: "500", tries: 3, reason: .status(500)) { _ in .init(status: 500) },
    BadAnswer(testDescription: "429", tries: 3, reason: .status(429)) { _ in .init(status: 429) },
    BadAnswer(
      testDescription: "a web page with status 200", tries: 1,
      reason: .webPage(contentType: "text/html; charset=utf-8")
    ) { _ in
      .init(headers: ["Content-Type": "text/html; charset=utf-8"], body: page)
    },
    BadAnswer(
      testDescription: "a web page as the file's type, of the file's length", tries: 1,
      reason: .webPage(contentType: "it begins with <")
    ) { _ in
      .init(
        headers: ["Content-Type": "application/gzip"],
        body: page + [UInt8](repeating: 32, count: archive.count - page.count))
    },
    BadAnswer(
      testDescription: "another length", tries: 1,
      reason: .length(expected: archive.count, found: archive.count - 1)
    ) { _ in
      .init(body: Array(archive.dropLast()))
    },
    BadAnswer(
      testDescription: "a Content-Length that is too small", tries: 1,
      reason: .length(expected: archive.count, found: 10)
    ) { _ in
      .init(body: archive, contentLength: "10")
    },
    BadAnswer(
      testDescription: "a Content-Length that is too large", tries: 1,
      reason: .length(expected: archive.count, found: 999_999)
    ) { _ in
      .init(body: archive, contentLength: "999999")
    },
    BadAnswer(
      testDescription: "too many bytes and no Content-Length", tries: 1,
      reason: .length(expected: archive.count, found: archive.count + 1)
    ) { _ in
      .init(body: archive + [0], contentLength: "-")
    },
    BadAnswer(
      testDescription: "the wrong bytes", tries: 1,
      reason: .checksum(algorithm: "MD5", expected: md5(archive), found: md5(forged))
    ) { _ in
      .init(body: forged)
    },
  ]

  @Test(arguments: badAnswers)
  func failsOverAndSaysSo(bad: BadAnswer) throws {
    let liar = try LocalServer { request, _ in bad.answer(request) }
    let good = try LocalServer { request, _ in .file(Self.archive, request) }
    defer {
      liar.stop()
      good.stop()
    }
    let fetch = try Fetch()
    _ = try fetch(Self.entry(sources: [liar.address + "x", good.address + "y"]))
    try fetch.expectUnpacked()
    #expect(liar.requests.count == bad.tries)
    #expect(good.requests.map(\.rangeStart) == [nil])
    #expect(
      fetch.events.contains(
        .failedOver(
          failure: SourceFailure(source: liar.address + "x", reason: bad.reason),
          next: good.address + "y")))
  }

  @Test(arguments: badAnswers)
  func leavesNothingBehindWhenNoSourceIsGood(bad: BadAnswer) throws {
    let liar = try LocalServer { request, _ in bad.answer(request) }
    defer { liar.stop() }
    let fetch = try Fetch()
    #expect(
      try fetch.failures(Self.entry(sources: [liar.address + "x"]))
        == [SourceFailure(source: liar.address + "x", reason: bad.reason)])
    #expect(fetch.folder.contents == [])
    #expect(fetch.waits == Array([1, 2].prefix(bad.tries - 1)))
  }

  @Test func namesEverySourceThatFailed() throws {
    let server = try LocalServer { request, _ in
      request.path == "/gone" ? .init(status: 404) : .init(body: Self.forged)
    }
    defer { server.stop() }
    let fetch = try Fetch()
    let error = #expect(throws: DatasetError.self) {
      try fetch(Self.entry(sources: [server.address + "gone", server.address + "forged"]))
    }
    #expect(
      error?.description
        == "cifar10 could not be fetched: \(server.address)gone: answered HTTP 404; "
        + "\(server.address)forged: wrong MD5: expected \(Self.md5(Self.archive)), "
        + "found \(Self.md5(Self.forged)); "
        + "take it from elsewhere with --source, or unpack its files into the data directory")
  }

  @Test func tellsASourceThatNobodyListensAt() throws {
    let fetch = try Fetch()
    let failures = try fetch.failures(Self.entry(sources: ["http://127.0.0.1:1/x"]))
    #expect(failures.count == 1)
    guard case .unreachable = failures.first?.reason else {
      Issue.record("\(failures)")
      return
    }
    #expect(fetch.waits == [1, 2])
    #expect(fetch.folder.contents == [])
  }

  @Test func keepsThePartOfABrokenTransferWhenTheNextSourceIsBad() throws {
    let breaking = try LocalServer { request, _ in
      var response = LocalServer.Response.file(Self.archive, request)
      response.breakAfter = request.rangeStart == nil ? 1000 : 0
      return response
    }
    let gone = try LocalServer { _, _ in .init(status: 404) }
    defer {
      breaking.stop()
      gone.stop()
    }
    let fetch = try Fetch()
    #expect(
      try fetch.failures(Self.entry(sources: [breaking.address, gone.address])).count == 2)
    try fetch.expectPart(1000)
  }

  @Test func checksSHA256WhereItIsKnown() throws {
    let server = try LocalServer { request, _ in .file(Self.archive, request) }
    defer { server.stop() }
    let wrong = String(repeating: "0", count: 64)
    let found = SyntheticImagesTests.sha256(Self.archive)
    let fetch = try Fetch()
    #expect(
      try fetch.failures(Self.entry(sources: [server.address], sha256: wrong)).map(\.reason)
        == [.checksum(algorithm: "SHA-256", expected: wrong, found: found)])
    #expect(fetch.folder.contents == [])
  }

  // MARK: - Archives with the right checksum and the wrong content

  static let hostile: [(String, String, @Sendable (inout TarBytes) -> Void)] = [
    ("../evil", "../evil leads out of the folder", { $0.add("../evil", [1]) }),
    ("set/../../evil", "set/../../evil leads out of", { $0.add("set/../../evil", [1]) }),
    // To Swift, a slash and an accent are one character; to the system they are two.
    (
      "set/.., an accent", "leads out of the folder", { $0.add("set/../\u{338}evil", [1]) }
    ),
    ("a name of two lines", "x/a lies outside set/", { $0.add("set\nx/a", [1]) }),
    ("absolute", "/evil has an absolute path", { $0.add("/evil", [1]) }),
    ("other folder", "other/a lies outside set/", { $0.add("other/a", [1]) }),
    (
      "symbolic link", "set/link is a symbolic link",
      { $0.add("set/link", type: "2", link: "/etc/passwd") }
    ),
    (
      "hard link", "set/link is a hard link",
      { $0.add("set/link", type: "1", link: "set/one.bin") }
    ),
    ("device", "set/dev is of type 51", { $0.add("set/dev", type: "3") }),
    (
      "long name", "../evil leads out of the folder",
      {
        $0.add("././@LongLink", Array("../evil\0".utf8), type: "L")
        $0.add("set/fine", [1])
      }
    ),
    (
      "pax path", "/evil has an absolute path",
      {
        // "14 path=/evil\n" has 14 characters.
        $0.add("pax", Array("14 path=/evil\n".utf8), type: "x")
        $0.add("set/fine", [1])
      }
    ),
    ("damaged pax", "a damaged pax header", { $0.add("pax", Array("99 p=\n".utf8), type: "x") }),
    ("twice", "set/one.bin is in it twice", { $0.add("set/one.bin", [1]) }),
    (
      "huge", "its files take more than",
      { $0.add("set/huge", size: 7_000_000_000) }
    ),
    ("ends early", "it ends inside set/short", { $0.add("set/short", [1], size: 99_999) }),
    ("no header", "a header's checksum", { $0.bytes += [UInt8](repeating: 77, count: 512) }),
  ]

  @Test(arguments: hostile.indices)
  func refusesHostileArchives(case index: Int) throws {
    let (name, problem, change) = Self.hostile[index]
    var tar = TarBytes()
    tar.add("set/one.bin", Self.one)
    tar.add("set/two.bin", Self.two)
    change(&tar)
    let content = tar.gzip
    let fetch = try Fetch()
    // One folder further down, so that `../evil` would be seen.
    let directory = fetch.folder.url.appendingPathComponent("data")
    let server = try LocalServer { request, _ in .file(content, request) }
    defer { server.stop() }
    let error = #expect(throws: DatasetError.self, "\(name)") {
      try DataFetcher(directory: directory).fetch(
        Self.entry(content, sources: [server.address]))
    }
    guard case .badArchive(_, let found) = error else {
      Issue.record("\(name): \(String(describing: error))")
      return
    }
    #expect(found.contains(problem), "\(name): \(found)")
    #expect(error?.description.contains("\n") == false)
    #expect(fetch.folder.contents == ["data"], "\(name)")
  }

  @Test func refusesTruncatedAndDamagedGzip() throws {
    let cases: [(content: [UInt8], problem: String)] = [
      (Array(Self.archive.dropLast(4000)), "compressed data that ends early"),
      (Array(Self.archive.dropLast(2)), "compressed data that ends early"),
      // gzip's checksum is in the fourth last to eighth last byte.
      (
        Self.archive.enumerated().map {
          $0.offset == Self.archive.count - 8 ? $0.element ^ 1 : $0.element
        }, "damaged compressed data (incorrect data check)"
      ),
      ([UInt8](repeating: 1, count: 100), "damaged compressed data (incorrect header check)"),
      (Deflated.gzip([]), "set/one.bin is not in it"),
    ]
    for (content, problem) in cases {
      let server = try LocalServer { request, _ in .file(content, request) }
      defer { server.stop() }
      let fetch = try Fetch()
      let error = #expect(throws: DatasetError.self) {
        try fetch(Self.entry(content, sources: [server.address]))
      }
      guard case .badArchive(_, problem) = error else {
        Issue.record("\(problem): \(String(describing: error))")
        continue
      }
      #expect(fetch.folder.contents == [])
    }
  }

  @Test func refusesAnArchiveWithAFileOfAnotherLength() throws {
    var tar = TarBytes()
    tar.add("set/one.bin", Self.one)
    tar.add("set/two.bin", [1, 2, 3])
    let content = tar.gzip
    let server = try LocalServer { request, _ in .file(content, request) }
    defer { server.stop() }
    let fetch = try Fetch()
    // What is there stays as it is.
    try fetch.folder.write([4], to: "set/one.bin")
    let error = #expect(throws: DatasetError.self) {
      try fetch(Self.entry(content, sources: [server.address]))
    }
    #expect(error?.description.contains("set/two.bin in it has 3 bytes, expected 700") == true)
    #expect(fetch.folder.contents == ["set", "set/one.bin"])
    #expect(try fetch.folder.read("set/one.bin") == [4])
  }

  @Test func readsLongNames() throws {
    let long = "set/" + String(repeating: "n", count: 120)
    var tar = TarBytes()
    tar.add("set/one.bin", Self.one)
    tar.add("././@LongLink", Array((long + "1\0").utf8), type: "L")
    tar.add("cut", [1])
    // Three digits, a blank, "path=", 124 + 1 characters and a newline: 135.
    tar.add("pax", Array("135 path=\(long)2\n".utf8), type: "x")
    tar.add("cut", [2])
    tar.add("set/two.bin", Self.two)
    let content = tar.gzip
    let server = try LocalServer { request, _ in .file(content, request) }
    defer { server.stop() }
    let fetch = try Fetch()
    _ = try fetch(Self.entry(content, sources: [server.address]))
    #expect(try fetch.folder.read(long + "1") == [1])
    #expect(try fetch.folder.read(long + "2") == [2])
    #expect(try fetch.folder.read("set/two.bin") == Self.two)
  }

  // MARK: - The directory

  @Test func tellsADirectoryThatCannotBeMade() throws {
    let fetch = try Fetch()
    try fetch.folder.write([1], to: "file")
    let error = #expect(throws: DatasetError.self) {
      try DataFetcher(directory: fetch.folder.url.appendingPathComponent("file/data"))
        .fetch(Self.entry(sources: ["http://127.0.0.1:1/"]))
    }
    guard case .unwritable(fetch.folder.path("file/data"), _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  #if os(Linux)
    @Test func tellsAFullDisk() throws {
      let server = try LocalServer { request, _ in .file(Self.archive, request) }
      defer { server.stop() }
      let fetch = try Fetch()
      // A device whose every write fails with ENOSPC.
      try FileManager.default.createSymbolicLink(
        atPath: fetch.folder.path("set.tar.gz.part"), withDestinationPath: "/dev/full")
      #expect(
        throws: DatasetError.unwritable(
          path: fetch.folder.path("set.tar.gz.part"), reason: "No space left on device")
      ) { try fetch(Self.entry(sources: [server.address])) }
      #expect(fetch.folder.contents == [])
    }
  #endif

  @Test func tellsAFileInPlaceOfTheSetsFolder() throws {
    let server = try LocalServer { request, _ in .file(Self.archive, request) }
    defer { server.stop() }
    let fetch = try Fetch()
    try fetch.folder.write([1], to: "set")
    #expect(throws: DatasetError.fileInPlaceOfDirectory(path: fetch.folder.path("set"))) {
      try fetch(Self.entry(sources: [server.address]))
    }
    #expect(fetch.folder.contents == ["set"])
  }

  @Test func clearsAwayWhatAKilledFetchLeft() throws {
    let server = try LocalServer { request, _ in .file(Self.archive, request) }
    defer { server.stop() }
    let fetch = try Fetch()
    try fetch.folder.write([1], to: ".cifar10.unpacking/set/one.bin")
    try fetch.folder.write([], to: ".cifar10.lock")
    _ = try fetch(Self.entry(sources: [server.address]))
    try fetch.expectUnpacked()
  }

  @Test func twoFetchesAtOnceTakeTurns() async throws {
    let server = try LocalServer { request, _ in
      Thread.sleep(forTimeInterval: 0.05)
      return .file(Self.archive, request)
    }
    defer { server.stop() }
    let folder = try TemporaryFolder()
    let directory = folder.url
    let results = try await withThrowingTaskGroup(of: FetchResult.self) { group in
      for _ in 0..<3 {
        group.addTask {
          try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
              continuation.resume(
                with: Result {
                  try DataFetcher(directory: directory).fetch(
                    Self.entry(sources: [server.address]))
                })
            }
          }
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    // One fetches, the others find its copy.
    #expect(results.filter { $0 == .alreadyPresent }.count == 2)
    #expect(server.requests.count == 1)
    #expect(folder.contents == Self.unpacked)
  }
}
