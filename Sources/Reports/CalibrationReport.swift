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

/// One round of a calibration: its candidates on some of the paper's vanilla cells.
public struct CalibrationRound: Sendable {
  /// From 1.
  public let number: Int
  public let cells: [PublishedCell]
  /// The best first.
  public let scores: [CalibrationScore]

  public init(_ number: Int, cells: [PublishedCell], scores: [CalibrationScore]) {
    self.number = number
    self.cells = cells
    self.scores = scores
  }

  /// As a table: a column for each candidate where the cells are many, a row for each where they are
  /// few.
  public func text(isMarkdown: Bool = false) -> String {
    let head =
      "round \(number): \(counted(scores.count, "candidate")) on "
      + counted(cells.count, "vanilla cell")
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
    if isMarkdown {
      func line(_ cells: [String]) -> String {
        "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |\n"
      }
      let rule = "|:---|" + String(repeating: "---:|", count: titles.count - 1) + "\n"
      return "### \(head)\n\n" + line(titles) + rule + rows.map(line).joined()
    }
    let table = TextTable<Int> { row in
      titles.indices.map { column in
        Column(
          title: titles[column], value: rows[row][column], align: column == 0 ? .left : .right)
      }
    }
    return head + "\n\n" + (table.string(for: rows.indices, style: Ruled.self) ?? "") + "\n"
  }

  /// Which candidate lies nearest, in one line.
  /// - Parameter rounds: how many there would be in all.
  public func conclusion(of rounds: Int) -> String {
    let after = number < rounds ? " after \(number) of \(rounds) rounds" : ""
    guard let best = scores.first, let distance = best.distance else {
      return "nearest to the paper\(after): not known, runs are missing"
    }
    guard distance.isFinite else { return "nearest to the paper\(after): none, all diverged" }
    return "nearest to the paper\(after): \(oneLine(best.name)), "
      + "mean |ours − paper| \(fixed(distance, 2)) points on "
      + counted(cells.count, "vanilla cell")
  }
}

/// All rounds as one JSON object.
public func calibrationJSON(_ rounds: [CalibrationRound], of count: Int) -> String {
  let last = rounds.last
  let best = last?.scores.first { $0.distance?.isFinite ?? false }
  return JSONValue.object([
    ("rounds", .array(rounds.map(\.value))), ("rounds_in_all", .integer(count)),
    ("nearest", .optional(best?.name)), ("distance", .optional(best?.distance)),
  ]).text() + "\n"
}

/// All rounds as one CSV table: a line for each round, candidate and cell.
public func calibrationCSV(_ rounds: [CalibrationRound]) -> String {
  let header = [
    "round", "recipe", "optimizer", "lr", "batch_size", "sparsity", "schedule", "published_mean",
    "accuracy_mean", "state",
  ]
  let lines = rounds.flatMap { round in
    round.scores.flatMap { score in
      zip(round.cells, score.results).map { cell, result in
        ["\(round.number)", oneLine(score.name)] + cell.fields
          + [shortText(cell.accuracy), result.accuracy.map(shortText) ?? "", result.state]
      }
    }
  }
  return csvText([header] + lines)
}

extension CalibrationRound {
  fileprivate var value: JSONValue {
    .object([
      ("round", .integer(number)),
      (
        "cells",
        .array(
          cells.map { cell in
            .object([
              ("optimizer", .string(cell.optimizer)), ("lr", .number(cell.lr)),
              ("batch_size", .integer(cell.batchSize)), ("sparsity", .number(cell.sparsity)),
              ("schedule", .string(cell.schedule)), ("published_mean", .number(cell.accuracy)),
            ])
          })
      ),
      (
        "candidates",
        .array(
          scores.map { score in
            .object([
              ("name", .string(score.name)), ("distance", .optional(score.distance)),
              ("accuracies", .array(score.results.map { .optional($0.accuracy) })),
              ("states", .array(score.results.map { .string($0.state) })),
            ])
          })
      ),
    ])
  }
}

extension CalibrationScore.Result {
  fileprivate var accuracy: Double? {
    if case .accuracy(let accuracy) = self { accuracy } else { nil }
  }

  fileprivate var state: String {
    switch self {
    case .accuracy: "finished"
    case .diverged: "diverged"
    case .missing: "missing"
    }
  }
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

  fileprivate var fields: [String] {
    [optimizer, shortText(lr), "\(batchSize)", shortText(sparsity), schedule]
  }
}
