import Foundation
import Synchronization
import Testing

/// A built program beside the test program; `excite` may be the one that EXCITE_TEST_BINARY names.
enum Program {
  struct Missing: Error, CustomStringConvertible {
    let name: String
    let looked: [String]
    var description: String {
      "no program \(name) at \(looked.joined(separator: ", ")); build it, or name one in "
        + "EXCITE_TEST_BINARY"
    }
  }

  private final class Marker {}

  static func path(_ name: String = "excite") throws -> String {
    if name == "excite", let named = ProcessInfo.processInfo.environment["EXCITE_TEST_BINARY"] {
      return named
    }
    // The bundle is a folder on macOS and the running program itself on Linux.
    var tests = [
      Bundle(for: Marker.self).bundleURL, URL(fileURLWithPath: CommandLine.arguments[0]),
    ]
    if let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") {
      tests.insert(URL(fileURLWithPath: link), at: 0)
    }
    let places = tests.map { $0.deletingLastPathComponent().appendingPathComponent(name).path }
    guard let place = places.first(where: FileManager.default.isExecutableFile) else {
      throw Missing(name: name, looked: places)
    }
    return place
  }
}

/// What a program left when it ended.
struct Output: Sendable {
  let stdout: String
  let stderr: String
  /// The exit code, or 128 + signal where a signal ended the program, as a shell counts.
  let status: Int32

  var lines: [String] { stdout.split(separator: "\n").map(String.init) }
  var errorLines: [String] { stderr.split(separator: "\n").map(String.init) }
}

/// A program at work, both of its outputs being read as they come.
final class Child {
  /// Where an output goes.
  enum Sink {
    case captured
    case handle(FileHandle)
  }

  /// Held from the first pipe to the start, so that no other child inherits this one's pipes and
  /// keeps them open.
  private static let starting = Mutex(())
  /// A child that lives longer hangs.
  private static let secondsToLive = 120.0

  private let process = Process()
  private let ended = DispatchSemaphore(value: 0)
  private var readers: [Reader] = []

  init(
    _ program: String, _ arguments: [String], environment: [String: String], folder: URL,
    input: String?, stdout: Sink = .captured, stderr: Sink = .captured
  ) throws {
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.environment = environment
    process.currentDirectoryURL = folder
    process.terminationHandler = { [ended] _ in ended.signal() }
    try Self.starting.withLock { _ in
      let stdin = Pipe()
      if let input {
        process.standardInput = stdin
        // Inputs here are far smaller than a pipe holds, so this cannot block.
        try stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
      } else {
        process.standardInput = FileHandle.nullDevice
      }
      process.standardOutput = sink(stdout)
      process.standardError = sink(stderr)
      try process.run()
      try stdin.fileHandleForWriting.close()
    }
    for reader in readers { reader.start() }
  }

  private func sink(_ sink: Sink) -> Any {
    let pipe = Pipe()
    readers.append(Reader(pipe.fileHandleForReading))
    if case .handle(let handle) = sink {
      // Its reader then ends at once.
      try? pipe.fileHandleForWriting.close()
      return handle
    }
    return pipe
  }

  func signal(_ number: Int32) { kill(process.processIdentifier, number) }

  var isRunning: Bool { process.isRunning }

  /// Waits until something is so; false when the program ended, or hung, before that.
  func wait(until condition: () -> Bool) -> Bool {
    let pause = 0.005
    for _ in 0..<Int(Self.secondsToLive / pause) {
      if condition() { return true }
      guard process.isRunning else { return condition() }
      Thread.sleep(forTimeInterval: pause)
    }
    return false
  }

  /// Waits for the end and for all of the output. A hung program is killed and fails the test.
  func finish() -> Output {
    if ended.wait(timeout: .now() + Self.secondsToLive) == .timedOut {
      Issue.record("killed after \(Self.secondsToLive) s: \(process.arguments ?? [])")
      signal(SIGKILL)
      ended.wait()
    }
    let text = readers.map { String(decoding: $0.finish(), as: UTF8.self) }
    let signalBase: Int32 = process.terminationReason == .uncaughtSignal ? 128 : 0
    return Output(
      stdout: text[0], stderr: text[1], status: signalBase + process.terminationStatus)
  }
}

/// Reads a file to its end on a thread of its own.
private final class Reader: Sendable {
  private let handle: FileHandle
  private let data = Mutex(Data())
  private let done = DispatchSemaphore(value: 0)

  init(_ handle: FileHandle) { self.handle = handle }

  func start() {
    Thread.detachNewThread { [self] in
      let read = (try? handle.readToEnd()) ?? Data()
      data.withLock { $0 = read }
      done.signal()
    }
  }

  func finish() -> Data {
    done.wait()
    return data.withLock { $0 }
  }
}
