import Foundation
import Plots
import Reports
import Testing

@Suite struct FigureTests {
  /// A run whose test accuracy after each epoch is given; losses fall from 2.
  static func curve(
    _ setting: SettingRecord, _ variant: String, gamma: Double? = 1, seed: UInt64,
    _ accuracies: [Double]
  ) -> RunCurve {
    RunCurve(
      setting: setting, variant: variant, gamma: gamma, seed: seed,
      points: accuracies.enumerated().map { index, accuracy in
        EpochPoint(
          epoch: index + 1, trainLoss: 2 - Double(index) / 10, trainAccuracy: accuracy,
          testLoss: 2, testAccuracy: accuracy)
      })
  }

  /// The words of a drawing, in their order.
  static func texts(_ drawing: Drawing) -> [String] {
    drawing.svg().split(separator: "\n").filter { $0.hasPrefix("<text") }.map { line in
      String(line.drop { $0 != ">" }.dropFirst().prefix { $0 != "<" })
    }
  }

  /// y of the points of each line of a colour, without the legend's, which have two points.
  static func levels(_ drawing: Drawing, _ color: String) -> [[Double]] {
    drawing.svg().split(separator: "\n")
      .filter { $0.hasPrefix("<polyline") && $0.contains("stroke=\"\(color)\"") }
      .map { line in
        line.split(separator: "\"")[1].split(separator: " ").compactMap { point in
          point.split(separator: ",").last.flatMap { Double($0) }
        }
      }.filter { $0.count != 2 }
  }

  @Test func barsOfTwoOptimizers() throws {
    let drawing = figure(.bars, of: try table(twoOptimizers()))
    let texts = Self.texts(drawing)
    #expect(drawing.title == "cifar10_topk")
    for word in ["cifar10_topk", "sgd", "adam", "vanilla", "zero-sum", "positive-sum"] {
      #expect(texts.contains(word), "\(word)")
    }
    // Means of the rows that finished (see `twoOptimizers`).
    for mean in ["41.00", "47.00", "49.00", "49.17"] { #expect(texts.contains(mean), "\(mean)") }
    #expect(texts.contains("no finished run"))
    #expect(texts.contains("published"))
  }

  @Test func heatmapOfSettingsAndVariants() throws {
    let texts = Self.texts(figure(.heatmap, of: try table(twoOptimizers())))
    // Δ of sgd is 6, of adam −0.75; positive-sum has no finished run, and sgd has none of it.
    #expect(texts.filter { ["+6.00", "−0.75", "–"].contains($0) } == ["+6.00", "–", "−0.75", "–"])
    #expect(texts.contains("optimizer"))
    #expect(texts.contains("variant"))
    #expect(texts.joined(separator: " ").contains("Δ: test accuracy minus vanilla's"))
  }

  @Test func heatmapOfVariantsAndGammas() throws {
    // One setting: variants are the rows, γs the columns from low to high.
    let recipe = setting(varying: [SettingAxis("excitation.gamma", "")])
    var outcomes = runs(recipe, "vanilla", gamma: nil, [40])
    for gamma in [2, 0.5, 1] {
      outcomes += runs(recipe, "zero-sum", gamma: gamma, [40 + gamma])
      outcomes += runs(recipe, "inverted", gamma: gamma, [40 - gamma])
    }
    let texts = Self.texts(figure(.heatmap, of: try table(outcomes)))
    #expect(
      texts.filter { $0.hasSuffix("0") && $0.count == 5 } == [
        "+0.50", "+1.00", "+2.00", "−0.50", "−1.00", "−2.00",
      ])
  }

