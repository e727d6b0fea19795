import Datasets
import Tensors

/// GPT-2's byte-level byte-pair encoding.
///
/// A text is cut into pieces (see `PieceScanner`), the bytes of each are merged by rank. Nothing in
/// a text is special: `<|endoftext|>` is encoded as the characters it has.
///
/// Source: Radford et al. 2019, "Language models are unsupervised multitask learners", 2.2;
/// openai/gpt-2, src/encoder.py. No deviation.
public struct BytePairTokenizer: Sendable {
  let vocabulary: BytePairVocabulary

  /// Reads a vocabulary in the format of GPT-2's.
  ///
  /// - Parameters:
  ///   - encoder: path of `encoder.json`, a JSON object of tokens and ids.
  ///   - merges: path of `vocab.bpe`, a line a merge.
  /// - Throws: `.data` where a file is missing, empty, unreadable or not UTF-8;
  ///   `.notVocabularyJSON`, `.unknownCharacter`, `.duplicateToken`, `.duplicateID`,
  ///   `.idBeyondCount`, `.missingByte`, `.badMerge`, `.duplicateMerge`, `.unknownMergeToken`,
  ///   `.unmadeMergeToken`.
  public init(encoder: String, merges: String) throws(TextError) {
    vocabulary = try BytePairVocabulary(encoder: encoder, merges: merges)
  }

  /// Tokens, V.
  public var vocabularySize: Int { vocabulary.tokens.count }
}

/// Encodes one chunk of a text after the other, on one thread.
final class BytePairEncoder: ChunkEncoder {
  private let classes = CharacterClasses.shared
  private let merger: BytePairMerger
  private let cache = WordCache()

  init(_ vocabulary: BytePairVocabulary) { merger = BytePairMerger(vocabulary) }

  func encode(
    _ text: UnsafeBufferPointer<UInt8>, endsText: Bool,
    into output: UnsafeMutablePointer<UInt32>
  ) -> Int {
    guard let base = text.baseAddress else { return 0 }
    let scanner = PieceScanner(text, classes)
    var written = 0
    var at = 0
    while at < text.count {
      let end = scanner.pieceEnd(from: at)
      let count = end - at
      let piece = UnsafeBufferPointer(start: base + at, count: count)
      if count <= WordCache.mostBytes {
        let key = WordCache.key(base + at, count, readable: text.count - at)
        let place = cache.place(of: key)
        if place.pointee.key == key {
          let ids = place.pointee.ids
          // Four at once, of which the next piece overwrites what is too many; where fewer bytes
          // than that are left, there may be no room.
          if text.count - at >= WordCache.mostIDs {
            UnsafeMutableRawPointer(output + written).storeBytes(of: ids, as: SIMD4<UInt32>.self)
            var used = 1
            while used < WordCache.mostIDs, ids[used] != WordCache.noID { used += 1 }
            written += used
          } else {
            for i in 0..<WordCache.mostIDs where ids[i] != WordCache.noID {
              output[written] = ids[i]
              written += 1
            }
          }
        } else {
          let merged = merger.merge(piece, into: output + written)
          if merged <= WordCache.mostIDs {
            var ids = SIMD4<UInt32>(repeating: WordCache.noID)
            for i in 0..<merged { ids[i] = output[written + i] }
            place.pointee = WordCache.Entry(key: key, ids: ids)
          }
          written += merged
        }
      } else {
        written += merger.merge(piece, into: output + written)
      }
      at = end
    }
    return written
  }
}
