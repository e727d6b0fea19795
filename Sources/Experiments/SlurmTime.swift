/// A time limit as Slurm writes it: `90` minutes, `30:00`, `1:30:00`, `2-12`, `2-12:00:00`.
public struct SlurmTime: Hashable, Sendable {
  public let text: String
  /// 0 is no limit.
  public let seconds: Int

  /// nil where Slurm would not take it.
  public init?(_ text: String) {
    let halves = text.split(separator: "-", omittingEmptySubsequences: false)
    let fields = halves.last?.split(separator: ":", omittingEmptySubsequences: false) ?? []
    let numbers = fields.compactMap { Self.number($0) }
    guard halves.count <= 2, (1...3).contains(fields.count), numbers.count == fields.count else {
      return nil
    }
    // What the first field counts: after days, hours; else minutes, or hours where there are three.
    let units =
      halves.count == 2 || fields.count == 3 ? [3600, 60, 1] : fields.count == 2 ? [60, 1] : [60]
    var seconds = zip(numbers, units).reduce(0) { $0 + $1.0 * $1.1 }
    if halves.count == 2 {
      guard let days = Self.number(halves[0]) else { return nil }
      seconds += days * 86400
    }
    self.text = text
    self.seconds = seconds
  }

  /// Up to six digits, which no sum can overflow with.
  private static func number(_ text: Substring) -> Int? {
    text.count <= 6 && text.allSatisfy { $0.isASCII && $0.isNumber } ? Int(text) : nil
  }
}
