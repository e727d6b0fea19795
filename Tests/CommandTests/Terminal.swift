import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A pseudo-terminal.
final class Terminal {
  /// The end for a program's output; closed by `readToEnd`.
  let program: FileHandle
  private let screen: Int32

  init?() {
    screen = posix_openpt(O_RDWR | O_NOCTTY)
    guard screen >= 0, grantpt(screen) == 0, unlockpt(screen) == 0, let name = ptsname(screen)
    else { return nil }
    let descriptor = open(name, O_RDWR | O_NOCTTY)
    guard descriptor >= 0 else { return nil }
    program = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }

  deinit { close(screen) }

  /// What was written until the program let go of the terminal. Call it after the start.
  func readToEnd() throws -> String {
    try program.close()
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(screen, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      // Linux ends with EIO, others with 0.
      guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
      bytes += buffer[..<count]
    }
  }
}
