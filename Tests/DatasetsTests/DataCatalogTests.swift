import Crypto
import Datasets
import Foundation
import Testing

@Suite struct DataCatalogTests {
  @Test func hasAnEntryForEverySet() {
    #expect(DataCatalog.entries.map(\.name) == DatasetName.allCases)
    for name in DatasetName.allCases {
      let entry = DataCatalog.entry(name)
      #expect(entry.name == name)
      for archive in entry.archives {
        #expect(archive.md5.count == 32)
        #expect(archive.sha256?.count == 64)
        #expect(archive.sources.first?.hasPrefix("https://") == true)
      }
      for file in entry.files { #expect(file.sha256?.count == 64) }
    }
    // The lengths that the sources give.
    #expect(DataCatalog.cifar10.downloadBytes == 170_052_171)
    #expect(DataCatalog.cifar100.downloadBytes == 168_513_733)
    #expect(DataCatalog.svhn.downloadBytes == 182_040_794 + 64_275_384)
  }

  @Test func listsWhatIsThere() throws {
    let folder = try TemporaryFolder()
    #expect(
      DataCatalog.list(directory: folder.url).map(\.state)
        == [.absent, .absent, .absent, .embedded])
    try folder.write([1, 2], to: "cifar-100-binary/train.bin")
    try folder.write([1, 2, 3], to: "svhn/train_32x32.mat")
    try folder.write([1], to: "svhn/test_32x32.mat")
    try folder.write([UInt8](repeating: 0, count: 77), to: "cifar-10-binary.tar.gz.part")
    let list = DataCatalog.list(directory: folder.url)
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
      try folder.writeSparse([], count: file.bytes, to: file.path)
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
      status.conclusion == "readable, 3 + 1 records, but not byte-identical to the official files "
        + "(svhn/train_32x32.mat, svhn/test_32x32.mat)")
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
      official.conclusion
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
    #expect(status.conclusion == "\(path): a folder stands where a data file should be")
    let missing = DataCatalog.verify(DataCatalog.cifar10, directory: folder.url)
    #expect(missing.files.allSatisfy { $0.match == .missing && $0.foundBytes == nil })
    #expect(missing.isAbsent && !status.isAbsent)
    #expect(missing.conclusion.contains("fetch it with: excite data fetch cifar10"))
  }

  @Test func theSyntheticSetIsAlwaysThere() throws {
    let folder = try TemporaryFolder()
    let status = DataCatalog.verify(DataCatalog.synthetic, directory: folder.url)
    #expect(status.content == .readable(train: 10_000, test: 2_000))
    #expect(status.conclusion == "readable, 10,000 + 2,000 records, drawn by this program")
    #expect(folder.contents == [])
  }
}
