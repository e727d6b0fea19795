import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Writes text so that `path` holds all of it or what it held before: to a temporary file beside
/// it, flushed to disk, then renamed.
/// - Throws: `.unwritable` with the system's reason (no space, no permission, …).
func writeFile(_ text: String, to path: String) throws(RunnerError) {
  let temporary = "\(path).\(getpid()).tmp"
  let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
  guard descriptor >= 0 else { throw .unwritable(path: path, reason: systemReason()) }
  var bytes = Array(text.utf8)[...]
  var failure: String?
  while !bytes.isEmpty {
    let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    if count < 0 {
      if errno == EINTR { continue }
      failure = systemReason()
      break
    }
    bytes = bytes.dropFirst(count)
  }
  if close(descriptor) != 0, failure == nil { failure = systemReason() }
  if failure == nil, rename(temporary, path) != 0 { failure = systemReason() }
  if let failure {
    unlink(temporary)
    throw .unwritable(path: path, reason: failure)
  }
}

/// Makes a folder and those above it, and proves that it can be written to.
func prepareFolder(_ path: String) throws(RunnerError) {
  do {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  } catch {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue {
      throw .unwritable(path: path, reason: "a file stands where a folder should be")
    }
    throw .unwritable(path: path, reason: error.localizedDescription)
  }
  guard access(path, W_OK) == 0 else { throw .unwritable(path: path, reason: systemReason()) }
}

private func systemReason() -> String { String(cString: strerror(errno)) }
