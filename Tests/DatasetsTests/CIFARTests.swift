import Datasets
import Foundation
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

@Suite struct CIFARTests {
  /// Two train files of three records, one test file of two; 7 classes, the second of two label
  /// bytes read.
  static let tiny = CIFARLayout(
    name: .cifar10, classes: 7, labelBytes: 2, labelByte: 1,
    trainFiles: ["set/a.bin", "set/b.bin"], testFile: "set/t.bin", recordsPerTrainFile: 3,
    testRecords: 2)
  /// 2 label bytes + 3,072 image bytes.
  static let recordBytes = 3074

  /// Image bytes that differ by place and by record: 251 is prime, so no plane repeats another.
  static func image(_ record: Int) -> [UInt8] {
    (0..<3072).map { UInt8(($0 + 17 * record) % 251) }
  }

  static func file(_ records: [(record: Int, label: UInt8)]) -> [UInt8] {
    records.flatMap { [200, $0.label] + image($0.record) }
  }

  static func fill(_ folder: TemporaryFolder) throws {
    try folder.write(file([(0, 6), (1, 0), (2, 3)]), to: "set/a.bin")
    try folder.write(file([(3, 1), (4, 2), (5, 5)]), to: "set/b.bin")
    try folder.write(file([(6, 4), (7, 6)]), to: "set/t.bin")
  }

  @Test func readsRecordsInFileOrder() throws {
    let folder = try TemporaryFolder()
    try Self.fill(folder)
    let set = try loadCIFAR(Self.tiny, directory: folder.url)
    #expect(set.name == .cifar10)
    #expect(set.classes == 7)
    #expect(set.train.labels == [6, 0, 3, 1, 2, 5])
    #expect(set.test.labels == [4, 6])
    #expect(set.train.images == (0..<6).flatMap(Self.image))
    #expect(set.test.images == (6..<8).flatMap(Self.image))
  }

