import Foundation
import Tensors
import Testing
import Text

@Suite struct WordTests {
  /// A corpus whose training text is `train`, in words.
  func corpus(_ train: String, test: String = "x") throws -> TextCorpus {
    let folder = try TemporaryFolder()
    return try loadCorpus(
      CorpusConfig(
        name: .files, tokenizer: .word, train: folder.write(train, to: "train.txt"),
        valid: folder.write(test, to: "valid.txt"), test: folder.write(test, to: "test.txt")),
      directory: folder.url)
  }

  /// Ids by first appearance; `<eos>` at the first line's end.
  @Test func idsByFirstAppearance() throws {
    let corpus = try corpus(" = A = \n \n the <unk> sat . \n", test: "the cat sat\nA")
    // "=" 0, "A" 1, "<eos>" 2, "the" 3, "<unk>" 4, "sat" 5, "." 6.
    #expect(corpus.vocabularySize == 7)
    #expect(corpus.train.tokens.ids == [0, 1, 0, 2, 2, 3, 4, 5, 6, 2])
    // "cat" is unknown; the last line has an end, too.
    #expect(corpus.test.tokens.ids == [3, 4, 5, 2, 1, 2])
    #expect(corpus.train.counts == TextCounts(bytes: 28, words: 7, lines: 3))
    #expect(corpus.test.counts == TextCounts(bytes: 13, words: 4, lines: 2))
    #expect(corpus.test.counts.wordsAndLines == corpus.test.tokens.count)
    guard case .words(let words) = corpus.tokenizer else {
      Issue.record("\(corpus.tokenizer)")
      return
    }
    #expect(words.id(of: "sat") == 5)
    #expect(words.id(of: "dog") == 4)
    #expect(try corpus.tokenizer.decode([3, 4, 2, 1, 6]) == Array("the <unk>\nA .".utf8))
    #expect(corpus.tokenizer.encode("the dog\n") == [3, 4, 2])
    #expect(corpus.tokenizer.encode("") == [])
    #expect(throws: TextError.idOutOfRange(index: 0, id: 7, vocabularySize: 7)) {
      try corpus.tokenizer.decode([7])
    }
  }

  /// Without `<unk>` in the training text it comes last, and without a line end `<eos>` does with it.
  @Test func unknownWordsWithoutUnk() throws {
    let corpus = try corpus("a b a", test: "c a")
    // "a" 0, "b" 1, "<eos>" 2, "<unk>" 3.
    #expect(corpus.vocabularySize == 4)
    #expect(corpus.test.tokens.ids == [3, 0, 2])
  }

  /// Unicode's white space separates words; U+200B and U+180E are none. Words are bytes: é and
  /// e with an accent are two.
  @Test func whiteSpaceIsUnicodes() throws {
    let corpus = try corpus(
      "a\u{A0}b\u{2003}c\u{3000}d\u{85}e\u{200B}f\u{180E}g\r\n\u{E9} e\u{301}")
    #expect(corpus.train.counts == TextCounts(bytes: 31, words: 7, lines: 2))
    #expect(corpus.vocabularySize == 9)
    #expect(corpus.train.tokens.ids == [0, 1, 2, 3, 4, 5, 6, 7, 5])
  }

  @Test func trainingTextMustBeText() throws {
    #expect(throws: TextError.notUTF8(offset: 2)) {
      try loadTokenizer(.word, trainingText: [0x61, 0x20, 0x80])
    }
    #expect(try loadTokenizer(.word, trainingText: Array("a b".utf8)).vocabularySize == 4)
  }

  /// More words than the first table of a vocabulary has room for, and text of several chunks.
  @Test func manyWords() throws {
    let words = (0..<60_000).map { "w\($0 % 50_000)" }
    let corpus = try corpus(words.joined(separator: " ") + "\n", test: "w49999 w50000")
    // 50,000 words, "<eos>", "<unk>".
    #expect(corpus.vocabularySize == 50_002)
    #expect(corpus.train.tokens.ids == (0..<60_000).map { $0 % 50_000 } + [50_000])
    #expect(corpus.test.tokens.ids == [49_999, 50_001, 50_000])
    let text = words.joined(separator: " ")
    #expect(corpus.tokenizer.encode(text, workers: Workers(3)).count == 60_001)
  }
}

extension TokenBuffer {
  /// All ids, by both ways to get at them, which must agree.
  var ids: [Int] {
    let copied = [Int32](unsafeUninitializedCapacity: count) { buffer, filled in
      copy(from: 0, into: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
      filled = count
    }.map { Int($0) }
    #expect(copied == (0..<count).map { self[$0] })
    return copied
  }
}
