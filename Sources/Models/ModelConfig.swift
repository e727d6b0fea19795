/// The model families, by the names configs use.
public enum ModelName: String, CaseIterable, Codable, Hashable, Sendable {
  case topKMLP = "topk_mlp"
  case moeViT = "moe_vit"
  case gptMoE = "gpt_moe"
}

/// The model of a run. New families are new cases.
public enum ModelConfig: Codable, Hashable, Sendable {
  case topKMLP(TopKMLPConfig)
  case moeViT(MoEViTConfig)
  case gptMoE(GPTMoEConfig)

  /// A family with its defaults.
  public init(_ name: ModelName) {
    switch name {
    case .topKMLP: self = .topKMLP(TopKMLPConfig())
    case .moeViT: self = .moeViT(MoEViTConfig())
    case .gptMoE: self = .gptMoE(GPTMoEConfig())
    }
  }

  public var name: ModelName {
    switch self {
    case .topKMLP: .topKMLP
    case .moeViT: .moeViT
    case .gptMoE: .gptMoE
    }
  }

  /// The keys a config may give for this family, `name` first.
  public static func keys(of name: ModelName) -> [String] {
    switch name {
    case .topKMLP:
      ["name", "hidden_layers", "width", "sparsity", "k", "initialization", "normalization"]
    case .moeViT:
      [
        "name", "layers", "d", "heads", "experts", "k", "hidden", "patch", "balance_weight",
        "z_weight",
      ]
    case .gptMoE:
      [
        "name", "layers", "d", "heads", "experts", "k", "hidden", "context", "balance_weight",
        "z_weight",
      ]
    }
  }

  /// Samples of a test batch: enough for full matmul speed. An image of a transformer is many rows,
  /// and so is a text.
  public var testBatch: Int {
    switch self {
    case .topKMLP: 512
    case .moeViT: 64
    case .gptMoE(let gpt): max(1, 1024 / gpt.context)
    }
  }

  /// Whether the model shares its work among threads itself, instead of leaving it to BLAS.
  public var sharesWork: Bool { name != .topKMLP }

  /// Additions and multiplications that a training step needs, products with a loser's zero left
  /// out.
  public func usefulFLOP(inputs: Int, classes: Int, batchSize: Int) -> Double {
    switch self {
    case .topKMLP(let mlp):
      mlp.usefulFLOP(inputs: inputs, classes: classes, batchSize: batchSize)
    case .moeViT(let vit): vit.usefulFLOP(batchSize: batchSize)
    case .gptMoE(let gpt): gpt.usefulFLOP(vocabulary: classes, batchSize: batchSize)
    }
  }

  /// Bytes that training takes, close enough to refuse what cannot fit: weights, gradients and
  /// optimizer state, and activations of one batch.
  /// - Parameters:
  ///   - optimizerStates: tensors the optimizer keeps per parameter.
  ///   - threads: of the run.
  public func trainingBytes(
    inputs: Int, classes: Int, batchSize: Int, optimizerStates: Int, threads: Int = 1
  ) -> Double {
    switch self {
    case .topKMLP(let mlp):
      mlp.trainingBytes(
        inputs: inputs, classes: classes, batchSize: batchSize, optimizerStates: optimizerStates)
    case .moeViT(let vit):
      vit.trainingBytes(
        classes: classes, capacity: max(batchSize, testBatch), optimizerStates: optimizerStates,
        threads: threads)
    case .gptMoE(let gpt):
      gpt.trainingBytes(
        vocabulary: classes, capacity: max(batchSize, testBatch), optimizerStates: optimizerStates,
        threads: threads)
    }
  }
}
