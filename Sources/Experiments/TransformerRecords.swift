import Datasets
import Models
import Training

extension MoEViTConfig {
  /// Figure 6(b): few blocks, wide, many experts picked; 4 million weights.
  static let wide = MoEViTConfig(layers: 2, d: 512, heads: 8, experts: 32, k: 8, hidden: 32)

}

extension GPTMoEConfig {
  /// Whether it is a model of the paper's Table 2.
  var isPublished: Bool {
    self == GPTMoEConfig(experts: experts, k: k, hidden: hidden) && hasPublishedExperts
  }

  /// Whether it is one in the sizes of the quick version, to which the paper's Δ stand as a sign to
  /// compare.
  var isPublishedInSmall: Bool {
    self
      == GPTMoEConfig(
        layers: 2, d: 64, heads: 4, experts: experts, k: k, hidden: hidden, context: 64)
      && hasPublishedExperts
  }

  /// By the ratios to d.
  private var hasPublishedExperts: Bool {
    [4, 8, 16, 32, 64].contains(experts) && [2, 4, 8].contains(k) && k < experts
      && [256, 384, 512, 768, 1024].contains { $0 * d == hidden * 512 }
  }
}

extension ModelConfig {
  /// Whether the paper has accuracies of this transformer.
  var isPublishedTransformer: Bool {
    if case .gptMoE(let gpt) = self { return gpt.isPublished || gpt.isPublishedInSmall }
    return self == .moeViT(MoEViTConfig()) || self == .moeViT(.wide)
  }
}

extension ExperimentConfig {
  /// Epochs of the transformers' recipe.
  private static let transformerEpochs = 30

  /// What a reader must know of transformers beside published values.
  var transformerNotes: [String] { languageNotes + visionNotes }

  private var languageNotes: [String] {
    let models = settings.compactMap { setting -> GPTMoEConfig? in
      if case .gptMoE(let gpt) = setting.model { gpt } else { nil }
    }
    guard models.contains(where: { $0.isPublished || $0.isPublishedInSmall }) else { return [] }
    let small = models.first(where: \.isPublishedInSmall)
    let corpus = settings.compactMap(\.corpus?.name.rawValue).first ?? ""
    return
      (small.map {
        [
          "the paper's grid in small: \($0.layers) layers of width \($0.d) and a context of "
            + "\($0.context) tokens on \(corpus), against 12 of 512 and 1024 on WikiText-103; of Δ only "
            + "the signs compare"
        ]
      } ?? [])
      + [
        "the paper gives neither rates nor batch size nor context, and does not say which variant its "
          + "excited runs have: its Δ stands beside zero-sum and positive-sum"
      ]
  }

  private var visionNotes: [String] {
    let settings = settings.filter { $0.model.name == .moeViT }
    guard !settings.isEmpty else { return [] }
    let changes = settings.map { setting in
      var list: [String] = []
      if setting.epochs != Self.transformerEpochs {
        let plural = setting.epochs == 1 ? "" : "s"
        list.append("\(setting.epochs) epoch\(plural) instead of \(Self.transformerEpochs)")
      }
      if let steps = setting.maxSteps {
        list.append("at most \(steps) step\(steps == 1 ? "" : "s")")
      }
      if let limit = setting.dataset.limit { list.append("the first \(limit) training images") }
      if let limit = setting.dataset.testLimit { list.append("the first \(limit) test images") }
      return list
    }
    let shared = changes[0].filter { item in changes.allSatisfy { $0.contains(item) } }
    return (shared.isEmpty ? [] : ["cut: " + shared.joined(separator: ", ")]) + [
      "the paper gives neither epochs nor rates nor batch size, and does not say which variant its "
        + "excited runs have: its number stands beside zero-sum and positive-sum"
    ]
  }
}
