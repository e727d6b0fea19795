/// Which images a run reads and how they reach the model.
public struct DatasetConfig: Codable, Hashable, Sendable {
  /// CIFAR-100's two label sets; other sets have only `fine`.
  public enum Labels: String, CaseIterable, Codable, Hashable, Sendable { case fine, coarse }
  public enum Normalization: String, CaseIterable, Codable, Hashable, Sendable {
    /// (x/255 − mean) / std per channel, with CIFAR-10's constants for every set.
    case standard
    /// x/255, in [0, 1].
    case unit
    /// x/127.5 − 1, in [−1, 1].
    case symmetric
  }
  public enum Augmentation: String, CaseIterable, Codable, Hashable, Sendable {
    case none, flip, crop
    case flipCrop = "flip+crop"
  }

  public var name: DatasetName
  public var labels: Labels
  public var normalization: Normalization
  public var augmentation: Augmentation
  /// Pixels of border (0 after normalization) around the image that a random crop is cut from.
  public var cropPadding: Int
  /// Use only the first so many training records.
  public var limit: Int?
  /// Use only the first so many test records.
  public var testLimit: Int?

  public init(
    name: DatasetName, labels: Labels = .fine, normalization: Normalization = .standard,
    augmentation: Augmentation = .flipCrop, cropPadding: Int = 4, limit: Int? = nil,
    testLimit: Int? = nil
  ) {
    self.name = name
    self.labels = labels
    self.normalization = normalization
    self.augmentation = augmentation
    self.cropPadding = cropPadding
    self.limit = limit
    self.testLimit = testLimit
  }
}
