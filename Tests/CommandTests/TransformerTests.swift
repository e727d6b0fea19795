import Foundation
import Testing

/// `excite` with a vision transformer, a tiny one.
@Suite struct TransformerTests {
  /// 2 blocks of 6 experts on 5 tokens an image.
  static let tiny = """
    dataset: {name: synthetic, augmentation: none, limit: 60, test_limit: 40}
    model: {name: moe_vit, layers: 2, d: 16, heads: 2, experts: 6, k: 2, hidden: 8, patch: 16}
    optimizer: {name: adam, lr: 0.001}
    excitation: {variants: [vanilla, zero-sum]}
    batch_size: 20
    epochs: 2
    seeds: [0]

    """

  let work: Workplace

  init() throws {
    work = try Workplace()
    try work.write(Self.tiny, to: "tiny.yaml")
  }

  @Test func routerMetrics() throws {
    _ = try work.success(["run", "tiny.yaml", "--quiet", "--tensorboard", "--out", "o"])
    let labels = work.labels(in: "o")
    #expect(labels.count == 2)
    for label in labels {
      let experts = Metrics(try work.text("o/runs/\(label)/experts.csv"))
      #expect(experts["layer"] == ["1", "2", "1", "2"])
      // E·Σ f·P is 1 where either is even, and a fresh router's P nearly is.
      let balance = experts["balance_loss"].compactMap { Double($0) }
      #expect(balance.count == 4)
      #expect(balance.allSatisfy { (0.8..<6).contains($0) })

      let classes = Metrics(try work.text("o/runs/\(label)/expert_classes.csv"))
      let names = (0..<10).map { "class_\($0)" }.joined(separator: ",")
      #expect(classes.header == "layer,expert,utilization,\(names)")
      let numbers = (0..<6).map { "\($0)" }
      #expect(classes["expert"] == numbers + numbers)
      let layers = [String](repeating: "1", count: 6) + [String](repeating: "2", count: 6)
      #expect(classes["layer"] == layers)
      for layer in 0..<2 {
        let rows = classes.lines[layer * 6..<(layer + 1) * 6]
        // Every token has 2 of the experts: the shares of the training tokens sum to 2, and the
        // 40 test images of 5 tokens make 400 uses.
        var (use, uses) = (0.0, 0)
        for row in rows {
          use += Double(row[2]) ?? .nan
          for count in row.dropFirst(3) { uses += Int(count) ?? 0 }
        }
        #expect((use - 2).magnitude < 1e-12)
        #expect(uses == 400)
      }
    }
  }

  @Test func heatmapsInThePage() throws {
    _ = try work.success(["run", "tiny.yaml", "--quiet", "--out", "o"])
    _ = try work.success(["report", "o", "--html", "page.html"])
    let page = try work.text("page.html")
    #expect(page.contains("<figcaption>Experts by class</figcaption>"))
    for panel in ["vanilla, layer 1", "vanilla, layer 2", "zero-sum, layer 1", "zero-sum, layer 2"]
    {
      #expect(page.contains(">\(panel)<"), "\(panel)")
    }
  }

  /// 2 blocks of 1,000,000 experts, each a megabyte of weights and as much of gradients and moments.
  @Test(arguments: [[], ["--dry-run"]])
  func whatCannotFitIsRefused(flags: [String]) throws {
    let sizes = ["model.experts=1000000", "model.d=256", "model.hidden=512"]
    let output = try work.excite(
      ["run", "tiny.yaml", "--quiet"] + flags + sizes.flatMap { ["--set", $0] })
    #expect(output.status == 64)
    #expect(output.errorLines.count == 1)
    #expect(output.stderr.contains(" GB of memory"))
    #expect(output.stdout.contains("# memory: about ") == !flags.isEmpty)
    #expect(!work.exists("results"))
  }

  @Test func partsOfAStep() throws {
    let command = ["bench", "step", "tiny.yaml", "--repetitions", "2", "--threads", "2"]
    let json = try work.success(command + ["--json"]).stdout
    let values = try JSONDecoder().decode([String: Double].self, from: Data(json.utf8))
    let parts = [
      "embedding", "norms", "attention", "router", "dispatch", "experts", "head", "optimizer",
      "rest",
    ]
    let shares = parts.compactMap { values["\($0)_fraction"] }
    #expect(shares.count == parts.count)
    #expect((shares.reduce(0, +) - 1).magnitude < 1e-9)
    // Time that passes; what is left over may be less than what was noted on other threads.
    #expect(shares.dropLast().allSatisfy { $0 > 0 })
    #expect(parts.allSatisfy { values["\($0)_seconds"] != nil })

    let lines = try work.success(command).lines
    for part in ["embedding", "attention", "router", "expert products", "optimizer and Φ"] {
      #expect(lines.contains { $0.hasPrefix("  \(part)") && $0.hasSuffix(" %") }, "\(part)")
    }
  }
}
