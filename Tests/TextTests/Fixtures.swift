import Foundation
import Tensors
import Testing
import Text

/// A folder for one test, removed with the last reference.
final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory
      .appendingPathComponent("excite-text-\(UUID().uuidString)", isDirectory: true)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }

  /// - Returns: the file's path.
  @discardableResult
  func write(_ bytes: some Sequence<UInt8>, to name: String) throws -> String {
    let file = url.appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: file)
    return file.path
  }

  @discardableResult
  func write(_ text: String, to name: String) throws -> String { try write(text.utf8, to: name) }

  func read(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path(name))))
  }

  /// Names in a folder of it, sorted; none where there is no such folder.
  func names(in folder: String = "") -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path(folder))) ?? []).sorted()
  }
}

extension TemporaryFolder {
  /// The small vocabulary, where GPT-2's would be.
  func writeVocabulary(to name: String = "gpt2") throws {
    let files = try [
      ("encoder.json", SmallVocabulary.encoderPath), ("vocab.bpe", SmallVocabulary.mergesPath),
    ]
    for (file, path) in files {
      try write(Data(contentsOf: URL(fileURLWithPath: path)), to: "\(name)/\(file)")
    }
  }
}

/// The small vocabulary of scripts/golden/bpe.py and what the reference tokenizers say with it.
enum SmallVocabulary {
  static func path(_ name: String) throws -> String {
    try #require(Bundle.module.url(forResource: "Fixtures/\(name)", withExtension: nil)).path
  }

  static var encoderPath: String { get throws { try path("bpe.encoder.json") } }
  static var mergesPath: String { get throws { try path("bpe.vocab.bpe") } }

  static func tokenizer() throws -> Tokenizer {
    .bytePairs(try BytePairTokenizer(encoder: encoderPath, merges: mergesPath))
  }

  static func golden() throws -> SafetensorsFile {
    try SafetensorsFile(path: path("bpe.safetensors"))
  }

  /// Hard texts, each with its ids.
  static func cases() throws -> [(text: String, ids: [Int])] {
    let golden = try golden()
    let texts = try JSONDecoder().decode(
      [String].self, from: Data(#require(golden.metadata["texts"]).utf8))
    let ids = try golden.integers("ids")
    var start = 0
    return try zip(texts, golden.integers("counts")).map { text, count in
      defer { start += count }
      return (text, Array(ids[start..<start + count]))
    }
  }
}
