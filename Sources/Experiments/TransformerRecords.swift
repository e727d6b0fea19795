import Datasets
import Models
import Training

extension MoEViTConfig {
  /// Figure 6(b): few blocks, wide, many experts picked; 4 million weights.
  static let wide = MoEViTConfig(layers: 2, d: 512, heads: 8, experts: 32, k: 8, hidden: 32)

}

extension ModelConfig {
  /// Whether the paper has accuracies of this transformer.
  var isPublishedTransformer: Bool { self == .moeViT(MoEViTConfig()) || self == .moeViT(.wide) }
}

extension ExperimentConfig {
  /// Epochs of the transformers' recipe.
  private static let transformerEpochs = 30

  /// What a reader must know of transformers beside published values.
  var transformerNotes: [String] {
    let settings = settings.filter { $0.model.name == .moeViT }
    guard !settings.isEmpty else { return [] }
    let changes = settings.map { setting in
      var list: [String] = []
      if setting.epochs != Self.transformerEpochs {
        list.append("\(setting.epochs) epochs instead of \(Self.transformerEpochs)")
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
