import Excitation
import Experiments
import Foundation
import Reports
import Testing

/// χ from made-up seconds, and what of a plan fits into a time.
@Suite struct OverheadTests {
  @Test func blocks() {
    // One of two excited steps takes 21 % longer: √1.21.
    #expect(abs(OverheadBlock([1, 1.21, 1, 1]).percent - 10) < 1e-12)
    #expect(abs(OverheadBlock([2, 3, 3, 2]).percent - 50) < 1e-12)
    // A machine that slows by a tenth at each step, and an excited step that is no slower.
    #expect(abs(OverheadBlock([1, 1.1, 1.21, 1.331]).percent) < 1e-12)
    // The same, with 5 % for Φ.
    #expect(abs(OverheadBlock([1, 1.1 * 1.05, 1.21 * 1.05, 1.331]).percent - 5) < 1e-12)
  }

  /// Updates of 0.1 s that Φ makes 0.02 and 0.04 s longer, in steps of 1 s and passes of any length.
  @Test func part() {
    let block = OverheadBlock([1, 7, 0.5, 1])
    #expect(abs(block.percent(ofPart: [0.1, 0.12, 0.14, 0.1]) - 3) < 1e-12)
  }

  @Test func estimate() throws {
    func blocks(_ percents: [Double]) -> [OverheadBlock] {
      percents.map { OverheadBlock([1, 1 + $0 / 100, 1 + $0 / 100, 1]) }
    }
    // Something held one block up for a second; medians 2 and 4.
    let estimate = try #require(OverheadEstimate([blocks([1, 2, 100]), blocks([4]), []]))
    #expect(estimate.sessions.count == 2)
    #expect(abs(estimate.sessions[0] - 2) < 1e-9)
    #expect(abs(estimate.mean - 3) < 1e-9)
    #expect(abs((estimate.std ?? .nan) - 2.0.squareRoot()) < 1e-9)
    #expect(estimate.interval == nil)

    // Of all nine blocks the second smallest and the second largest.
    let more = try #require(
      OverheadEstimate([blocks([5, 1, 3]), blocks([9, 8, 7]), blocks([2, 4, 6])]))
    #expect(abs((more.interval?.low ?? .nan) - 2) < 1e-9)
    #expect(abs((more.interval?.high ?? .nan) - 8) < 1e-9)

    let one = try #require(OverheadEstimate([blocks([1])]))
    #expect(one.std == nil)
    #expect(OverheadEstimate([[], []]) == nil)
  }

  @Test func plans() {
    let paper = OverheadPlan.paper
    #expect(paper == OverheadPlan(sessions: 3, burnIn: 100, trials: 500))
    #expect(OverheadPlan(sessions: 1, burnIn: 0, trials: 3).trials == 4)
    // 3 · 600 pairs of 20 ms are 36 s.
    #expect(paper.fitted(to: 36.1, step: 0.01) == paper)
    // 300 s are 50 pairs of 2 s a session, a twelfth of what was asked for.
    #expect(
      paper.fitted(to: 300, step: 1) == OverheadPlan(sessions: 3, burnIn: 8, trials: 40))
    // Never fewer than an interval needs.
    #expect(
      paper.fitted(to: 300, step: 100) == OverheadPlan(sessions: 3, burnIn: 1, trials: 4))
    let small = OverheadPlan(sessions: 1, burnIn: 0, trials: 2)
    #expect(small.fitted(to: 1, step: 100) == small)
  }

  /// N_e as Table 8 prints them.
  static let architectures: [(name: String, components: Int, published: Double)] = [
    ("mlp-2048x2", 4096, 33.2), ("mlp-4096x2", 8192, 15.9), ("mlp-1024x16", 16384, 29.7),
    ("mlp-16384x4", 65536, 18.7), ("vit-512x6x8", 48, 0.1), ("vit-1024x12x32", 384, -1.2),
  ]

  @Test func table8() throws {
    #expect(PaperArchitecture.all.map(\.name) == Self.architectures.map(\.name))
    for (architecture, expected) in zip(PaperArchitecture.all, Self.architectures) {
      let experiment = try ExperimentConfig.standard(
        overrides: ConfigOverrides(set: architecture.settings))
      let model = OverheadModel(
        name: architecture.name, config: experiment.runs[0].config, inputs: architecture.inputs)
      #expect(model.expertComponents == expected.components)
      #expect(try model.published()?.mean == expected.published)
    }
  }

  /// 56.8 M as Table 8 prints them; the last model's are 1.66 B by the arithmetic of its sizes, where
  /// the table has 1.64 B.
  @Test func sizesOfTheTransformers() throws {
    let counts = try PaperArchitecture.all.compactMap { architecture in
      let experiment = try ExperimentConfig.standard(
        overrides: ConfigOverrides(set: architecture.settings))
      guard case .moeViT(let vit) = experiment.runs[0].config.model else { return nil as Int? }
      return try #require(vit.parameterCount(classes: 10)) / 100_000
    }
    #expect(counts.count == 2 && counts[0] == 568 && counts[1] / 100 == 166)
  }

  /// The paper has no other model, and none of this one with images for inputs.
  @Test func unpublished() throws {
    let experiment = try ExperimentConfig.standard(
      overrides: ConfigOverrides(set: ["model.width=2048", "model.hidden_layers=2"]))
    let model = OverheadModel(name: "own", config: experiment.runs[0].config)
    #expect(try model.published() == nil)
  }
}
