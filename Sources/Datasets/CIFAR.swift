import Foundation

/// How a CIFAR set in the binary version lies on disk: files of records, each some label bytes and
/// then 3,072 bytes of image, [3, 32, 32].
///
/// Source: https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version".
public struct CIFARLayout: Hashable, Sendable {
  public let name: DatasetName
  public let classes: Int
  /// Label bytes before each image.
  public let labelBytes: Int
  /// Which of them is read.
  public let labelByte: Int
  /// Paths inside the data directory, in record order.
  public let trainFiles: [String]
  public let testFile: String
  public let recordsPerTrainFile: Int
  public let testRecords: Int

  public init(
    name: DatasetName, classes: Int, labelBytes: Int, labelByte: Int, trainFiles: [String],
    testFile: String, recordsPerTrainFile: Int, testRecords: Int
  ) {
    precondition(
      labelBytes > 0 && (0..<labelBytes).contains(labelByte),
      "label byte \(labelByte) of \(labelBytes)")
    self.name = name
    self.classes = classes
    self.labelBytes = labelBytes
    self.labelByte = labelByte
    self.trainFiles = trainFiles
    self.testFile = testFile
    self.recordsPerTrainFile = recordsPerTrainFile
    self.testRecords = testRecords
  }

  public static let cifar10 = CIFARLayout(
    name: .cifar10, classes: 10, labelBytes: 1, labelByte: 0,
    trainFiles: (1...5).map { "cifar-10-batches-bin/data_batch_\($0).bin" },
    testFile: "cifar-10-batches-bin/test_batch.bin", recordsPerTrainFile: 10_000,
    testRecords: 10_000)

  /// The coarse label comes first: 20 superclasses; then the fine one: 100 classes.
  public static func cifar100(labels: DatasetConfig.Labels) -> CIFARLayout {
    CIFARLayout(
      name: .cifar100, classes: labels == .fine ? 100 : 20, labelBytes: 2,
      labelByte: labels == .fine ? 1 : 0, trainFiles: ["cifar-100-binary/train.bin"],
      testFile: "cifar-100-binary/test.bin", recordsPerTrainFile: 50_000, testRecords: 10_000)
  }

  var recordBytes: Int { labelBytes + ImageSplit.imageBytes }
}

/// Reads a CIFAR set's two splits; see `loadDataset`.
public func loadCIFAR(
  _ layout: CIFARLayout, directory: URL, limit: Int? = nil, testLimit: Int? = nil
) throws(DatasetError) -> ImageDataset {
  ImageDataset(
    name: layout.name, classes: layout.classes,
    train: try readRecords(
      layout, layout.trainFiles, perFile: layout.recordsPerTrainFile, directory: directory,
      limit: limit),
    test: try readRecords(
      layout, [layout.testFile], perFile: layout.testRecords, directory: directory,
      limit: testLimit))
}

/// The first `limit` records of `files`, each of which must hold `perFile` of them.
private func readRecords(
  _ layout: CIFARLayout, _ files: [String], perFile: Int, directory: URL, limit: Int?
) throws(DatasetError) -> ImageSplit {
  let count = min(limit ?? Int.max, files.count * perFile)
  // Lengths before memory: a wrong file then costs nothing.
  var inputs: [InputFile] = []
  for file in files.prefix((count + perFile - 1) / perFile) {
    let input = try openDataFile(file, of: layout.name.data, directory: directory)
    let expected = perFile * layout.recordBytes
    if input.size == 0 { throw .empty(path: input.path, expectedBytes: expected) }
    if input.size < expected {
      throw .truncated(path: input.path, expectedBytes: expected, foundBytes: input.size)
    }
    if input.size > expected {
      throw .oversized(path: input.path, expectedBytes: expected, foundBytes: input.size)
    }
    inputs.append(input)
  }
  // Records pass through a buffer that stays in cache, so memory holds the images only once.
  let chunkRecords = 128
  let chunk = UnsafeMutableRawBufferPointer.allocate(
    byteCount: chunkRecords * layout.recordBytes, alignment: 64)
  defer { chunk.deallocate() }
  var labels: [UInt8] = []
  labels.reserveCapacity(count)
  let images = try filledBytes(count * ImageSplit.imageBytes) {
    (images: UnsafeMutableRawBufferPointer) throws(DatasetError) in
    for input in inputs {
      let take = min(perFile, count - labels.count)
      var record = 0
      while record < take {
        let records = min(chunkRecords, take - record)
        let read = UnsafeMutableRawBufferPointer(rebasing: chunk[..<(records * layout.recordBytes)])
        try input.readAll(into: read, at: record * layout.recordBytes)
        for i in 0..<records {
          let start = i * layout.recordBytes
          let label = read[start + layout.labelByte]
          guard label < layout.classes else {
            throw .labelOutOfRange(
              path: input.path, record: record + i, value: String(label),
              allowed: 0...(layout.classes - 1))
          }
          let image = labels.count * ImageSplit.imageBytes
          UnsafeMutableRawBufferPointer(rebasing: images[image..<image + ImageSplit.imageBytes])
            .copyMemory(
              from: UnsafeRawBufferPointer(
                rebasing: read[(start + layout.labelBytes)..<(start + layout.recordBytes)]))
          labels.append(label)
        }
        record += records
      }
    }
  }
  return ImageSplit(images: images, labels: labels)
}
