import Tensors

/// What is wrong with data, where, and what was expected there.
public enum DatasetError: Error, Hashable, Sendable, CustomStringConvertible {
  // Finding the data.
  /// Nothing at `path`; `fetchCommand` gets it.
  case missing(set: DataName, file: String, directory: String, fetchCommand: String)
  case directoryInPlaceOfFile(path: String)
  case fileInPlaceOfDirectory(path: String)
  /// The system refused to open or read a file; `reason` is the system's.
  case unreadable(path: String, reason: String)
  case unwritable(path: String, reason: String)

  // What is in it.
  case noFile(path: String)
  case emptyText(path: String)
  /// Text whose byte `offset` belongs to no character.
  case notUTF8(path: String, offset: Int)
  case empty(path: String, expectedBytes: Int)
  case truncated(path: String, expectedBytes: Int, foundBytes: Int)
  case oversized(path: String, expectedBytes: Int, foundBytes: Int)
  /// `record` counts from 0.
  case labelOutOfRange(path: String, record: Int, value: String, allowed: ClosedRange<Int>)
  /// A MATLAB file that is not what SVHN format 2 is: what was read, what should be there.
  case corruptMAT(path: String, offset: Int, found: String, expected: String)

  // What was asked for.
  case limitNotPositive(key: String, value: Int)
  case coarseLabelsOnlyInCIFAR100(set: DatasetName)

  // Fetching.
  /// The catalog has nothing to download under this name.
  case nothingToFetch(name: String, fetchable: [String])
  case sourceNotAURL(text: String)
  case sourceMustBeAFolder(source: String, archives: [String])
  /// Every source failed; in the order tried.
  case allSourcesFailed(name: String, failures: [SourceFailure])
  case badArchive(path: String, problem: String)
  case lockFailed(path: String, reason: String)

  public var description: String {
    switch self {
    case .missing(let set, let file, let directory, let fetchCommand):
      "no \(set.rawValue) data: looked for \(file) in \(directory); fetch it with: \(fetchCommand)"
    case .directoryInPlaceOfFile(let path):
      "\(path): a folder stands where a data file should be"
    case .fileInPlaceOfDirectory(let path):
      "\(path): a file stands where a folder should be"
    case .unreadable(let path, let reason): "\(path): cannot be read: \(reason)"
    case .unwritable(let path, let reason): "\(path): cannot be written: \(reason)"
    case .noFile(let path): "\(path): there is no such file"
    case .emptyText(let path): "\(path): is empty; expected text"
    case .notUTF8(let path, let offset):
      "\(path): not UTF-8 text: byte \(grouped(offset)) belongs to no character"
    case .empty(let path, let expected):
      "\(path): is empty; expected \(grouped(expected)) bytes"
    case .truncated(let path, let expected, let found):
      "\(path): is truncated: expected \(grouped(expected)) bytes, found \(grouped(found))"
    case .oversized(let path, let expected, let found):
      "\(path): is too long: expected \(grouped(expected)) bytes, found \(grouped(found))"
    case .labelOutOfRange(let path, let record, let value, let allowed):
      "\(path): record \(record) has label \(value); "
        + "labels are \(allowed.lowerBound) to \(allowed.upperBound)"
    case .corruptMAT(let path, let offset, let found, let expected):
      "\(path): not a readable SVHN file: at byte \(grouped(offset)) found \(found), "
        + "expected \(expected)"
    case .limitNotPositive(let key, let value):
      "dataset.\(key) is \(value); it must be at least 1"
    case .coarseLabelsOnlyInCIFAR100(let set):
      "dataset.labels is coarse, which only cifar100 has; \(set.rawValue) has fine labels"
    case .nothingToFetch(let name, let fetchable):
      "nothing to fetch under the name \(name); there is \(fetchable.joined(separator: ", "))"
    case .sourceNotAURL(let text): "\(text): not an http or https address"
    case .sourceMustBeAFolder(let source, let archives):
      "\(source): this set is more than one file (\(archives.joined(separator: ", "))), "
        + "so its source must be a folder's address that ends in /"
    case .allSourcesFailed(let name, let failures):
      "\(name) could not be fetched: " + failures.map(\.description).joined(separator: "; ")
        + "; take it from elsewhere with --source, or unpack its files into the data directory"
    case .badArchive(let path, let problem):
      "\(path): cannot be unpacked: \(printable(problem))"
    case .lockFailed(let path, let reason): "\(path): cannot be locked: \(reason)"
    }
  }
}

/// Why one source did not give a file.
public struct SourceFailure: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Reason: Hashable, Sendable {
    /// An answer other than 200 or 206.
    case status(Int)
    /// A web page in place of the file.
    case webPage(contentType: String)
    case length(expected: Int, found: Int)
    /// The length is right and the bytes are not; lower-case hexadecimal.
    case checksum(algorithm: String, expected: String, found: String)
    /// The transfer ended early, `received` of the file's bytes being kept for the next try.
    case brokeOff(received: Int, expected: Int?, detail: String)
    /// No connection at all.
    case unreachable(detail: String)
  }

  public let source: String
  public let reason: Reason

  public init(source: String, reason: Reason) {
    self.source = source
    self.reason = reason
  }

  public var description: String { "\(source): \(reason)" }
}

extension SourceFailure.Reason: CustomStringConvertible {
  public var description: String {
    switch self {
    case .status(let code): "answered HTTP \(code)"
    case .webPage(let contentType):
      "answered with a web page (\(printable(contentType))), not the file"
    case .length(let expected, let found):
      "offers \(grouped(found)) bytes, the file has \(grouped(expected))"
    case .checksum(let algorithm, let expected, let found):
      "wrong \(algorithm): expected \(expected), found \(found)"
    case .brokeOff(let received, let expected, let detail):
      "broke off after \(grouped(received))"
        + (expected.map { " of \(grouped($0))" } ?? "") + " bytes (\(printable(detail)))"
    case .unreachable(let detail): "could not be reached (\(printable(detail)))"
    }
  }
}

/// 170052171 → "170,052,171".
func grouped(_ number: Int) -> String {
  var digits = String(number.magnitude)
  var at = digits.count - 3
  while at > 0 {
    digits.insert(",", at: digits.index(digits.startIndex, offsetBy: at))
    at -= 3
  }
  return number < 0 ? "-" + digits : digits
}
