import Foundation
import Tensors

/// Unpacks a tar.gz of regular files and folders; ustar, with GNU's and POSIX's long names.
///
/// What a data archive has no use for is refused rather than followed: links, devices, absolute
/// paths, `..`, entries outside the expected folder.
///
/// Source: POSIX pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format".
struct TarArchive {
  private static let block = 512
  /// Room for long names and such; ours are shorter than 100 bytes.
  private static let mostHeaderBytes = 1 << 16

  let input: InputFile
  /// The folder that every entry must lie in.
  let folder: String
  /// Bytes that all files may take together.
  let mostBytes: Int
  let mostEntries = 1_000

  /// - Parameters:
  ///   - target: an existing folder.
  ///   - onFile: called with each file's path inside `target` before it is written.
  /// - Throws: `.badArchive`, `.unreadable`, `.unwritable`.
  func unpack(into target: URL, onFile: (String) -> Void) throws(DatasetError) {
    let path = input.path
    let source = try Inflater(input, 0..<input.size, format: .gzip) { found in
      .badArchive(path: path, problem: found)
    }
    var bytes = 0
    var entries = 0
    var longName: String?
    while let header = try nextHeader(source) {
      entries += 1
      guard entries <= mostEntries else { throw bad("more than \(mostEntries) entries") }
      let size = try number(header[124..<136], "size")
      let name = longName ?? ustarName(header)
      switch header[156] {
      case UInt8(ascii: "L"), UInt8(ascii: "x"):
        let content = try headerContent(source, size)
        longName =
          header[156] == UInt8(ascii: "L")
          ? String(decoding: content.prefix { $0 != 0 }, as: UTF8.self)
          : try paxPath(content) ?? longName
        continue
      case UInt8(ascii: "g"):
        _ = try headerContent(source, size)
        continue
      case UInt8(ascii: "5"):
        try makeFolder(try checked(name, in: target))
      case UInt8(ascii: "0"), 0:
        let file = try checked(name, in: target)
        bytes += size
        guard bytes <= mostBytes else {
          throw bad("its files take more than \(grouped(mostBytes)) bytes")
        }
        try makeFolder(file.deletingLastPathComponent())
        onFile(name)
        try write(source, size, to: file, name: name)
      case let type:
        let kinds: [UInt8: String] = [
          UInt8(ascii: "1"): "a hard link", UInt8(ascii: "2"): "a symbolic link",
        ]
        throw bad("\(name) is \(kinds[type] ?? "of type \(type)"), not a file or folder")
      }
      longName = nil
    }
    // To the end, where gzip keeps its checksum; after the last entry come zeros only.
    let rest = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 14, alignment: 16)
    defer { rest.deallocate() }
    var padding = 0
    while true {
      let count = try source.read(into: rest)
      padding += count
      if count < rest.count { break }
      guard padding <= 1 << 20 else { throw bad("data after its end") }
    }
  }

  /// The next header block; nil at the end.
  private func nextHeader(_ source: Inflater) throws(DatasetError) -> [UInt8]? {
    let header = try source.take(Self.block)
    if header.isEmpty || header.allSatisfy({ $0 == 0 }) && header.count == Self.block {
      return nil
    }
    guard header.count == Self.block else { throw bad("it ends inside a header") }
    // The sum of the header's bytes, its own field taken as blanks.
    let sum = header.enumerated().reduce(0) {
      $0 + ((148..<156).contains($1.offset) ? 32 : Int($1.element))
    }
    guard try number(header[148..<156], "checksum") == sum else {
      throw bad("a header's checksum is wrong")
    }
    return header
  }

  private func write(
    _ source: Inflater, _ size: Int, to file: URL, name: String
  ) throws(DatasetError) {
    let output = try OutputFile(file.path)
    guard output.size == 0 else { throw bad("\(name) is in it twice") }
    let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    defer { chunk.deallocate() }
    var left = size
    while left > 0 {
      let part = UnsafeMutableRawBufferPointer(rebasing: chunk[..<min(left, chunk.count)])
      guard try source.read(into: part) == part.count else { throw bad("it ends inside \(name)") }
      try output.append(UnsafeRawBufferPointer(part))
      left -= part.count
    }
    let padding = (Self.block - size % Self.block) % Self.block
    guard try source.take(padding).count == padding else { throw bad("it ends after \(name)") }
  }

  private func headerContent(_ source: Inflater, _ size: Int) throws(DatasetError) -> [UInt8] {
    guard size <= Self.mostHeaderBytes else { throw bad("a header of \(grouped(size)) bytes") }
    let padded = (size + Self.block - 1) / Self.block * Self.block
    let content = try source.take(padded)
    guard content.count == padded else { throw bad("it ends inside a header") }
    return Array(content[..<size])
  }

  /// The `path` of a pax header: records "length key=value\n".
  private func paxPath(_ content: [UInt8]) throws(DatasetError) -> String? {
    var path: String?
    var rest = content[...]
    while !rest.isEmpty {
      guard let blank = rest.firstIndex(of: UInt8(ascii: " ")),
        let length = Int(String(decoding: rest[..<blank], as: UTF8.self)),
        length > blank - rest.startIndex + 1, length <= rest.count
      else { throw bad("a damaged pax header") }
      let record = String(
        decoding: rest[(blank + 1)..<(rest.startIndex + length - 1)], as: UTF8.self)
      if record.hasPrefix("path=") { path = String(record.dropFirst(5)) }
      if record.hasPrefix("size=") { throw bad("an entry of 8 GiB or more") }
      rest = rest[(rest.startIndex + length)...]
    }
    return path
  }

  private func ustarName(_ header: [UInt8]) -> String {
    func text(_ range: Range<Int>) -> String {
      String(decoding: header[range].prefix { $0 != 0 }, as: UTF8.self)
    }
    let name = text(0..<100)
    let isUstar = header[257..<263].elementsEqual([0x75, 0x73, 0x74, 0x61, 0x72, 0])
    let prefix = isUstar ? text(345..<500) : ""
    return prefix.isEmpty ? name : prefix + "/" + name
  }

  /// An octal field, ended by NUL or blank.
  private func number(_ field: ArraySlice<UInt8>, _ what: String) throws(DatasetError) -> Int {
    let text = String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
      .trimmingCharacters(in: .whitespaces)
    guard !text.isEmpty, text.utf8.allSatisfy({ (48...55).contains($0) }),
      let value = Int(text, radix: 8)
    else { throw bad("a header's \(what) is not an octal number") }
    return value
  }

  private func checked(_ name: String, in target: URL) throws(DatasetError) -> URL {
    try placeOfEntry(name, of: input.path, folder: folder, in: target)
  }

  private func bad(_ problem: String) -> DatasetError {
    .badArchive(path: input.path, problem: problem)
  }
}
