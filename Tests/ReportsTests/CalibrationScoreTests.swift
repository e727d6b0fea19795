import Foundation
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
    let round = CalibrationRound(2, cells: cells, scores: scores)
    let text = round.text()
    #expect(text.hasPrefix("round 2: 2 candidates on 2 vanilla cells\n"))
    let lines = text.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
    #expect(
      lines.contains("recipe mean |ours − paper| sgd 0.01 adam 0.0001, sparsity 0.1, constant"))
    #expect(lines.contains("paper – 41.00 50.00"))
    #expect(lines.contains("epochs=200 2.00 42.00 47.00"))
    #expect(lines.contains("epochs=400 – diverged –"))
    let markdown = round.text(isMarkdown: true).split(separator: "\n")
    #expect(markdown[1].hasPrefix("| recipe | mean \\|ours − paper\\| | sgd 0.01 |"))
    #expect(markdown[4] == "| epochs=200 | 2.00 | 42.00 | 47.00 |")
  }

  @Test func theNearestIsNamed() {
    func conclusion(_ results: [CalibrationScore.Result]) -> String {
      CalibrationRound(
        2, cells: cells, scores: [CalibrationScore("epochs=200", results, against: cells)]
      ).conclusion(of: 4)
    }
    #expect(
      conclusion([.accuracy(42), .accuracy(47)])
        == "nearest to the paper after 2 of 4 rounds: epochs=200, mean |ours − paper| 2.00 points "
        + "on 2 vanilla cells")
    #expect(conclusion([.diverged, .accuracy(47)]).hasSuffix("none, all diverged"))
    #expect(conclusion([.missing, .accuracy(47)]).hasSuffix("not known, runs are missing"))
  }

  @Test func roundsAreOneDocument() throws {
    let rounds = [1, 2].map { number in
      CalibrationRound(
        number, cells: cells,
        scores: [CalibrationScore("epochs=200", [.accuracy(42), .diverged], against: cells)])
    }
    let json = try #require(
      try JSONSerialization.jsonObject(with: Data(calibrationJSON(rounds, of: 4).utf8))
        as? [String: Any])
    #expect((json["rounds"] as? [Any])?.count == 2)
    #expect(json["nearest"] is NSNull)
    let csv = calibrationCSV(rounds).components(separatedBy: "\r\n").dropLast()
    #expect(csv.count == 1 + 2 * 2)
    #expect(csv[1] == "1,epochs=200,sgd,0.01,512,0.9,cosine,41,42,finished")
    #expect(csv[2] == "1,epochs=200,adam,0.0001,512,0.1,constant,50,,diverged")
  }

  @Test func publishedVanillaCellsAreThirtyEight() throws {
    // 6 of Table 1; 14, 10, 12 and 4 of Tables 3 to 6, two of each already in Table 1; Table 7's
    // two as well.
    #expect(try PublishedValues.load().vanillaCells.count == 6 + 12 + 8 + 10 + 2)
  }
}
