import Datasets
import Foundation
import Tensors

/// A tokenizer by its name.
///
/// - Parameters:
///   - vocabulary: a folder with `encoder.json` and `vocab.bpe`, for `gpt2` alone; nil means `gpt2`
///     in the data directory.
///   - trainingText: UTF-8 whose words `word` knows; the others need none.
///   - directory: the data directory; nil means `DataDirectory.resolve` without a flag.
/// - Throws: `.missingVocabulary` with the command that fetches it, `.superfluousVocabulary`,
///   `.notUTF8` of the training text; what `BytePairTokenizer` throws.
public func loadTokenizer(
  _ name: TokenizerName, vocabulary: String? = nil, trainingText: [UInt8] = [],
  directory: URL? = nil
) throws(TextError) -> Tokenizer {
  if name != .gpt2, vocabulary != nil { throw .superfluousVocabulary(tokenizer: name) }
  switch name {
  case .byte: return .bytes
  case .word:
    if let offset = trainingText.withUnsafeBytes({ firstInvalidUTF8(in: $0) }) {
      throw .notUTF8(offset: offset)
    }
    return .words(trainingText.withUnsafeBufferPointer { WordTokenizer(trainingText: $0) })
  case .gpt2:
    let environment = ProcessInfo.processInfo.environment
    let data = directory ?? DataDirectory.resolve(flag: nil, environment: environment)
    let folder =
      vocabulary.map { URL(fileURLWithPath: $0, isDirectory: true) }
      ?? data.appendingPathComponent("gpt2", isDirectory: true)
    let files = ["encoder.json", "vocab.bpe"]
    let paths = files.map { folder.appendingPathComponent($0, isDirectory: false).path }
    guard paths.allSatisfy({ FileManager.default.fileExists(atPath: $0) }) else {
      throw .missingVocabulary(
        directory: folder.path, lookedFor: files,
        fetchCommand: DataDirectory.fetchCommand(
          .gpt2, directory: data, environment: environment))
    }
    return .bytePairs(try BytePairTokenizer(encoder: paths[0], merges: paths[1]))
  }
}

/// A file's tokens, without keeping them.
public struct EncodedFile: Sendable {
  public let tokens: TokenBuffer
  public let counts: TextCounts
  public let vocabularySize: Int
  /// For the encoding alone, of text that is in memory.
  public let seconds: Double
}

/// Encodes one file; with `word`, by the words that are in it.
///
/// - Parameters: as those of `loadTokenizer`.
/// - Throws: `.data` where the file is missing, empty, unreadable or not UTF-8; what
///   `loadTokenizer` throws.
public func encodeFile(
  _ path: String, tokenizer name: TokenizerName, vocabulary: String? = nil,
  directory: URL? = nil, workers: Workers = Workers()
) throws(TextError) -> EncodedFile {
  let text = try readTextFile(path)
  let tokenizer = try loadTokenizer(
    name, vocabulary: vocabulary, trainingText: name == .word ? text : [], directory: directory)
  return text.withUnsafeBufferPointer { text in
    let start = DispatchTime.now().uptimeNanoseconds
    let tokens = tokenizer.buffer(text, workers)
    let seconds = Double(DispatchTime.now().uptimeNanoseconds - start) * 1e-9
    return EncodedFile(
      tokens: tokens, counts: TextCounts(of: text), vocabularySize: tokenizer.vocabularySize,
      seconds: seconds)
  }
}
