import Plots
import Reports
import Testing

@Suite struct ExpertFigureTests {
  /// A run whose specialization after epoch e is 0.1·layer + 0.01·e + offset, its entropy twice that.
  static func curve(
    _ variant: String, gamma: Double? = 1, seed: UInt64 = 0, layers: Int = 3, epochs: Int = 4,
    offset: Double = 0, setting: SettingRecord = setting()
  ) -> ExpertCurve {
    ExpertCurve(
      setting: setting, variant: variant, gamma: gamma, seed: seed,
      points: (1...epochs).flatMap { epoch in
        (1...layers).map { layer in
          let value = 0.1 * Double(layer) + 0.01 * Double(epoch) + offset
          return ExpertPoint(
            epoch: epoch, layer: layer, specialization: value, routingEntropy: 2 * value)
        }
      })
  }

  private static let vanilla = "#7f858c"

  @Test func depthShowsTheLastEpoch() throws {
    // The lines of two seeds, 0.14 0.24 0.34 and 0.24 0.34 0.54 after their last epochs: means 0.19,
    // 0.29, 0.44, so the second lies 10/25 of the way up.
    let uneven = ExpertCurve(
      setting: setting(), variant: "vanilla", gamma: 1, seed: 1,
      points: zip([1, 2, 3], [0.24, 0.34, 0.54]).flatMap { layer, value in
        [
          ExpertPoint(epoch: 2, layer: layer, specialization: value, routingEntropy: 0),
          ExpertPoint(epoch: 1, layer: layer, specialization: 0.9, routingEntropy: 0),
        ]
      })
    let drawing = expertDepthFigure(
      [Self.curve("vanilla"), uneven, Self.curve("zero-sum", offset: 0.3)], title: "depth")
    let texts = FigureTests.texts(drawing)
    for word in ["depth", "layer", "specialization", "vanilla", "zero-sum"] {
      #expect(texts.contains(word), "\(word)")
    }
    #expect(texts.contains { $0.hasPrefix("Line: mean over the seeds") })
    let levels = try #require(FigureTests.levels(drawing, Self.vanilla).first)
    #expect(levels.count == 3)
    #expect(abs((levels[1] - levels[0]) / (levels[2] - levels[0]) - 0.4) < 2e-3)
  }

  @Test func courseIsTheMeanOverLayers() throws {
    // Entropy rises by 0.02 an epoch in each layer: equal steps.
    let drawing = expertCourseFigure([Self.curve("vanilla")], title: "course")
    let levels = try #require(FigureTests.levels(drawing, Self.vanilla).first)
    #expect(levels.count == 4)
    #expect(abs((levels[1] - levels[0]) / (levels[3] - levels[0]) - 1.0 / 3) < 2e-3)
    let texts = FigureTests.texts(drawing)
    #expect(texts.contains("routing entropy [nats]") && texts.contains("epoch"))
    // 2·(0.2 + 0.01) = 0.42 to 0.48.
    #expect(texts.contains("0.42") && texts.contains("0.48"))
  }

  @Test func layersAndSettingsArePanels() throws {
    let settings = ["sgd", "adam"].map {
      setting(optimizer: $0, varying: [SettingAxis("optimizer.name", $0)])
    }
    let curves = zip(settings, [2, 3]).map {
      Self.curve("vanilla", layers: $0.1, setting: $0.0)
    }
    let texts = FigureTests.texts(expertCourseFigure(curves, byLayer: true, title: "t"))
    for name in ["(a) sgd, layer 1", "(a) sgd, layer 2", "(b) adam, layer 1", "(b) adam, layer 3"] {
      #expect(texts.contains(name), "\(name)")
    }
    #expect(!texts.contains("(a) sgd, layer 3"))
    #expect(FigureTests.texts(expertDepthFigure(curves, title: "t")).contains("(b) adam"))
  }

  @Test func everyMetricHasANameAndNumbers() throws {
    let point = ExpertPoint(
      epoch: 1, layer: 1, specialization: 0.5, routingEntropy: 1, deadShare: 0.1, highestLoad: 0.2,
      modulationDeviation: 0.3)
    let curve = ExpertCurve(
      setting: setting(), variant: "vanilla", gamma: nil, seed: 0, points: [point])
    for metric in ExpertMetric.allCases {
      let texts = FigureTests.texts(expertDepthFigure([curve], metric: metric, title: "t"))
      #expect(texts.count > 6, "\(metric): \(texts)")
    }
  }

  @Test func nothingMeasured() {
    let empty = ExpertCurve(
      setting: setting(), variant: "vanilla", gamma: nil, seed: 0, points: [])
    for curves in [[], [empty]] {
      #expect(
        FigureTests.texts(expertDepthFigure(curves, title: "t")) == [
          "t", "There is no number to draw.",
        ])
      #expect(FigureTests.texts(expertCourseFigure(curves, byLayer: true, title: "t")).count == 2)
    }
  }
}
