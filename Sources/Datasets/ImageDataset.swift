import Tensors

/// The image sets that configs can name.
public enum DatasetName: String, CaseIterable, Codable, Hashable, Sendable {
  case cifar10, cifar100, svhn, synthetic
}

/// Labelled 32×32 RGB images as bytes, shared by all runs that read them.
public struct ImageSplit: Sendable {
  /// Bytes per image: 3 channels × 32 rows × 32 columns.
  public static let imageBytes = 3 * 32 * 32

  /// [N, 3, 32, 32], channel planes R, G, B, rows from the top.
  public let images: [UInt8]
  /// [N], each below the set's class count.
  public let labels: [UInt8]

  public var count: Int { labels.count }

  public init(images: [UInt8], labels: [UInt8]) {
    precondition(
      images.count == labels.count * Self.imageBytes,
      "\(images.count) image bytes for \(labels.count) labels")
    self.images = images
    self.labels = labels
  }
}

/// A data set with its standard splits; "dev" accuracy is measured on `test`.
public struct ImageDataset: Sendable {
  public let name: DatasetName
  public let classes: Int
  public let train: ImageSplit
  public let test: ImageSplit

  public init(name: DatasetName, classes: Int, train: ImageSplit, test: ImageSplit) {
    self.name = name
    self.classes = classes
    self.train = train
    self.test = test
  }

  /// A hash of all pixels and labels: other records, other order or a changed byte give another.
  public var fingerprint: String {
    var hash = ContentHash()
    for split in [train, test] {
      split.images.withUnsafeBytes { hash.add($0) }
      split.labels.withUnsafeBytes { hash.add($0) }
    }
    return hash.hexadecimal
  }
}
