import Datasets
import Foundation
import Testing

@Suite struct SVHNTests {
  static func read(_ bytes: [UInt8], limit: Int? = nil) throws -> ImageSplit {
    let folder = try TemporaryFolder()
    try folder.write(bytes, to: "a.mat")
    return try readSVHN("a.mat", directory: folder.url, limit: limit)
  }

  /// The error that reading throws, its path cut off.
  static func message(_ bytes: [UInt8]) throws -> String {
    let folder = try TemporaryFolder()
    try folder.write(bytes, to: "a.mat")
    do {
      _ = try readSVHN("a.mat", directory: folder.url)
      return "no error"
    } catch {
      return error.description.replacingOccurrences(of: folder.url.path + "/", with: "")
    }
  }

  @Test(arguments: [false, true])
  func readsUncompressedVariablesOfEitherEndianness(bigEndian: Bool) throws {
    var mat = MATBytes(bigEndian: bigEndian)
    mat.bytes += mat.images(5) + mat.labels([10, 1, 2, 9, 10])
    let split = try Self.read(mat.bytes)
    // 10 stands for the digit 0.
    #expect(split.labels == [0, 1, 2, 9, 0])
    #expect(split.images == MATBytes.expectedImages(5))
  }

  @Test func readsCompressedVariablesInAnyOrderPastOthers() throws {
    var mat = MATBytes()
    let other = mat.matrix(
      "meta", arrayClass: 6, dimensions: [1, 3], data: mat.element(9, mat.numbers([1, 2, 3])))
    mat.bytes += mat.compressed(other) + mat.compressed(mat.labels([3, 4, 5])) + other
    mat.bytes += mat.compressed(mat.images(3))
    let split = try Self.read(mat.bytes)
    #expect(split.labels == [3, 4, 5])
    #expect(split.images == MATBytes.expectedImages(3))
  }

  @Test func readsWhatSciPyWrites() throws {
    let data = try #require(Data(base64Encoded: scipyMATFile, options: .ignoreUnknownCharacters))
    let split = try Self.read([UInt8](data))
    #expect(split.labels == [0, 1, 9])
    #expect(split.images == MATBytes.expectedImages(3))
  }

  @Test func readsOneImageWithoutItsLastAxis() throws {
    var mat = MATBytes()
    mat.bytes += mat.images(1, dimensions: [32, 32, 3]) + mat.labels([7])
    #expect(try Self.read(mat.bytes).labels == [7])
  }

  @Test(arguments: [1, 3, 65, 70, 1000])
  func limitKeepsTheFirstImages(limit: Int) throws {
    var mat = MATBytes()
    mat.bytes += mat.compressed(mat.images(70))
    let labels = (0..<70).map { (record: Int) in UInt8(1 + record % 10) }
    mat.bytes += mat.labels(labels)
    let split = try Self.read(mat.bytes, limit: limit)
    let count = min(limit, 70)
    #expect(split.images == MATBytes.expectedImages(count))
    #expect(split.labels == labels.prefix(count).map { $0 % 10 })
  }

  @Test func loadsBothSplits() throws {
    let folder = try TemporaryFolder()
    var mat = MATBytes()
    mat.bytes += mat.images(3) + mat.labels([1, 2, 10])
    try folder.write(mat.bytes, to: "svhn/train_32x32.mat")
    try folder.write(mat.bytes, to: "svhn/test_32x32.mat")
    let set = try loadDataset(
      DatasetConfig(name: .svhn, limit: 2, testLimit: 1), directory: folder.url)
    #expect(set.classes == 10)
    #expect(set.train.labels == [1, 2])
    #expect(set.test.labels == [1])
  }

  // MARK: - Labels

  /// Element type, array class, bytes per number.
  @Test(arguments: [
    (1, 8, 1), (2, 9, 1), (3, 10, 2), (4, 11, 2), (5, 12, 4), (6, 13, 4), (12, 14, 8), (13, 15, 8),
  ])
  func readsLabelsOfEveryIntegerType(type: UInt32, arrayClass: UInt64, size: Int) throws {
    for bigEndian in [false, true] {
      var mat = MATBytes(bigEndian: bigEndian)
      let data = [10, 1, 7].flatMap { mat.integer($0, size) }
      mat.bytes += mat.images(3)
      mat.bytes += mat.matrix(
        "y", arrayClass: arrayClass, dimensions: [3, 1], data: mat.element(type, data))
      #expect(try Self.read(mat.bytes).labels == [0, 1, 7])
    }
  }

