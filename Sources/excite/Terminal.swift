import ArgumentParser
@preconcurrency import Dispatch
import Foundation
import Reports
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Columns of the terminal behind a file descriptor; nil where there is none.
func terminalWidth(of descriptor: Int32) -> Int? {
  guard isatty(descriptor) != 0 else { return nil }
  var size = winsize()
  guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
  return Int(size.ws_col)
}

/// How standard output shows tables.
func outputStyle() -> TerminalStyle {
  TerminalStyle.detect(
    isTerminal: isatty(STDOUT_FILENO) != 0, environment: ProcessInfo.processInfo.environment,
    width: terminalWidth(of: STDOUT_FILENO))
}

/// Progress on standard error: one rewritten line on a terminal, a line per tenth elsewhere.
final class ProgressPrinter: Sendable {
  private let lines = Mutex(ProgressLine())
  private let isQuiet: Bool

  init(isQuiet: Bool) { self.isQuiet = isQuiet }

  func show(_ snapshot: ProgressSnapshot) {
    guard !isQuiet else { return }
    lines.withLock { lines in
      if let width = terminalWidth(of: STDERR_FILENO) {
        writeToStandardError(ProgressLine.terminalUpdate(snapshot, width: width))
      } else if let line = lines.plainLine(snapshot) {
        writeToStandardError(line + "\n")
      }
    }
  }

  /// Says something besides, also where progress is not wanted.
  func note(_ text: String) {
    lines.withLock { _ in
      clear()
      writeToStandardError("note: \(text)\n")
    }
  }

  func clear() {
    if !isQuiet, terminalWidth(of: STDERR_FILENO) != nil {
      writeToStandardError(ProgressLine.clear)
    }
  }
}

/// Ctrl-C, SIGTERM and SIGUSR2 as a question: has someone asked to stop? A second signal ends at
/// once.
final class StopRequest: Sendable {
  /// One for the whole process: signals are not delivered to the sources of a second one, and who
  /// asks to stop means all experiments of the command.
  static let shared = StopRequest()

  /// The exit code to end with; 0 while nobody asked.
  private let requested = Atomic<Int32>(0)
  private let sources: [any DispatchSourceSignal]

  private init() {
    let queue = DispatchQueue(label: "excite.signals")
    let codes = [
      (SIGINT, Failure.interrupted), (SIGTERM, Failure.terminated),
      (SIGUSR2, Failure.toBeContinued),
    ]
    let watched = codes.map { number, code in
      signal(number, SIG_IGN)
      return (DispatchSource.makeSignalSource(signal: number, queue: queue), code.rawValue)
    }
    sources = watched.map(\.0)
    for (source, code) in watched {
      source.setEventHandler { [self] in
        let earlier = requested.exchange(code, ordering: .relaxed)
        if earlier != 0 { _exit(earlier) }
      }
      source.resume()
    }
  }

  var isSet: Bool { code != nil }

  /// What to end with if something is left; nil while nobody asked to stop.
  var code: ExitCode? {
    let code = requested.load(ordering: .relaxed)
    return code == 0 ? nil : ExitCode(code)
  }
}
