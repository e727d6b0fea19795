import Datasets
import Foundation
import Tensors
import Testing
import Text

@Suite struct CorpusTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func load(_ config: CorpusConfig) throws -> TextCorpus {
    try loadCorpus(config, directory: folder.url, workers: Workers(2))
  }

  func writeSplits(_ layout: String, _ ending: String, _ text: String) throws {
    for split in ["train", "valid", "test"] {
      try folder.write("\(text) \(split)\n", to: "\(layout)/wiki.\(split).\(ending)")
    }
  }

  // MARK: - WikiText

  static let wikiTexts: [(CorpusConfig.Name, String)] = [
    (.wikitext2, "wikitext-2"), (.wikitext103, "wikitext-103"),
  ]

  @Test(arguments: wikiTexts)
  func wikiTextIsFoundByItsLayout(name: CorpusConfig.Name, layout: String) throws {
    try folder.writeVocabulary()
    try writeSplits(layout, "tokens", "of tokens")
    let fromTokens = try load(CorpusConfig(name: name))
    #expect(fromTokens.train.source == folder.path("\(layout)/wiki.train.tokens"))
    try writeSplits(layout + "-raw", "raw", "raw")
    // Byte pairs are for raw text, words for the files in which rare ones are replaced.
    let raw = try load(CorpusConfig(name: name))
    #expect(raw.name == name)
    #expect(raw.vocabularySize == 857)
    for (split, label) in [(raw.train, "train"), (raw.valid, "valid"), (raw.test, "test")] {
      #expect(split.source == folder.path("\(layout)-raw/wiki.\(label).raw"))
      #expect(try raw.tokenizer.decode(split.tokens.ids) == Array("raw \(label)\n".utf8))
      #expect(split.counts == TextCounts(bytes: 5 + label.count, words: 2, lines: 1))
    }
    let words = try load(CorpusConfig(name: name, tokenizer: .word))
    #expect(words.test.source == folder.path("\(layout)/wiki.test.tokens"))
    // "of", "tokens", "train", "<eos>", "<unk>"; "test" is unknown.
    #expect(words.test.tokens.ids == [0, 1, 4, 3])
    #expect(raw.fingerprint != words.fingerprint && raw.fingerprint.count == 64)
    // A layout that lacks a file is passed over.
    try FileManager.default.removeItem(atPath: folder.path("\(layout)-raw/wiki.valid.raw"))
    #expect(try load(CorpusConfig(name: name)).fingerprint == fromTokens.fingerprint)
  }

  @Test func missingTextNamesWhatWasLookedForAndTheCommand() throws {
    let error = #expect(throws: TextError.self) { try load(CorpusConfig(name: .wikitext103)) }
    #expect(
      error?.description
        == "no wikitext103 text: looked for wikitext-103-raw/wiki.{train,valid,test}.raw, "
        + "wikitext-103/wiki.{train,valid,test}.tokens in \(folder.url.path); "
        + "fetch it with: excite data fetch wikitext103 --data-dir \(folder.url.path)")
  }

  @Test func missingVocabularyNamesTheCommand() throws {
    try writeSplits("wikitext-2", "tokens", "a")
    let error = #expect(throws: TextError.self) { try load(CorpusConfig(name: .wikitext2)) }
    #expect(
      error?.description
        == "no vocabulary: looked for encoder.json and vocab.bpe in \(folder.path("gpt2")); "
        + "fetch GPT-2's with: excite data fetch gpt2 --data-dir \(folder.url.path)")
    try folder.writeVocabulary(to: "mine")
    let config = CorpusConfig(name: .wikitext2, vocabulary: folder.path("mine"))
    #expect(try load(config).vocabularySize == 857)
  }

  // MARK: - Files

  @Test func filesByTheirPaths() throws {
    let corpus = try load(
      CorpusConfig(
        name: .files, tokenizer: .byte, train: folder.write("é\n", to: "a"),
        valid: folder.write("b", to: "b"), test: folder.write("\0", to: "c")))
    #expect(corpus.train.tokens.ids == [0xC3, 0xA9, 0x0A])
    #expect(corpus.valid.tokens.ids == [0x62])
    #expect(corpus.test.tokens.ids == [0])
    #expect(corpus.vocabularySize == 256)
  }

  /// 1000 bytes in lines of 10: cut after the line ends at or after 900 and 950.
  @Test func oneFileIsCutAtLineEnds() throws {
    let text = String(repeating: "123456789\n", count: 100)
    let corpus = try load(
      CorpusConfig(name: .files, tokenizer: .byte, train: folder.write(text, to: "text")))
    #expect(corpus.train.tokens.count == 910)
    #expect(corpus.valid.tokens.count == 50)
    #expect(corpus.test.tokens.count == 40)
    #expect(corpus.test.counts.lines == 4)
  }

  /// Without line ends the cut does not go through a character: of 41 × 3 bytes.
  @Test func oneFileWithoutLinesIsCutBetweenCharacters() throws {
    let text = String(repeating: "東", count: 41)
    let corpus = try load(
      CorpusConfig(name: .files, tokenizer: .byte, train: folder.write(text, to: "text")))
    // 123 · 18/20 = 110.7 and 123 · 19/20 = 116.85: on to 111 and 117.
    #expect(
      [corpus.train, corpus.valid, corpus.test].map(\.tokens.count) == [111, 6, 6])
  }

  static let wrongKeys: [(CorpusConfig, TextError)] = [
    (CorpusConfig(name: .files, tokenizer: .byte), .missingKey(corpus: "files", key: "train")),
    (
      CorpusConfig(name: .files, tokenizer: .byte, train: "a", valid: "b"),
      .missingKey(corpus: "files", key: "test")
    ),
    (
      CorpusConfig(name: .files, tokenizer: .byte, train: "a", test: "b"),
      .missingKey(corpus: "files", key: "valid")
    ),
    (
      CorpusConfig(name: .synthetic, train: "a"),
      .superfluousKey(corpus: "synthetic-text", key: "train")
    ),
    (CorpusConfig(name: .synthetic, vocabulary: "v"), .superfluousVocabulary(tokenizer: .byte)),
  ]

  @Test(arguments: wrongKeys)
  func keysThatAreMissingOrTooMany(config: CorpusConfig, error: TextError) throws {
    #expect(throws: error) { try load(config) }
    #expect(error.description.hasPrefix("dataset."))
  }

  @Test func badFilesAreNamed() throws {
    let good = try folder.write("a", to: "good")
    let empty = try folder.write("", to: "empty")
    let broken = try folder.write(Array("ab".utf8) + [0xE2, 0x82], to: "broken")
    let cases: [(String, DatasetError, String)] = [
      (empty, .emptyText(path: empty), "\(empty): is empty; expected text"),
      (
        broken, .notUTF8(path: broken, offset: 2),
        "\(broken): not UTF-8 text: byte 2 belongs to no character"
      ),
      (folder.path("none"), .noFile(path: folder.path("none")), "there is no such file"),
      (folder.url.path, .directoryInPlaceOfFile(path: folder.url.path), "a folder stands"),
    ]
    for (path, error, message) in cases {
      let config = CorpusConfig(
        name: .files, tokenizer: .byte, train: good, valid: good, test: path)
      #expect(throws: TextError.data(error)) { try load(config) }
      #expect(TextError.data(error).description.contains(message))
    }
  }

  @Test func contextsThatAreLongerThanAText() throws {
    let corpus = try load(
      CorpusConfig(
        name: .files, tokenizer: .byte, train: folder.write("0123456789", to: "a"),
        valid: folder.write("01234", to: "b"), test: folder.write("012345", to: "c")))
    try corpus.check(context: 4)
    let error = TextError.contextTooLong(context: 5, split: "valid", tokens: 5)
    #expect(throws: error) { try corpus.check(context: 5) }
    #expect(
      error.description
        == "a context of 5 tokens needs 6 in a row; the valid text has 5")
  }

  @Test func tokensFromTheMiddle() throws {
    let corpus = try load(
      CorpusConfig(
        name: .files, tokenizer: .byte, train: folder.write("0123456789", to: "a"),
        valid: folder.write("0", to: "b"), test: folder.write("0", to: "c")))
    var window = [Int32](repeating: -1, count: 3)
    window.withUnsafeMutableBufferPointer { corpus.train.tokens.copy(from: 7, into: $0) }
    // "789".
    #expect(window == [0x37, 0x38, 0x39])
  }
}
