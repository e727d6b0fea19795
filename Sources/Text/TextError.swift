import Datasets
import Tensors

/// What is wrong with a text, a vocabulary or ids, and where.
public enum TextError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A file that is not there, cannot be read, is empty or is no UTF-8 text.
  case data(DatasetError)
  /// Text that was given, not read from a file; `offset` in bytes.
  case notUTF8(offset: Int)

  // Corpora.
  /// None of the files that a split may be in.
  case missingCorpus(name: String, lookedFor: [String], directory: String, fetchCommand: String?)
  case missingVocabulary(directory: String, lookedFor: [String], fetchCommand: String)
  /// A key of the corpus that it needs, or that it does not take.
  case missingKey(corpus: String, key: String)
  case superfluousKey(corpus: String, key: String)
  case superfluousVocabulary(tokenizer: TokenizerName)
  case contextTooLong(context: Int, split: String, tokens: Int)

  // Vocabularies.
  /// `expected` was looked for at byte `offset`.
  case notVocabularyJSON(path: String, offset: Int, expected: String)
  /// A character that stands for no byte in GPT-2's files.
  case unknownCharacter(path: String, token: String)
  case duplicateToken(path: String, token: String)
  case duplicateID(path: String, id: Int)
  /// Ids are 0 ..< `count`, the number of tokens.
  case idBeyondCount(path: String, token: String, id: Int, count: Int)
  /// Without a token for every byte, some text could not be encoded.
  case missingByte(path: String, byte: UInt8)
  /// A line of a merges file, from 1, that is not two tokens and a blank.
  case badMerge(path: String, line: Int)
  case duplicateMerge(path: String, line: Int)
  /// A merge names a token that the vocabulary lacks, or that no line above makes.
  case unknownMergeToken(path: String, line: Int, token: String, vocabulary: String)
  case unmadeMergeToken(path: String, line: Int, token: String)

  // Ids.
  /// `index` is the place among the ids.
  case idOutOfRange(index: Int, id: Int, vocabularySize: Int)

  public var description: String {
    switch self {
    case .data(let error): error.description
    case .notUTF8(let offset): "the text is not UTF-8 at byte \(offset)"
    case .missingCorpus(let name, let lookedFor, let directory, let fetchCommand):
      "no \(name) text: looked for \(lookedFor.joined(separator: ", ")) in \(directory)"
        + (fetchCommand.map { "; fetch it with: \($0)" } ?? "")
    case .missingVocabulary(let directory, let lookedFor, let fetchCommand):
      "no vocabulary: looked for \(lookedFor.joined(separator: " and ")) in \(directory); "
        + "fetch GPT-2's with: \(fetchCommand)"
    case .missingKey(let corpus, let key): "dataset.\(key) is needed with name: \(corpus)"
    case .superfluousKey(let corpus, let key):
      "dataset.\(key) is not for name: \(corpus); it is for name: files"
    case .superfluousVocabulary(let tokenizer):
      "dataset.vocabulary is not for tokenizer: \(tokenizer.rawValue); it is for tokenizer: gpt2"
    case .contextTooLong(let context, let split, let tokens):
      "a context of \(context) tokens needs \(context + 1) in a row; "
        + "the \(split) text has \(tokens)"
    case .notVocabularyJSON(let path, let offset, let expected):
      "\(path): not a JSON object of tokens and their ids: expected \(expected) at byte \(offset)"
    case .unknownCharacter(let path, let token):
      "\(path): token \(printable(token)) has a character that stands for no byte"
    case .duplicateToken(let path, let token): "\(path): token \(printable(token)) is in it twice"
    case .duplicateID(let path, let id): "\(path): id \(id) is given to two tokens"
    case .idBeyondCount(let path, let token, let id, let count):
      "\(path): token \(printable(token)) has id \(id); the ids of \(count) tokens are 0 to \(count - 1)"
    case .missingByte(let path, let byte):
      "\(path): has no token for byte \(byte), so not every text could be encoded"
    case .badMerge(let path, let line):
      "\(path):\(line): not a merge, which is two tokens with a blank between"
    case .duplicateMerge(let path, let line): "\(path):\(line): the same merge as a line above"
    case .unknownMergeToken(let path, let line, let token, let vocabulary):
      "\(path):\(line): token \(printable(token)) is not in \(vocabulary); the two files do not belong together"
    case .unmadeMergeToken(let path, let line, let token):
      "\(path):\(line): token \(printable(token)) is used before a line makes it"
    case .idOutOfRange(let index, let id, let vocabularySize):
      "id \(id) at place \(index) is not in the vocabulary, whose ids are 0 to "
        + "\(vocabularySize - 1)"
    }
  }
}

/// Runs what fails with the errors of `Datasets`.
func withDataErrors<R>(_ body: () throws(DatasetError) -> R) throws(TextError) -> R {
  do { return try body() } catch { throw .data(error) }
}
