/// How the learning rate moves over training.
public struct ScheduleConfig: Codable, Hashable, Sendable {
  public enum Name: String, CaseIterable, Codable, Hashable, Sendable { case constant, cosine }
  /// When the rate changes: once an epoch (PyTorch's usual scheduler call) or at every step.
  public enum Unit: String, CaseIterable, Codable, Hashable, Sendable { case epoch, step }

  public var name: Name
  public var per: Unit
  /// Linear warm-up from 0 over this many epochs (a fraction is allowed), 0 for none.
  public var warmup: Double
  /// The rate at the end of the cosine, as a fraction of the start.
  public var floor: Double

  public init(_ name: Name = .cosine, per: Unit = .epoch, warmup: Double = 0, floor: Double = 0) {
    self.name = name
    self.per = per
    self.warmup = warmup
    self.floor = floor
  }
}
