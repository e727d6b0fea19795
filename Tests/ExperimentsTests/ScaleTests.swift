import Experiments
import Foundation
import Models
import Testing
import Training

@Suite struct ScaleTests {
  @Test func powerLaw() throws {
    // 3·x^1.5.
    let law = try #require(PowerLaw([1, 4, 16].map { ($0, 3 * pow($0, 1.5)) }))
    #expect(abs(law.exponent - 1.5) < 1e-12)
    #expect(abs(law.factor - 3) < 1e-12)
    // Logarithms to base 2: (0, 0), (1, 2), (2, 1); slope Σ(x−1)(y−1)/Σ(x−1)² = 1/2.
    let scattered = try #require(PowerLaw([(1, 1), (2, 4), (4, 2)]))
    #expect(abs(scattered.exponent - 0.5) < 1e-12)
    #expect(PowerLaw([(2, 1)]) == nil)
    #expect(PowerLaw([(2, 1), (2, 3)]) == nil)
    #expect(PowerLaw([]) == nil)
  }

  static func config(_ set: [String]) throws -> RunConfig {
    try ExperimentConfig.standard(overrides: ConfigOverrides(set: set)).runs[0].config
  }

  @Test func settings() throws {
    let vit = try Self.config(["model.name=moe_vit"])
    // 256 experts of which a token picks 2: 32 each are 4096 tokens, 63.02 images of 65.
    #expect(
      ScaleAxis.experts.settings(256, base: vit, tokensPerExpert: 32)
        == ["model.experts=256", "batch_size=64"])
    #expect(
      ScaleAxis.experts.settings(8, base: vit, tokensPerExpert: 32)
        == ["model.experts=8", "batch_size=2"])
    #expect(
      ScaleAxis.experts.settings(8, base: vit, tokensPerExpert: nil) == ["model.experts=8"])
    #expect(ScaleAxis.width.settings(64, base: vit, tokensPerExpert: nil) == ["model.d=64"])
    #expect(ScaleAxis.depth.settings(3, base: vit, tokensPerExpert: nil) == ["model.layers=3"])
    #expect(ScaleAxis.threads.settings(2, base: vit, tokensPerExpert: nil) == [])
    let mlp = try Self.config([])
    #expect(ScaleAxis.width.settings(64, base: mlp, tokensPerExpert: nil) == ["model.width=64"])
    #expect(
      ScaleAxis.depth.settings(3, base: mlp, tokensPerExpert: nil) == ["model.hidden_layers=3"])
    #expect(
      ScaleAxis.sparsity.settings(0.75, base: mlp, tokensPerExpert: nil)
        == ["model.sparsity=0.75"])
    #expect(ScaleAxis.batch.settings(16, base: mlp, tokensPerExpert: nil) == ["batch_size=16"])
  }

  @Test func values() {
    #expect(ScaleAxis.sparsity.allows(0) && ScaleAxis.sparsity.allows(0.98))
    #expect(!ScaleAxis.sparsity.allows(1) && !ScaleAxis.sparsity.allows(-0.1))
    #expect(ScaleAxis.width.allows(3) && !ScaleAxis.width.allows(0) && !ScaleAxis.width.allows(1.5))
    for axis in ScaleAxis.allCases {
      #expect(axis.applies(to: axis.standardModel))
      for model in ModelName.allCases {
        let values = axis.standardValues(for: model)
        #expect(values == values.sorted() && values.allSatisfy(axis.allows))
      }
    }
    #expect(!ScaleAxis.experts.applies(to: .topKMLP) && !ScaleAxis.sparsity.applies(to: .gptMoE))
  }

  /// Weights and biases of 8 and 32 neurons on 3072 pixels, and of the head.
  @Test func study() throws {
    let points = try [8, 32].map { width in
      ScalePoint(
        value: width,
        config: try Self.config([
          "model.width=\(Int(width))", "model.hidden_layers=1", "batch_size=4",
        ]), threads: 1)
    }
    let study = try ScaleStudy(.width, points: points, repetitions: 1)
    #expect(study.measures.map(\.parameters) == [8 * 3073 + 90, 32 * 3073 + 330])
    #expect(study.unit == "sample")
    #expect(study.timeLaw != nil)
    for measure in study.measures {
      #expect(measure.step.median > 0)
      #expect(measure.secondsPerSample == measure.step.median / 4)
      #expect(measure.secondsPerToken == measure.secondsPerSample)
    }
  }
}
