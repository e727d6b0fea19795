/// MATLAB v5 files, byte by byte ("MAT-File Format", MathWorks, chapter 1).
struct MATBytes {
  var bigEndian = false
  var bytes: [UInt8] = []

  init(bigEndian: Bool = false, version: UInt16 = 0x0100) {
    self.bigEndian = bigEndian
    // 116 bytes of text, 8 of an offset that is not used, the version, and 0x4D49.
    bytes = Array("MATLAB 5.0 MAT-file, made by a test".utf8)
    bytes += [UInt8](repeating: 0x20, count: 124 - bytes.count)
    bytes += integer(UInt64(version), 2) + integer(0x4D49, 2)
  }

  func integer(_ value: UInt64, _ size: Int) -> [UInt8] {
    let little = (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    return bigEndian ? little.reversed() : little
  }

  func numbers(_ values: [Double]) -> [UInt8] {
    values.flatMap { integer($0.bitPattern, 8) }
  }

  /// An element, padded to 8 bytes; up to 4 bytes go into the tag where `small` is said.
  func element(_ type: UInt32, _ data: [UInt8], small: Bool = false) -> [UInt8] {
    if small {
      return integer(UInt64(data.count) << 16 | UInt64(type), 4) + data
        + [UInt8](repeating: 0, count: 4 - data.count)
    }
    return integer(UInt64(type), 4) + integer(UInt64(data.count), 4) + data
      + [UInt8](repeating: 0, count: (8 - data.count % 8) % 8)
  }

  /// A matrix: its flags, dimensions, name and data.
  func matrix(
    _ name: String, arrayClass: UInt64, dimensions: [Int], data: [UInt8], flags: UInt64 = 0
  ) -> [UInt8] {
    let content =
      element(6, integer(arrayClass | flags, 4) + integer(0, 4))
      + element(5, dimensions.flatMap { integer(UInt64(bitPattern: Int64($0)), 4) })
      + element(1, Array(name.utf8), small: (1...4).contains(name.utf8.count)) + data
    return element(14, content)
  }

  /// `X`: pixel (row, column) of channel c of image n is 7·row + 3·column + 50·c + 11·n mod 256.
  func images(_ count: Int, dimensions: [Int]? = nil) -> [UInt8] {
    var data: [UInt8] = []
    // The first axis, rows, runs fastest.
    for n in 0..<count {
      for c in 0..<3 {
        for column in 0..<32 {
          for row in 0..<32 { data.append(UInt8((7 * row + 3 * column + 50 * c + 11 * n) % 256)) }
        }
      }
    }
    return matrix(
      "X", arrayClass: 9, dimensions: dimensions ?? [32, 32, 3, count], data: element(2, data))
  }

  /// The same pixels, as the reader should give them: [N, 3, row, column].
  static func expectedImages(_ count: Int) -> [UInt8] {
    var images: [UInt8] = []
    for n in 0..<count {
      for c in 0..<3 {
        for row in 0..<32 {
          for column in 0..<32 {
            images.append(UInt8((7 * row + 3 * column + 50 * c + 11 * n) % 256))
          }
        }
      }
    }
    return images
  }

  /// `y` as MATLAB keeps it: class double (6), stored as bytes because the values allow it.
  func labels(_ values: [UInt8]) -> [UInt8] {
    matrix(
      "y", arrayClass: 6, dimensions: [values.count, 1],
      data: element(2, values, small: values.count <= 4))
  }

  /// A compressed element: these bytes in a zlib stream. Such an element has no padding.
  func compressed(_ content: [UInt8]) -> [UInt8] {
    let stream = Deflated.zlib(content)
    return integer(15, 4) + integer(UInt64(stream.count), 4) + stream
  }
}

/// zlib and gzip streams of stored blocks, which need no compressor: RFC 1950, 1951, 1952.
enum Deflated {
  static func zlib(_ content: [UInt8]) -> [UInt8] {
    var a: UInt32 = 1
    var b: UInt32 = 0
    for byte in content {
      a = (a + UInt32(byte)) % 65521
      b = (b + a) % 65521
    }
    let sum = b << 16 | a
    return [0x78, 0x01] + blocks(content)
      + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: sum >> $0) }
  }

  static func crc32(_ content: [UInt8]) -> UInt32 {
    var crc: UInt32 = 0xFFFF_FFFF
    for byte in content {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    return ~crc
  }

  static func raw(_ content: [UInt8]) -> [UInt8] { blocks(content) }

  static func gzip(_ content: [UInt8]) -> [UInt8] {
    let crc = crc32(content)
    return [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255] + blocks(content)
      + [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: crc >> $0) }
      + [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: UInt32(content.count) >> $0) }
  }

  private static func blocks(_ content: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = []
    var start = 0
    repeat {
      let end = min(start + 65535, content.count)
      let count = UInt16(end - start)
      bytes.append(end == content.count ? 1 : 0)
      for half in [count, ~count] { bytes += [UInt8(half & 255), UInt8(half >> 8)] }
      bytes += content[start..<end]
      start = end
    } while start < content.count
    return bytes
  }
}
