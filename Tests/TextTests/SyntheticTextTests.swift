import Crypto
import Foundation
import Testing
import Text

@Suite struct SyntheticTextTests {
  func corpus() throws -> TextCorpus {
    let folder = try TemporaryFolder()
    defer { #expect(folder.names() == []) }
    return try loadCorpus(CorpusConfig(name: .synthetic), directory: folder.url)
  }

  /// Of the bytes that the first version made: runs on other bytes are other runs.
  @Test func bytesAreAlwaysTheSame() throws {
    let hash = SHA256.hash(data: SyntheticText.train + SyntheticText.valid + SyntheticText.test)
    #expect(Array(hash.prefix(8)) == [0xA6, 0x3E, 0x87, 0xF0, 0x9B, 0x10, 0xCD, 0xD7])
  }

  @Test func isASCIIInLines() throws {
    let corpus = try corpus()
    #expect(corpus.vocabularySize == 256)
    #expect(corpus.tokenizer.encode("a\n") == [0x61, 0x0A])
    for text in [SyntheticText.train, SyntheticText.valid, SyntheticText.test] {
      #expect(text.allSatisfy { $0 == 0x0A || (0x20...0x7E).contains($0) })
    }
    #expect(corpus.train.tokens.count == SyntheticText.train.count)
    #expect(corpus.train.counts.bytes > 300_000)
    #expect(corpus.valid.counts.bytes > 30_000 && corpus.test.counts.bytes > 30_000)
    // 900 articles of four lines.
    #expect(corpus.train.counts.lines == 3600)
  }

  /// There is something to learn at every length: the entropy of a byte that follows n bytes, in
  /// nats, falls with n.
  @Test func longerContextsTellMore() throws {
    let text = SyntheticText.train
    func entropy(_ n: Int) -> Double {
      var contexts: [ArraySlice<UInt8>: [UInt8: Int]] = [:]
      for i in n..<text.count { contexts[text[i - n..<i], default: [:]][text[i], default: 0] += 1 }
      var sum = 0.0
      for counts in contexts.values {
        let total = Double(counts.values.reduce(0, +))
        for count in counts.values { sum -= Double(count) * log(Double(count) / total) }
      }
      return sum / Double(text.count - n)
    }
    let entropies = [0, 1, 2, 4].map(entropy)
    // A uniform distribution over the some 50 bytes would have 3.9 nats.
    #expect(entropies[0] > 2.5)
    #expect(entropies[1] < 0.85 * entropies[0])
    #expect(entropies[2] < 0.85 * entropies[1])
    #expect(entropies[3] < 0.7 * entropies[2])
  }

  /// Splits have no article in common.
  @Test func splitsAreApart() throws {
    func articles(_ text: [UInt8]) -> Set<String> {
      Set(String(decoding: text, as: UTF8.self).components(separatedBy: "\n \n = ").dropFirst())
    }
    let train = articles(SyntheticText.train)
    #expect(train.isDisjoint(with: articles(SyntheticText.test)))
    #expect(train.isDisjoint(with: articles(SyntheticText.valid)))
  }
}
