import TextTable

/// How far a candidate recipe lies from the paper on some of its cells.
public struct CalibrationScore: Hashable, Sendable {
  public enum Result: Hashable, Sendable {
    /// Percent.
    case accuracy(Double)
    case diverged, missing
  }

  public let name: String
  /// One for each cell.
  public let results: [Result]
  /// Mean |ours − paper|, points; infinite where a run diverged, nil where one is missing.
  public let distance: Double?

  /// - Parameter cells: as many as `results`.
  public init(_ name: String, _ results: [Result], against cells: [PublishedCell]) {
    self.name = name
    self.results = results
    var distances: [Double] = []
    for (result, cell) in zip(results, cells) {
      switch result {
      case .accuracy(let accuracy): distances.append(abs(accuracy - cell.accuracy))
      case .diverged: distances.append(.infinity)
      case .missing: break
      }
    }
    distance = distances.count == cells.count ? Statistics.mean(distances) : nil
  }

  /// The best first; those with missing runs after all others.
  public var rank: (Int, Double) { (distance == nil ? 1 : 0, distance ?? 0) }
}

/// One round of a calibration as a table: a column for each candidate where the cells are many, a
/// row for each where they are few.
public func calibrationReport(
  _ scores: [CalibrationScore], cells: [PublishedCell], round: Int
) -> String {
  let head =
    "round \(round): \(counted(scores.count, "candidate")) on \(counted(cells.count, "vanilla cell"))"
  let distances = scores.map { distanceText($0.distance) }
  let rows: [[String]]
  let titles: [String]
  if cells.count <= mostColumns {
    titles = ["recipe", "mean |ours − paper|"] + cells.map(\.text)
    rows =
      [["paper", missing] + cells.map { fixed($0.accuracy, 2) }]
      + zip(scores, distances).map { [$0.name, $1] + $0.results.map(resultText) }
  } else {
    titles = ["cell", "paper"] + scores.map { oneLine($0.name) }
    rows =
      cells.enumerated().map { index, cell in
        [cell.text, fixed(cell.accuracy, 2)] + scores.map { resultText($0.results[index]) }
      } + [["mean |ours − paper|", missing] + distances]
  }
  let table = TextTable<Int> { row in
    titles.indices.map { column in
      Column(
        title: titles[column], value: rows[row][column], align: column == 0 ? .left : .right)
    }
  }
  return head + "\n\n" + (table.string(for: rows.indices, style: Ruled.self) ?? "") + "\n"
}

private let mostColumns = 7

private func resultText(_ result: CalibrationScore.Result) -> String {
  switch result {
  case .accuracy(let accuracy): fixed(accuracy, 2)
  case .diverged: "diverged"
  case .missing: missing
  }
}

private func distanceText(_ distance: Double?) -> String {
  distance.map { $0.isFinite ? fixed($0, 2) : "diverged" } ?? missing
}

extension PublishedCell {
  /// What differs from Table 1's cell of this optimizer.
  fileprivate var text: String {
    var words = ["\(optimizer) \(shortText(lr))"]
    if batchSize != 512 { words.append("batch \(batchSize)") }
    if sparsity != 0.9 { words.append("sparsity \(shortText(sparsity))") }
    if schedule != "cosine" { words.append(schedule) }
    return words.joined(separator: ", ")
  }
}
