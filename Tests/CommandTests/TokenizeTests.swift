import Foundation
import Testing

/// `excite tokenize`; the tokenizers are tested with the target that has them.
struct TokenizeTests {
  let work: Workplace

  init() throws { work = try Workplace() }

  @Test func countsAndIds() throws {
    try work.write("a b\nb a c\n", to: "text")
    let output = try work.success(["tokenize", "text", "--tokenizer", "word", "--ids", "ids"])
    // "a" 0, "b" 1, "<eos>" 2, "c" 3, and "<unk>": 5 words; 10 bytes.
    #expect(
      output.lines.first == "text: 7 tokens of 5 (word), 1.43 bytes a token, 1.40 tokens a word")
    #expect(output.lines.last?.hasPrefix("  10 bytes, 5 words, 2 lines; ") == true)
    #expect(output.lines.last?.hasSuffix(" MB/s") == true)
    let ids = try Data(contentsOf: URL(fileURLWithPath: work.path("ids")))
    let expected: [UInt8] = [0, 1, 2, 1, 0, 3, 2]
    #expect(Array(ids) == expected.flatMap { [$0, 0, 0, 0] })
  }

  @Test func json() throws {
    try work.write("é", to: "one")
    try work.write("ab", to: "two")
    let output = try work.success([
      "tokenize", "one", "two", "--tokenizer", "byte", "--threads", "2", "--json",
    ])
    struct Row: Decodable, Equatable {
      let file: String
      let bytes: Int
      let tokens: Int
      let vocabularySize: Int
    }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    #expect(
      try decoder.decode([Row].self, from: Data(output.stdout.utf8)) == [
        Row(file: "one", bytes: 2, tokens: 2, vocabularySize: 256),
        Row(file: "two", bytes: 2, tokens: 2, vocabularySize: 256),
      ])
  }

  static let refusals: [([String], String)] = [
    (["tokenize", "small.yaml", "--data-dir", "d"], "excite data fetch gpt2 --data-dir "),
    (["tokenize", "nowhere", "--tokenizer", "byte"], "nowhere: there is no such file"),
    (["tokenize", "empty", "--tokenizer", "byte"], "empty: is empty; expected text"),
    (["tokenize", "broken", "--tokenizer", "byte"], "byte 1 belongs to no character"),
    (["tokenize", "small.yaml", "--tokenizer", "word", "--vocabulary", "v"], "tokenizer: word"),
    (
      ["tokenize", "small.yaml", "--tokenizer", "byte", "--ids", "no/folder"],
      "no/folder: cannot be written: "
    ),
  ]

  @Test(arguments: refusals)
  func refused(arguments: [String], saying: String) throws {
    try work.write("", to: "empty")
    try Data([0x61, 0xFF]).write(to: URL(fileURLWithPath: work.path("broken")))
    let output = try work.excite(arguments)
    expectRefused(output, status: 1, saying: [saying])
  }
}
