/// What the configs of all transformers have.
public protocol TransformerConfig: Sendable {
  /// Blocks, L.
  var layers: Int { get set }
  /// Width, D.
  var d: Int { get set }
  /// H, which divides D.
  var heads: Int { get set }
  /// E per block.
  var experts: Int { get set }
  /// Experts picked per token, K.
  var k: Int { get set }
  /// Hidden width of an expert, F.
  var hidden: Int { get set }
  /// α of the load-balancing loss, one term per block, summed.
  var balanceWeight: Double { get set }
  /// Weight of the routers' z-loss, likewise.
  var zWeight: Double { get set }
}

extension MoEViTConfig: TransformerConfig {}
extension GPTMoEConfig: TransformerConfig {}

extension ModelConfig {
  /// The config of a transformer; nil for another model, which setting one leaves as it is.
  public var transformer: (any TransformerConfig)? {
    get {
      switch self {
      case .topKMLP: nil
      case .moeViT(let vit): vit
      case .gptMoE(let gpt): gpt
      }
    }
    set {
      if let vit = newValue as? MoEViTConfig { self = .moeViT(vit) }
      if let gpt = newValue as? GPTMoEConfig { self = .gptMoE(gpt) }
    }
  }
}
