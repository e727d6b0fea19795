import Foundation

let svhnClasses = 10

/// Reads one split of SVHN format 2: a MATLAB v5 file with `X`, uint8 [32, 32, 3, N], and `y`, one
/// label per image, 1 … 10 with 10 for the digit 0.
///
/// MATLAB keeps the first axis closest together, so the file holds image after image, each
/// [3, column, row]: planes have to be transposed, images have not.
///
/// - Parameters:
///   - file: its path inside `directory`.
///   - limit: keep the first so many images; the rest is not even inflated.
/// - Throws: `.corruptMAT` and what `loadDataset` lists.
/// - Source: http://ufldl.stanford.edu/housenumbers/, "Format 2"; "MAT-File Format", MathWorks,
///   chapter 1 (level 5).
public func readSVHN(
  _ file: String, directory: URL, limit: Int? = nil
) throws(DatasetError) -> ImageSplit {
  let input = try openDataFile(file, of: .svhn, directory: directory)
  var reader = try MATReader(input, limit: limit ?? Int.max)
  return try reader.readSplit()
}

/// Walks through the variables of a MATLAB v5 file up to both of SVHN's.
private struct MATReader {
  /// Element types and array classes, by the names of the format's description.
  private enum ElementType {
    static let int8: UInt32 = 1
    static let uint8: UInt32 = 2
    static let int16: UInt32 = 3
    static let uint16: UInt32 = 4
    static let int32: UInt32 = 5
    static let uint32: UInt32 = 6
    static let single: UInt32 = 7
    static let double: UInt32 = 9
    static let int64: UInt32 = 12
    static let uint64: UInt32 = 13
    static let matrix: UInt32 = 14
    static let compressed: UInt32 = 15
    static let utf8: UInt32 = 16
  }
  private enum ArrayClass {
    static let uint8: UInt32 = 9
    /// double, single, and the integers from int8 to uint64.
    static let numeric: ClosedRange<UInt32> = 6...15
  }

  static let headerBytes = 128
  private static let tagBytes = 8
  /// More images than this are a damaged header: SVHN's largest split has 531,131.
  private static let mostImages = 1_000_000
  /// Memory that a header's claim gets in advance; past it, memory follows the data.
  private static let trustedBytes = 256 << 20

  private let input: InputFile
  private let limit: Int
  private let bigEndian: Bool
  /// Of the top-level element at hand, for messages.
  private var offset = MATReader.headerBytes
  private var images: [UInt8]?
  private var imageCount = 0
  private var labels: [UInt8]?
  private var labelCount = 0

  init(_ input: InputFile, limit: Int) throws(DatasetError) {
    self.input = input
    self.limit = limit
    guard input.size > 0 else {
      throw .empty(path: input.path, expectedBytes: Self.headerBytes)
    }
    guard input.size >= Self.headerBytes else {
      throw .truncated(
        path: input.path, expectedBytes: Self.headerBytes, foundBytes: input.size)
    }
    let header = try FileRange(input, 0..<Self.headerBytes).take(Self.headerBytes)
    // A 16-bit 0x4D49, "MI", as its writer stored it.
    switch (header[126], header[127]) {
    case (UInt8(ascii: "I"), UInt8(ascii: "M")): bigEndian = false
    case (UInt8(ascii: "M"), UInt8(ascii: "I")): bigEndian = true
    default:
      throw .corruptMAT(
        path: input.path, offset: 126, found: hexadecimal(header[126...127]),
        expected: "the mark 49 4d of a MATLAB v5 file")
    }
    let version =
      bigEndian
      ? UInt16(header[124]) << 8 | UInt16(header[125])
      : UInt16(header[125]) << 8 | UInt16(header[124])
    guard version == 0x0100 else {
      throw .corruptMAT(
        path: input.path, offset: 124,
        found: version == 0x0200
          ? "MATLAB v7.3 (HDF5)" : "version 0x" + String(version, radix: 16),
        expected: "MATLAB v5 (0x100)")
    }
  }

