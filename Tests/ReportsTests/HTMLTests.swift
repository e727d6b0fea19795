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
          + "<td class=\"number\">0.42 s</td></tr>"))
    #expect(page.contains("<b>47.00 ± 2.00</b>"))
    #expect(page.contains("<p class=\"note\">paper: published mean over 3 seeds"))
    #expect(Self.count("<svg", page) == 3)
    #expect(page.contains("<pre>excite run configs/cifar10_topk.yaml</pre>"))
    #expect(page.contains("<pre>batch_size: 512\nepochs: 300\n</pre>"))
    #expect(page.contains("<dt>machine</dt><dd>Example CPU 3000, 2 cores, 1 run at once</dd>"))
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
