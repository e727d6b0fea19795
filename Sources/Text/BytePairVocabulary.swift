import Crypto
import Datasets
import Foundation

/// GPT-2's two files: the tokens with their ids, and the merges in the order of their rank.
struct BytePairVocabulary: Sendable {
  /// Every token's bytes; by id, [V].
  let tokens: [ArraySlice<UInt8>]
  /// The token of each byte, [256].
  let byteIDs: [UInt32]
  let merges: PairTable
  /// SHA-256 of the two files' contents.
  let hash: [UInt8]

  /// - Throws: `.data` and those of the vocabularies.
  init(encoder: String, merges mergesPath: String) throws(TextError) {
    let encoderBytes = try readTextFile(encoder)
    let mergesBytes = try readTextFile(mergesPath)
    var hash = SHA256()
    for bytes in [encoderBytes, mergesBytes] {
      // Each by its own hash, so that no byte can move from one file to the other.
      hash.update(data: Array(SHA256.hash(data: bytes)))
    }
    self.hash = Array(hash.finalize())

    var strings = ByteStrings()
    let ids = try Self.readTokens(encoderBytes, path: encoder, into: &strings)
    var tokens = [ArraySlice<UInt8>](repeating: [], count: ids.count)
    for (number, id) in ids.enumerated() { tokens[Int(id)] = strings[number] }
    self.tokens = tokens

    var byteIDs: [UInt32] = []
    for byte in UInt8.min...UInt8.max {
      guard let number = strings.number(of: CollectionOfOne(byte)) else {
        throw .missingByte(path: encoder, byte: byte)
      }
      byteIDs.append(ids[number])
    }
    self.byteIDs = byteIDs
    merges = try Self.readMerges(
      mergesBytes, path: mergesPath, vocabulary: encoder, made: Set(byteIDs)
    ) { strings.number(of: $0).map { ids[$0] } }
  }

  /// - Returns: the id of each string of `strings`.
  private static func readTokens(
    _ bytes: [UInt8], path: String, into strings: inout ByteStrings
  ) throws(TextError) -> [UInt32] {
    var reader = VocabularyJSON(bytes, path: path)
    let pairs = try reader.pairs()
    var ids: [UInt32] = []
    var isTaken = [Bool](repeating: false, count: pairs.count)
    for (key, id) in pairs {
      func name() -> String { String(String.UnicodeScalarView(key)) }
      guard let token = ByteAlphabet.bytes(of: key), !token.isEmpty else {
        throw .unknownCharacter(path: path, token: name())
      }
      guard strings.insert(token).isNew else { throw .duplicateToken(path: path, token: name()) }
      guard id < pairs.count else {
        throw .idBeyondCount(path: path, token: name(), id: id, count: pairs.count)
      }
      guard !isTaken[id] else { throw .duplicateID(path: path, id: id) }
      isTaken[id] = true
      ids.append(UInt32(id))
    }
    return ids
  }

  private static func readMerges(
    _ bytes: [UInt8], path: String, vocabulary: String, made bytesIDs: Set<UInt32>,
    id: ([UInt8]) -> UInt32?
  ) throws(TextError) -> PairTable {
    var made = bytesIDs
    var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    var table = PairTable(capacity: lines.count)
    for (i, line) in lines.enumerated() {
      if i == 0, line.starts(with: Array("#version".utf8)) { continue }
      let parts = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
      guard parts.count == 2, !parts.contains(where: \.isEmpty) else {
        throw .badMerge(path: path, line: i + 1)
      }
      let names = parts.map { String(decoding: $0, as: UTF8.self) }
      func known(_ token: [UInt8]?, _ name: String) throws(TextError) -> UInt32 {
        guard let token else { throw .unknownCharacter(path: path, token: name) }
        guard let found = id(token) else {
          throw .unknownMergeToken(path: path, line: i + 1, token: name, vocabulary: vocabulary)
        }
        return found
      }
      let halves = names.map { ByteAlphabet.bytes(of: $0.unicodeScalars) }
      let left = try known(halves[0], names[0])
      let right = try known(halves[1], names[1])
      // A rank that follows from lower ones is what merging relies on.
      for (half, name) in [(left, names[0]), (right, names[1])] where !made.contains(half) {
        throw .unmadeMergeToken(path: path, line: i + 1, token: name)
      }
      let whole = try known(halves[0].flatMap { l in halves[1].map { l + $0 } }, names.joined())
      made.insert(whole)
      guard table.insert(left, right, makes: whole) else {
        throw .duplicateMerge(path: path, line: i + 1)
      }
    }
    return table
  }
}

/// The characters by which GPT-2's files write bytes: printable ones as they are, the others as
/// U+0100, U+0101, … in their order.
///
/// Source: openai/gpt-2, src/encoder.py, `bytes_to_unicode`.
enum ByteAlphabet {
  /// By scalar value, from 0 to 0x143; nil where a scalar stands for none.
  private static let byteOfScalar: [UInt8?] = {
    var bytes = [UInt8?](repeating: nil, count: 0x144)
    var next = 0x100
    for byte in UInt8.min...UInt8.max {
      switch byte {
      case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: bytes[Int(byte)] = byte
      default:
        bytes[next] = byte
        next += 1
      }
    }
    return bytes
  }()

  /// nil where a scalar stands for no byte.
  static func bytes(of scalars: some Sequence<Unicode.Scalar>) -> [UInt8]? {
    var bytes: [UInt8] = []
    for scalar in scalars {
      guard scalar.value < byteOfScalar.count, let byte = byteOfScalar[Int(scalar.value)] else {
        return nil
      }
      bytes.append(byte)
    }
    return bytes
  }
}

/// A file of UTF-8 that is not empty.
///
/// - Throws: `.data`.
func readTextFile(_ path: String) throws(TextError) -> [UInt8] {
  try withDataErrors { () throws(DatasetError) in try readUTF8File(path) }
}

extension Sequence<UInt8> {
  /// Two lower-case digits a byte.
  var hexadecimal: String { map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
}
