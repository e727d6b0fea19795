/// A row of the paper's Table 8: how much longer an excited step takes on an A100.
public struct PublishedOverhead: Hashable, Sendable {
  private static let table = "8"

  /// As "topk_mlp width=2048 layers=2 inputs=784" or "moe_vit width=512 layers=6 experts=8".
  public let model: String
  /// Percent, over three sessions.
  public let mean: Double
  public let std: Double?

  /// Nil for a row of something else.
  init?(_ row: PublishedValues.Row) throws(ReportsError) {
    guard try row.text("table") == Self.table else { return nil }
    model = try row.text("model")
    mean = try row.number("mean")
    std = try row.optionalNumber("std")
  }
}
