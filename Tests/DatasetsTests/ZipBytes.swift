/// Zip files, record by record (PKWARE, APPNOTE.TXT).
struct ZipBytes {
  var bytes: [UInt8] = []
  var directory: [UInt8] = []
  var count = 0

  /// - Parameters:
  ///   - method: 0 stored, 8 deflated.
  ///   - size: what the directory says, where it is not the content's.
  ///   - mode: the file's mode, as Unix writes it.
  mutating func add(
    _ name: String, _ content: [UInt8] = [], method: Int = 8, flags: Int = 0, size: Int? = nil,
    crc: UInt32? = nil, mode: Int = 0o100644, offset: Int? = nil
  ) {
    let packed = method == 8 ? Deflated.raw(content) : content
    let sum = crc ?? Deflated.crc32(content)
    let common =
      Self.little(20, 2) + Self.little(flags, 2) + Self.little(method, 2) + Self.little(0, 4)
      + Self.little(Int(sum), 4) + Self.little(packed.count, 4)
      + Self.little(size ?? content.count, 4) + Self.little(name.utf8.count, 2)
    directory += Self.little(0x0201_4B50, 4) + [20, 3] + common + Self.little(0, 2 + 2 + 2 + 2)
    directory += Self.little(mode << 16, 4) + Self.little(offset ?? bytes.count, 4)
    directory += Array(name.utf8)
    bytes += Self.little(0x0403_4B50, 4) + common + Self.little(3, 2) + Array(name.utf8)
    // An extra field that only the file's own header has.
    bytes += [1, 2, 3] + packed
    count += 1
  }

  /// With the directory and its end record.
  func file(comment: String = "", count: Int? = nil, directoryOffset: Int? = nil) -> [UInt8] {
    let entries = Self.little(count ?? self.count, 2)
    return bytes + directory + Self.little(0x0605_4B50, 4) + Self.little(0, 4) + entries + entries
      + Self.little(directory.count, 4) + Self.little(directoryOffset ?? bytes.count, 4)
      + Self.little(comment.utf8.count, 2) + Array(comment.utf8)
  }

  static func little(_ number: Int, _ bytes: Int) -> [UInt8] {
    (0..<bytes).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
  }
}
