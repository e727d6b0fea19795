import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// `excite reproduce`, with small experiments in place of the paper's.
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

  /// With one seed, as asked for; with all of the paper's, where the store has those.
  @Test func withoutTrainingShowsTheQuickVersionWithTheMostSeeds() throws {
    try place.write(Workplace.small, to: "paper/table5.yaml")
    let one = try reproduce("table5", "--quick")
    #expect(one.stdout.hasPrefix("Table 5: batch size (quick)\n"))
    #expect(try reproduce("table5", "--no-train").stdout == one.stdout)
    let two = try reproduce("table5", "--quick", "--seeds", "0,1")
    #expect(two.stdout.hasPrefix("Table 5: batch size (quick, seeds 0, 1)\n"))
    #expect(try reproduce("table5", "--no-train").stdout == two.stdout)
  }

  @Test func pageHasOverviewTablesAndPictures() throws {
    _ = try reproduce("table1")
    try place.write("\nMy own *images*.\n\n", to: "results/notes.md")
    let output = try reproduce("table1", "fig3", "--no-train", "--page", "docs/page.md")
    #expect(output.stderr.contains("wrote docs/page.md"))
    let page = try place.text("docs/page.md")
    #expect(page.contains("\n\nMy own *images*.\n\n| | runs |"))
    #expect(page.contains("| Table 1: optimizers on CIFAR-10 | 6 of 6 |"))
    #expect(page.contains("The finished runs trained for 0.0 minutes, one after the other."))
    // Its first panel is the same experiment here, so those runs are done.
    #expect(page.contains("| Figure 3: deep models | 6 of 12 |"))
    #expect(page.contains("![Table 1: optimizers on CIFAR-10](figures/table1.svg)"))
    #expect(
      page.contains("**6 of 12 runs are done;** `excite reproduce fig3 --configs paper` does"))
    #expect(place.exists("docs/figures/table1.svg"))
    _ = try reproduce("table1", "fig3", "--no-train", "--page", "docs/page.md")
    #expect(try place.text("docs/page.md") == page)
  }

  /// A page shows what there is of the full version and, until that is complete, the quick one; then
  /// the one with more seeds.
  @Test func withoutTrainingShowsBothVersionsUntilTheFullOneIsComplete() throws {
    func titles(_ flag: String = "--no-train") throws -> [Substring] {
      try reproduce("table1", "--no-train", flag).stdout.split(separator: "\n")
        .filter { $0.hasPrefix("Table 1: ") }
    }
    let full: Substring = "Table 1: optimizers on CIFAR-10"
    #expect(try titles() == [full])
    _ = try reproduce("table1", "--quick")
    #expect(try titles() == [full + " (quick)"])
    _ = try reproduce("table1", "--seeds", "0")
    #expect(try titles() == [full, full + " (quick)"])
    _ = try reproduce("table1")
    #expect(try titles() == [full])
    _ = try reproduce("table1", "--seeds", "0-3")
    #expect(try titles() == [full, full + " (seeds 0-3)"])
    #expect(try titles("--seeds=0,1") == [full])
  }

  @Test func quickVersionIsAnExperimentOfItsOwn() throws {
    let output = try reproduce("table1", "--quick")
    #expect(output.stdout.hasPrefix("Table 1: optimizers on CIFAR-10 (quick)\n"))
    #expect(output.stdout.contains("one seed, no spread"))
    #expect(output.stdout.contains("undecided"))
    #expect(
      output.stdout.contains(
        "more seeds may decide it: excite reproduce table1 --quick --seeds 0-2 --configs paper"))
    #expect(place.exists("results/paper/table1-quick.svg"))
  }

  /// Runs that flags cut short are judged by nothing, and their picture is another file.
  @Test func cutVersionIsNotTheWholeOne() throws {
    _ = try reproduce("table1")
    let whole = try place.read("results/paper/table1.svg")
    let cut = try reproduce("table1", "--max-steps", "2", "--seeds", "0,1,2")
    let title = "Table 1: optimizers on CIFAR-10 (stopped after 2 steps, seeds 0-2)"
    #expect(cut.stdout.hasPrefix("\(title)\n"))
    #expect(cut.stdout.contains("excite reproduce table1 --seeds 0,1,2 --max-steps 2"))
    #expect(cut.stdout.contains("not judged     targeted variants beat vanilla\n"))
    #expect(!cut.stdout.contains(": supports") && !cut.stdout.contains(": contradicts"))
    #expect(cut.stdout.contains("stopped after 2 steps, "))
    #expect(try place.read("results/paper/table1.svg") == whole)
    let other = place.files(in: "results/paper").filter {
      $0.hasPrefix("table1-") && $0.hasSuffix(".svg")
    }
    #expect(other.count == 1)
    #expect(
      try place.text("results/paper/\(other[0])").contains("stopped after 2 steps, seeds 0-2"))
    // The config's own seeds change nothing.
    _ = try reproduce("table1", "--seeds", "0-1")
    #expect(place.files(in: "results/paper").count == 4)
  }

  @Test func unfinishedRunsAreCounted() throws {
    let output = try reproduce("table1", "--shard", "1/3")
    #expect(output.stdout.contains("2 of 6 runs finished"))
    #expect(try place.text("results/paper/table1.svg").contains("2 of 6 runs finished."))
  }

  @Test func severalAreOneDocument() throws {
    _ = try reproduce("table1")
    let json = try reproduce("table1", "fig3", "--no-train", "--format", "json").stdout
    let all = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [Any]
    #expect(all?.count == 2)
    let csv = try reproduce("table1", "fig3", "--no-train", "--format", "csv").stdout
      .components(separatedBy: "\r\n")
    #expect(csv.count { $0.hasPrefix("experiment,") } == 1)
    #expect(csv.count { $0.hasPrefix("Figure 3: deep models,") } == 2 * 3)
    let report = try place.success(["report", "results", "results", "--format", "csv"]).stdout
      .components(separatedBy: "\r\n")
    #expect(report.count { $0.hasPrefix("experiment,") } == 1)
  }

  /// Before the first run, not after the last.
  @Test func aPageThatCannotBeWrittenIsToldFirst() throws {
    try place.write("", to: "docs/page.md/file")
    try place.write("", to: "file")
    for (page, reason) in [("docs/page.md", "it is a folder"), ("file/page.md", "file")] {
      let output = try place.excite("reproduce", "table1", "--configs", "paper", "--page", page)
      expectRefused(output, status: 1, saying: [page, "cannot be written", reason])
    }
    #expect(!place.exists("results/runs"))
  }

  @Test func commandNamesTheStore() throws {
    #expect(try reproduce("table1", "--no-train").stdout.contains("table1 --configs paper\n"))
    let other = try reproduce("table1", "--no-train", "--out", "other store")
    #expect(other.stdout.contains("table1 --configs paper --out 'other store'\n"))
  }

  @Test func dryRunOfAChangedFileForgetsWhatItExpects() throws {
    let header = "# minutes on 2 cores: 3\n# expected accuracy:\n#   vanilla 41\n# a remark\n"
    try place.write(header + Workplace.small, to: "expecting.yaml")
    #expect(
      try place.success(["run", "expecting.yaml", "--dry-run"]).stdout.contains(
        header + "# source: none\n"))
    let changed = try place.success(["run", "expecting.yaml", "--set", "epochs=1", "--dry-run"])
    #expect(changed.stdout.hasPrefix("# a remark\n# source: none\n"), "\(changed.stdout)")
  }

  @Test func dryRunHasHeadingsAndASum() throws {
    try place.write("# minutes on 2 cores: 300\n" + Workplace.small, to: "paper/table1.yaml")
    let names = ["reproduce", "table1", "fig3", "fig1", "--configs", "paper", "--dry-run"]
    let plan = try place.success(names).stdout
    #expect(plan.hasPrefix("# Table 1: optimizers on CIFAR-10\n# minutes on 2 cores: 300\n"))
    #expect(plan.contains("\n---\n# Figure 3: deep models, panel 1 of 2\n"))
    #expect(plan.contains("\n# 6 runs, about "))
    // The first panel of Figure 3 is Table 1 here.
    #expect(plan.contains("\n# 6 runs, 6 listed above:\n"))
    #expect(plan.contains("\n# Figure 1, bottom: a toy problem\n# no runs\n"))
    #expect(plan.contains("\n# in all: 12 runs, about "))
    #expect(!place.exists("results"))
    _ = try reproduce("table1")
    let rest = try place.success(names).stdout
    #expect(rest.contains("\n# 6 runs, 6 in the store:\n"))
    #expect(rest.contains("\n# in all: 12 runs, 6 in the store; the others about "))
    _ = try reproduce("fig3")
    #expect(try place.success(names).stdout.hasSuffix("\n# in all: 12 runs, 12 in the store\n"))
    let quick = try place.success(names + ["--quick"]).stdout
    #expect(quick.hasPrefix("# Table 1: optimizers on CIFAR-10 (quick)\n# source: none\n"))
  }

  /// Of windows 1 and 4 vanilla has no more than one run a seed: 2 · (1 + 2 · 2).
  @Test func vanillaIsCountedOnceForAllWindows() throws {
    let plan = try place.success(
      ["sweep", "small.yaml", "--set", "excitation.window=1,4", "--dry-run"])
    #expect(plan.stdout.contains("# 10 runs, about "))
    #expect(plan.lines.count { $0.contains("vanilla-seed") } == 2)
  }

  @Test func aCutSVHNIsToldEverywhere() throws {
    try SVHNFiles.write(train: 60, test: 5, to: URL(fileURLWithPath: place.path("data")))
    let cut = Workplace.small
      .replacing(
        "name: synthetic, augmentation: none, limit: 200, test_limit: 100", with: "name: svhn")
    try place.write(cut, to: "paper/figure8a.yaml")
    try place.write(Workplace.small, to: "paper/figure8b.yaml")
    let note =
      "svhn here is not the whole set: 60 training and 5 test images instead of 73257 and 26032"
    let plan = try reproduce("fig8", "--data-dir", "data", "--dry-run")
    #expect(plan.stdout.contains("# \(note)\n"))
    let output = try reproduce("fig8", "--data-dir", "data", "--page", "page.md")
    #expect(output.stderr.contains("note: \(note)\n"))
    #expect(output.stdout.contains("\n\(note)\n"))
    #expect(try place.text("page.md").contains("SVHN and CIFAR-100<br>\(note) | 12 of 12"))
    #expect(try place.text("figures/fig8.svg").contains("svhn here is not the whole set"))
  }

  /// The other panel is made, and the exit code says that something is missing.
  @Test func dataThatAreNotThereStopTheirPanelAlone() throws {
    let cut = Workplace.small.replacing("name: synthetic", with: "name: svhn")
    try place.write(cut, to: "paper/figure8a.yaml")
    try place.write(Workplace.small, to: "paper/figure8b.yaml")
    let output = try place.excite(
      "reproduce", "fig8", "--configs", "paper", "--jobs", "1", "--data-dir", "data")
    #expect(output.status == 1)
    #expect(output.stderr.contains("error: fig8: no svhn data"), "\(output.stderr)")
    #expect(output.stdout.contains("6 of 12 runs finished"))
    let alone = Workplace.small.replacing("name: synthetic", with: "name: svhn")
    try place.write(alone, to: "paper/table1.yaml")
    let single = try place.excite(
      "reproduce", "table1", "--configs", "paper", "--data-dir", "data")
    expectRefused(single, status: 1, saying: ["svhn"])
    let plan = try reproduce("table1", "--data-dir", "data", "--dry-run")
    #expect(plan.stdout.contains("# svhn is not, or not wholly, in "))
  }

  /// Of several experiments one that this machine cannot hold stops neither the plan nor the others.
  @Test func whatMemoryCannotHoldStopsItsPanelAlone() throws {
    let wide = Workplace.small.replacing(
      "hidden_layers: 2, width: 16", with: "hidden_layers: 100, width: 65536")
    try #require(wide != Workplace.small)
    try place.write(wide, to: "paper/figure3a.yaml")
    let plan = try reproduce("fig3", "--dry-run")
    #expect(plan.stderr.contains("note: fig3: "))
    #expect(plan.stderr.contains(" of memory, "))
    let output = try place.excite("reproduce", "fig3", "--configs", "paper", "--jobs", "1")
    #expect(output.status == 1)
    #expect(output.stderr.contains("error: fig3: "))
    #expect(output.stdout.contains("6 of 12 runs finished"))
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
    let unknown = try place.excite("reproduce", "table8")
    #expect(unknown.status == 64)
    #expect(unknown.stderr.contains("table8: not one of table1, table2, table3"))
    #expect(unknown.stderr.contains("made by excite bench overhead"))
    #expect(
      try place.excite("reproduce", "tabel1").stderr.contains("all; did you mean table1?"))
    #expect(
      try place.excite("reproduce", "table1", "--from", "w.safetensors").stderr.contains(
        "the paper's runs start from their seeds' own weights"))
    let nowhere = try place.excite("reproduce", "table3", "--configs", "paper")
    #expect(nowhere.status == 64)
    #expect(nowhere.stderr.contains("paper/table3.yaml: no such file"))
  }
}
