import Foundation
import Reports
import Testing

@Suite struct HTMLTests {
  static func count(_ part: String, _ text: String) -> Int {
    text.components(separatedBy: part).count - 1
  }

  @Test func oneTable() throws {
    let curves = [FigureTests.curve(setting(), "vanilla", seed: 0, [10, 20, 30])]
    let page = htmlReport([try table(twoOptimizers())], curves: [curves])
    #expect(page.hasPrefix("<!DOCTYPE html>\n<html lang=\"en\">"))
    #expect(page.contains("<title>cifar10_topk</title>"))
    #expect(page.contains("<h1>cifar10_topk</h1>"))
    #expect(page.contains("<p>source: Table 1<br>\nexpected: 41.0</p>"))
    #expect(
      page.contains(
        "<tr><td>sgd</td><td>vanilla</td><td class=\"number\">3</td>"
          + "<td class=\"number\">41.00 ± 1.00</td><td class=\"number\">–</td>"
          + "<td class=\"number\">–</td>"
          + "<td class=\"number\">41.01</td><td class=\"number\">–</td>"
          + "<td class=\"number\">–</td><td class=\"number\">0.42 s</td></tr>"))
    #expect(page.contains("<b>47.00 ± 2.00</b>"))
    #expect(page.contains("<p class=\"note\">paper: published mean over 3 seeds"))
    #expect(Self.count("<svg", page) == 3)
    #expect(page.contains("<pre>excite run configs/cifar10_topk.yaml</pre>"))
    #expect(page.contains("<pre>batch_size: 512\nepochs: 300\n</pre>"))
    #expect(page.contains("<dt>machine</dt><dd>Example CPU 3000, 2 cores, 1 run at once</dd>"))
  }

  private static func map(
    _ setting: SettingRecord, _ variant: String, seed: UInt64, layers: Int = 1, experts: Int = 2
  ) -> ExpertClassMap {
    ExpertClassMap(
      setting: setting, variant: variant, gamma: 1, seed: seed,
      layers: (1...layers).map { layer in
        ExpertClassMap.Layer(
          layer: layer,
          experts: (0..<experts).map { expert in
            // The first expert serves class 0 alone, the second class 1 three times in four, a
            // third nobody.
            .init(
              utilization: expert == 0 ? 0.25 : 0.5,
              counts: expert == 0 ? [8, 0] : expert == 1 ? [1, 3] : [0, 0])
          })
      })
  }

  @Test func expertsByClass() throws {
    let setting = setting()
    let maps = [
      Self.map(setting, "vanilla", seed: 1), Self.map(setting, "vanilla", seed: 0),
      Self.map(setting, "zero-sum", seed: 0, experts: 3),
    ]
    let outcomes = runs(setting, "vanilla", [40]) + runs(setting, "zero-sum", [41])
    let page = htmlReport([try table(outcomes)], curves: [], experts: [maps])
    #expect(page.contains("<figcaption>Experts by class</figcaption>"))
    // One panel a variant, of its first seed.
    #expect(Self.count(">vanilla, layer 1<", page) == 1)
    #expect(Self.count(">zero-sum, layer 1<", page) == 1)
    #expect(page.contains("2 experts and 1 without a use"))
    #expect(page.contains("darkest: 100 %"))
    // ColorBrewer's RdBu: all of an expert's uses 2166AC, three quarters 4393C3, one D1E5F0.
    for color in ["#2166ac", "#4393c3", "#d1e5f0"] {
      #expect(Self.count("fill=\"\(color)\"", page) >= 2, "\(color)")
    }
  }

  @Test func rareUsesDoNotSetTheScale() throws {
    let setting = setting()
    let map = ExpertClassMap(
      setting: setting, variant: "vanilla", gamma: nil, seed: 0,
      layers: [
        .init(
          layer: 1,
          experts: [[60, 40], [40, 60], [1, 0]].map { .init(utilization: 0.1, counts: $0) })
      ])
    let page = htmlReport(
      [try table(runs(setting, "vanilla", [40]))], curves: [], experts: [[map]])
    #expect(page.contains("darkest: 60 % or more"))
  }

  @Test func whatHasNoClassesHasNoMap() throws {
    let setting = setting()
    let map = ExpertClassMap(
      setting: setting, variant: "vanilla", gamma: nil, seed: 0,
      layers: [.init(layer: 1, experts: [.init(utilization: 1, counts: [7])])])
    let page = htmlReport(
      [try table(runs(setting, "vanilla", [40]))], curves: [], experts: [[map]])
    #expect(!page.contains("Experts by class"))
  }

  @Test func tooManyExpertsLeaveFirstLayersOut() throws {
    // 2 layers of 12,000 experts and 2 classes are 48,000 cells; 40,000 are drawn at most.
    let setting = setting()
    let maps = [Self.map(setting, "vanilla", seed: 0, layers: 2, experts: 12_000)]
    let page = htmlReport(
      [try table(runs(setting, "vanilla", [40]))], curves: [], experts: [maps])
    #expect(page.contains(">vanilla, layer 2<"))
    #expect(!page.contains(">vanilla, layer 1<"))
  }

  @Test func runsWithTheirReasons() throws {
    let page = htmlReport([try table(twoOptimizers())], curves: [])
    // sgd 3 + 3, adam 2 + 3 finished; one failed, one was interrupted.
    #expect(page.contains("<summary>Runs: 11 finished, 2 without a result</summary>"))
    #expect(page.contains("<details open>"))
    #expect(
      page.contains(
        "<td class=\"number\">2</td><td class=\"number\">–</td>"
          + "<td class=\"bad\">loss is not finite at step 120 stopped</td></tr>"))
    #expect(page.contains("<td class=\"bad\">interrupted after 12 of 300 epochs</td>"))
    #expect(
      page.contains(
        "<tr><td>sgd</td><td>zero-sum</td><td>1</td><td class=\"number\">1</td>"
          + "<td class=\"number\">47.00</td><td class=\"good\">finished</td></tr>"))
  }

  @Test func needsNothingElse() throws {
    let page = htmlReport([try table(twoOptimizers())], curves: [])
    // The only address is the name space of SVG, which nothing fetches.
    let addresses = page.components(separatedBy: "http").dropFirst().map { $0.prefix(22) }
    #expect(
      addresses.allSatisfy { $0.hasPrefix("://www.w3.org/2000/svg") || $0.hasPrefix("-equiv") })
    for part in ["<script", "<link", "<img", "src=", "url(", "@import"] {
      #expect(!page.contains(part), "\(part)")
    }
    #expect(page.contains("default-src 'none'"))
    #expect(page.contains("prefers-color-scheme: dark"))
  }

  @Test func everythingIsEscaped() throws {
    let bad = "<script>alert(\"x\")</script> & </pre></style>"
    let recipe = setting(
      optimizer: bad, varying: [SettingAxis("optimizer.name", bad)], comparable: false)
    let other = setting(varying: [SettingAxis("optimizer.name", "sgd")], comparable: false)
    let outcomes =
      runs(recipe, bad, [40, 41]) + runs(recipe, "vanilla", gamma: nil, [39, 40])
      + [run(other, bad, seed: 0, status: .failed(reason: bad), epochs: 1)]
    let record = ExperimentRecord(
      name: bad, header: [bad], command: bad, config: bad, seeds: [0, 1],
      variants: [bad], notes: [bad])
    var machine = machine
    machine.cpu = bad
    let page = htmlReport(
      [try table(outcomes, experiment: record, environment: machine)],
      curves: [[FigureTests.curve(recipe, bad, seed: 0, [1, 2, 3])]])
    #expect(!page.contains("<script"))
    #expect(Self.count("</style>", page) == 1)
    #expect(Self.count("<pre>", page) == 2)
    #expect(Self.count("</pre>", page) == 2)
    #expect(page.contains("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; "))
  }

  @Test func severalTablesHaveAnIndex() throws {
    let first = try table(twoOptimizers())
    let second = try table([], experiment: experiment("empty one"))
    let page = htmlReport([first, second], curves: [[]])
    #expect(page.contains("<h1>excite report</h1>"))
    #expect(page.contains("<li><a href=\"#t2\">empty one</a></li>"))
    #expect(page.contains("<section id=\"t2\">\n<h2>empty one</h2>"))
    #expect(page.contains("<p class=\"note\">No runs.</p>"))
    // The empty one has neither pictures nor runs.
    #expect(Self.count("<svg", page) == 2)
    #expect(Self.count("<summary>Runs", page) == 1)
  }

  @Test func noTables() {
    let page = htmlReport([], curves: [])
    #expect(page.contains("<p>There are no results.</p>"))
  }
}
