import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What the system says about the last call that failed.
public func systemReason(_ code: Int32 = errno) -> String { String(cString: strerror(code)) }

/// Writes a file so that `path` holds all of the parts in order, or what it held before: to a
/// temporary file beside it, then renamed.
/// - Returns: the system's reason where it failed (no space, no permission, …), else nil.
public func replaceFile(at path: String, with parts: [UnsafeRawBufferPointer]) -> String? {
  let temporary = "\(path).\(getpid()).tmp"
  let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
  guard descriptor >= 0 else { return systemReason() }
  var failure: String?
  for part in parts where failure == nil { failure = writeAll(part, to: descriptor) }
  if close(descriptor) != 0, failure == nil { failure = systemReason() }
  if failure == nil, rename(temporary, path) != 0 { failure = systemReason() }
  if failure != nil { unlink(temporary) }
  return failure
}

/// Adds to a file's end, all of the bytes or none.
/// - Returns: the system's reason where it failed, else nil.
public func appendToFile(at path: String, _ bytes: UnsafeRawBufferPointer) -> String? {
  let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
  guard descriptor >= 0 else { return systemReason() }
  let end = lseek(descriptor, 0, SEEK_END)
  var failure = writeAll(bytes, to: descriptor)
  // Half a line would be read as a whole one.
  if failure != nil { ftruncate(descriptor, end) }
  if close(descriptor) != 0, failure == nil { failure = systemReason() }
  return failure
}

/// Writes all bytes to an open file.
/// - Returns: the system's reason where it failed, else nil.
public func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> String? {
  var done = 0
  while done < bytes.count {
    let count = write(descriptor, bytes.baseAddress! + done, bytes.count - done)
    if count < 0 {
      if errno == EINTR { continue }
      return systemReason()
    }
    done += count
  }
  return nil
}
