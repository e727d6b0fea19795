/// Whom an expert layer chose in a forward pass, and by what scores.
///
/// Letters: N rows, each a sample or, sample after sample, one of its tokens; E experts; K picked.
public struct Routing {
  /// Their softmax over the experts is p, [N, E].
  public let scores: UnsafePointer<Float>
  /// Floats from one row of scores to the next.
  public let scoreDistance: Int
  /// The numbers of the experts that each row used, [N, K], each once.
  public let picks: UnsafePointer<Int32>
  /// Numbers from one row of picks to the next.
  public let pickDistance: Int
  /// E.
  public let experts: Int
  /// K.
  public let picked: Int
  /// Tokens of a sample; 1 where samples are routed.
  public let rowsPerSample: Int
  /// The router's load-balancing loss E·Σ f·P, before its weight; nil where there is no router.
  public let balance: Double?

  public init(
    scores: UnsafePointer<Float>, scoreDistance: Int, picks: UnsafePointer<Int32>,
    pickDistance: Int, experts: Int, picked: Int, rowsPerSample: Int = 1, balance: Double? = nil
  ) {
    self.scores = scores
    self.scoreDistance = scoreDistance
    self.picks = picks
    self.pickDistance = pickDistance
    self.experts = experts
    self.picked = picked
    self.rowsPerSample = rowsPerSample
    self.balance = balance
  }
}
