/// The statistics of the tables; intervals and tests stand in files of their own.
public enum Statistics {
  /// Σx / n, or nil without values.
  public static func mean(_ values: [Double]) -> Double? {
    values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }

  /// √(Σ(x − mean)² / (n − 1)), or nil below two values: one value has no spread to estimate.
  public static func sampleStd(_ values: [Double]) -> Double? {
    guard values.count >= 2, let mean = mean(values) else { return nil }
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (squares / Double(values.count - 1)).squareRoot()
  }
}
