import Foundation
import Tensors
import Testing
import Text

@Suite struct BytePairTests {
  /// tiktoken's ids, with which those of tokenizers agree (scripts/golden/bpe.py).
  @Test func idsAreTheReferences() throws {
    let tokenizer = try SmallVocabulary.tokenizer()
    let cases = try SmallVocabulary.cases()
    #expect(cases.count == 344)
    for (text, ids) in cases {
      let found = tokenizer.encode(text)
      #expect(found == ids, "\(text.debugDescription.prefix(200))")
      #expect(try tokenizer.decode(found) == Array(text.utf8))
    }
  }

  /// Letter, number, space or none of them, for every code point, as tiktoken has them: a code
  /// point goes together with "a", "1" or "!" if it is of the same class, and a vocabulary that
  /// merges these with every first byte shows it.
  @Test func classOfEveryCodePoint() throws {
    let probes = [UInt8]("a1!".utf8)
    let leads = [UInt8](0xC2...0xF4)
    // GPT-2's files write bytes from 0xA1 on, but for 0xAD, as the character of that number.
    var tokens: [String: Int] = [:]
    var next = 0x100
    for byte in 0..<256 {
      let isPrintable =
        (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || byte >= 0xAE
      tokens[String(UnicodeScalar(isPrintable ? byte : next) ?? " ")] = byte
      next += isPrintable ? 0 : 1
    }
    var merges = ""
    var mergedID: [[UInt8]: Int] = [:]
    for probe in probes {
      for lead in leads {
        let halves = [probe, lead].map { String(UnicodeScalar($0)) }
        tokens[halves.joined()] = 256 + mergedID.count
        mergedID[[probe, lead]] = 256 + mergedID.count
        merges += halves.joined(separator: " ") + "\n"
      }
    }
    let folder = try TemporaryFolder()
    let tokenizer = Tokenizer.bytePairs(
      try BytePairTokenizer(
        encoder: folder.write(JSONEncoder().encode(tokens), to: "encoder.json"),
        merges: folder.write(merges, to: "vocab.bpe")))

    let golden = try SmallVocabulary.golden()
    let names = try JSONDecoder().decode(
      [String].self, from: Data(#require(golden.metadata["classes"]).utf8))
    let probeOfClass = names.map {
      ["letter": UInt8(ascii: "a"), "number": UInt8(ascii: "1"), "other": UInt8(ascii: "!")][$0]
    }
    let runs = try golden.integers("class_runs")
    var text: [UInt8] = []
    var expected: [Int] = []
    var counts = [0, 0, 0, 0]
    for run in stride(from: 0, to: runs.count, by: 2) {
      let last = run + 2 < runs.count ? runs[run + 2] : 0x11_0000
      let ownProbe = probeOfClass[runs[run + 1]]
      for scalar in (runs[run]..<last).compactMap(UnicodeScalar.init) {
        counts[runs[run + 1]] += 1
        for probe in probes {
          var isFirst = true
          text.append(probe)
          for byte in scalar.utf8 {
            text.append(byte)
            if isFirst, probe == ownProbe {
              expected.append(mergedID[[probe, byte]] ?? -1)
            } else {
              if isFirst { expected.append(Int(probe)) }
              expected.append(Int(byte))
            }
            isFirst = false
          }
        }
      }
    }
    // All of Unicode but ASCII and the surrogates.
    #expect(counts.reduce(0, +) == 0x11_0000 - 0x80 - 0x800)
    // Unicode 16 and later have more than 140,000 letters; white space beyond ASCII is 19 (the
    // 25 of the property White_Space, less the blank and the five controls from tab on).
    #expect(counts[1] > 140_000 && counts[3] == 19)
    #expect(try tokenizer.encode(text, workers: Workers(2)) == expected)
  }

  /// A text of many chunks has the ids of its lines, each by itself: a line end that follows a word
  /// always begins a piece.
  @Test func chunksAndThreadsChangeNothing() throws {
    let tokenizer = try SmallVocabulary.tokenizer()
    let sample = try #require(SmallVocabulary.cases().last).text
    let lines = sample.split(separator: "\n").map { "\n" + $0 }
    let copies = 1 + (1 << 20) / sample.utf8.count
    let text = String(repeating: lines.joined(), count: copies)
    let expected = Array(
      repeatElement(lines.flatMap { tokenizer.encode($0) }, count: copies).joined())
    for threads in [1, 2, 8] {
      #expect(tokenizer.encode(text, workers: Workers(threads)) == expected)
    }
  }

  /// A piece may be longer than a chunk, of which there are then fewer.
  @Test func onePieceOfManyChunks() throws {
    let tokenizer = try SmallVocabulary.tokenizer()
    let text = String(repeating: "ba", count: 400_000) + " end \n  "
    let ids = tokenizer.encode(text)
    #expect(tokenizer.encode(text, workers: Workers(3)) == ids)
    #expect(try tokenizer.decode(ids) == Array(text.utf8))
  }

  @Test func roundTripOfEveryByteSequenceThatIsText() throws {
    let tokenizer = try SmallVocabulary.tokenizer()
    var random = RandomStream(seed: 7, purpose: .shuffle)
    for _ in 0..<300 {
      var text = String.UnicodeScalarView()
      for _ in 0..<random.below(40) {
        let limit: UInt32 = [0x80, 0x800, 0x3000, 0x11_0000][Int(random.below(4))]
        if let scalar = UnicodeScalar(random.below(limit)) { text.append(scalar) }
      }
      let bytes = Array(String(text).utf8)
      #expect(try tokenizer.decode(tokenizer.encode(bytes)) == bytes)
    }
  }

  @Test func vocabularySizeCountsTheSpecialToken() throws {
    // 256 bytes, 600 merges, <|endoftext|>.
    let tokenizer = try SmallVocabulary.tokenizer()
    #expect(tokenizer.vocabularySize == 857)
    #expect(try tokenizer.decode([856]) == Array("<|endoftext|>".utf8))
  }

  @Test func idsOutsideTheVocabularyAreRefused() throws {
    let tokenizer = try SmallVocabulary.tokenizer()
    #expect(throws: TextError.idOutOfRange(index: 1, id: 857, vocabularySize: 857)) {
      try tokenizer.decode([0, 857])
    }
    #expect(throws: TextError.idOutOfRange(index: 0, id: -1, vocabularySize: 857)) {
      try tokenizer.decode([-1])
    }
    let error = TextError.idOutOfRange(index: 1, id: 857, vocabularySize: 857)
    #expect(
      error.description == "id 857 at place 1 is not in the vocabulary, whose ids are 0 to 856")
  }

