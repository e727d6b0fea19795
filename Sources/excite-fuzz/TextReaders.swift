import Datasets
import Foundation
import Text

/// A small vocabulary of byte pairs: every byte, and a few merges.
enum SmallVocabulary {
  /// The character by which GPT-2's files write each byte (openai/gpt-2, `bytes_to_unicode`).
  private static let characters: [String] = {
    var next: UInt32 = 0x100
    return (UInt8.min...UInt8.max).map { byte in
      switch byte {
      case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return String(Unicode.Scalar(byte))
      default:
        defer { next += 1 }
        return Unicode.Scalar(next).map { String($0) } ?? ""
      }
    }
  }()

  static let encoder: String = {
    let tokens = characters + ["he", "ll", "hell", "hello"]
    let pairs = tokens.enumerated().map { id, token in
      let quoted = token == "\"" || token == "\\" ? "\\" + token : token
      return "\"\(quoted)\": \(id)"
    }
    return "{" + pairs.joined(separator: ", ") + "}"
  }()

  static let merges = "#version: 0.2\nh e\nl l\nhe ll\nhell o\n"
}

/// One of a byte-pair vocabulary's two files.
struct VocabularyReader: Reader {
  private static let sample = "hello, hell\n  hé\u{1F600} "
  private let sandbox: Sandbox
  private let file: String

  init(_ sandbox: Sandbox, file: String) throws {
    self.sandbox = sandbox
    self.file = file
    try sandbox.write(SmallVocabulary.encoder, to: "encoder.json")
    try sandbox.write(SmallVocabulary.merges, to: "vocab.bpe")
  }

  var seeds: [[UInt8]] {
    [Array((file == "vocab.bpe" ? SmallVocabulary.merges : SmallVocabulary.encoder).utf8)]
  }

  let words = ["\\u0000", "\\ud800\\udc00", "\\ud800", "\\n", "\": ", "9223372036854775808", "Ġ"]

  func read(_ input: [UInt8]) throws {
    try sandbox.write(input, to: file)
    do {
      let tokenizer = try loadTokenizer(
        .gpt2, vocabulary: sandbox.url.path, directory: sandbox.url)
      guard try tokenizer.decode(tokenizer.encode(Self.sample)) == Array(Self.sample.utf8) else {
        throw Violation(what: "text that comes back as another")
      }
    } catch let error as TextError {
      try check(error)
    }
  }
}

/// A text for each tokenizer.
struct TextReader: Reader {
  private let sandbox: Sandbox
  private let bytePairs: Tokenizer

  init(_ sandbox: Sandbox) throws {
    self.sandbox = sandbox
    try sandbox.write(SmallVocabulary.encoder, to: "encoder.json")
    try sandbox.write(SmallVocabulary.merges, to: "vocab.bpe")
    bytePairs = try loadTokenizer(.gpt2, vocabulary: sandbox.url.path, directory: sandbox.url)
  }

  var seeds: [[UInt8]] {
    ["hello hell  hello\n\nhe'll say: 1234 \u{1F600}\u{301} ", "<unk> = heading =\n \t\r\n", "h"]
      .map { Array($0.utf8) }
  }

  let words = ["\u{2028}", "\u{1F1E9}\u{1F1EA}", "\u{FEFF}", "'ll", "    ", "<unk>", "<eos>"]

  func read(_ input: [UInt8]) throws {
    try sandbox.write(input, to: "input.txt")
    for name in TokenizerName.allCases {
      do {
        let file = try encodeFile(
          sandbox.path("input.txt"), tokenizer: name,
          vocabulary: name == .gpt2 ? sandbox.url.path : nil, directory: sandbox.url)
        for place in 0..<file.tokens.count where file.tokens[place] >= file.vocabularySize {
          throw Violation(what: "an id beyond the vocabulary")
        }
      } catch let error as TextError {
        try check(error)
      }
    }
    for tokenizer in [bytePairs, .bytes] {
      do {
        guard try tokenizer.decode(tokenizer.encode(input)) == input else {
          throw Violation(what: "text that comes back as another")
        }
      } catch let error as TextError {
        try check(error)
      }
    }
  }
}

/// A file of tokens that an earlier run kept. Whatever is in it, the tokens are the text's.
struct TokenCacheReader: Reader {
  private let sandbox: Sandbox
  private let config: CorpusConfig
  private let files: [String]
  private let right: [[Int]]
  let seeds: [[UInt8]]

  init(_ sandbox: Sandbox) throws {
    self.sandbox = sandbox
    try sandbox.write(String(repeating: "a line of text\n", count: 40), to: "input.txt")
    config = CorpusConfig(name: .files, tokenizer: .word, train: sandbox.path("input.txt"))
    right = Self.tokens(try loadCorpus(config, directory: sandbox.url))
    let folder = sandbox.url.appendingPathComponent("tokens", isDirectory: true)
    files = try FileManager.default.contentsOfDirectory(atPath: folder.path).map { "tokens/\($0)" }
    seeds = try files.map { [UInt8](try Data(contentsOf: sandbox.url.appendingPathComponent($0))) }
  }

  func read(_ input: [UInt8]) throws {
    for file in files { try sandbox.write(input, to: file) }
    var notes: [String] = []
    do {
      let corpus = try loadCorpus(config, directory: sandbox.url) { notes.append($0) }
      guard Self.tokens(corpus) == right else {
        throw Violation(what: "tokens that are not the text's")
      }
    } catch let error as TextError {
      try check(error)
    }
    for note in notes { try check(note) }
  }

  private static func tokens(_ corpus: TextCorpus) -> [[Int]] {
    [corpus.train, corpus.valid, corpus.test].map { split in
      (0..<split.tokens.count).map { split.tokens[$0] }
    }
  }
}
