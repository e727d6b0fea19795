import CZlib
import Foundation

/// Unpacks a zip file of regular files and folders, stored or deflated.
///
/// What a data archive has no use for is refused rather than followed: links, encryption, other
/// compressions, zip64, absolute paths, `..`, entries outside the expected folder or twice in it.
/// Lengths are the directory's, and both they and the CRC-32 must come out.
///
/// Source: PKWARE, "APPNOTE.TXT – .ZIP File Format Specification".
struct ZipArchive {
  private static let endSignature: UInt32 = 0x0605_4B50
  private static let entrySignature: UInt32 = 0x0201_4B50
  private static let fileSignature: UInt32 = 0x0403_4B50
  private static let endBytes = 22
  private static let entryBytes = 46
  private static let fileBytes = 30
  /// A comment behind the end record is at most so long.
  private static let mostCommentBytes = 65_535

  let input: InputFile
  /// The folder that every entry must lie in.
  let folder: String
  /// Bytes that all files may take together.
  let mostBytes: Int
  let mostEntries = 1_000

  private struct Entry {
    var name: String
    var isDeflated: Bool
    var crc: UInt32
    var packedBytes: Int
    var bytes: Int
    /// Of the header before its data.
    var offset: Int
  }

  /// - Parameters:
  ///   - target: an existing folder.
  ///   - onFile: called with each file's path inside `target` before it is written.
  /// - Throws: `.badArchive`, `.unreadable`, `.unwritable`.
  func unpack(into target: URL, onFile: (String) -> Void) throws(DatasetError) {
    let entries = try self.entries()
    guard entries.reduce(0, { $0 + $1.bytes }) <= mostBytes else {
      throw bad("its files take more than \(grouped(mostBytes)) bytes")
    }
    for entry in entries {
      let place = try placeOfEntry(entry.name, of: input.path, folder: folder, in: target)
      if entry.name.hasSuffix("/") {
        guard entry.bytes == 0 else { throw bad("\(entry.name) is a folder with contents") }
        try makeFolder(place)
      } else {
        try makeFolder(place.deletingLastPathComponent())
        onFile(entry.name)
        try write(entry, to: place)
      }
    }
  }

  // MARK: - The directory at the end

  private func entries() throws(DatasetError) -> [Entry] {
    let tail = try bytes(
      at: max(0, input.size - Self.endBytes - Self.mostCommentBytes), to: input.size)
    // The last one: a file's data may look like one, a comment that does is not worth the trouble.
    let starts = stride(from: tail.count - Self.endBytes, through: 0, by: -1)
    guard let start = starts.first(where: { number4(tail, $0) == Self.endSignature }) else {
      throw bad("it is not a zip file, or its end is missing")
    }
    let count = number2(tail, start + 10)
    let size = Int(number4(tail, start + 12))
    let offset = Int(number4(tail, start + 16))
    guard number2(tail, start + 4) == 0, number2(tail, start + 6) == 0,
      number2(tail, start + 8) == count
    else { throw bad("it is one part of several") }
    guard count <= mostEntries else { throw bad("more than \(mostEntries) entries") }
    guard offset + size <= input.size else { throw bad("its directory lies beyond its end") }
    let directory = try bytes(at: offset, to: offset + size)
    var entries: [Entry] = []
    var at = 0
    for _ in 0..<count {
      guard at + Self.entryBytes <= directory.count,
        number4(directory, at) == Self.entrySignature
      else { throw bad("a damaged directory") }
      let nameBytes = number2(directory, at + 28)
      let next =
        at + Self.entryBytes + nameBytes + number2(directory, at + 30)
        + number2(directory, at + 32)
      guard next <= directory.count else { throw bad("a damaged directory") }
      entries.append(try entry(directory, at, nameBytes: nameBytes))
      at = next
    }
    guard at == directory.count else { throw bad("a damaged directory") }
    guard Set(entries.map(\.name)).count == count else { throw bad("a name is in it twice") }
    return entries
  }

  private func entry(
    _ directory: [UInt8], _ at: Int, nameBytes: Int
  ) throws(DatasetError) -> Entry {
    let name = String(
      decoding: directory[(at + Self.entryBytes)..<(at + Self.entryBytes + nameBytes)],
      as: UTF8.self)
    let flags = number2(directory, at + 8)
    guard flags & 1 == 0 else { throw bad("\(name) is encrypted") }
    let method = number2(directory, at + 10)
    guard method == 0 || method == 8 else { throw bad("\(name) is packed by method \(method)") }
    // Of what Unix wrote, the upper half is the file's mode: 0o10 a file, 0o04 a folder.
    if directory[at + 5] == 3 {
      let kind = number4(directory, at + 38) >> 28
      guard [0, 0o10, 0o04].contains(kind) else { throw bad("\(name) is not a file or folder") }
    }
    let numbers = [20, 24, 42].map { number4(directory, at + $0) }
    guard !numbers.contains(.max) else { throw bad("\(name) is an entry of zip64") }
    return Entry(
      name: name, isDeflated: method == 8, crc: number4(directory, at + 16),
      packedBytes: Int(numbers[0]), bytes: Int(numbers[1]), offset: Int(numbers[2]))
  }

  // MARK: - One file

  private func write(_ entry: Entry, to place: URL) throws(DatasetError) {
    let header = try bytes(at: entry.offset, to: entry.offset + Self.fileBytes)
    guard number4(header, 0) == Self.fileSignature else {
      throw bad("\(entry.name) is not where the directory says")
    }
    let start = entry.offset + Self.fileBytes + number2(header, 26) + number2(header, 28)
    guard start + entry.packedBytes <= input.size else {
      throw bad("it ends inside \(entry.name)")
    }
    let packed = start..<(start + entry.packedBytes)
    let path = input.path
    let source: any ByteSource
    if entry.isDeflated {
      source = try Inflater(input, packed, format: .raw) { found in
        .badArchive(path: path, problem: "\(entry.name): \(found)")
      }
    } else {
      source = FileRange(input, packed)
    }
    let output = try OutputFile(place.path)
    guard output.size == 0 else { throw bad("\(entry.name) is in it twice") }
    let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    defer { chunk.deallocate() }
    var crc = crc32(0, nil, 0)
    while true {
      let count = try source.read(into: chunk)
      guard output.size + count <= entry.bytes else {
        throw bad("\(entry.name) is longer than the directory says")
      }
      let part = UnsafeRawBufferPointer(rebasing: chunk[..<count])
      crc = crc32(crc, part.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt32(count))
      try output.append(part)
      if count < chunk.count { break }
    }
    guard output.size == entry.bytes else {
      throw bad("\(entry.name) is shorter than the directory says")
    }
    guard UInt32(crc) == entry.crc else { throw bad("\(entry.name) has a wrong CRC-32") }
  }

  private func bytes(at start: Int, to end: Int) throws(DatasetError) -> [UInt8] {
    guard end <= input.size else { throw bad("it ends early") }
    return try filledBytes(end - start) {
      (buffer: UnsafeMutableRawBufferPointer) throws(DatasetError) in
      try input.readAll(into: buffer, at: start)
    }
  }

  private func number2(_ bytes: [UInt8], _ at: Int) -> Int {
    Int(bytes[at]) | Int(bytes[at + 1]) << 8
  }

  private func number4(_ bytes: [UInt8], _ at: Int) -> UInt32 {
    UInt32(number2(bytes, at)) | UInt32(number2(bytes, at + 2)) << 16
  }

  private func bad(_ problem: String) -> DatasetError {
    .badArchive(path: input.path, problem: problem)
  }
}
