import CZlib

/// The lowest bytes of a number, the lowest first.
func littleEndian(_ value: Int, _ count: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}

func checksum(_ content: [UInt8]) -> UInt32 {
  UInt32(crc32(crc32(0, nil, 0), content, UInt32(content.count)))
}

enum Wrapping: Int32 {
  // zlib's window bits: 15, plus 16 for a gzip header; negative for no header at all.
  case zlib = 15
  case gzip = 31
  case raw = -15
}

/// Content as zlib packs it.
func deflated(_ content: [UInt8], _ wrapping: Wrapping) -> [UInt8] {
  var stream = z_stream()
  let size = Int32(MemoryLayout<z_stream>.size)
  guard
    deflateInit2_(
      &stream, Z_BEST_SPEED, Z_DEFLATED, wrapping.rawValue, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      size) == Z_OK
  else { return [] }
  defer { deflateEnd(&stream) }
  var input = content
  var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(content.count))) + 64)
  let left = input.withUnsafeMutableBufferPointer { input in
    output.withUnsafeMutableBufferPointer { output in
      stream.next_in = input.baseAddress
      stream.avail_in = UInt32(input.count)
      stream.next_out = output.baseAddress
      stream.avail_out = UInt32(output.count)
      deflate(&stream, Z_FINISH)
      return Int(stream.avail_out)
    }
  }
  output.removeLast(left)
  return output
}
