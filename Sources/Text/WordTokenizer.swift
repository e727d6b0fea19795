import Crypto
import Tensors

/// Whole words, as WikiText's token files have them: what stands between white space (Unicode's),
/// and `<eos>` for every line's end, the last line's too.
///
/// Ids are given in the order in which words first appear in the training text; a word that is not
/// in it gets the id of `<unk>`, which is the last id where the training text does not have it.
///
/// Source: pytorch/examples, word_language_model/data.py, whose vocabulary has the words of all
/// three splits; in WikiText's token files those of the training text are all there are.
public struct WordTokenizer: Sendable {
  public static let unknown = "<unk>"
  public static let endOfLine = "<eos>"

  fileprivate let words: ByteStrings
  fileprivate let unknownID: UInt32
  fileprivate let endOfLineID: UInt32
  let hash: [UInt8]

  /// - Parameter trainingText: valid UTF-8.
  init(trainingText: UnsafeBufferPointer<UInt8>) {
    var words = ByteStrings()
    let endOfLine = Array(Self.endOfLine.utf8)
    WordScanner(trainingText).scan { token in
      switch token {
      case .word(let word): _ = words.insert(word)
      case .lineEnd: _ = words.insert(endOfLine)
      }
    }
    endOfLineID = UInt32(words.insert(endOfLine).number)
    unknownID = UInt32(words.insert(Self.unknown.utf8).number)
    self.words = words
    var hash = SHA256()
    hash.update(data: Array("words".utf8))
    hash.update(bufferPointer: UnsafeRawBufferPointer(trainingText))
    self.hash = Array(hash.finalize())
  }

  /// Words, V, with `<eos>` and `<unk>`.
  public var vocabularySize: Int { words.count }

  /// The id of a word, which is that of `<unk>` where the training text does not have it.
  public func id(of word: String) -> Int { words.number(of: word.utf8) ?? Int(unknownID) }

  /// - Parameter ids: below `vocabularySize`.
  func decode(_ ids: some Collection<Int>) -> [UInt8] {
    var bytes: [UInt8] = []
    for id in ids {
      if id == endOfLineID {
        bytes.append(UInt8(ascii: "\n"))
      } else {
        if let last = bytes.last, last != UInt8(ascii: "\n") { bytes.append(UInt8(ascii: " ")) }
        bytes += words[id]
      }
    }
    return bytes
  }
}

final class WordEncoder: ChunkEncoder {
  private let tokenizer: WordTokenizer

  init(_ tokenizer: WordTokenizer) { self.tokenizer = tokenizer }

  func encode(
    _ text: UnsafeBufferPointer<UInt8>, endsText: Bool,
    into output: UnsafeMutablePointer<UInt32>
  ) -> Int {
    var written = 0
    WordScanner(text, endsText: endsText).scan { token in
      switch token {
      case .word(let word):
        output[written] = tokenizer.words.number(of: word).map { UInt32($0) } ?? tokenizer.unknownID
      case .lineEnd: output[written] = tokenizer.endOfLineID
      }
      written += 1
    }
    return written
  }
}

/// Goes through the words and line ends of a text.
struct WordScanner {
  enum Token {
    case word(UnsafeBufferPointer<UInt8>)
    case lineEnd
  }

  private let text: UnsafeBufferPointer<UInt8>
  private let endsText: Bool

  /// - Parameters:
  ///   - text: valid UTF-8.
  ///   - endsText: whether a last line without a line end has one at the end.
  init(_ text: UnsafeBufferPointer<UInt8>, endsText: Bool = true) {
    self.text = text
    self.endsText = endsText
  }

  func scan(_ body: (Token) -> Void) {
    guard let base = text.baseAddress, text.count > 0 else { return }
    let classes = CharacterClasses.shared
    var at = 0
    var start = 0
    func finishWord() {
      guard at > start else { return }
      body(.word(UnsafeBufferPointer(start: base + start, count: at - start)))
    }
    while at < text.count {
      let byte = base[at]
      let length: Int
      let isSpace: Bool
      if byte < 0x80 {
        length = 1
        isSpace = classes.ascii[Int(byte)] == .space
      } else if byte < 0xE0 {
        length = 2
        isSpace = classes[UInt32(byte & 0x1F) << 6 | UInt32(base[at + 1] & 0x3F)] == .space
      } else if byte < 0xF0 {
        length = 3
        let middle = UInt32(base[at + 1] & 0x3F) << 6
        isSpace =
          classes[UInt32(byte & 0x0F) << 12 | middle | UInt32(base[at + 2] & 0x3F)] == .space
      } else {
        // No white space needs four bytes.
        length = 4
        isSpace = false
      }
      if isSpace {
        finishWord()
        if byte == UInt8(ascii: "\n") { body(.lineEnd) }
        start = at + length
      }
      at += length
    }
    finishWord()
    if endsText, base[text.count - 1] != UInt8(ascii: "\n") { body(.lineEnd) }
  }
}
