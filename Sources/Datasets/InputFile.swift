import Tensors

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A regular file open for reading; closed when the last reference goes.
package final class InputFile {
  package let path: String
  package let size: Int
  package let descriptor: Int32

  /// - Returns: nil where there is no file.
  /// - Throws: `.directoryInPlaceOfFile`, `.unreadable`.
  package static func openIfPresent(_ path: String) throws(DatasetError) -> InputFile? {
    // Without O_NONBLOCK, opening a pipe waits for its writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw .unreadable(path: path, reason: systemReason())
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let reason = systemReason()
      close(descriptor)
      throw .unreadable(path: path, reason: reason)
    }
    let kind = status.st_mode & S_IFMT
    guard kind == S_IFREG else {
      close(descriptor)
      if kind == S_IFDIR { throw .directoryInPlaceOfFile(path: path) }
      throw .unreadable(path: path, reason: "not a regular file")
    }
    return InputFile(path: path, size: Int(status.st_size), descriptor: descriptor)
  }

  private init(path: String, size: Int, descriptor: Int32) {
    self.path = path
    self.size = size
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Fills as much of `buffer` as the file has from `offset` on.
  ///
  /// - Returns: bytes read, less than the buffer's only at the file's end.
  package func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(DatasetError) -> Int {
    var done = 0
    while done < buffer.count {
      let count = pread(
        descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(offset + done))
      if count == 0 { break }
      if count < 0 {
        if errno == EINTR { continue }
        throw .unreadable(path: path, reason: systemReason())
      }
      done += count
    }
    return done
  }

  /// As `read`, for bytes that the file's size says are there.
  package func readAll(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(DatasetError) {
    let count = try read(into: buffer, at: offset)
    guard count == buffer.count else {
      throw .truncated(
        path: path, expectedBytes: offset + buffer.count, foundBytes: offset + count)
    }
  }
}

/// An array that `body` fills in place: no zeroing, no growing.
package func filledBytes(
  _ count: Int, _ body: (UnsafeMutableRawBufferPointer) throws(DatasetError) -> Void
) throws(DatasetError) -> [UInt8] {
  // The standard library's initializer throws without a type.
  var failure: DatasetError?
  let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
    do throws(DatasetError) {
      try body(UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: count))
      filled = count
    } catch {
      failure = error
    }
  }
  if let failure { throw failure }
  return bytes
}