  mutating func readSplit() throws(DatasetError) -> ImageSplit {
    while images == nil || labels == nil {
      guard offset < input.size else {
        throw corrupt(
          found: "the end of the file",
          expected: "a variable named \(images == nil ? "X" : "y")")
      }
      offset = try readElement()
    }
    guard let images, let labels else { preconditionFailure("the loop above ended without both") }
    guard imageCount == labelCount else {
      throw .corruptMAT(
        path: input.path, offset: input.size, found: "\(imageCount) images in X",
        expected: "one for each of the \(labelCount) labels in y")
    }
    return ImageSplit(images: images, labels: labels)
  }

  // MARK: - Elements

  /// Reads the top-level element at `offset`.
  ///
  /// - Returns: where the next one starts.
  private mutating func readElement() throws(DatasetError) -> Int {
    let start = offset + Self.tagBytes
    guard start <= input.size else {
      throw .truncated(path: input.path, expectedBytes: start, foundBytes: input.size)
    }
    let tag = try FileRange(input, offset..<start).take(Self.tagBytes)
    let type = word(tag, 0)
    let count = Int(word(tag, 4))
    guard count <= input.size - start else {
      throw .truncated(path: input.path, expectedBytes: start + count, foundBytes: input.size)
    }
    switch type {
    case ElementType.matrix:
      try readMatrix(FileRange(input, start..<(start + count)), bytes: count, most: count)
      // Matrices are padded to 8 bytes; a file may end without its last padding.
      return min(input.size, start + (count + 7) / 8 * 8)
    case ElementType.compressed:
      let (path, offset) = (input.path, offset)
      let inflater = try Inflater(input, start..<(start + count), format: .zlib) { found in
        .corruptMAT(
          path: path, offset: offset, found: found,
          expected: "\(grouped(count)) bytes written by zlib")
      }
      let inner = try inflater.take(Self.tagBytes)
      guard inner.count == Self.tagBytes, word(inner, 0) == ElementType.matrix else {
        throw corrupt(
          found: inner.count == Self.tagBytes ? "an element of type \(word(inner, 0))" : "nothing",
          expected: "a compressed matrix (type \(ElementType.matrix))")
      }
      let bytes = Int(word(inner, 4))
      let whole = try readMatrix(
        inflater, bytes: bytes, most: count * Inflater.greatestRatio)
      if whole { try inflater.finish(allowance: 7) }
      return start + count
    default:
      throw corrupt(
        found: "an element of type \(type)",
        expected: "a matrix (type \(ElementType.matrix)) or a compressed one "
          + "(type \(ElementType.compressed))")
    }
  }

  /// Reads one matrix, and keeps it where it is `X` or `y`.
  ///
  /// - Parameters:
  ///   - bytes: what the matrix says it takes.
  ///   - most: what it can take at most, going by the file.
  /// - Returns: whether the source was read to the matrix's end.
  @discardableResult
  private mutating func readMatrix(
    _ source: some ByteSource, bytes: Int, most: Int
  ) throws(DatasetError) -> Bool {
    let flags = try smallElement(source, "array flags", types: [ElementType.uint32], most: 8)
    guard flags.count == 8 else {
      throw corrupt(found: "\(flags.count) bytes of array flags", expected: "8")
    }
    let arrayClass = word(flags, 0) & 0xFF
    let isComplex = word(flags, 0) & 0x0800 != 0
    // 32 dimensions at most, a bound of ours: SVHN has 4.
    let dimensionBytes = try smallElement(
      source, "dimensions", types: [ElementType.int32, ElementType.uint32], most: 128)
    let dimensions = stride(from: 0, to: dimensionBytes.count / 4 * 4, by: 4).map {
      Int(Int32(bitPattern: word(dimensionBytes, $0)))
    }
    // MATLAB's names have up to 63 characters.
    let nameBytes = try smallElement(
      source, "a name", types: [ElementType.int8, ElementType.uint8, ElementType.utf8], most: 256)
    let shape = "[" + dimensions.map(String.init).joined(separator: ", ") + "]"
    switch String(decoding: nameBytes, as: UTF8.self) {
    case "X":
      guard arrayClass == ArrayClass.uint8, !isComplex else {
        throw corrupt(
          found: "X of array class \(arrayClass)\(isComplex ? ", complex" : "")",
          expected: "uint8 (class \(ArrayClass.uint8))")
      }
      // MATLAB drops a last axis of length 1.
      let count = dimensions.count == 3 ? 1 : dimensions.last ?? 0
      guard dimensions.starts(with: [32, 32, 3]), (3...4).contains(dimensions.count), count > 0,
        count <= Self.mostImages
      else {
        throw corrupt(
          found: "X of shape \(shape)", expected: "[32, 32, 3, N], N up to \(Self.mostImages)")
      }
      return try readImages(source, count: count, most: most)
    case "y":
      guard ArrayClass.numeric.contains(arrayClass), !isComplex else {
        throw corrupt(
          found: "y of array class \(arrayClass)\(isComplex ? ", complex" : "")",
          expected: "a class of real numbers (6 to 15)")
      }
      let count = dimensions.max() ?? 0
      guard dimensions.count == 2, dimensions.contains(1), count > 0, count <= Self.mostImages
      else {
        throw corrupt(
          found: "y of shape \(shape)", expected: "[N, 1], N up to \(Self.mostImages)")
      }
      return try readLabels(source, count: count)
    default:
      return false
    }
  }

