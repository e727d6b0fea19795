import Datasets
import Tensors

/// A text's ids on disk: a header of fixed size, then the ids.
///
///     offset  bytes
///          0      8  "EXCTOKNS"
///          8      4  version
///         12      4  bytes per id: 1, 2 or 4
///         16      8  ids
///         24      8  vocabulary's size
///         32     24  the text's bytes, words and lines
///         56     32  SHA-256 of the tokenizer
///         88     32  SHA-256 of the text
///        120      8  content hash of the header up to here and of the ids
///
/// All little-endian. A file is taken for what its header says only where its length, its hashes
/// and its greatest id agree with it.
struct TokenCache {
  static let headerBytes = 128
  private static let magic: [UInt8] = Array("EXCTOKNS".utf8)
  private static let version: UInt32 = 1

  let path: String
  let vocabularySize: Int
  /// 32 bytes each.
  let tokenizerHash: [UInt8]
  let textHash: [UInt8]

  enum Found {
    case tokens(TokenBuffer, TextCounts)
    case absent
    /// There is a file; which, and why it cannot be used.
    case unusable(String)
  }

  /// What is at `path`.
  func read() -> Found {
    do throws(DatasetError) {
      guard let file = try InputFile.openIfPresent(path) else { return .absent }
      guard file.size >= Self.headerBytes else {
        return unusable("it is shorter than its header")
      }
      let header = try filledBytes(Self.headerBytes) {
        (buffer: UnsafeMutableRawBufferPointer) throws(DatasetError) in
        try file.readAll(into: buffer, at: 0)
      }
      func number(_ offset: Int, _ bytes: Int = 8) -> UInt64 {
        header[offset..<offset + bytes].reversed().reduce(0) { $0 << 8 | UInt64($1) }
      }
      guard header.starts(with: Self.magic) else { return unusable("it is another file") }
      guard number(8, 4) == Self.version else {
        return unusable("it is of another version")
      }
      guard Array(header[56..<88]) == tokenizerHash, Array(header[88..<120]) == textHash else {
        return unusable("it is of another text or tokenizer")
      }
      let idBytes = TokenBuffer.idBytes(vocabularySize: vocabularySize)
      let held = file.size - Self.headerBytes
      guard number(12, 4) == idBytes, number(24) == vocabularySize, held % idBytes == 0,
        number(16) == held / idBytes,
        let counts = Self.counts(number(32), number(40), number(48))
      else { return unusable("its length is not what its header says") }
      let tokens = try TokenBuffer(
        file, from: Self.headerBytes, count: held / idBytes, idBytes: idBytes)
      guard Self.hash(header, tokens) == number(120),
        tokens.greatest().map({ $0 < vocabularySize }) ?? true
      else {
        return unusable("it is damaged")
      }
      return .tokens(tokens, counts)
    } catch {
      return .unusable(error.description)
    }
  }

  /// Writes a file that is whole or not there.
  ///
  /// - Returns: the system's reason where it failed, else nil.
  func write(_ tokens: TokenBuffer, _ counts: TextCounts) -> String? {
    func littleEndian(_ number: Int, _ bytes: Int = 8) -> [UInt8] {
      (0..<bytes).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
    var header = Self.magic + littleEndian(Int(Self.version), 4) + littleEndian(tokens.idBytes, 4)
    for number in [tokens.count, vocabularySize, counts.bytes, counts.words, counts.lines] {
      header += littleEndian(number)
    }
    header += tokenizerHash + textHash
    header += littleEndian(Int(truncatingIfNeeded: Self.hash(header, tokens)))
    return header.withUnsafeBytes { replaceFile(at: path, with: [$0, tokens.bytes]) }
  }

  private func unusable(_ reason: String) -> Found { .unusable("\(path): \(reason)") }

  /// nil where a number is no count.
  private static func counts(_ bytes: UInt64, _ words: UInt64, _ lines: UInt64) -> TextCounts? {
    guard let bytes = Int(exactly: bytes), let words = Int(exactly: words),
      let lines = Int(exactly: lines), words <= bytes, lines <= bytes
    else { return nil }
    return TextCounts(bytes: bytes, words: words, lines: lines)
  }

  /// - Parameter header: 120 bytes of it or more.
  private static func hash(_ header: [UInt8], _ tokens: TokenBuffer) -> UInt64 {
    var hash = ContentHash()
    header[..<120].withUnsafeBytes { hash.add($0) }
    hash.add(tokens.bytes)
    return hash.value
  }
}
