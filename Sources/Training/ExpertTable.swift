/// What each expert of a layer did: in an epoch's training, and on the test split after it.
public struct ExpertTable: Hashable, Sendable {
  /// From 1, next to the input.
  public let layer: Int
  /// Share of the epoch's training rows (samples or tokens) that used each expert, [E].
  public let utilization: [Double]
  public let classes: Int
  /// How many test rows of a class used an expert, [classes, E].
  public let counts: [Int]

  init(layer: Int, trained: ExpertSums, test: ExpertUse) {
    self.layer = layer
    utilization = trained.utilization
    classes = test.classes
    counts = test.counts
  }

  public func count(expert: Int, class label: Int) -> Int {
    counts[label * utilization.count + expert]
  }
}