  private mutating func readImages(
    _ source: some ByteSource, count: Int, most: Int
  ) throws(DatasetError) -> Bool {
    let bytes = count * ImageSplit.imageBytes
    let tag = try elementTag(source, "the data of X")
    guard tag.type == ElementType.uint8, tag.count == bytes, tag.small == nil else {
      throw corrupt(
        found: "\(grouped(tag.count)) bytes of type \(tag.type) for X",
        expected: "\(grouped(bytes)) of uint8 (type \(ElementType.uint8))")
    }
    guard bytes <= most else {
      throw corrupt(
        found: "a claim of \(count) images",
        expected: "at most \(most / ImageSplit.imageBytes), which the file has room for")
    }
    imageCount = count
    let wanted = min(count, limit)
    var images: [UInt8] = []
    images.reserveCapacity(min(wanted * ImageSplit.imageBytes, Self.trustedBytes))
    let chunkImages = 64
    let raw = UnsafeMutableRawBufferPointer.allocate(
      byteCount: 2 * chunkImages * ImageSplit.imageBytes, alignment: 64)
    defer { raw.deallocate() }
    var done = 0
    while done < wanted {
      let size = min(chunkImages, wanted - done) * ImageSplit.imageBytes
      let read = UnsafeMutableRawBufferPointer(rebasing: raw[..<size])
      let turned = UnsafeMutableRawBufferPointer(rebasing: raw[size..<2 * size])
      let got = try source.read(into: read)
      guard got == size else {
        throw corrupt(
          found: "only \(done + got / ImageSplit.imageBytes) images in X",
          expected: "the \(count) of its header")
      }
      transposePlanes(UnsafeRawBufferPointer(read), into: turned)
      images.append(contentsOf: turned)
      done += size / ImageSplit.imageBytes
    }
    self.images = images
    return wanted == count
  }

  private mutating func readLabels(
    _ source: some ByteSource, count: Int
  ) throws(DatasetError) -> Bool {
    let tag = try elementTag(source, "the data of y")
    guard let size = Self.size(of: tag.type), tag.count == count * size else {
      throw corrupt(
        found: "\(grouped(tag.count)) bytes of type \(tag.type) for y",
        expected: "numbers for \(count) labels")
    }
    labelCount = count
    let wanted = min(count, limit)
    let bytes: [UInt8]
    if let small = tag.small { bytes = small } else { bytes = try source.take(wanted * size) }
    guard bytes.count >= wanted * size else {
      throw corrupt(
        found: "only \(bytes.count / size) labels in y", expected: "the \(count) of its header")
    }
    var labels: [UInt8] = []
    labels.reserveCapacity(wanted)
    for record in 0..<wanted {
      let value = number(bytes, record * size, type: tag.type)
      guard let label = UInt8(exactly: value), (1...10).contains(label) else {
        let text = Int(exactly: value).map(String.init) ?? String(value)
        throw .labelOutOfRange(path: input.path, record: record, value: text, allowed: 1...10)
      }
      labels.append(label == 10 ? 0 : label)
    }
    self.labels = labels
    return wanted == count
  }

  // MARK: - Bytes

  private struct Tag {
    var type: UInt32
    var count: Int
    /// Up to 4 bytes of data may stand in the tag itself.
    var small: [UInt8]?
  }

