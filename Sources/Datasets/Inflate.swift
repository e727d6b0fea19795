import CZlib

/// Bytes that are read once, from front to back.
protocol ByteSource: AnyObject {
  /// Fills as much of `buffer` as there is.
  ///
  /// - Returns: bytes given, less than the buffer's only at the end.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(DatasetError) -> Int
}

extension ByteSource {
  /// The next `count` bytes, or fewer at the end. For headers: `count` is small.
  func take(_ count: Int) throws(DatasetError) -> [UInt8] {
    var read = 0
    var bytes = try filledBytes(count) {
      (buffer: UnsafeMutableRawBufferPointer) throws(DatasetError) in
      read = try self.read(into: buffer)
      // Whole arrays have to be initialized; the rest is cut off below.
      UnsafeMutableRawBufferPointer(rebasing: buffer[read...]).initializeMemory(
        as: UInt8.self, repeating: 0)
    }
    bytes.removeLast(count - read)
    return bytes
  }
}

/// A range of a file, as it is.
final class FileRange: ByteSource {
  private let file: InputFile
  private var offset: Int
  private let end: Int

  init(_ file: InputFile, _ range: Range<Int>) {
    self.file = file
    offset = range.lowerBound
    end = range.upperBound
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(DatasetError) -> Int {
    let wanted = min(buffer.count, end - offset)
    let count = try file.read(
      into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]), at: offset)
    offset += count
    return count
  }
}

/// What a range of a file inflates to. Memory is one chunk, whatever the data claims.
final class Inflater: ByteSource {
  enum Format: Int32 {
    // zlib's window bits: 15, plus 16 for a gzip header; negative for no header at all.
    case zlib = 15
    case gzip = 31
    case raw = -15
  }

  /// Deflate's greatest ratio: one byte cannot stand for more than this many (zlib's manual).
  static let greatestRatio = 1032

  private let input: FileRange
  private let problem: (String) -> DatasetError
  private let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
  private var stream = z_stream()
  private var ended = false

  /// - Parameter problem: the error to throw where the data is not what a compressor wrote.
  init(
    _ file: InputFile, _ range: Range<Int>, format: Format,
    problem: @escaping (String) -> DatasetError
  ) throws(DatasetError) {
    input = FileRange(file, range)
    self.problem = problem
    let size = Int32(MemoryLayout<z_stream>.size)
    guard inflateInit2_(&stream, format.rawValue, ZLIB_VERSION, size) == Z_OK else {
      throw problem("zlib could not be started")
    }
  }

  deinit {
    inflateEnd(&stream)
    chunk.deallocate()
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(DatasetError) -> Int {
    var done = 0
    while done < buffer.count, !ended {
      if stream.avail_in == 0 {
        let count = try input.read(into: chunk)
        guard count > 0 else { throw problem("compressed data that ends early") }
        stream.next_in = chunk.baseAddress!.assumingMemoryBound(to: UInt8.self)
        stream.avail_in = UInt32(count)
      }
      let space = min(buffer.count - done, 1 << 30)
      stream.next_out = (buffer.baseAddress! + done).assumingMemoryBound(to: UInt8.self)
      stream.avail_out = UInt32(space)
      let status = inflate(&stream, Z_NO_FLUSH)
      done += space - Int(stream.avail_out)
      switch status {
      case Z_OK, Z_BUF_ERROR: break
      case Z_STREAM_END: ended = true
      default:
        let detail = stream.msg.map { String(cString: $0) } ?? "zlib status \(status)"
        throw problem("damaged compressed data (\(detail))")
      }
    }
    return done
  }

  /// Reads to the end, where the checksum stands that zlib compares.
  ///
  /// - Parameter allowance: bytes that may still come, such as padding.
  func finish(allowance: Int) throws(DatasetError) {
    let extra = try take(allowance + 1)
    guard extra.count <= allowance else { throw problem("more data than its header says") }
  }
}
