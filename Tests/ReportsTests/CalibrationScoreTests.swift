import Reports
import Testing

@Suite struct CalibrationScoreTests {
  private let cells = [
    PublishedCell(
      optimizer: "sgd", lr: 0.01, batchSize: 512, sparsity: 0.9, schedule: "cosine", accuracy: 41),
    PublishedCell(
      optimizer: "adam", lr: 1e-4, batchSize: 512, sparsity: 0.1, schedule: "constant",
      accuracy: 50),
  ]

  @Test func distanceIsTheMeanOfAbsolutes() {
    let score = CalibrationScore("a", [.accuracy(42), .accuracy(47)], against: cells)
    // (|42 − 41| + |47 − 50|) / 2
    #expect(score.distance == 2)
  }

  @Test func divergedAndMissingRunsAreRankedLast() {
    let good = CalibrationScore("a", [.accuracy(10), .accuracy(10)], against: cells)
    let diverged = CalibrationScore("b", [.accuracy(41), .diverged], against: cells)
    let missing = CalibrationScore("c", [.accuracy(41), .missing], against: cells)
    #expect(diverged.distance == .infinity)
    #expect(missing.distance == nil)
    #expect(good.rank < diverged.rank)
    #expect(diverged.rank < missing.rank)
  }

  @Test func reportShowsCellsAndPaper() {
    let scores = [
      CalibrationScore("epochs=200", [.accuracy(42), .accuracy(47)], against: cells),
      CalibrationScore("epochs=400", [.diverged, .missing], against: cells),
    ]
    let text = calibrationReport(scores, cells: cells, round: 2)
    #expect(text.hasPrefix("round 2: 2 candidates on 2 vanilla cells\n"))
    let lines = text.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
    #expect(
      lines.contains("recipe mean |ours − paper| sgd 0.01 adam 0.0001, sparsity 0.1, constant"))
    #expect(lines.contains("paper – 41.00 50.00"))
    #expect(lines.contains("epochs=200 2.00 42.00 47.00"))
    #expect(lines.contains("epochs=400 – diverged –"))
  }

  @Test func publishedVanillaCellsAreThirtyEight() throws {
    // 6 of Table 1; 14, 10, 12 and 4 of Tables 3 to 6, two of each already in Table 1; Table 7's
    // two as well.
    #expect(try PublishedValues.load().vanillaCells.count == 6 + 12 + 8 + 10 + 2)
  }
}
