/// Adds an optimizer's update to parameters, scaled expert by expert: θ ← θ + Φ·δ, the whole method
/// (equations 3 and 4).
///
///     parameters[e·n + i] += modulation[e] · delta[e·n + i]
///
/// δ is what the optimizer would add by itself, Optimizer(θ, ∇) − θ; −η·∇ for SGD. Its moments and
/// other state stay those of the unmodulated optimizer. What decays the weights as part of the
/// update, as AdamW does, is part of δ and scaled too.
///
/// - Parameters:
///   - delta: δ [E, n], row-major: all that belongs to expert 0, then to expert 1, and so on. A
///     bias per expert is n = 1.
///   - parameters: θ [E, n], laid out as δ.
///   - modulation: Φ [E], from ``phi(_:variant:gamma:epsilon:permutation:)``.
/// - Precondition: θ and δ are as long as each other, and a multiple of Φ.
/// - Source: "Excitation: Momentum For Experts", section 3.1.
@inlinable
public func applyUpdate<Scalar, Delta, Parameters, Modulation>(
  _ delta: Delta, to parameters: inout Parameters, modulation: Modulation
)
where
  Scalar: BinaryFloatingPoint, Delta: RandomAccessCollection<Scalar>,
  Parameters: MutableCollection<Scalar> & RandomAccessCollection,
  Modulation: RandomAccessCollection<Scalar>
{
  precondition(
    delta.count == parameters.count,
    "an update of \(delta.count) values for \(parameters.count) parameters")
  guard !parameters.isEmpty else { return }
  precondition(
    !modulation.isEmpty && parameters.count.isMultiple(of: modulation.count),
    "\(parameters.count) parameters do not divide into rows of \(modulation.count) experts")
  let rowLength = parameters.count / modulation.count
  var place = parameters.startIndex
  var changes = delta.makeIterator()
  for factor in modulation {
    for _ in 0..<rowLength {
      guard let change = changes.next() else { return }
      parameters[place] += factor * change
      parameters.formIndex(after: &place)
    }
  }
}