  @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 1000])
  func limitKeepsTheFirstRecords(limit: Int) throws {
    let folder = try TemporaryFolder()
    try Self.fill(folder)
    let set = try loadCIFAR(Self.tiny, directory: folder.url, limit: limit, testLimit: 1)
    #expect(set.train.labels == Array([6, 0, 3, 1, 2, 5].prefix(limit)))
    #expect(set.train.images == (0..<min(6, limit)).flatMap(Self.image))
    #expect(set.test.labels == [4])
  }

  @Test func doesNotOpenFilesThatTheLimitLeavesOut() throws {
    let folder = try TemporaryFolder()
    try Self.fill(folder)
    try FileManager.default.removeItem(atPath: folder.path("set/b.bin"))
    #expect(try loadCIFAR(Self.tiny, directory: folder.url, limit: 3).train.count == 3)
    #expect(throws: DatasetError.self) {
      try loadCIFAR(Self.tiny, directory: folder.url, limit: 4)
    }
  }

  @Test func namesTheMissingFileAndTheCommandThatFetchesIt() throws {
    let folder = try TemporaryFolder()
    try Self.fill(folder)
    try FileManager.default.removeItem(atPath: folder.path("set/b.bin"))
    let error = #expect(throws: DatasetError.self) {
      try loadCIFAR(Self.tiny, directory: folder.url)
    }
    #expect(
      error?.description
        == "no cifar10 data: looked for set/b.bin in \(folder.url.path); fetch it with: "
        + "excite data fetch cifar10 --data-dir \(folder.url.path)")
  }

  @Test func aMissingFolderReadsAsMissingData() throws {
    let folder = try TemporaryFolder()
    let nowhere = folder.url.appendingPathComponent("nowhere")
    let error = #expect(throws: DatasetError.self) {
      try loadDataset(DatasetConfig(name: .cifar10), directory: nowhere)
    }
    guard case .missing(.cifar10, "cifar-10-batches-bin/data_batch_1.bin", nowhere.path, _) = error
    else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func tellsWrongLengths() throws {
    let whole = 3 * Self.recordBytes
    // One byte missing or too many, a whole record too many, nothing at all.
    let cases: [(count: Int, error: (String) -> DatasetError)] = [
      (0, { .empty(path: $0, expectedBytes: whole) }),
      (1, { .truncated(path: $0, expectedBytes: whole, foundBytes: 1) }),
      (whole - 1, { .truncated(path: $0, expectedBytes: whole, foundBytes: whole - 1) }),
      (whole + 1, { .oversized(path: $0, expectedBytes: whole, foundBytes: whole + 1) }),
      (
        whole + Self.recordBytes,
        { .oversized(path: $0, expectedBytes: whole, foundBytes: 4 * Self.recordBytes) }
      ),
    ]
    for (count, expected) in cases {
      let folder = try TemporaryFolder()
      try Self.fill(folder)
      try folder.write([UInt8](repeating: 0, count: count), to: "set/b.bin")
      #expect(throws: expected(folder.path("set/b.bin"))) {
        try loadCIFAR(Self.tiny, directory: folder.url)
      }
    }
  }

  @Test func messagesSayExpectedAndFound() {
    #expect(
      DatasetError.truncated(path: "d/a.bin", expectedBytes: 30_730_000, foundBytes: 999)
        .description
        == "d/a.bin: is truncated: expected 30,730,000 bytes, found 999")
    #expect(
      DatasetError.labelOutOfRange(path: "d/a.bin", record: 12, value: "10", allowed: 0...9)
        .description == "d/a.bin: record 12 has label 10; labels are 0 to 9")
  }

  @Test func tellsALabelOutOfRange() throws {
    let folder = try TemporaryFolder()
    try Self.fill(folder)
    // 7 classes: 0 … 6.
    try folder.write(Self.file([(3, 1), (4, 7), (5, 5)]), to: "set/b.bin")
    #expect(
      throws: DatasetError.labelOutOfRange(
        path: folder.path("set/b.bin"), record: 1, value: "7", allowed: 0...6)
    ) { try loadCIFAR(Self.tiny, directory: folder.url) }
    // The bad record is the fifth: the first four can be had.
    #expect(try loadCIFAR(Self.tiny, directory: folder.url, limit: 4).train.count == 4)
  }

  @Test func tellsAFolderInPlaceOfAFile() throws {
    let folder = try TemporaryFolder()
    try folder.makeFolder("set/a.bin")
    #expect(throws: DatasetError.directoryInPlaceOfFile(path: folder.path("set/a.bin"))) {
      try loadCIFAR(Self.tiny, directory: folder.url)
    }
  }

  @Test func tellsAPipeInPlaceOfAFileWithoutWaitingForIt() throws {
    let folder = try TemporaryFolder()
    try folder.makeFolder("set")
    try #require(mkfifo(folder.path("set/a.bin"), 0o600) == 0)
    #expect(
      throws: DatasetError.unreadable(
        path: folder.path("set/a.bin"), reason: "not a regular file")
    ) { try loadCIFAR(Self.tiny, directory: folder.url) }
  }

  @Test(.enabled(if: geteuid() != 0, "the administrator may read every file"))
  func tellsAnUnreadableFile() throws {
    let folder = try TemporaryFolder()
    try Self.fill(folder)
    try #require(chmod(folder.path("set/a.bin"), 0) == 0)
    #expect(
      throws: DatasetError.unreadable(
        path: folder.path("set/a.bin"), reason: "Permission denied")
    ) { try loadCIFAR(Self.tiny, directory: folder.url) }
  }

  // MARK: - The real layouts, in files of the right length that are mostly zeros

  @Test func readsCIFAR10() throws {
    let folder = try TemporaryFolder()
    for name in ["data_batch_1", "test_batch"] {
      try folder.writeSparse(
        [9] + Self.image(0) + [3] + Self.image(1), count: 30_730_000,
        to: "cifar-10-batches-bin/\(name).bin")
    }
    let set = try loadDataset(
      DatasetConfig(name: .cifar10, limit: 3, testLimit: 2), directory: folder.url)
    #expect(set.classes == 10)
    #expect(set.train.labels == [9, 3, 0])
    #expect(set.test.labels == [9, 3])
    #expect(set.train.images.prefix(6144).elementsEqual(Self.image(0) + Self.image(1)))
    #expect(set.train.images.suffix(3072).allSatisfy { $0 == 0 })
  }

  @Test(arguments: zip(DatasetConfig.Labels.allCases, [(100, [99, 98]), (20, [19, 18])]))
  func readsEitherLabelOfCIFAR100(
    labels: DatasetConfig.Labels, expected: (classes: Int, labels: [UInt8])
  ) throws {
    let folder = try TemporaryFolder()
    let records = [19, 99] + Self.image(0) + [18, 98] + Self.image(1)
    try folder.writeSparse(records, count: 153_700_000, to: "cifar-100-binary/train.bin")
    try folder.writeSparse(records, count: 30_740_000, to: "cifar-100-binary/test.bin")
    let set = try loadDataset(
      DatasetConfig(name: .cifar100, labels: labels, limit: 2, testLimit: 1),
      directory: folder.url)
    #expect(set.classes == expected.classes)
    #expect(set.train.labels == expected.labels)
    #expect(set.test.labels == [expected.labels[0]])
    #expect(set.train.images == Self.image(0) + Self.image(1))
  }

  @Test func coarseLabelsAreCIFAR100sAlone() throws {
    for name in DatasetName.allCases where name != .cifar100 {
      #expect(throws: DatasetError.coarseLabelsOnlyInCIFAR100(set: name)) {
        try loadDataset(DatasetConfig(name: name, labels: .coarse), directory: nil)
      }
    }
  }

  @Test func limitsStartAtOne() {
    #expect(throws: DatasetError.limitNotPositive(key: "limit", value: 0)) {
      try loadDataset(DatasetConfig(name: .synthetic, limit: 0), directory: nil)
    }
    #expect(throws: DatasetError.limitNotPositive(key: "test_limit", value: -3)) {
      try loadDataset(DatasetConfig(name: .synthetic, testLimit: -3), directory: nil)
    }
  }
}
