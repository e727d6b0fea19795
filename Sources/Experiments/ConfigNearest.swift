/// The candidate closest to a mistyped name, or nil where none is close enough to suggest.
///
/// Distance is Levenshtein's, with neighbours that changed places as one difference, on lower-case
/// text with "-" read as "_". A candidate is close when at most 2 letters, or a third of the longer
/// name, differ, or when one name starts the other.
public func nearest(to name: String, in candidates: [String]) -> String? {
  func plain(_ text: String) -> [Character] {
    text.lowercased().map { $0 == "-" ? "_" : $0 }
  }
  let longest = 64
  let wanted = Array(plain(name).prefix(longest))
  guard !wanted.isEmpty else { return nil }
  var best: (name: String, distance: Int)?
  for candidate in candidates {
    let letters = plain(candidate)
    let distance = editDistance(wanted, letters)
    if distance < best?.distance ?? Int.max { best = (candidate, distance) }
  }
  guard let best else { return nil }
  let allowed = max(min(2, wanted.count / 2), max(wanted.count, best.name.count) / 3)
  if best.distance <= allowed { return best.name }
  let fewest = 3
  guard wanted.count >= fewest else { return nil }
  return candidates.first { plain($0).starts(with: wanted) || wanted.starts(with: plain($0)) }
}

/// The fewest letters to insert, delete or change, or neighbours to swap.
private func editDistance(_ a: [Character], _ b: [Character]) -> Int {
  var earlier: [Int] = []
  var before = Array(0...b.count)
  for i in a.indices {
    var row = [i + 1]
    for j in b.indices {
      var least = min(before[j + 1] + 1, row[j] + 1, before[j] + (a[i] == b[j] ? 0 : 1))
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, earlier[j - 1] + 1) }
      row.append(least)
    }
    (earlier, before) = (before, row)
  }
  return before[b.count]
}
