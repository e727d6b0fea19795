import ArgumentParser
import Experiments
import Foundation
import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Exit codes: 64 (EX_USAGE) for a bad command or config, 1 for a failed run, 130 after Ctrl-C and
/// 143 after SIGTERM, as a shell counts them, 75 (EX_TEMPFAIL) after SIGUSR2, by which a batch system
/// asks to be called again, 76 where that came before anything was done.
enum Failure {
  static let failedRun = ExitCode(1)
  static let interrupted = ExitCode(128 + SIGINT)
  static let terminated = ExitCode(128 + SIGTERM)
  static let toBeContinued = ExitCode(SlurmScript.exitCode)
  static let idle = ExitCode(SlurmScript.idleExitCode)

  /// Prints the error, one "error: " per line, and gives the exit code that belongs to it.
  static func exit(_ error: RunnerError) -> ExitCode {
    printError(error.description)
    switch error {
    case .config, .tooLarge, .noRoom: return .validationFailure
    default: return failedRun
    }
  }

  static func exit(_ error: ConfigError) -> ExitCode { exit(.config(error)) }
}

func printError(_ message: String) {
  for line in message.split(separator: "\n") { writeToStandardError("error: \(line)\n") }
}

func writeToStandardError(_ text: String) {
  // Progress that cannot be shown must not end a run.
  _ = Array(text.utf8).withUnsafeBytes { writeAll($0, to: STDERR_FILENO) }
}

/// Writes a result to standard output.
/// - Returns: the exit code where that failed, after saying so.
func writeToStandardOutput(_ text: String) -> ExitCode? {
  let line = text.utf8.last == UInt8(ascii: "\n") ? text : text + "\n"
  guard let reason = Array(line.utf8).withUnsafeBytes({ writeAll($0, to: STDOUT_FILENO) }) else {
    return nil
  }
  printError("standard output: cannot be written: \(reason)")
  return Failure.failedRun
}
