/// The six optimizers of Table 1, by the names configs use. `momentum` is SGD with momentum.
public enum OptimizerName: String, CaseIterable, Codable, Hashable, Sendable {
  case sgd, momentum, adam, adamw, rmsprop, adagrad
}

/// An optimizer and all its constants. Defaults are PyTorch's; learning rates are the paper's
/// where it states one (Tables 1, 3, 6) and ours where it does not (momentum, Adagrad).
///
/// A field that the named optimizer does not use keeps its default and is not written out:
/// `keys(of:)` lists the ones it uses, by their names in YAML.
public struct OptimizerConfig: Codable, Hashable, Sendable {
  public var name: OptimizerName
  /// η, the rate before the schedule.
  public var lr: Double
  public var weightDecay: Double
  /// μ of `momentum`.
  public var momentum: Double
  public var dampening: Double
  public var nesterov: Bool
  /// β₁ and β₂ of Adam and AdamW.
  public var beta1: Double
  public var beta2: Double
  /// α of RMSprop.
  public var alpha: Double
  public var epsilon: Double
  /// Adagrad's decay of the rate and the start of its sum of squares.
  public var lrDecay: Double
  public var initialAccumulator: Double

  /// The named optimizer with its default constants.
  public init(_ name: OptimizerName, lr: Double? = nil) {
    self.name = name
    switch name {
    case .sgd, .momentum: self.lr = lr ?? 0.01
    case .adam, .adamw, .rmsprop, .adagrad: self.lr = lr ?? 1e-4
    }
    weightDecay = name == .adamw ? 0.01 : 0
    momentum = 0.9
    dampening = 0
    nesterov = false
    beta1 = 0.9
    beta2 = 0.999
    alpha = 0.99
    epsilon = name == .adagrad ? 1e-10 : 1e-8
    lrDecay = 0
    initialAccumulator = 0
  }

  /// The state kept per parameter, by PyTorch's names.
  public var stateNames: [String] {
    switch name {
    case .sgd: []
    case .momentum: ["momentum_buffer"]
    case .rmsprop: ["square_avg"]
    case .adagrad: ["sum"]
    case .adam, .adamw: ["exp_avg", "exp_avg_sq"]
    }
  }

  /// Whether a parameter whose gradient is 0 keeps its value and its state exactly: with plain SGD
  /// and Adagrad, unless weights decay.
  var isStillWithoutGradient: Bool { (name == .sgd || name == .adagrad) && weightDecay == 0 }

  /// Tensors of state per parameter.
  public var stateCount: Int { stateNames.count }

  /// The keys a config may give for this optimizer, `name` first.
  public static func keys(of name: OptimizerName) -> [String] {
    let common = ["name", "lr", "weight_decay"]
    switch name {
    case .sgd: return common
    case .momentum: return common + ["momentum", "dampening", "nesterov"]
    case .adam, .adamw: return common + ["beta1", "beta2", "epsilon"]
    case .rmsprop: return common + ["alpha", "epsilon"]
    case .adagrad: return common + ["lr_decay", "initial_accumulator", "epsilon"]
    }
  }
}
