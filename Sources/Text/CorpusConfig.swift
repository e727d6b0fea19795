/// Which texts a language model learns from and is tested on, and how they become tokens.
public struct CorpusConfig: Codable, Hashable, Sendable {
  public enum Name: String, CaseIterable, Codable, Hashable, Sendable {
    case wikitext2, wikitext103
    /// Generated, so that nothing need be fetched.
    case synthetic = "synthetic-text"
    /// The files that `train`, `valid` and `test` name.
    case files
  }

  public var name: Name
  public var tokenizer: TokenizerName
  /// A folder with `encoder.json` and `vocab.bpe`, for the tokenizer `gpt2`; nil means `gpt2` in the
  /// data directory.
  public var vocabulary: String?
  /// Paths, with the name `files`. Without `valid` and `test`, the last twentieth of `train` is
  /// the test text and the one before it the validation text.
  public var train: String?
  public var valid: String?
  public var test: String?

  /// - Parameter tokenizer: nil means GPT-2's, and bytes for the synthetic text.
  public init(
    name: Name, tokenizer: TokenizerName? = nil, vocabulary: String? = nil, train: String? = nil,
    valid: String? = nil, test: String? = nil
  ) {
    self.name = name
    self.tokenizer = tokenizer ?? (name == .synthetic ? .byte : .gpt2)
    self.vocabulary = vocabulary
    self.train = train
    self.valid = valid
    self.test = test
  }
}
