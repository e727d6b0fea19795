import Optimizers

/// The values that the paper's tables try, for axes that a command names without values.
public enum PaperGrid {
  /// The axes that `excite sweep` has flags for; the raw value is the flag's name.
  public enum Axis: String, CaseIterable, Sendable {
    case lr, gamma, sparsity, optimizer, schedule
    case batchSize = "batch-size"
    case hiddenLayers = "hidden-layers"

    /// The axis as an experiment's `sweep` names it.
    public var keyPath: String {
      switch self {
      case .lr: return "optimizer.lr"
      case .gamma: return "excitation.gamma"
      case .sparsity: return "model.sparsity"
      case .optimizer: return "optimizer"
      case .schedule: return "schedule.name"
      case .batchSize: return "batch_size"
      case .hiddenLayers: return "model.hidden_layers"
      }
    }

    init?(keyPath: String) {
      guard let axis = Self.allCases.first(where: { $0.keyPath == keyPath }) else { return nil }
      self = axis
    }
  }

  /// - Parameter optimizer: decides the learning rates. Table 3 has SGD and Adam only; momentum
  ///   takes SGD's grid, and the optimizers that scale each step by past gradients take Adam's.
  /// - Source: arXiv:2602.21798, tables and figures as named below.
  public static func values(forAxis axis: Axis, optimizer: OptimizerName = .sgd) -> [String] {
    switch axis {
    case .lr:  // Table 3
      switch optimizer {
      case .sgd, .momentum: return ["0.01", "0.015", "0.02", "0.05", "0.1", "0.2", "0.3"]
      case .adam, .adamw, .rmsprop, .adagrad:
        return ["1e-4", "1.5e-4", "2e-4", "5e-4", "0.001", "0.002", "0.003"]
      }
    case .gamma: return ["1", "2", "3"]  // Table 7
    case .sparsity: return ["0.9", "0.7", "0.5", "0.3", "0.1"]  // Table 4
    case .batchSize: return ["16", "32", "64", "128", "256", "512"]  // Table 5
    case .optimizer: return OptimizerName.allCases.map(\.rawValue)  // Table 1
    case .schedule: return ["constant", "cosine"]  // Table 6
    // The default, then the depths of figures 4a, 3a and 3b, counted as the default is.
    case .hiddenLayers: return ["2", "6", "8", "18"]
    }
  }
}
