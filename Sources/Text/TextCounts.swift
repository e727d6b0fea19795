/// How much text there is, whatever the tokenizer.
public struct TextCounts: Codable, Hashable, Sendable {
  public let bytes: Int
  /// What stands between white space.
  public let words: Int
  /// Line ends, and one for a last line without.
  public let lines: Int

  /// What the field divides by for the perplexity per word of WikiText: words, and one for every
  /// line's end.
  public var wordsAndLines: Int { words + lines }

  public init(bytes: Int, words: Int, lines: Int) {
    self.bytes = bytes
    self.words = words
    self.lines = lines
  }

  /// - Parameter text: valid UTF-8.
  init(of text: UnsafeBufferPointer<UInt8>) {
    var words = 0
    var lines = 0
    WordScanner(text).scan { token in
      switch token {
      case .word: words += 1
      case .lineEnd: lines += 1
      }
    }
    self.init(bytes: text.count, words: words, lines: lines)
  }
}
