/// Merges the byte tokens of one piece: the pair of the lowest rank first, the leftmost of equals,
/// until no pair merges.
///
/// Source: Sennrich et al. 2016 (arXiv:1508.07909), as openai/gpt-2, src/encoder.py does it.
final class BytePairMerger {
  /// Longer pieces are merged by a heap: n log n, where going through all pairs is n².
  private static let mostScanned = 64
  private static let placeBits: UInt64 = 40

  private let vocabulary: BytePairVocabulary
  private var heap = MinHeap()
  private var next: [Int] = []
  private var previous: [Int] = []

  init(_ vocabulary: BytePairVocabulary) { self.vocabulary = vocabulary }

  /// - Parameters:
  ///   - piece: at least one byte.
  ///   - output: room for an id a byte.
  /// - Returns: ids written.
  func merge(
    _ piece: UnsafeBufferPointer<UInt8>, into output: UnsafeMutablePointer<UInt32>
  ) -> Int {
    for (i, byte) in piece.enumerated() { output[i] = vocabulary.byteIDs[Int(byte)] }
    return piece.count <= Self.mostScanned
      ? scan(output, piece.count) : mergeByHeap(output, piece.count)
  }

  /// For short pieces: the ranks of all neighbours in an array, searched for each merge.
  private func scan(_ ids: UnsafeMutablePointer<UInt32>, _ count: Int) -> Int {
    let merges = vocabulary.merges
    return withUnsafeTemporaryAllocation(of: PairTable.Merge.self, capacity: count) { pairs in
      guard let pairs = pairs.baseAddress else { return count }
      var count = count
      for i in 0..<(count - 1) { pairs[i] = merges.merge(ids[i], ids[i + 1]) }
      while count > 1 {
        var best = 0
        for i in 1..<max(1, count - 1) where pairs[i].rank < pairs[best].rank { best = i }
        guard pairs[best].rank != PairTable.Merge.none.rank else { break }
        ids[best] = pairs[best].id
        count -= 1
        for i in (best + 1)..<max(best + 1, count) {
          ids[i] = ids[i + 1]
          pairs[i - 1] = pairs[i]
        }
        if best > 0 { pairs[best - 1] = merges.merge(ids[best - 1], ids[best]) }
        if best + 1 < count { pairs[best] = merges.merge(ids[best], ids[best + 1]) }
      }
      return count
    }
  }

  /// For long pieces: a list of the tokens and a heap of (rank, place) of the pairs.
  private func mergeByHeap(_ ids: UnsafeMutablePointer<UInt32>, _ count: Int) -> Int {
    let merges = vocabulary.merges
    next = Array(1...count)
    previous = Array(-1..<(count - 1))
    heap.removeAll()
    func push(_ place: Int) {
      guard place >= 0, next[place] < count else { return }
      let rank = merges.merge(ids[place], ids[next[place]]).rank
      if rank != PairTable.Merge.none.rank {
        heap.insert(UInt64(rank) << Self.placeBits | UInt64(place))
      }
    }
    for place in 0..<(count - 1) { push(place) }
    // A token that was merged into the one before it has itself as its next.
    while let top = heap.popMin() {
      let place = Int(top & (1 << Self.placeBits - 1))
      let right = next[place]
      guard right != place, right < count else { continue }
      let merge = merges.merge(ids[place], ids[right])
      // Else another pair stands here by now.
      guard UInt64(merge.rank) == top >> Self.placeBits else { continue }
      ids[place] = merge.id
      next[place] = next[right]
      if next[right] < count { previous[next[right]] = place }
      next[right] = right
      push(previous[place])
      push(place)
    }
    var written = 0
    var place = 0
    while place < count {
      let following = next[place]
      ids[written] = ids[place]
      written += 1
      place = following
    }
    return written
  }
}

/// The smallest of what was put in.
private struct MinHeap {
  private var items: [UInt64] = []

  mutating func removeAll() { items.removeAll(keepingCapacity: true) }

  mutating func insert(_ item: UInt64) {
    items.append(item)
    var at = items.count - 1
    while at > 0, items[(at - 1) / 2] > item {
      items[at] = items[(at - 1) / 2]
      at = (at - 1) / 2
    }
    items[at] = item
  }

  mutating func popMin() -> UInt64? {
    guard let least = items.first else { return nil }
    let item = items.removeLast()
    guard !items.isEmpty else { return least }
    var at = 0
    while 2 * at + 1 < items.count {
      var child = 2 * at + 1
      if child + 1 < items.count, items[child + 1] < items[child] { child += 1 }
      if items[child] >= item { break }
      items[at] = items[child]
      at = child
    }
    items[at] = item
    return least
  }
}
