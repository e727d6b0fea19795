import Crypto
import Datasets
import Foundation
import Tensors

/// Reads a corpus, or generates it where it is `synthetic-text`, and makes tokens of it.
///
/// The tokens of files are kept in the data directory's folder `tokens`, by the hashes of text and
/// tokenizer, and mapped into memory from there the next time. What is there is not trusted: a
/// damaged file is replaced.
///
/// - Parameters:
///   - directory: the data directory; nil means `DataDirectory.resolve` without a flag.
///   - workers: which change no token.
///   - onNote: called with what a user should know, in one line: a damaged file of tokens, or why
///     tokens could not be kept.
/// - Throws: `.missingCorpus` with the command that fetches it; `.data` where a file is missing,
///   empty, unreadable or not UTF-8; `.missingKey`, `.superfluousKey`; what `loadTokenizer` throws.
public func loadCorpus(
  _ config: CorpusConfig, directory: URL? = nil, workers: Workers = Workers(),
  onNote: @escaping (String) -> Void = { _ in }
) throws(TextError) -> TextCorpus {
  let loader = CorpusLoader(
    config: config,
    directory: directory
      ?? DataDirectory.resolve(flag: nil, environment: ProcessInfo.processInfo.environment),
    workers: workers, onNote: onNote)
  return try loader.load()
}

private struct CorpusLoader {
  let config: CorpusConfig
  let directory: URL
  let workers: Workers
  let onNote: (String) -> Void

  /// Where a split's text comes from.
  private enum Source {
    case file(String)
    /// Of a file that holds all splits.
    case part(String, [UInt8])
    case generated([UInt8])

    var name: String {
      switch self {
      case .file(let path), .part(let path, _): path
      case .generated: CorpusConfig.Name.synthetic.rawValue
      }
    }
  }

  func load() throws(TextError) -> TextCorpus {
    let sources = try self.sources()
    var train = try text(of: sources.train)
    let tokenizer = try loadTokenizer(
      config.tokenizer, vocabulary: config.vocabulary,
      trainingText: config.tokenizer == .word ? train : [], directory: directory)
    let trainSplit = try split(sources.train, train, tokenizer)
    // It may be large.
    train = []
    return TextCorpus(
      name: config.name, tokenizer: tokenizer, train: trainSplit,
      valid: try split(sources.valid, text(of: sources.valid), tokenizer),
      test: try split(sources.test, text(of: sources.test), tokenizer))
  }

  // MARK: - Texts

  private func sources() throws(TextError) -> (train: Source, valid: Source, test: Source) {
    if config.name != .files {
      for (key, value) in [("train", config.train), ("valid", config.valid), ("test", config.test)]
      where value != nil {
        throw .superfluousKey(corpus: config.name.rawValue, key: key)
      }
    }
    switch config.name {
    case .synthetic:
      return (
        .generated(SyntheticText.train), .generated(SyntheticText.valid),
        .generated(SyntheticText.test)
      )
    case .wikitext2: return try wikiText(.wikitext2, "wikitext-2")
    case .wikitext103: return try wikiText(.wikitext103, "wikitext-103")
    case .files:
      guard let train = config.train else { throw .missingKey(corpus: "files", key: "train") }
      if let valid = config.valid, let test = config.test {
        return (.file(train), .file(valid), .file(test))
      }
      if config.valid != nil { throw .missingKey(corpus: "files", key: "test") }
      if config.test != nil { throw .missingKey(corpus: "files", key: "valid") }
      let parts = try cut(try readTextFile(train))
      return (.part(train, parts.train), .part(train, parts.valid), .part(train, parts.test))
    }
  }

