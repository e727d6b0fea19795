import Datasets
import Foundation
import Testing
import Text

/// What is kept in the data directory's folder `tokens`, and what becomes of what is found there.
@Suite struct TokenCacheTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try folder.writeVocabulary()
    try folder.write(#require(SmallVocabulary.cases().last).text, to: "train.txt")
    try folder.write("valid", to: "valid.txt")
    try folder.write("test", to: "test.txt")
  }

  final class Notes {
    var lines: [String] = []
  }

  func load(
    tokenizer: TokenizerName = .gpt2
  ) throws -> (ids: [Int], counts: TextCounts, notes: [String]) {
    let notes = Notes()
    let config = CorpusConfig(
      name: .files, tokenizer: tokenizer, train: folder.path("train.txt"),
      valid: folder.path("valid.txt"), test: folder.path("test.txt"))
    let corpus = try loadCorpus(config, directory: folder.url) { notes.lines.append($0) }
    return (corpus.train.tokens.ids, corpus.train.counts, notes.lines)
  }

  /// The file that keeps the training text's tokens.
  func trainCache() throws -> String {
    let names = folder.names(in: "tokens").filter { $0.hasPrefix("train-") }
    #expect(names.count == 1)
    return "tokens/" + (try #require(names.first))
  }

  @Test func tokensAreKeptAndFoundAgain() throws {
    let first = try load()
    #expect(first.notes == [])
    // One file a split, no lock and no half-written file beside them.
    let names = folder.names(in: "tokens")
    #expect(names.map { $0.prefix { $0 != "-" } } == ["test", "train", "valid"])
    #expect(names.allSatisfy { $0.hasSuffix(".tokens") })
    let long = Date(timeIntervalSince1970: 1e9)
    let path = folder.path(try trainCache())
    try FileManager.default.setAttributes([.modificationDate: long], ofItemAtPath: path)
    let second = try load()
    #expect(second.notes == [])
    #expect(second.ids == first.ids && second.counts == first.counts)
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    #expect(attributes[.modificationDate] as? Date == long)
  }

  /// A header of 128 bytes, then as few bytes an id as the vocabulary's size allows.
  @Test func idsTakeOneTwoOrFourBytes() throws {
    for (tokenizer, idBytes) in [(TokenizerName.byte, 1), (.gpt2, 2)] {
      try? FileManager.default.removeItem(atPath: folder.path("tokens"))
      let ids = try load(tokenizer: tokenizer).ids
      #expect(try folder.read(trainCache()).count == 128 + idBytes * ids.count)
    }
    // 65,536 words, "<eos>" and "<unk>" are two more than two bytes can tell apart.
    try FileManager.default.removeItem(atPath: folder.path("tokens"))
    try folder.write((0..<65_536).map { "w\($0)" }.joined(separator: " "), to: "train.txt")
    let ids = try load(tokenizer: .word).ids
    #expect(ids == Array(0...65_536))
    #expect(try folder.read(trainCache()).count == 128 + 4 * 65_537)
    #expect(try load(tokenizer: .word).ids == ids)
  }

  @Test func anotherTextOrTokenizerHasAFileOfItsOwn() throws {
    _ = try load()
    let name = try trainCache()
    _ = try load(tokenizer: .byte)
    #expect(folder.names(in: "tokens").count == 6)
    try folder.write("changed", to: "train.txt")
    let changed = try load(tokenizer: .byte)
    #expect(changed.ids == Array("changed".utf8).map(Int.init))
    #expect(changed.notes == [])
    #expect(folder.names(in: "tokens").count == 7)
    #expect(folder.names(in: "tokens").contains(String(name.dropFirst("tokens/".count))))
  }

  /// Every field and every kind of byte, with a bit turned; and lengths that are not the header's.
  @Test func damagedFilesAreMadeAnew() throws {
    let first = try load()
    let name = try trainCache()
    let good = try folder.read(name)
    func flipped(_ offset: Int) -> [UInt8] {
      var bytes = good
      bytes[offset] ^= 4
      return bytes
    }
    var huge = good
    // 2⁶⁰ ids.
    huge.replaceSubrange(16..<24, with: [0, 0, 0, 0, 0, 0, 0, 0x10])
    var negative = good
    negative.replaceSubrange(16..<24, with: [UInt8](repeating: 0xFF, count: 8))
    let damages: [([UInt8], String)] = [
      ([], "it is shorter than its header"),
      (Array(good.prefix(127)), "it is shorter than its header"),
      (flipped(0), "it is another file"), (flipped(8), "it is of another version"),
      (flipped(12), "its length is not what its header says"),
      (flipped(16), "its length is not what its header says"),
      (flipped(24), "its length is not what its header says"),
      (flipped(33), "it is damaged"), (flipped(41), "it is damaged"),
      (flipped(49), "it is damaged"),
      (flipped(56), "it is of another text or tokenizer"),
      (flipped(119), "it is of another text or tokenizer"),
      (flipped(120), "it is damaged"), (flipped(128), "it is damaged"),
      (flipped(good.count - 1), "it is damaged"),
      (huge, "its length is not what its header says"),
      (negative, "its length is not what its header says"),
      (Array(good.prefix(128)), "its length is not what its header says"),
      (Array(good.dropLast(2)), "its length is not what its header says"),
      (good + [0], "its length is not what its header says"),
      (good + [0, 0], "its length is not what its header says"),
    ]
    for (i, (bytes, reason)) in damages.enumerated() {
      try folder.write(bytes, to: name)
      let again = try load()
      #expect(again.notes == ["\(folder.path(name)): \(reason); it is made anew"], "damage \(i)")
      #expect(again.ids == first.ids && again.counts == first.counts)
      #expect(try folder.read(name) == good)
    }
  }

  @Test func anotherTextsFileIsNotTaken() throws {
    let first = try load()
    let name = try trainCache()
    let other = try #require(folder.names(in: "tokens").first { $0.hasPrefix("valid-") })
    try folder.write(folder.read("tokens/" + other), to: name)
    let again = try load()
    #expect(
      again.notes
        == ["\(folder.path(name)): it is of another text or tokenizer; it is made anew"])
    #expect(again.ids == first.ids)
  }

  /// A place that cannot be written to costs time and no run.
  @Test func tokensThatCannotBeKept() throws {
    let expected = try load().ids
    try FileManager.default.removeItem(atPath: folder.path("tokens"))
    try folder.write("a file", to: "tokens")
    let unkept = try load()
    #expect(unkept.ids == expected)
    #expect(unkept.notes.count == 3)
    #expect(
      unkept.notes.allSatisfy {
        $0.hasPrefix("the tokens of \(folder.url.path)") && $0.contains("are not kept: ")
      })
  }

  @Test func aFolderInPlaceOfAFile() throws {
    let expected = try load().ids
    let name = try trainCache()
    try FileManager.default.removeItem(atPath: folder.path(name))
    try folder.write("x", to: name + "/file")
    let unkept = try load()
    #expect(unkept.ids == expected)
    #expect(
      unkept.notes.first
        == "\(folder.path(name)): a folder stands where a data file should be; it is made anew")
    #expect(unkept.notes.count == 2)
    #expect(unkept.notes.last?.contains("cannot be written: ") == true)
    #expect(folder.names(in: "tokens").count == 3)
  }
}
