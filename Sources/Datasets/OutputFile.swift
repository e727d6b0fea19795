import Tensors

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A file open for writing; closed when the last reference goes.
final class OutputFile {
  let path: String
  private let descriptor: Int32
  private(set) var size: Int

  /// Opens `path`, made where it is missing; what is in it stays.
  init(_ path: String) throws(DatasetError) {
    descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
    self.path = path
    size = 0
    guard descriptor >= 0 else { throw .unwritable(path: path, reason: systemReason()) }
    let end = lseek(descriptor, 0, SEEK_END)
    guard end >= 0 else { throw .unwritable(path: path, reason: systemReason()) }
    size = Int(end)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Writes behind what is there.
  func append(_ bytes: UnsafeRawBufferPointer) throws(DatasetError) {
    var done = 0
    while done < bytes.count {
      let count = write(descriptor, bytes.baseAddress! + done, bytes.count - done)
      if count < 0 {
        if errno == EINTR { continue }
        throw .unwritable(path: path, reason: systemReason())
      }
      done += count
      size += count
    }
  }

  func removeAllBytes() throws(DatasetError) {
    guard ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else {
      throw .unwritable(path: path, reason: systemReason())
    }
    size = 0
  }
}

/// Holds others off while a set is fetched; let go at `release` and when the process ends.
package struct FileLock {
  package let path: String
  private let descriptor: Int32

  /// - Parameter onWait: called once before a wait for another holder.
  package init(_ path: String, onWait: () -> Void) throws(DatasetError) {
    var told = false
    while true {
      let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
      guard descriptor >= 0 else { throw .lockFailed(path: path, reason: systemReason()) }
      while flock(descriptor, told ? LOCK_EX : LOCK_EX | LOCK_NB) != 0 {
        if errno == EWOULDBLOCK, !told {
          told = true
          onWait()
        } else if errno != EINTR {
          let reason = systemReason()
          close(descriptor)
          throw .lockFailed(path: path, reason: reason)
        }
      }
      // The last holder may have removed the file between `open` and `flock`.
      var mine = stat()
      var named = stat()
      if fstat(descriptor, &mine) == 0, stat(path, &named) == 0, mine.st_ino == named.st_ino,
        mine.st_dev == named.st_dev
      {
        self.path = path
        self.descriptor = descriptor
        return
      }
      close(descriptor)
    }
  }

  package func release() {
    unlink(path)
    close(descriptor)
  }
}
