import Foundation
import Layers
import Models
import Training

/// More than any machine has: what a number of threads may be.
public let mostThreads = 1024

/// What grows while the cost of a step is measured.
public enum ScaleAxis: String, CaseIterable, Sendable {
  case experts, width, depth, batch, sparsity, threads

  /// The model that is measured where none is named.
  public var standardModel: ModelName {
    switch self {
    case .experts, .threads: .moeViT
    case .width, .depth, .batch, .sparsity: .topKMLP
    }
  }

  /// Changes to the standard experiment where no model is named: so much that selection shows.
  public var standardSettings: [String] { self == .sparsity ? ["model.width=1024"] : [] }

  /// Whether the axis means something for a family of models.
  public func applies(to model: ModelName) -> Bool {
    switch self {
    case .experts: model != .topKMLP
    case .sparsity: model == .topKMLP
    case .width, .depth, .batch, .threads: true
    }
  }

  /// Values where none are given, ascending.
  public func standardValues(for model: ModelName) -> [Double] {
    switch self {
    case .experts: [8, 16, 32, 64, 128, 256]
    case .width: model == .topKMLP ? [64, 128, 256, 512, 1024, 2048] : [64, 128, 256, 512]
    case .depth: [1, 2, 4, 8, 16]
    case .batch:
      model == .topKMLP ? [16, 32, 64, 128, 256, 512, 1024, 2048] : [2, 4, 8, 16, 32, 64]
    case .sparsity: [0, 0.5, 0.75, 0.9, 0.95, 0.98]
    case .threads: Self.threadCounts(to: ProcessInfo.processInfo.activeProcessorCount)
    }
  }

  /// 1, 2, 4 … and the largest.
  private static func threadCounts(to most: Int) -> [Double] {
    var counts = [1.0]
    while let last = counts.last, last < Double(most) { counts.append(min(2 * last, Double(most))) }
    return counts
  }

  /// Whether a value can stand on the axis.
  public func allows(_ value: Double) -> Bool {
    switch self {
    case .sparsity: value >= 0 && value < 1
    case .threads: value >= 1 && value == value.rounded() && value <= Double(mostThreads)
    default: value >= 1 && value == value.rounded() && value <= 1e9
    }
  }

  /// Changes to an experiment that bring it to a value.
  /// - Parameters:
  ///   - base: where it stands.
  ///   - tokensPerExpert: with more experts the batch grows so that each gets as many; nil leaves the
  ///     batch as it is.
  public func settings(_ value: Double, base: RunConfig, tokensPerExpert: Int?) -> [String] {
    let number = self == .sparsity ? "\(value)" : "\(Int(value))"
    switch self {
    case .experts:
      guard let tokensPerExpert, let picked = base.model.transformer?.k else {
        return ["model.experts=\(number)"]
      }
      let tokens = value * Double(tokensPerExpert) / Double(picked)
      let batch = Int((tokens / Double(base.model.rowsPerSample)).rounded(.up))
      return ["model.experts=\(number)", "batch_size=\(batch)"]
    case .width:
      return [base.model.name == .topKMLP ? "model.width=\(number)" : "model.d=\(number)"]
    case .depth:
      return [
        base.model.name == .topKMLP ? "model.hidden_layers=\(number)" : "model.layers=\(number)"
      ]
    case .batch: return ["batch_size=\(number)"]
    case .sparsity: return ["model.sparsity=\(number)"]
    case .threads: return []
    }
  }

  /// What a power of it is fitted to: the share of neurons that work, where the axis is sparsity.
  func measure(_ value: Double) -> Double { self == .sparsity ? 1 - value : value }

  /// Of the axis, and of its powers.
  var title: String {
    switch self {
    case .experts: "experts per layer"
    case .width: "width"
    case .depth: "layers"
    case .batch: "samples per step"
    case .sparsity: "share of neurons at work (1 − sparsity)"
    case .threads: "threads"
    }
  }
}

extension ModelConfig {
  /// Tokens of a sample; 1 for a Top-K MLP.
  public var rowsPerSample: Int {
    switch self {
    case .topKMLP: 1
    case .moeViT(let vit): PatchEmbedding.tokens(patch: vit.patch)
    case .gptMoE(let gpt): gpt.context
    }
  }
}
