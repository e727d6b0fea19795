import CProcess
import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What this process and its machine have of memory, where the system tells.
enum ProcessMemory {
  /// Bytes that the allocator has given out and not got back.
  static var allocated: Int? {
    let bytes = excite_allocated_bytes()
    return bytes < 0 ? nil : Int(bytes)
  }

  /// The most bytes that were resident at once since `forgetPeak`, whole pages.
  static var peakResident: Int? {
    kilobytes(in: "/proc/self/status", of: "VmHWM:").map { $0 * 1024 }
  }

  /// Begins a new peak (Linux: proc(5), clear_refs); without leave to, the old one stands.
  static func forgetPeak() {
    guard let file = FileHandle(forWritingAtPath: "/proc/self/clear_refs") else { return }
    try? file.write(contentsOf: Data("5".utf8))
    try? file.close()
  }

  /// Bytes that programs may still take.
  static var available: Double? {
    kilobytes(in: "/proc/meminfo", of: "MemAvailable:").map { Double($0) * 1024 }
  }

  /// Bytes of address space that this process may still take; nil where nothing limits it.
  static var addressSpaceLeft: Double? {
    var limit = rlimit()
    #if canImport(Glibc)
      let status = getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
    #else
      let status = getrlimit(RLIMIT_AS, &limit)
    #endif
    guard status == 0, limit.rlim_cur < 1 << 60 else { return nil }
    let used = kilobytes(in: "/proc/self/status", of: "VmSize:").map { $0 * 1024 } ?? 0
    return max(0, Double(limit.rlim_cur) - Double(used))
  }

  private static func kilobytes(in file: String, of key: String) -> Int? {
    let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix(key) }
    return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
  }
}
