import Datasets
import Foundation
import Testing
import Text

/// Vocabulary files that are damaged or do not belong together.
@Suite struct VocabularyFileTests {
  let folder: TemporaryFolder
  let encoder: String
  let merges: String

  init() throws {
    folder = try TemporaryFolder()
    encoder = String(
      decoding: try Data(contentsOf: URL(fileURLWithPath: SmallVocabulary.encoderPath)),
      as: UTF8.self)
    merges = String(
      decoding: try Data(contentsOf: URL(fileURLWithPath: SmallVocabulary.mergesPath)),
      as: UTF8.self)
  }

  func error(encoder: String? = nil, merges: String? = nil) throws -> TextError? {
    let encoderPath = try folder.write(encoder ?? self.encoder, to: "encoder.json")
    let mergesPath = try folder.write(merges ?? self.merges, to: "vocab.bpe")
    do {
      _ = try BytePairTokenizer(encoder: encoderPath, merges: mergesPath)
      return nil
    } catch { return error }
  }

  var encoderPath: String { folder.path("encoder.json") }
  var mergesPath: String { folder.path("vocab.bpe") }

  @Test func goodFilesAreRead() throws {
    #expect(try error() == nil)
    // Without its first line, and without a line end at its end.
    let lines = merges.split(separator: "\n").dropFirst().joined(separator: "\n")
    #expect(try error(merges: lines) == nil)
  }

  @Test func textThatIsNoJSON() throws {
    // The first characters of the file are {"!": 0, ".
    #expect(encoder.hasPrefix(#"{"!": 0, ""#))
    let cases: [(String, Int, String)] = [
      ("[]", 0, "an object's {"), ("{", 1, "a token in \""), (#"{"a" 1}"#, 5, "a :"),
      (#"{"a": "b"}"#, 6, "an id"), (#"{"a": -1}"#, 6, "an id"), (#"{"a": 1.5}"#, 7, "a , or }"),
      (#"{"a": 99999999999999999999}"#, 24, "an id"), (#"{"a": 1,}"#, 8, "a token in \""),
      (#"{"a": 1} x"#, 9, "the end"), (#"{"a"#, 3, "a string's end"),
      (#"{"\q": 1}"#, 3, "an escape of JSON"), (#"{"\u12"#, 4, "four hexadecimal digits"),
      (#"{"\ud83d": 1}"#, 8, "a surrogate's pair"),
      ("{\"\n\": 1}", 2, "an escaped control character"),
    ]
    for (text, offset, expected) in cases {
      #expect(
        try error(encoder: text)
          == .notVocabularyJSON(path: encoderPath, offset: offset, expected: expected),
        "\(text)")
    }
    #expect(
      TextError.notVocabularyJSON(path: "e.json", offset: 3, expected: "a :").description
        == "e.json: not a JSON object of tokens and their ids: expected a : at byte 3")
  }

  @Test func tokensInMessagesAreOneLine() throws {
    // U+0001 stands for no byte.
    let found = try #require(try error(encoder: #"{"a\n\u0001": 0}"#))
    #expect(
      found.description
        == "\(encoderPath): token a\\n\\u{1} has a character that stands for no byte")
  }

  @Test func filesThatAreNotThereOrEmptyOrNotText() throws {
    #expect(try error(encoder: "") == .data(.emptyText(path: encoderPath)))
    #expect(try error(merges: "") == .data(.emptyText(path: mergesPath)))
    let good = try folder.write(encoder, to: "good.json")
    let nowhere = folder.path("nowhere")
    #expect(throws: TextError.data(.noFile(path: nowhere))) {
      try BytePairTokenizer(encoder: good, merges: nowhere)
    }
    let bad = try folder.write([0x61, 0x20, 0xFF], to: "bad.bpe")
    #expect(throws: TextError.data(.notUTF8(path: bad, offset: 2))) {
      try BytePairTokenizer(encoder: good, merges: bad)
    }
    #expect(throws: TextError.data(.directoryInPlaceOfFile(path: folder.url.path))) {
      try BytePairTokenizer(encoder: folder.url.path, merges: good)
    }
  }

  @Test func idsThatAreNotEachTokensOwn() throws {
    #expect(
      try error(encoder: encoder.replacingOccurrences(of: #""!": 0,"#, with: #""!": 1,"#))
        == .duplicateID(path: encoderPath, id: 1))
    // 857 tokens have the ids 0 to 856.
    #expect(
      try error(encoder: encoder.replacingOccurrences(of: #""!": 0,"#, with: #""!": 857,"#))
        == .idBeyondCount(path: encoderPath, token: "!", id: 857, count: 857))
    #expect(
      try error(encoder: encoder.replacingOccurrences(of: #""!": 0,"#, with: #""!": 0, "!": 0,"#))
        == .duplicateToken(path: encoderPath, token: "!"))
    #expect(
      try error(encoder: encoder.replacingOccurrences(of: #""!": 0,"#, with: #""€": 0,"#))
        == .unknownCharacter(path: encoderPath, token: "€"))
    #expect(
      try error(encoder: encoder.replacingOccurrences(of: #""!": 0,"#, with: #""!!!!": 0,"#))
        == .missingByte(path: encoderPath, byte: UInt8(ascii: "!")))
  }

  @Test func mergesThatAreNotTheVocabularys() throws {
    let lines = merges.split(separator: "\n").map(String.init)
    func with(_ line: String, at index: Int) -> String {
      var changed = lines
      changed[index] = line
      return changed.joined(separator: "\n") + "\n"
    }
    #expect(
      try error(merges: with("x y", at: 3))
        == .unknownMergeToken(
          path: mergesPath, line: 4, token: "xy", vocabulary: encoderPath))
    #expect(
      try error(merges: with("xyz y", at: 3))
        == .unknownMergeToken(
          path: mergesPath, line: 4, token: "xyz", vocabulary: encoderPath))
    for bad in ["xy", "x  y", " x", "x ", "x y z", ""] {
      #expect(try error(merges: with(bad, at: 5)) == .badMerge(path: mergesPath, line: 6), "\(bad)")
    }
    #expect(
      try error(merges: with("x €", at: 5))
        == .unknownCharacter(
          path: mergesPath, token: "€"))
    #expect(
      try error(merges: merges + lines[1] + "\n")
        == .duplicateMerge(path: mergesPath, line: lines.count + 1))
    // The last line's token is made by a line before it: not if that line comes later.
    let user = try #require(
      lines.indices.dropFirst().first { lines[$0].split(separator: " ")[0].count > 1 })
    let token = String(lines[user].split(separator: " ")[0])
    #expect(
      try error(merges: with(lines[user], at: 1))
        == .unmadeMergeToken(
          path: mergesPath, line: 2, token: token))
  }
}
