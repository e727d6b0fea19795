import Crypto
import Datasets
import Foundation
import Testing

@Suite struct SyntheticImagesTests {
  static func sha256(_ bytes: some DataProtocol) -> String {
    SHA256.hash(data: bytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// The set is part of published results, so its bytes are pinned: computed by this generator
  /// when the set was settled. Another value on some machine means that its arithmetic differs.
  @Test func drawsTheSameBytesEverywhere() {
    let set = SyntheticImages.dataset(trainCount: 100, testCount: 10)
    #expect(
      Self.sha256(set.train.images)
        == "736d28c2664f6d46bfc8a619e2207dfb0cb39466905074c519d98863d378376d")
    #expect(
      Self.sha256(set.test.images)
        == "4d35760162057463bf4d8d7ef2a0ecb2afd49c0c9e2e87cd1f0d3ac11df830b8")
  }

  @Test func needsNoDirectoryAndHasBalancedClasses() throws {
    let nowhere = URL(fileURLWithPath: "/nonexistent/folder")
    let set = try loadDataset(DatasetConfig(name: .synthetic), directory: nowhere)
    #expect(set.name == .synthetic)
    #expect(set.classes == 10)
    for (split, count) in [(set.train, 10_000), (set.test, 2_000)] {
      #expect(split.count == count)
      let byClass = Dictionary(grouping: split.labels) { $0 }.mapValues(\.count)
      #expect(byClass.count == 10)
      #expect(byClass.values.allSatisfy { $0 == count / 10 })
    }
    // Splits do not share images, nor does an image come twice within one.
    let size = ImageSplit.imageBytes
    let all = set.train.images + set.test.images
    let different = Set((0..<12_000).map { all[$0 * size..<($0 + 1) * size] })
    #expect(different.count == 12_000)
  }

  @Test func limitsOnlyCutOff() throws {
    let whole = SyntheticImages.dataset(trainCount: 40, testCount: 20)
    let config = DatasetConfig(name: .synthetic, limit: 25, testLimit: 7)
    let part = try loadDataset(config, directory: nil)
    #expect(part.train.labels == Array(whole.train.labels.prefix(25)))
    #expect(part.train.images == Array(whole.train.images.prefix(25 * ImageSplit.imageBytes)))
    #expect(part.test.labels == Array(whole.test.labels.prefix(7)))
    #expect(part.test.images == Array(whole.test.images.prefix(7 * ImageSplit.imageBytes)))
    let more = SyntheticImages.dataset(trainCount: 10_001, testCount: 2_001)
    #expect(more.train.count == 10_000)
    #expect(more.test.count == 2_000)
  }

  /// Bytes spread over the whole range, and no class is a matter of brightness alone.
  @Test func looksLikeImages() {
    let set = SyntheticImages.dataset(trainCount: 1000, testCount: 1)
    let size = ImageSplit.imageBytes
    var means = [Double](repeating: 0, count: 10)
    for i in 0..<set.train.count {
      let image = set.train.images[i * size..<(i + 1) * size]
      means[Int(set.train.labels[i])] += Double(image.reduce(0) { $0 + Int($1) }) / Double(size)
    }
    // 100 images per class.
    for mean in means.map({ $0 / 100 }) { #expect((90...165).contains(mean)) }
    #expect(set.train.images.min() == 0)
    #expect(set.train.images.max() == 255)
  }
}
