import ArgumentParser
import Datasets
import Foundation
import Tensors
import Text

extension TokenizerName: ExpressibleByArgument {}

struct TokenizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenize",
    abstract: "Count a text's tokens, before training on it, or write their ids.",
    discussion: """
      Examples:
        excite tokenize book.txt
        excite tokenize book.txt --tokenizer word --json
        excite tokenize book.txt --ids book.ids
      """)

  @Argument(help: ArgumentHelp("UTF-8 text.", valueName: "file"), completion: .file())
  var files: [String]

  @Option(help: ArgumentHelp("gpt2, word or byte.", valueName: "name"))
  var tokenizer = TokenizerName.gpt2

  @Option(
    help: ArgumentHelp(
      "A folder with encoder.json and vocab.bpe; else gpt2 in the data directory.",
      valueName: "dir"),
    completion: .directory)
  var vocabulary: String?

  @OptionGroup var location: DataCommand.Location

  @Option(help: ArgumentHelp("Threads; they change no id.", valueName: "n")) var threads = 1

  @Option(
    help: ArgumentHelp(
      "Write the ids to this file, 32 bits each, little-endian.", valueName: "file"),
    completion: .file())
  var ids: String?

  @Flag(help: "JSON instead of text.") var json = false

  /// One file's numbers, as JSON has them.
  private struct Row: Encodable {
    let file: String
    let bytes: Int
    let words: Int
    let lines: Int
    let tokens: Int
    let vocabularySize: Int
    let seconds: Double
  }

  func validate() throws {
    try checkThreads(threads)
    if ids != nil, files.count > 1 { throw ValidationError("--ids is for one file") }
  }

  func run() throws {
    var rows: [Row] = []
    for file in files {
      let encoded: EncodedFile
      do {
        encoded = try encodeFile(
          file, tokenizer: tokenizer, vocabulary: vocabulary, directory: location.directory,
          workers: Workers(threads))
      } catch {
        printError(error.description)
        throw Failure.failedRun
      }
      rows.append(
        Row(
          file: file, bytes: encoded.counts.bytes, words: encoded.counts.words,
          lines: encoded.counts.lines, tokens: encoded.tokens.count,
          vocabularySize: encoded.vocabularySize, seconds: encoded.seconds))
      if let ids, let reason = write(encoded.tokens, to: ids) {
        printError("\(ids): cannot be written: \(reason)")
        throw Failure.failedRun
      }
    }
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      encoder.keyEncodingStrategy = .convertToSnakeCase
      if let code = writeToStandardOutput(String(decoding: try encoder.encode(rows), as: UTF8.self))
      {
        throw code
      }
    } else {
      for row in rows { print(describe(row)) }
    }
  }

  /// - Returns: the system's reason where it failed, else nil.
  private func write(_ tokens: TokenBuffer, to path: String) -> String? {
    let ids = (0..<tokens.count).map { UInt32(tokens[$0]).littleEndian }
    return ids.withUnsafeBytes { replaceFile(at: path, with: [$0]) }
  }

  private func describe(_ row: Row) -> String {
    // A text of spaces has no words.
    let ratios = String(
      format: "%.2f bytes a token, %.2f tokens a word", Double(row.bytes) / Double(row.tokens),
      Double(row.tokens) / Double(max(1, row.words)))
    let speed = String(
      format: "%.2f s, %.1f MB/s", row.seconds, Double(row.bytes) * 1e-6 / row.seconds)
    return """
      \(row.file): \(row.tokens) tokens of \(row.vocabularySize) (\(tokenizer.rawValue)), \(ratios)
        \(row.bytes) bytes, \(row.words) words, \(row.lines) lines; \(speed)
      """
  }
}
