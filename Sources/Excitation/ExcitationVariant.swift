/// The seven excitation functions Φ of the paper (section 3.2), by the names configs use.
public enum ExcitationVariant: String, CaseIterable, Codable, Hashable, Sendable {
  /// Φ = 1: the unmodulated optimizer, the baseline of every Δ.
  case vanilla
  /// Φ = u^γ / E[u^γ] (equation 6).
  case zeroSum = "zero-sum"
  /// Φ = max(1, zero-sum) (equation 7).
  case positiveSum = "positive-sum"
  /// Φ = exp(γu) / E[exp(γu)] (equation 8).
  case expDiff = "exp-diff"
  /// Φ = E[exp(γ·relu(u − E[u]))], the same for every expert (equation 9, a control).
  case globalExp = "global-exp"
  /// Zero-sum, randomly permuted over the experts at each step (a control).
  case randomBoost = "random-boost"
  /// Φ = u^−γ / E[u^−γ] (equation 10, a control).
  case inverted
}

/// Which Φ modulates the updates, and how strongly.
public struct ExcitationConfig: Codable, Hashable, Sendable {
  public let variant: ExcitationVariant
  /// γ, the intensity; 1 unless the paper says otherwise. Finite.
  public let gamma: Double
  /// Lower clamp on u for `inverted`, whose negative power has no value at 0.
  public let epsilon: Double
  /// W: Φ is computed from u averaged over so many batches, this one the last.
  public var window: Int

  public init(
    variant: ExcitationVariant, gamma: Double = 1, epsilon: Double = 1e-6, window: Int = 1
  ) {
    self.variant = variant
    self.gamma = gamma
    self.epsilon = epsilon
    self.window = window
  }
}
