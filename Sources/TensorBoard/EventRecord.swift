/// A named number of an event, such as `loss/train`; TensorBoard groups by what precedes the slash.
public struct Scalar: Hashable, Sendable {
  public let tag: String
  public let value: Float

  public init(_ tag: String, _ value: Float) {
    self.tag = tag
    self.value = value
  }
}

/// What was known after a step.
public struct ScalarEvent: Hashable, Sendable {
  /// Seconds since 1970.
  public let wallTime: Double
  /// Where it stands on TensorBoard's axis: a step or an epoch.
  public let step: Int
  public let scalars: [Scalar]

  public init(wallTime: Double, step: Int, scalars: [Scalar]) {
    self.wallTime = wallTime
    self.step = step
    self.scalars = scalars
  }
}

/// Events as bytes: the protocol buffers `Event` and `Summary` of TensorBoard (`compat/proto`,
/// event.proto and summary.proto), framed as `summary/writer/record_writer.py` does.
enum EventRecord {
  /// The first record of a file.
  static func version(wallTime: Double) -> [UInt8] {
    framed(double(1, wallTime) + bytes(3, Array("brain.Event:2".utf8)))
  }

  static func scalars(_ event: ScalarEvent) -> [UInt8] {
    let values = event.scalars.flatMap { scalar in
      bytes(1, bytes(1, Array(scalar.tag.utf8)) + float(2, scalar.value))
    }
    return framed(
      double(1, event.wallTime) + integer(2, event.step) + bytes(5, values))
  }

  /// Length, checksum of the length, data, checksum of the data; numbers little-endian.
  private static func framed(_ data: [UInt8]) -> [UInt8] {
    let length = littleEndian(UInt64(data.count))
    return length + littleEndian(maskedChecksum(length)) + data
      + littleEndian(maskedChecksum(data))
  }

  // Protocol buffers: each field starts with number · 8 + the kind of what follows.

  private static func integer(_ field: UInt64, _ value: Int) -> [UInt8] {
    varint(field << 3) + varint(UInt64(bitPattern: Int64(value)))
  }

  private static func double(_ field: UInt64, _ value: Double) -> [UInt8] {
    varint(field << 3 | 1) + littleEndian(value.bitPattern)
  }

  private static func bytes(_ field: UInt64, _ value: [UInt8]) -> [UInt8] {
    varint(field << 3 | 2) + varint(UInt64(value.count)) + value
  }

  private static func float(_ field: UInt64, _ value: Float) -> [UInt8] {
    varint(field << 3 | 5) + littleEndian(value.bitPattern)
  }

  /// Seven bits a byte, the lowest first, each but the last with its high bit set.
  private static func varint(_ value: UInt64) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = value
    while rest > 0x7F {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }

  private static func littleEndian<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }

  /// CRC-32C, turned and shifted so that a checksum of data with checksums in it stays useful
  /// (TensorFlow's lib/hash/crc32c.h).
  private static func maskedChecksum(_ bytes: [UInt8]) -> UInt32 {
    let delta: UInt32 = 0xA282_EAD8
    let sum = checksum(bytes)
    return (sum >> 15 | sum << 17) &+ delta
  }

  /// CRC-32C (Castagnoli), lowest bit first, bit by bit: records have about a hundred bytes.
  private static func checksum(_ bytes: [UInt8]) -> UInt32 {
    let polynomial: UInt32 = 0x82F6_3B78
    var sum = UInt32.max
    for byte in bytes {
      sum ^= UInt32(byte)
      for _ in 0..<8 { sum = sum >> 1 ^ (sum & 1 == 1 ? polynomial : 0) }
    }
    return ~sum
  }
}