  private func elementTag(
    _ source: some ByteSource, _ what: String
  ) throws(DatasetError) -> Tag {
    let bytes = try source.take(Self.tagBytes)
    guard bytes.count == Self.tagBytes else {
      throw corrupt(found: "the end of the data", expected: what)
    }
    let first = word(bytes, 0)
    let smallCount = Int(first >> 16)
    guard smallCount > 0 else { return Tag(type: first, count: Int(word(bytes, 4)), small: nil) }
    guard smallCount <= 4 else {
      throw corrupt(found: "\(smallCount) bytes inside a tag of 8", expected: what)
    }
    return Tag(
      type: first & 0xFFFF, count: smallCount, small: Array(bytes[4..<(4 + smallCount)]))
  }

  /// A whole element with at most `most` bytes of data, its padding skipped.
  private func smallElement(
    _ source: some ByteSource, _ what: String, types: [UInt32], most: Int
  ) throws(DatasetError) -> [UInt8] {
    let tag = try elementTag(source, what)
    guard types.contains(tag.type), tag.count <= most else {
      throw corrupt(
        found: "\(grouped(tag.count)) bytes of type \(tag.type)",
        expected: "\(what): at most \(most) bytes of type \(types[0])")
    }
    if let small = tag.small { return small }
    let padded = (tag.count + 7) / 8 * 8
    let bytes = try source.take(padded)
    guard bytes.count == padded else {
      throw corrupt(found: "the end of the data", expected: what)
    }
    return Array(bytes[..<tag.count])
  }

  /// Bytes of one number of an element type; nil where the type is not of numbers.
  private static func size(of type: UInt32) -> Int? {
    switch type {
    case ElementType.int8, ElementType.uint8: 1
    case ElementType.int16, ElementType.uint16: 2
    case ElementType.int32, ElementType.uint32, ElementType.single: 4
    case ElementType.double, ElementType.int64, ElementType.uint64: 8
    default: nil
    }
  }

  private func number(_ bytes: [UInt8], _ at: Int, type: UInt32) -> Double {
    switch type {
    case ElementType.int8: Double(Int8(bitPattern: bytes[at]))
    case ElementType.uint8: Double(bytes[at])
    case ElementType.int16: Double(Int16(truncatingIfNeeded: integer(bytes, at, 2)))
    case ElementType.uint16: Double(integer(bytes, at, 2))
    case ElementType.int32: Double(Int32(truncatingIfNeeded: integer(bytes, at, 4)))
    case ElementType.uint32: Double(integer(bytes, at, 4))
    case ElementType.single: Double(Float(bitPattern: UInt32(integer(bytes, at, 4))))
    case ElementType.int64: Double(Int64(bitPattern: integer(bytes, at, 8)))
    case ElementType.uint64: Double(integer(bytes, at, 8))
    default: Double(bitPattern: integer(bytes, at, 8))
    }
  }

  private func word(_ bytes: [UInt8], _ at: Int) -> UInt32 { UInt32(integer(bytes, at, 4)) }

  private func integer(_ bytes: [UInt8], _ at: Int, _ size: Int) -> UInt64 {
    var value: UInt64 = 0
    for i in 0..<size {
      value = value << 8 | UInt64(bytes[bigEndian ? at + i : at + size - 1 - i])
    }
    return value
  }

  private func corrupt(found: String, expected: String) -> DatasetError {
    .corruptMAT(path: input.path, offset: offset, found: found, expected: expected)
  }
}

/// [column, row] → [row, column] for each 32×32 plane.
private func transposePlanes(
  _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
) {
  let side = 32
  precondition(source.count == target.count && source.count % (side * side) == 0)
  guard let from = source.baseAddress, let to = target.baseAddress else { return }
  for plane in stride(from: 0, to: source.count, by: side * side) {
    let a = (from + plane).assumingMemoryBound(to: UInt8.self)
    let b = (to + plane).assumingMemoryBound(to: UInt8.self)
    for row in 0..<side {
      for column in 0..<side { b[row * side + column] = a[column * side + row] }
    }
  }
}

/// "4d 49".
func hexadecimal(_ bytes: some Sequence<UInt8>, separator: String = " ") -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: separator)
}