  /// The raw files, and the token files in which rare words are `<unk>`; first those that suit the
  /// tokenizer.
  private func wikiText(
    _ name: DataName, _ folder: String
  ) throws(TextError) -> (train: Source, valid: Source, test: Source) {
    var layouts = [("\(folder)-raw", "raw"), (folder, "tokens")]
    if config.tokenizer == .word { layouts.reverse() }
    for (folder, ending) in layouts {
      let paths = ["train", "valid", "test"].map {
        directory.appendingPathComponent("\(folder)/wiki.\($0).\(ending)", isDirectory: false).path
      }
      if paths.allSatisfy({ FileManager.default.fileExists(atPath: $0) }) {
        return (.file(paths[0]), .file(paths[1]), .file(paths[2]))
      }
    }
    throw .missingCorpus(
      name: config.name.rawValue,
      lookedFor: layouts.map { "\($0.0)/wiki.{train,valid,test}.\($0.1)" },
      directory: directory.path,
      fetchCommand: DataDirectory.fetchCommand(
        name, directory: directory, environment: ProcessInfo.processInfo.environment))
  }

  private func text(of source: Source) throws(TextError) -> [UInt8] {
    switch source {
    case .file(let path): try readTextFile(path)
    case .part(_, let text), .generated(let text): text
    }
  }

  /// 18, 1 and 1 twentieths, cut behind line ends where there are any.
  private func cut(
    _ text: [UInt8]
  ) throws(TextError) -> (train: [UInt8], valid: [UInt8], test: [UInt8]) {
    func place(_ twentieths: Int) -> Int {
      let wanted = text.count / 20 * twentieths + text.count % 20 * twentieths / 20
      if let lineEnd = text[wanted...].firstIndex(of: UInt8(ascii: "\n")),
        lineEnd - wanted < text.count / 40
      {
        return lineEnd + 1
      }
      // Not inside a character.
      return text[wanted...].firstIndex { $0 & 0xC0 != 0x80 } ?? text.count
    }
    let first = place(18)
    let second = max(first, place(19))
    return (Array(text[..<first]), Array(text[first..<second]), Array(text[second...]))
  }

  // MARK: - Tokens

  private func split(
    _ source: Source, _ text: [UInt8], _ tokenizer: Tokenizer
  ) throws(TextError) -> TextCorpus.Split {
    let textHash = Array(SHA256.hash(data: text))
    let (tokens, counts) = text.withUnsafeBufferPointer { text in
      let encode = { (tokenizer.buffer(text, workers), TextCounts(of: text)) }
      if case .generated = source { return encode() }
      return kept(source.name, textHash, tokenizer, otherwise: encode)
    }
    return TextCorpus.Split(
      source: source.name, tokens: tokens, counts: counts, textHash: textHash)
  }

  /// The tokens that an earlier run kept, else those that `encode` makes, which are then kept.
  private func kept(
    _ source: String, _ textHash: [UInt8], _ tokenizer: Tokenizer,
    otherwise encode: () -> (TokenBuffer, TextCounts)
  ) -> (TokenBuffer, TextCounts) {
    let folder = directory.appendingPathComponent("tokens", isDirectory: true)
    let name = URL(fileURLWithPath: source).deletingPathExtension().lastPathComponent
    let key = SHA256.hash(data: tokenizer.hash + textHash).prefix(8).hexadecimal
    let cache = TokenCache(
      path: folder.appendingPathComponent("\(name)-\(key).tokens", isDirectory: false).path,
      vocabularySize: tokenizer.vocabularySize, tokenizerHash: tokenizer.hash, textHash: textHash)
    switch cache.read() {
    case .tokens(let tokens, let counts): return (tokens, counts)
    case .absent: break
    case .unusable(let problem): onNote("\(problem); it is made anew")
    }
    let lock: FileLock
    do throws(DatasetError) {
      try makeFolder(folder)
      lock = try FileLock(cache.path + ".lock") { onNote("\(source): waiting for its tokens") }
    } catch {
      onNote("the tokens of \(source) are not kept: \(error)")
      return encode()
    }
    defer { lock.release() }
    // Another process may have made it meanwhile.
    if case .tokens(let tokens, let counts) = cache.read() { return (tokens, counts) }
    let (tokens, counts) = encode()
    if let reason = cache.write(tokens, counts) {
      onNote("the tokens of \(source) are not kept: \(cache.path): cannot be written: \(reason)")
    }
    return (tokens, counts)
  }
}