  @Test func readsLabelsOfBothFloatTypes() throws {
    var mat = MATBytes()
    mat.bytes += mat.images(2)
    let doubles = mat.matrix(
      "y", arrayClass: 6, dimensions: [1, 2], data: mat.element(9, mat.numbers([10, 5])))
    let singles = mat.matrix(
      "y", arrayClass: 7, dimensions: [2, 1],
      data: mat.element(
        7, [Float(10), 5].flatMap { mat.integer(UInt64($0.bitPattern), 4) }))
    #expect(try Self.read(mat.bytes + doubles).labels == [0, 5])
    #expect(try Self.read(mat.bytes + singles).labels == [0, 5])
  }

  @Test(arguments: [
    (0.0, "0"), (11, "11"), (-1, "-1"), (1.5, "1.5"), (.nan, "nan"), (1e300, "1e+300"),
  ])
  func tellsALabelOutOfRange(value: Double, text: String) throws {
    var mat = MATBytes()
    mat.bytes += mat.images(2)
    mat.bytes += mat.matrix(
      "y", arrayClass: 6, dimensions: [2, 1], data: mat.element(9, mat.numbers([3, value])))
    #expect(
      try Self.message(mat.bytes) == "a.mat: record 1 has label \(text); labels are 1 to 10")
  }

  // MARK: - Damage

  @Test func tellsEmptyAndShortFiles() throws {
    #expect(try Self.message([]) == "a.mat: is empty; expected 128 bytes")
    #expect(
      try Self.message([UInt8](repeating: 77, count: 100))
        == "a.mat: is truncated: expected 128 bytes, found 100")
    var mat = MATBytes()
    mat.bytes += mat.images(2)
    // X's element is a tag of 8, then 16 of flags, 24 of dimensions, 8 of name, 8 of tag and 6,144
    // of data: with the header, 128 + 8 + 6,200 = 6,336 bytes.
    #expect(mat.bytes.count == 6_336)
    #expect(
      try Self.message(Array(mat.bytes.dropLast(5)))
        == "a.mat: is truncated: expected 6,336 bytes, found 6,331")
  }

  @Test func tellsOtherKindsOfFile() throws {
    #expect(
      try Self.message([UInt8](repeating: 0x3C, count: 200))
        == "a.mat: not a readable SVHN file: at byte 126 found 3c 3c, "
        + "expected the mark 49 4d of a MATLAB v5 file")
    #expect(
      try Self.message(MATBytes(version: 0x0200).bytes)
        == "a.mat: not a readable SVHN file: at byte 124 found MATLAB v7.3 (HDF5), "
        + "expected MATLAB v5 (0x100)")
    let mat = MATBytes()
    #expect(
      try Self.message(mat.bytes + mat.element(3, [1, 2]))
        == "a.mat: not a readable SVHN file: at byte 128 found an element of type 3, "
        + "expected a matrix (type 14) or a compressed one (type 15)")
  }

  @Test func tellsAMissingVariable() throws {
    let mat = MATBytes()
    let images = mat.images(1)
    // 128 bytes of header, then X: 8 + 16 + 24 + 8 + 8 + 3,072 = 3,136.
    #expect(
      try Self.message(mat.bytes + images)
        == "a.mat: not a readable SVHN file: at byte 3,264 found the end of the file, "
        + "expected a variable named y")
    #expect(
      try Self.message(mat.bytes)
        == "a.mat: not a readable SVHN file: at byte 128 found the end of the file, "
        + "expected a variable named X")
  }

  @Test func tellsUnequalCounts() throws {
    let mat = MATBytes()
    #expect(
      try Self.message(mat.bytes + mat.images(2) + mat.labels([1, 2, 3]))
        .contains("found 2 images in X, expected one for each of the 3 labels in y"))
  }

  @Test func tellsAWrongArray() throws {
    let mat = MATBytes()
    func message(_ element: [UInt8]) throws -> String { try Self.message(mat.bytes + element) }
    let data = mat.element(2, [UInt8](repeating: 0, count: 3072))
    #expect(
      try message(mat.images(1, dimensions: [32, 32, 1, 3]))
        .contains("found X of shape [32, 32, 1, 3], expected [32, 32, 3, N]"))
    #expect(
      try message(mat.images(1, dimensions: [])).contains("found X of shape []"))
    #expect(
      try message(mat.images(1, dimensions: [32, 32, 3, -1]))
        .contains("found X of shape [32, 32, 3, -1]"))
    #expect(
      try message(mat.matrix("X", arrayClass: 6, dimensions: [32, 32, 3, 1], data: data))
        .contains("found X of array class 6, expected uint8 (class 9)"))
    #expect(
      try message(
        mat.matrix("X", arrayClass: 9, dimensions: [32, 32, 3, 1], data: data, flags: 0x800)
      ).contains("found X of array class 9, complex"))
    #expect(
      try message(mat.images(1, dimensions: [32, 32, 3, 2]))
        .contains("found 3,072 bytes of type 2 for X, expected 6,144 of uint8 (type 2)"))
    #expect(
      try message(mat.matrix("y", arrayClass: 4, dimensions: [1, 1], data: mat.element(2, [1])))
        .contains("found y of array class 4"))
    #expect(
      try message(mat.matrix("y", arrayClass: 6, dimensions: [2, 2], data: mat.element(2, [1])))
        .contains("found y of shape [2, 2]"))
  }

  /// Headers that claim more than the file can hold must cost an error, not memory.
  @Test func doesNotBelieveHugeClaims() throws {
    var mat = MATBytes()
    // A matrix of 1,000,000 images, 3 GB, in a file of a few hundred bytes.
    let claim =
      mat.element(6, mat.integer(9, 4) + mat.integer(0, 4))
      + mat.element(5, [32, 32, 3, 1_000_000].flatMap { mat.integer($0, 4) })
      + mat.element(1, [0x58], small: true) + mat.integer(2, 4) + mat.integer(3_072_000_000, 4)
    let honestTag = mat.integer(14, 4) + mat.integer(UInt64(claim.count), 4)
    #expect(
      try Self.message(mat.bytes + honestTag + claim)
        .contains("found a claim of 1000000 images, expected at most 0"))
    let boldTag = mat.integer(14, 4) + mat.integer(3_072_000_064, 4)
    #expect(
      try Self.message(mat.bytes + boldTag + claim)
        .contains("is truncated: expected 3,072,000,200 bytes, found"))
    mat.bytes += mat.compressed(boldTag + claim)
    #expect(try Self.message(mat.bytes).contains("found a claim of 1000000 images"))
    // 1,000,001 images are more than the reader takes from anyone.
    #expect(
      try Self.message(MATBytes().bytes + mat.images(1, dimensions: [32, 32, 3, 1_000_001]))
        .contains("found X of shape [32, 32, 3, 1000001]"))
    // An absurd size of a part that is always small.
    let flags = mat.integer(6, 4) + mat.integer(0xFFFF_FFFF, 4)
    #expect(
      try Self.message(MATBytes().bytes + mat.element(14, flags))
        .contains("found 4,294,967,295 bytes of type 6, expected array flags"))
  }

  @Test func tellsDamagedCompression() throws {
    let mat = MATBytes()
    let whole = mat.compressed(mat.images(2))
    func message(_ change: (inout [UInt8]) -> Void) throws -> String {
      var element = whole
      change(&element)
      return try Self.message(mat.bytes + element)
    }
    // Bytes 8 and 9 are zlib's header.
    #expect(try message { $0[8] = 0 }.contains("damaged compressed data"))
    // A block whose length and its complement disagree.
    #expect(try message { $0[13] ^= 1 }.contains("damaged compressed data"))
    // The last four bytes are the checksum over everything.
    #expect(
      try message { $0[$0.count - 1] ^= 1 }
        .contains("damaged compressed data (incorrect data check)"))
    // The element's size made smaller: data ends early.
    #expect(
      try message {
        $0.removeLast(3000)
        $0.replaceSubrange(4..<8, with: mat.integer(UInt64($0.count - 8), 4))
      }.contains("found compressed data that ends early"))
    // Something else than a matrix inside, and nothing.
    #expect(
      try Self.message(mat.bytes + mat.compressed(mat.element(2, [1, 2, 3])))
        .contains("found an element of type 2, expected a compressed matrix"))
    #expect(try Self.message(mat.bytes + mat.compressed([])).contains("found nothing"))
  }

  /// Every single changed byte and every cut gives an error or a result, never a crash.
  @Test func survivesEveryCutAndChangedByte() throws {
    let data = try #require(Data(base64Encoded: scipyMATFile, options: .ignoreUnknownCharacters))
    let whole = [UInt8](data)
    let folder = try TemporaryFolder()
    for i in stride(from: 0, to: whole.count, by: 3) {
      try folder.write(Array(whole[..<i]), to: "cut.mat")
      #expect(throws: DatasetError.self, "cut at \(i)") {
        try readSVHN("cut.mat", directory: folder.url)
      }
      var changed = whole
      changed[i] ^= 0x81
      try folder.write(changed, to: "changed.mat")
      if let split = try? readSVHN("changed.mat", directory: folder.url) {
        #expect(split.count == 3, "byte \(i) changed")
      }
    }
  }
}
