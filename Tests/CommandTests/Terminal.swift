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
    var ends: (screen: Int32, program: Int32) = (-1, -1)
    guard openpty(&ends.screen, &ends.program, nil, nil, nil) == 0 else { return nil }
    screen = ends.screen
    program = FileHandle(fileDescriptor: ends.program, closeOnDealloc: true)
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
