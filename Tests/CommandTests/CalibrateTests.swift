import Foundation
import Testing

/// `excite calibrate` on 600 black images in CIFAR-10's files.
@Suite struct CalibrateTests {
  private let place: Workplace

  init() throws {
    place = try Workplace()
    let recordBytes = 1 + 3 * 32 * 32
    for name in ["data_batch_1", "test_batch"] {
      try place.writeSparse(
        count: 10_000 * recordBytes, to: "data/cifar-10-batches-bin/\(name).bin")
    }
    try place.write(
      // The paper's batches have 512 records.
      Workplace.small.replacing("name: synthetic", with: "name: cifar10")
        .replacing("limit: 200", with: "limit: 600"), to: "base.yaml")
  }

  private func command(_ arguments: String...) -> [String] {
    ["calibrate", "base.yaml", "--data-dir", "data", "--jobs", "1"] + arguments
  }

  @Test func triesCandidatesOnVanillaCells() throws {
    let command = command(
      "--try", "model.hidden_layers=1", "--rounds", "2", "--max-steps", "2")
    let output = try place.success(command)
    #expect(output.stdout.contains("round 1: 2 candidates on 3 vanilla cells\n"))
    #expect(output.stdout.contains("round 2: 1 candidate on 7 vanilla cells\n"))
    #expect(output.stdout.contains("model.hidden_layers=1"))
    #expect(output.lines.last?.hasPrefix("nearest to the paper after 2 of 3 rounds: ") == true)
    #expect(
      output.stderr.contains("note: the runs are cut (first 600 training images, first 100 test "))
    // Two candidates on three cells, then the better on four more.
    let runs = place.labels(in: "results")
    #expect(runs.count == 2 * 3 + 4)
    #expect(runs.allSatisfy { $0.contains("vanilla") })
    #expect(try place.text("results/runs/\(runs[0])/config.yaml").contains("max_steps: 2"))
    #expect(try place.success(command).stdout == output.stdout)
  }

  @Test func formatsAreOneDocument() throws {
    let command = command("--try", "model.hidden_layers=1", "--rounds", "2", "--max-steps", "1")
    let json = try place.success(command + ["--format", "json"]).stdout
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
    #expect((object["rounds"] as? [Any])?.count == 2)
    #expect(object["nearest"] is String)
    let csv = try place.success(command + ["--format", "csv"]).stdout
      .components(separatedBy: "\r\n").dropLast()
    // Two candidates on three cells, one on seven.
    #expect(csv.count == 1 + 2 * 3 + 7)
    #expect(
      try place.success(command + ["--format", "markdown"]).stdout.hasPrefix("### round 1: "))
    let latex = try place.excite(command + ["--format", "latex"])
    #expect(latex.status == 64)
    #expect(latex.stderr.contains("not for calibrate"))
  }

  @Test func refusesWhatIsNoRecipe() throws {
    for (choice, reason) in [
      ("model.hiden_layers=8", "unknown key"), ("optimizer.lr=0.1", "every published cell"),
    ] {
      let output = try place.excite(command("--try", choice))
      expectRefused(output, status: 64, saying: ["--try \(choice): ", reason])
    }
    try place.write(Workplace.small, to: "base.yaml")
    expectRefused(
      try place.excite(command()), status: 64, saying: ["base.yaml: dataset.name: ", "CIFAR-10"])
    let variants = try place.excite(command("--variants", "zero-sum"))
    #expect(variants.status == 64)
    #expect(variants.stderr.contains("only vanilla is trained here"))
    #expect(!place.exists("results"))
  }

  /// From another folder its own config is found above the program.
  @Test func findsItsConfig() throws {
    let output = try place.success(["calibrate", "--dry-run", "--rounds", "1"])
    #expect(output.stdout.hasPrefix("round 1: 14 candidates, 3 vanilla cells, 42 runs more\n"))
  }
}
