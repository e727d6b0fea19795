import Crypto
import Datasets
import Tensors

/// How a corpus is cut into tokens, as a config names it.
public enum TokenizerName: String, CaseIterable, Codable, Hashable, Sendable {
  /// GPT-2's byte pairs.
  case gpt2
  /// Words between white space, and `<eos>` for a line's end.
  case word
  /// The bytes themselves.
  case byte
}

/// Text to ids and back.
public enum Tokenizer: Sendable {
  case bytePairs(BytePairTokenizer)
  case words(WordTokenizer)
  case bytes

  /// Ids are 0 ..< V.
  public var vocabularySize: Int {
    switch self {
    case .bytePairs(let tokenizer): tokenizer.vocabularySize
    case .words(let tokenizer): tokenizer.vocabularySize
    case .bytes: 256
    }
  }

  /// SHA-256 of what makes it: another tokenizer or vocabulary has another.
  var hash: [UInt8] {
    switch self {
    case .bytePairs(let tokenizer): tokenizer.vocabulary.hash
    case .words(let tokenizer): tokenizer.hash
    case .bytes: Array(SHA256.hash(data: Array("bytes".utf8)))
    }
  }

  /// - Parameters:
  ///   - text: UTF-8.
  ///   - workers: which change no id.
  /// - Returns: the ids in order.
  /// - Throws: `.notUTF8`.
  public func encode(
    _ text: some Sequence<UInt8>, workers: Workers = Workers()
  ) throws(TextError) -> [Int] {
    let bytes = Array(text)
    if let offset = bytes.withUnsafeBytes({ firstInvalidUTF8(in: $0) }) {
      throw .notUTF8(offset: offset)
    }
    let parts = bytes.withUnsafeBufferPointer { encodedParts($0, as: UInt32.self, workers) }
    return parts.flatMap { $0.map(Int.init) }
  }

  public func encode(_ text: String, workers: Workers = Workers()) -> [Int] {
    // What a String holds is always UTF-8.
    let parts = Array(text.utf8).withUnsafeBufferPointer {
      encodedParts($0, as: UInt32.self, workers)
    }
    return parts.flatMap { $0.map(Int.init) }
  }

  /// The bytes of ids. For `bytePairs` and `bytes`, encoding undone; `String(decoding:as:)` makes
  /// text of them where they do not end inside a character. For `words`, the words with blanks
  /// between.
  ///
  /// - Throws: `.idOutOfRange`.
  public func decode(_ ids: some Collection<Int>) throws(TextError) -> [UInt8] {
    for (index, id) in ids.enumerated() where !(0..<vocabularySize).contains(id) {
      throw .idOutOfRange(index: index, id: id, vocabularySize: vocabularySize)
    }
    switch self {
    case .bytePairs(let tokenizer): return ids.flatMap { tokenizer.vocabulary.tokens[$0] }
    case .words(let tokenizer): return tokenizer.decode(ids)
    case .bytes: return ids.map(UInt8.init)
    }
  }

  fileprivate func makeEncoder() -> any ChunkEncoder {
    switch self {
    case .bytePairs(let tokenizer): BytePairEncoder(tokenizer.vocabulary)
    case .words(let tokenizer): WordEncoder(tokenizer)
    case .bytes: ByteEncoder()
    }
  }
}

/// Encodes the chunks of a text that one thread does.
protocol ChunkEncoder: AnyObject {
  /// - Parameters:
  ///   - text: valid UTF-8.
  ///   - endsText: whether the text ends here.
  ///   - output: room for an id a byte and one more.
  /// - Returns: ids written.
  func encode(
    _ text: UnsafeBufferPointer<UInt8>, endsText: Bool,
    into output: UnsafeMutablePointer<UInt32>
  ) -> Int
}

private final class ByteEncoder: ChunkEncoder {
  func encode(
    _ text: UnsafeBufferPointer<UInt8>, endsText: Bool,
    into output: UnsafeMutablePointer<UInt32>
  ) -> Int {
    for (i, byte) in text.enumerated() { output[i] = UInt32(byte) }
    return text.count
  }
}

extension Tokenizer {
  /// The ids of a text, in as few bytes as the vocabulary needs.
  ///
  /// - Parameter text: valid UTF-8.
  func buffer(_ text: UnsafeBufferPointer<UInt8>, _ workers: Workers) -> TokenBuffer {
    switch TokenBuffer.idBytes(vocabularySize: vocabularySize) {
    case 1: TokenBuffer(encodedParts(text, as: UInt8.self, workers))
    case 2: TokenBuffer(encodedParts(text, as: UInt16.self, workers))
    default: TokenBuffer(encodedParts(text, as: UInt32.self, workers))
    }
  }

  /// About so many bytes of a text are one task.
  private static let chunkBytes = 1 << 18

  /// Encodes a text, cut where every tokenizer cuts: before a blank or line end that follows
  /// another ASCII character.
  ///
  /// - Parameters:
  ///   - text: valid UTF-8.
  ///   - type: wide enough for the vocabulary.
  /// - Returns: the ids, chunk by chunk.
  func encodedParts<ID: FixedWidthInteger & Sendable>(
    _ text: UnsafeBufferPointer<UInt8>, as type: ID.Type, _ workers: Workers
  ) -> [[ID]] {
    var cuts = [0]
    var at = Self.chunkBytes
    while at < text.count {
      let isBlank = text[at] == UInt8(ascii: " ") || text[at] == UInt8(ascii: "\n")
      if isBlank, (0x21...0x7E).contains(text[at - 1]) {
        cuts.append(at)
        at += Self.chunkBytes
      } else {
        at += 1
      }
    }
    cuts.append(text.count)
    let tasks = cuts.count - 1
    let threads = min(workers.count, tasks)
    // Each task writes to its own part and each worker uses its own encoder.
    nonisolated(unsafe) let encoders = (0..<threads).map { _ in makeEncoder() }
    nonisolated(unsafe) let text = text
    return [[ID]](unsafeUninitializedCapacity: tasks) { parts, filled in
      parts.initialize(repeating: [])
      nonisolated(unsafe) let parts = parts
      workers.run(tasks) { task, worker in
        let chunk = UnsafeBufferPointer(rebasing: text[cuts[task]..<cuts[task + 1]])
        let ids = UnsafeMutablePointer<UInt32>.allocate(capacity: chunk.count + 1)
        defer { ids.deallocate() }
        let count = encoders[worker].encode(chunk, endsText: task == tasks - 1, into: ids)
        parts[task] = UnsafeBufferPointer(start: ids, count: count).map {
          ID(truncatingIfNeeded: $0)
        }
      }
      filled = tasks
    }
  }
}
