import Foundation
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// `excite reproduce` and `excite calibrate`, with small experiments in place of the paper's.
@Suite struct ReproduceTests {
  private let place: Workplace

  init() throws {
    place = try Workplace()
    try place.write(Workplace.small, to: "paper/table1.yaml")
    try place.write(Workplace.small, to: "paper/figure3a.yaml")
    let deep = Workplace.small.replacing("hidden_layers: 2", with: "hidden_layers: 3")
    try place.write(deep, to: "paper/figure3b.yaml")
  }

  private func reproduce(_ arguments: String...) throws -> Output {
    try place.success(["reproduce"] + arguments + ["--configs", "paper", "--jobs", "1"])
  }

  @Test func tableClaimsAndPicture() throws {
    let output = try reproduce("table1")
    #expect(output.stdout.hasPrefix("Table 1: optimizers on CIFAR-10\n"))
    #expect(output.stdout.contains("positive-sum"))
    #expect(output.stdout.contains("targeted variants beat vanilla"))
    #expect(output.stdout.contains("zero-sum − vanilla: "))
    for file in ["table1.svg", "table1.png"] {
      #expect(place.exists("results/paper/\(file)"))
    }
  }

  @Test func panelsAreOneTable() throws {
    let output = try reproduce("fig3")
    #expect(output.stdout.contains("layers"))
    // Two panels of three variants, two seeds each.
    #expect(place.labels(in: "results").count == 2 * 3 * 2)
    #expect(output.stdout.contains("3, vanilla − chance"))
  }

  @Test func expertFiguresAndClaims() throws {
    try place.write(Workplace.small, to: "paper/figure4a.yaml")
    let deep = Workplace.small.replacing("hidden_layers: 2", with: "hidden_layers: 4")
    try place.write(deep, to: "paper/figure4b.yaml")
    let output = try reproduce("fig4", "fig5")
    #expect(output.stdout.contains("excitation makes experts more special"))
    #expect(output.stdout.contains("4, zero-sum − vanilla: "))
    #expect(output.stdout.contains(" nats ["))
    for name in ["fig4", "fig5"] {
      #expect(try place.text("results/paper/\(name).svg").contains("4 hidden layers"))
    }
  }

  /// A signal reaches the second experiment of a command as it does the first.
  @Test(arguments: [SIGINT, SIGTERM])
  func signalEndsTheSecondPanel(number: Int32) throws {
    let long = Workplace.small.replacing("epochs: 2", with: "epochs: 1000000")
      .replacing("hidden_layers: 2", with: "hidden_layers: 3")
    try place.write(long, to: "paper/figure3b.yaml")
    let child = try place.start(["reproduce", "fig3", "--configs", "paper", "--jobs", "1"])
    let isReady = child.wait { place.labels(in: "results").count > 3 * 2 }
    child.signal(number)
    let output = child.finish()
    try #require(isReady)
    #expect(output.status == 128 + number)
    #expect(output.stderr.contains("interrupted: 0 of 6 runs finished"))
  }

  @Test func severalExperimentsAreNoArrayJob() throws {
    let output = try place.excite("reproduce", "fig3", "--configs", "paper", "--slurm", "--dry-run")
    #expect(output.status == 64)
    #expect(output.stderr.contains("--slurm makes an array job of one experiment"))
  }

  @Test func toyProblemNeedsNoRun() throws {
    let output = try reproduce("fig1")
    #expect(output.stdout.contains("loss after 20 steps: SGD 0."))
    #expect(place.exists("results/paper/fig1.svg"))
    #expect(!place.exists("results/runs"))
  }

  @Test func withoutTrainingShowsWhatTheStoreHas() throws {
    let empty = try reproduce("table1", "--no-train")
    #expect(empty.stdout.contains("not begun"))
    #expect(empty.stdout.contains("not measured"))
    #expect(!place.exists("results/runs"))
    let made = try reproduce("table1")
    let again = try reproduce("table1", "--no-train")
    #expect(again.stdout == made.stdout)
  }

  @Test func pageHasOverviewTablesAndPictures() throws {
    _ = try reproduce("table1")
    let output = try reproduce("table1", "fig3", "--no-train", "--page", "docs/page.md")
    #expect(output.stderr.contains("wrote docs/page.md"))
    let page = try place.text("docs/page.md")
    #expect(page.contains("| Table 1: optimizers on CIFAR-10 | 6 of 6 |"))
    // Its first panel is the same experiment here, so those runs are done.
    #expect(page.contains("| Figure 3: deep models | 6 of 12 |"))
    #expect(page.contains("![Table 1: optimizers on CIFAR-10](figures/table1.svg)"))
    #expect(page.contains("**6 of 12 runs are done;** `excite reproduce fig3` does the others."))
    #expect(place.exists("docs/figures/table1.svg"))
    _ = try reproduce("table1", "fig3", "--no-train", "--page", "docs/page.md")
    #expect(try place.text("docs/page.md") == page)
  }

  @Test func quickVersionIsAnExperimentOfItsOwn() throws {
    let output = try reproduce("table1", "--quick", "--max-steps", "2")
    #expect(output.stdout.hasPrefix("Table 1: optimizers on CIFAR-10 (quick)\n"))
    #expect(output.stdout.contains("one seed, no spread"))
    #expect(output.stdout.contains("undecided"))
    #expect(place.exists("results/paper/table1-quick.svg"))
  }

  @Test func jsonHasTableAndClaims() throws {
    let output = try reproduce("table1", "--format", "json")
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(output.stdout.utf8)) as? [String: Any])
    let claims = try #require(object["claims"] as? [[String: Any]])
    #expect(claims.first?["claim"] as? String == "targeted variants beat vanilla")
    #expect((object["table"] as? [String: Any])?["rows"] is [Any])
  }

  @Test func unknownNamesAndFoldersAreToldApart() throws {
    let unknown = try place.excite("reproduce", "table2")
    #expect(unknown.status == 64)
    #expect(unknown.stderr.contains("table2: not one of table1, table3"))
    let nowhere = try place.excite("reproduce", "table3", "--configs", "paper")
    #expect(nowhere.status == 64)
    #expect(nowhere.stderr.contains("paper/table3.yaml: no such file"))
  }

  @Test func calibrationTriesCandidatesOnVanillaCells() throws {
    try place.write(
      // The paper's batches have 512 records.
      Workplace.small.replacing("limit: 200", with: "limit: 600"), to: "base.yaml")
    let command = [
      "calibrate", "base.yaml", "--try", "model.width=8", "--rounds", "2", "--max-steps", "2",
    ]
    let output = try place.success(command)
    #expect(output.stdout.contains("round 1: 2 candidates on 1 vanilla cell\n"))
    #expect(output.stdout.contains("round 2: 1 candidate on 3 vanilla cells\n"))
    #expect(output.stdout.contains("model.width=8"))
    // Two candidates on one cell, then the better on two more.
    let runs = place.labels(in: "results")
    #expect(runs.count == 2 + 2)
    #expect(runs.allSatisfy { $0.contains("vanilla") })
    #expect(try place.success(command).stdout == output.stdout)
  }

  @Test func calibrationRefusesWhatIsNoRecipe() throws {
    try place.write(Workplace.small.replacing("limit: 200", with: "limit: 600"), to: "base.yaml")
    let output = try place.excite("calibrate", "base.yaml", "--try", "model.widht=8")
    #expect(output.status == 64)
    #expect(output.stderr.contains("model.widht=8: unknown key"))
  }
}
