import Crypto
import Datasets
import Foundation
import Testing

@Suite struct DataCatalogTests {
  @Test func hasAnEntryForEverySet() {
    #expect(DataCatalog.entries.map(\.name) == DataName.allCases)
    #expect(DatasetName.allCases.map(\.data.rawValue) == DatasetName.allCases.map(\.rawValue))
    for name in DataName.allCases {
      let entry = DataCatalog.entry(name)
      #expect(entry.name == name)
      for archive in entry.archives {
        #expect(archive.md5.map { $0.count == 32 } ?? true)
        #expect(archive.sha256?.count == 64)
        #expect(archive.sources.first?.hasPrefix("https://") == true)
      }
      // The lengths and checksums of WikiText-103's files are not documented.
      for file in entry.files where name != .wikitext103 { #expect(file.sha256?.count == 64) }
    }
    // The lengths that the sources give.
    #expect(DataCatalog.cifar10.downloadBytes == 170_052_171)
    #expect(DataCatalog.cifar100.downloadBytes == 168_513_733)
    #expect(DataCatalog.svhn.downloadBytes == 182_040_794 + 64_275_384)
    #expect(DataCatalog.wikitext2.downloadBytes == 4_721_645)
    #expect(DataCatalog.wikitext103.downloadBytes == 191_984_949)
    #expect(DataCatalog.gpt2.downloadBytes == 1_042_301 + 456_318)
  }

  @Test func listsWhatIsThere() throws {
    let folder = try TemporaryFolder()
    #expect(
      DataCatalog.list(directory: folder.url).map(\.state)
        == [.absent, .absent, .absent, .embedded, .absent, .absent, .absent])
    try folder.write([1, 2], to: "cifar-100-binary/train.bin")
    try folder.write([1, 2, 3], to: "svhn/train_32x32.mat")
    try folder.write([1], to: "svhn/test_32x32.mat")
    try folder.write([UInt8](repeating: 0, count: 77), to: "cifar-10-binary.tar.gz.part")
    let list = Array(DataCatalog.list(directory: folder.url).prefix(4))
    #expect(
      list.map(\.state) == [
        .resumable(receivedBytes: 77), .partial(missing: ["cifar-100-binary/test.bin"]),
        .other(DataCatalog.verify(DataCatalog.svhn, directory: folder.url).content), .embedded,
      ])
    #expect(list[1].summary == DataCatalog.cifar100.summary)
    #expect(
      list[2].summary.hasPrefix("\(folder.path("svhn/train_32x32.mat")): is truncated: "))
    #expect(list.map(\.bytesOnDisk) == [77, 2, 4, 0])
    // An empty file is none.
    try folder.write([], to: "svhn/test_32x32.mat")
    #expect(
      DataCatalog.listing(DataCatalog.svhn, directory: folder.url).state
        == .partial(missing: ["svhn/test_32x32.mat"]))
  }

  /// Of a set that was cut, the records that are there are told, not those of the official one.
  @Test func listsTheRecordsOfACutSet() throws {
    let folder = try TemporaryFolder()
    var train = MATBytes()
    train.bytes += train.images(3) + train.labels([1, 2, 10])
    var test = MATBytes()
    test.bytes += test.images(1) + test.labels([4])
    try folder.write(train.bytes, to: "svhn/train_32x32.mat")
    try folder.write(test.bytes, to: "svhn/test_32x32.mat")
    let listing = DataCatalog.listing(DataCatalog.svhn, directory: folder.url)
    #expect(listing.state == .other(.readable(train: 3, test: 1)))
    #expect(
      listing.summary
        == "3 + 1 records (the official set: 73,257 + 26,032 house-number digits, 10 classes)")
  }

  /// Files of the right lengths are not read: a cut set could not have them.
  @Test func officialLengthsAreNotRead() throws {
    let folder = try TemporaryFolder()
    for file in DataCatalog.cifar100.files {
      try folder.writeSparse([], count: #require(file.bytes), to: file.path)
    }
    let listing = DataCatalog.listing(DataCatalog.cifar100, directory: folder.url)
    #expect(listing.state == .present)
    #expect(listing.summary == DataCatalog.cifar100.summary)
  }

  @Test func verifiesACopyThatReadsWellButIsNotTheOfficialOne() throws {
    let folder = try TemporaryFolder()
    var train = MATBytes()
    train.bytes += train.images(3) + train.labels([1, 2, 10])
    var test = MATBytes()
    test.bytes += test.images(1) + test.labels([4])
    try folder.write(train.bytes, to: "svhn/train_32x32.mat")
    try folder.write(test.bytes, to: "svhn/test_32x32.mat")
    let status = DataCatalog.verify(DataCatalog.svhn, directory: folder.url)
    #expect(status.content == .readable(train: 3, test: 1))
    #expect(!status.isOfficial)
    #expect(status.files.map(\.foundBytes) == [train.bytes.count, test.bytes.count])
    let found = SyntheticImagesTests.sha256(train.bytes)
    #expect(status.files[0].match == .differs(foundSHA256: found))
    #expect(
      status.summary == "readable, 3 + 1 records, but not byte-identical to the official files; "
        + "it can be used")
    // Against an entry that knows this copy.
    let known = DataEntry(
      name: .svhn, summary: "", archives: [],
      files: [
        DataFile(path: "svhn/train_32x32.mat", bytes: train.bytes.count, sha256: found),
        DataFile(
          path: "svhn/test_32x32.mat", bytes: test.bytes.count,
          sha256: SyntheticImagesTests.sha256(test.bytes)),
      ])
    let official = DataCatalog.verify(known, directory: folder.url)
    #expect(official.isOfficial)
    #expect(
      official.summary
        == "readable, 3 + 1 records, byte-identical to the official files")
    let unknown = DataEntry(
      name: .svhn, summary: "", archives: [],
      files: [DataFile(path: "svhn/train_32x32.mat", bytes: train.bytes.count)])
    #expect(
      DataCatalog.verify(unknown, directory: folder.url).files[0].match
        == .unknown(foundSHA256: found))
  }

  @Test func verifiesADamagedAndAMissingCopy() throws {
    let folder = try TemporaryFolder()
    try folder.makeFolder("cifar-100-binary/train.bin")
    let status = DataCatalog.verify(DataCatalog.cifar100, directory: folder.url)
    let path = folder.path("cifar-100-binary/train.bin")
    #expect(
      status.files.map(\.match)
        == [.unreadable(.directoryInPlaceOfFile(path: path)), .missing])
    #expect(status.content == .unusable(.directoryInPlaceOfFile(path: path)))
    #expect(status.summary == "\(path): a folder stands where a data file should be")
    let missing = DataCatalog.verify(DataCatalog.cifar10, directory: folder.url)
    #expect(missing.files.allSatisfy { $0.match == .missing && $0.foundBytes == nil })
    #expect(missing.isAbsent && !status.isAbsent)
    #expect(missing.summary.contains("fetch it with: excite data fetch cifar10"))
  }

  @Test func theSyntheticSetIsAlwaysThere() throws {
    let folder = try TemporaryFolder()
    let status = DataCatalog.verify(DataCatalog.synthetic, directory: folder.url)
    #expect(status.content == .readable(train: 10_000, test: 2_000))
    #expect(status.summary == "readable, 10,000 + 2,000 records, drawn by this program")
    #expect(folder.contents == [])
  }

  // MARK: - Texts

  static func writeText(_ folder: TemporaryFolder, _ layout: String, _ ending: String) throws {
    for split in ["train", "valid", "test"] {
      try folder.write(Array("\(split) é\n".utf8), to: "\(layout)/wiki.\(split).\(ending)")
    }
  }

  /// Of unknown lengths, whatever is there and not empty; of WikiText-2, the official lengths.
  @Test func listsTexts() throws {
    let folder = try TemporaryFolder()
    try Self.writeText(folder, "wikitext-103-raw", "raw")
    try Self.writeText(folder, "wikitext-2-raw", "raw")
    let large = DataCatalog.listing(DataCatalog.wikitext103, directory: folder.url)
    #expect(large.state == .present)
    // "train é\n", "valid é\n" and "test é\n" are 9, 9 and 8 bytes.
    #expect(large.bytesOnDisk == 26)
    #expect(
      DataCatalog.verify(DataCatalog.wikitext103, directory: folder.url).summary
        == "readable, 26 bytes of text; the official files' checksums are not known")
    let small = DataCatalog.listing(DataCatalog.wikitext2, directory: folder.url)
    #expect(small.state == .other(.text(bytes: 26)))
    #expect(
      small.summary == "26 bytes of text (the official set: \(DataCatalog.wikitext2.summary))")
    try folder.write([], to: "wikitext-103-raw/wiki.valid.raw")
    #expect(
      DataCatalog.listing(DataCatalog.wikitext103, directory: folder.url).state
        == .partial(missing: ["wikitext-103-raw/wiki.valid.raw"]))
  }

  @Test func listsTheOtherFormOfATextWhereItIsAllThereIs() throws {
    let folder = try TemporaryFolder()
    try Self.writeText(folder, "wikitext-2", "tokens")
    let listing = DataCatalog.listing(DataCatalog.wikitext2, directory: folder.url)
    #expect(listing.state == .otherForm)
    #expect(listing.summary == DataCatalog.wikitext2.summary + ", in another form")
    #expect(listing.bytesOnDisk == 26)
    let status = DataCatalog.verify(DataCatalog.wikitext2, directory: folder.url)
    #expect(status.content == .text(bytes: 26))
    #expect(
      status.summary == "readable, 26 bytes of text, but not byte-identical to the official "
        + "files; it can be used")
    try Self.writeText(folder, "wikitext-2-raw", "raw")
    #expect(
      DataCatalog.listing(DataCatalog.wikitext2, directory: folder.url).state
        == .other(.text(bytes: 26)))
  }

  @Test func verifiesTexts() throws {
    let folder = try TemporaryFolder()
    try Self.writeText(folder, "wikitext-2-raw", "raw")
    let status = DataCatalog.verify(DataCatalog.wikitext2, directory: folder.url)
    #expect(status.content == .text(bytes: 26))
    #expect(
      status.summary == "readable, 26 bytes of text, but not byte-identical to the official "
        + "files; it can be used")
    try folder.write([0x61, 0xFF], to: "wikitext-2-raw/wiki.test.raw")
    let path = folder.path("wikitext-2-raw/wiki.test.raw")
    let broken = DataCatalog.verify(DataCatalog.wikitext2, directory: folder.url)
    #expect(broken.content == .unusable(.notUTF8(path: path, offset: 1)))
    #expect(broken.summary == "\(path): not UTF-8 text: byte 1 belongs to no character")
  }
}
