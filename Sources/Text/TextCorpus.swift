import Crypto

/// A text in three splits, as tokens.
public struct TextCorpus: Sendable {
  public struct Split: Sendable {
    /// The file it was read from, or what made it.
    public let source: String
    /// Ids below the corpus's `vocabularySize`, in order.
    public let tokens: TokenBuffer
    /// For perplexity per word or per byte: the loss summed over all tokens, divided by these.
    public let counts: TextCounts
    let textHash: [UInt8]
  }

  public let name: CorpusConfig.Name
  public let tokenizer: Tokenizer
  public let train: Split
  public let valid: Split
  public let test: Split

  /// Ids are 0 ..< V.
  public var vocabularySize: Int { tokenizer.vocabularySize }

  /// A hash of the texts and of the tokenizer, 64 hexadecimal digits: other tokens have another.
  public var fingerprint: String {
    var hash = SHA256()
    for part in [tokenizer.hash, train.textHash, valid.textHash, test.textHash] {
      hash.update(data: part)
    }
    return hash.finalize().hexadecimal
  }

  /// Whether each split has one context of tokens and the token after it.
  ///
  /// - Parameter context: tokens that the model sees at once, at least 1.
  /// - Throws: `.contextTooLong`.
  public func check(context: Int) throws(TextError) {
    for (name, split) in [("train", train), ("valid", valid), ("test", test)]
    where split.tokens.count <= context {
      throw .contextTooLong(context: context, split: name, tokens: split.tokens.count)
    }
  }
}
