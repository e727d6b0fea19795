/// Where bytes stop being UTF-8.
///
/// - Returns: the offset of the first byte that belongs to no well-formed sequence; nil where all
///   do. Overlong forms, surrogates and scalars above U+10FFFF are ill-formed, as is a sequence
///   cut off by the end.
/// - Source: the Unicode Standard, table 3-7.
package func firstInvalidUTF8(in bytes: UnsafeRawBufferPointer) -> Int? {
  let highBits: UInt64 = 0x8080_8080_8080_8080
  let count = bytes.count
  var at = 0
  while at < count {
    while at + 8 <= count, bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self) & highBits == 0
    {
      at += 8
    }
    guard at < count else { return nil }
    let lead = bytes[at]
    if lead < 0x80 {
      at += 1
      continue
    }
    let length: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch lead {
    case 0xC2...0xDF: length = 2
    case 0xE0:
      length = 3
      second = 0xA0...0xBF
    case 0xED:
      length = 3
      second = 0x80...0x9F
    case 0xE1...0xEF: length = 3
    case 0xF0:
      length = 4
      second = 0x90...0xBF
    case 0xF1...0xF3: length = 4
    case 0xF4:
      length = 4
      second = 0x80...0x8F
    default: return at
    }
    guard at + length <= count, second.contains(bytes[at + 1]) else { return at }
    for i in 2..<max(2, length) where bytes[at + i] & 0xC0 != 0x80 { return at }
    at += length
  }
  return nil
}

/// The contents of a text file.
///
/// - Throws: `.noFile`, `.emptyText`, `.notUTF8`, `.directoryInPlaceOfFile`, `.unreadable`,
///   `.truncated` where it shrinks meanwhile.
package func readUTF8File(_ path: String) throws(DatasetError) -> [UInt8] {
  guard let file = try InputFile.openIfPresent(path) else { throw .noFile(path: path) }
  return try readUTF8(file)
}

func readUTF8(_ file: InputFile) throws(DatasetError) -> [UInt8] {
  guard file.size > 0 else { throw .emptyText(path: file.path) }
  let bytes = try filledBytes(file.size) {
    (buffer: UnsafeMutableRawBufferPointer) throws(DatasetError) in
    try file.readAll(into: buffer, at: 0)
  }
  if let offset = bytes.withUnsafeBytes({ firstInvalidUTF8(in: $0) }) {
    throw .notUTF8(path: file.path, offset: offset)
  }
  return bytes
}