  /// Byte sequences that are no UTF-8, and where they stop being it (the Unicode Standard, table
  /// 3-7).
  static let broken: [([UInt8], Int)] = [
    ([0x80], 0), ([0x61, 0xFF], 1), ([0xC0, 0x80], 0), ([0xC1, 0xBF], 0), ([0xC3], 0),
    ([0xC3, 0x28], 0), ([0xE0, 0x9F, 0xBF], 0), ([0xED, 0xA0, 0x80], 0), ([0xE6, 0x9D], 0),
    ([0xE6, 0x9D, 0x41], 0), ([0xF0, 0x8F, 0xBF, 0xBF], 0), ([0xF4, 0x90, 0x80, 0x80], 0),
    ([0xF5, 0x80, 0x80, 0x80], 0), ([0xF0, 0x9F, 0x98], 0),
    ([UInt8](repeating: 0x61, count: 21) + [0xC3, 0xA9, 0xE2, 0x82], 23),
  ]

  @Test(arguments: broken)
  func bytesThatAreNotUTF8AreRefused(bytes: [UInt8], offset: Int) throws {
    let tokenizer = try SmallVocabulary.tokenizer()
    #expect(throws: TextError.notUTF8(offset: offset)) { try tokenizer.encode(bytes) }
  }
}
