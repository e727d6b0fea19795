import Foundation

/// What one input did that it must not do.
struct Violation: Error {
  let what: String
}

/// A reader of bytes from outside, as the fuzzer sees it.
protocol Reader {
  /// Inputs that are right, or nearly so, to begin from.
  var seeds: [[UInt8]] { get }
  /// Words of the format that chance would hardly find.
  var words: [String] { get }
  /// Reads an input. Errors of the reader are what it is for; what it must not do is thrown.
  func read(_ input: [UInt8]) throws
}

extension Reader {
  var words: [String] { [] }
}

/// Every reader by the name that the command line gives it.
enum ReaderName: String, CaseIterable {
  case config, cifar10, cifar100, svhn, safetensors, weights, checkpoint, position
  case tar, targz, zip, encoder, merges, text, tokens
  case experiment, result, metrics, experts, classes, timing, claim

  /// - Parameter sandbox: an empty folder of its own.
  func open(_ sandbox: Sandbox) throws -> any Reader {
    switch self {
    case .config: try ConfigReader(sandbox)
    case .cifar10: CIFARReader(sandbox, labelBytes: 1)
    case .cifar100: CIFARReader(sandbox, labelBytes: 2)
    case .svhn: SVHNReader(sandbox)
    case .safetensors: try SafetensorsReader(sandbox)
    case .weights: try WeightsReader(sandbox)
    case .checkpoint: try CheckpointReader(sandbox, isPosition: false)
    case .position: try CheckpointReader(sandbox, isPosition: true)
    case .tar: ArchiveReader(sandbox, .tar)
    case .targz: ArchiveReader(sandbox, .tarGzip)
    case .zip: ArchiveReader(sandbox, .zip)
    case .encoder: try VocabularyReader(sandbox, file: "encoder.json")
    case .merges: try VocabularyReader(sandbox, file: "vocab.bpe")
    case .text: try TextReader(sandbox)
    case .tokens: try TokenCacheReader(sandbox)
    case .experiment: try StoreReader(sandbox, .experiment)
    case .result: try StoreReader(sandbox, .result)
    case .metrics: try StoreReader(sandbox, .metrics)
    case .experts: try StoreReader(sandbox, .experts)
    case .classes: try StoreReader(sandbox, .classes)
    case .timing: try StoreReader(sandbox, .timing)
    case .claim: try StoreReader(sandbox, .claim)
    }
  }
}

/// A folder of a reader's own.
final class Sandbox {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory
      .appendingPathComponent("excite-fuzz-\(UUID().uuidString)", isDirectory: true)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }

  func write(_ bytes: [UInt8], to name: String) throws {
    let file = url.appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: file)
  }

  func write(_ text: String, to name: String) throws { try write(Array(text.utf8), to: name) }
}

/// Holds an error's text to what every one promises: plain lines, each of reasonable length.
/// - Parameter lines: how many there may be.
func check(_ error: some CustomStringConvertible, lines: Int = 1) throws {
  let text = error.description
  let found = text.split(separator: "\n", omittingEmptySubsequences: false)
  let isPlain = text.unicodeScalars.allSatisfy {
    $0 == "\n" || ($0.properties.generalCategory != .control && $0 != "\u{2028}")
  }
  guard isPlain, found.count <= lines, found.allSatisfy({ !$0.isEmpty && $0.count < 4000 }) else {
    throw Violation(what: "an error that is not one plain line: \(text.debugDescription)")
  }
}
