import ArgumentParser
import Experiments
import Foundation

/// Exit codes: 64 (EX_USAGE) for a bad command or config, 1 for a failed run, 130 after Ctrl-C.
enum Failure {
  static let failedRun = ExitCode(1)
  static let interrupted = ExitCode(130)

  /// Prints the error, one "error: " per line, and gives the exit code that belongs to it.
  static func exit(_ error: RunnerError) -> ExitCode {
    printError(error.description)
    switch error {
    case .config, .tooLarge: return .validationFailure
    default: return failedRun
    }
  }

  static func exit(_ error: ConfigError) -> ExitCode { exit(.config(error)) }
}

func printError(_ message: String) {
  for line in message.split(separator: "\n") { writeToStandardError("error: \(line)\n") }
}

func writeToStandardError(_ text: String) {
  FileHandle.standardError.write(Data(text.utf8))
}