  @Test func heatmapOfTwoSettingAxes() throws {
    // One variant: the last axis stands across.
    var outcomes: [RunOutcome] = []
    for optimizer in ["sgd", "adam"] {
      for lr in [0.1, 0.01] {
        let recipe = setting(
          optimizer: optimizer, lr: lr,
          varying: [
            SettingAxis("optimizer.name", optimizer), SettingAxis("optimizer.lr", "\(lr)"),
          ], comparable: false)
        outcomes += runs(recipe, "vanilla", gamma: nil, [40])
        outcomes += runs(recipe, "zero-sum", [40 + lr * 10 + (optimizer == "sgd" ? 1 : 2)])
      }
    }
    let texts = Self.texts(figure(.heatmap, of: try table(outcomes)))
    // Rates from low to high: sgd +1.1 and +2, adam +2.1 and +3.
    #expect(
      texts.filter { $0.hasPrefix("+") && $0.count == 5 } == ["+1.10", "+2.00", "+2.10", "+3.00"])
    #expect(texts.contains("lr"))
    // Which variant it is stands nowhere else.
    #expect(texts.joined(separator: " ").contains("Δ: test accuracy of zero-sum minus vanilla's"))
  }

  @Test func curvesAreMeansOverSeeds() throws {
    let recipe = setting()
    let outcomes = runs(recipe, "vanilla", gamma: nil, [40, 42])
    let curves = [
      Self.curve(recipe, "vanilla", seed: 0, [10, 20, 40]),
      Self.curve(recipe, "vanilla", seed: 1, [10, 24, 42]),
    ]
    let drawing = figure(.curves, of: try table(outcomes), curves: curves)
    let texts = Self.texts(drawing)
    #expect(texts.contains("test accuracy [%]"))
    #expect(texts.contains("training loss [nats]"))
    #expect(
      texts.contains(
        "Line: mean over the seeds that reached the epoch, n = 2. Band: lowest to highest seed."))
    // Means 10, 22, 41: the second lies 12/31 of the way from the first to the third.
    let levels = try #require(Self.levels(drawing, "#7f858c").first)
    #expect(abs((levels[1] - levels[0]) / (levels[2] - levels[0]) - 12.0 / 31) < 1e-3)
  }

  @Test func vanillaOfEachGammaCountsOnce() throws {
    let recipe = setting()
    let short = Self.curve(recipe, "vanilla", gamma: 2, seed: 0, [90, 90])
    let long = Self.curve(recipe, "vanilla", gamma: 0.5, seed: 0, [10, 20, 30])
    let excited = [0.5, 2].map { Self.curve(recipe, "zero-sum", gamma: $0, seed: 0, [1, 2, 3]) }
    for curves in [[short, long] + excited, excited + [long, short]] {
      let texts = Self.texts(figure(.curves, of: try table([]), curves: curves))
      #expect(texts.count { $0 == "vanilla" } == 1)
      #expect(texts.contains("zero-sum γ 0.5"))
      #expect(texts.contains("zero-sum γ 2"))
      // Of the 90 nothing is seen.
      #expect(!texts.contains("90") && !texts.contains("80"))
      #expect(texts.contains("One seed."))
    }
  }

  @Test func severalSettingsAreSeveralPanels() throws {
    let settings = ["sgd", "adam", "adamw"].map { name in
      setting(optimizer: name, varying: [SettingAxis("optimizer.name", name)])
    }
    let curves = settings.map { Self.curve($0, "vanilla", seed: 0, [10, 20, 30]) }
    let texts = Self.texts(figure(.curves, of: try table([]), curves: curves))
    #expect(texts.contains("(a) sgd") && texts.contains("(b) adam") && texts.contains("(c) adamw"))
    #expect(!texts.contains("training loss [nats]"))
    let losses = figure(.curves, of: try table([]), curves: curves, metrics: [.testLoss])
    #expect(Self.texts(losses).contains("test loss [nats]"))
  }

  /// Figure 3 has another depth for each optimizer.
  @Test func panelsTellTheirDepth() throws {
    let settings = [("sgd", 10), ("adam", 20)].map { name, layers in
      setting(
        optimizer: name, hiddenLayers: layers, varying: [SettingAxis("optimizer.name", name)])
    }
    let curves = settings.map { Self.curve($0, "vanilla", seed: 0, [10, 20, 30]) }
    let texts = Self.texts(figure(.curves, of: try table([]), curves: curves))
    #expect(
      texts.contains("(a) sgd, 10 hidden layers")
        && texts.contains("(b) adam, 20 hidden layers"))
  }

  /// Table 1's SGD row ends at 41.01 and 46.58; a deep model's excited run at 17 or 33 (Figure 3).
  @Test func curvesHaveThePublishedEnds() throws {
    func marks(_ recipe: SettingRecord) throws -> [String] {
      let outcomes =
        runs(recipe, "vanilla", gamma: nil, [40]) + runs(recipe, "zero-sum", [46])
      let curves = ["vanilla", "zero-sum"].map { Self.curve(recipe, $0, seed: 0, [10, 20, 30]) }
      let drawing = figure(
        .curves, of: try table(outcomes), curves: curves, metrics: [.testAccuracy])
      // Behind the legend's: each a diamond on a paler one.
      let diamonds = drawing.svg().split(separator: "\n").filter { line in
        line.hasPrefix("<polygon")
          && line.split(separator: "\"")[1].split(separator: " ").count == 4
      }
      return stride(from: 3, to: diamonds.count, by: 2).compactMap { index in
        diamonds[index].components(separatedBy: "fill=\"").last.map { String($0.prefix(7)) }
      }
    }
    #expect(try marks(setting()) == ["#7f858c", "#0072b2"])
    // "10-layer" may count input and output.
    for (layers, count) in [(10, 1), (8, 1), (7, 0), (11, 0)] {
      #expect(try marks(setting(hiddenLayers: layers)).count == count, "\(layers) layers")
    }
    #expect(try marks(setting(hiddenLayers: 10, comparable: false)) == [])
    #expect(try marks(setting(dataset: "svhn")) == [])
  }

  @Test func nothingToDraw() throws {
    let empty = try table([])
    for kind in FigureKind.allCases {
      let texts = Self.texts(figure(kind, of: empty))
      #expect(texts.count == 2)
      #expect(texts.last?.hasPrefix("There is no ") == true)
    }
    let broken = RunCurve(setting: setting(), variant: "x", gamma: nil, seed: 0, points: [])
    #expect(Self.texts(figure(.curves, of: empty, curves: [broken])).count == 2)
  }
}
