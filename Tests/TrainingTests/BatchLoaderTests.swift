import Datasets
import Tensors
import TestSupport
import Testing

@Suite("Batches")
struct BatchLoaderTests {
  typealias Seen = Coordinates.Seen

  static let count = 10
  static let split = Coordinates.split(count: count)

  static func loader(
    _ augmentation: DatasetConfig.Augmentation = .none,
    normalization: DatasetConfig.Normalization = .unit, cropPadding: Int = 4, batchSize: Int = 4,
    forTraining: Bool = true, isShuffled: Bool = true, seed: UInt64 = 0, kernels: Kernels = .best
  ) -> BatchLoader {
    BatchLoader(
      split,
      config: DatasetConfig(
        name: .synthetic, normalization: normalization, augmentation: augmentation,
        cropPadding: cropPadding), batchSize: batchSize, forTraining: forTraining,
      isShuffled: isShuffled, seed: seed, kernels: kernels)
  }

  /// All records of an epoch as the model would see them. Record numbers and labels are the same
  /// here, so that a target beside the wrong image shows.
  static func epoch(
    _ loader: BatchLoader, _ epoch: Int, normalization: DatasetConfig.Normalization = .unit
  ) -> [Seen] {
    loader.beginEpoch(epoch)
    return (0..<loader.batchCount).flatMap { batch in
      let rows = loader.load(batch)
      return (0..<rows).map { row in
        let seen = Coordinates.see(loader.inputs, row: row, normalization)
        #expect(Int(loader.targets[row]) == seen.record)
        return seen
      }
    }
  }

  static func plain(_ record: Int) -> Seen { Seen(record: record, flip: false, dx: 0, dy: 0) }

  @Test("in file order, as they are, when neither shuffled nor augmented")
  func sequential() {
    let loader = Self.loader(isShuffled: false)
    for epoch in 0..<3 {
      #expect(Self.epoch(loader, epoch) == (0..<Self.count).map(Self.plain))
    }
  }

  @Test("for testing, in file order and as they are, whatever the training does")
  func forTesting() {
    let loader = Self.loader(.flipCrop, forTraining: false, isShuffled: true)
    // Also without an epoch having begun.
    #expect(loader.load(2) == 2)
    #expect((0..<2).map { Int(loader.targets[$0]) } == [8, 9])
    #expect(Self.epoch(loader, 3) == (0..<Self.count).map(Self.plain))
  }

  @Test("the last batch is what is left")
  func lastBatch() {
    let loader = Self.loader()
    loader.beginEpoch(0)
    #expect(loader.batchCount == 3)
    #expect((0..<3).map { loader.load($0) } == [4, 4, 2])
    // All of them at once, exactly or with room to spare.
    for batchSize in [Self.count, 64] {
      let whole = Self.loader(batchSize: batchSize)
      whole.beginEpoch(0)
      #expect(whole.batchCount == 1)
      #expect(whole.load(0) == Self.count)
    }
  }

  @Test("shuffled: every record once, in an order of the epoch and of the seed")
  func shuffled() {
    var orders: Set<[Int]> = []
    for seed in 0..<3 as Range<UInt64> {
      for epoch in 0..<4 {
        let order = Self.epoch(Self.loader(seed: seed), epoch).map(\.record)
        #expect(order.sorted() == Array(0..<Self.count))
        orders.insert(order)
      }
    }
    // 12 of 10! orders: two alike by chance once in 50,000.
    #expect(orders.count == 12)
  }

  @Test(
    "a seed means one sequence of pixels, to the bit",
    arguments: DatasetConfig.Augmentation.allCases, KernelSets.all)
  func reproducible(augmentation: DatasetConfig.Augmentation, name: String) throws {
    let kernels = try #require(Kernels(named: name))
    let first = Self.loader(augmentation, seed: 5, kernels: kernels)
    let second = Self.loader(augmentation, seed: 5, kernels: kernels)
    for epoch in 0..<3 {
      first.beginEpoch(epoch)
      second.beginEpoch(epoch)
      for batch in 0..<first.batchCount {
        #expect(first.load(batch) == second.load(batch))
        expectSameBits(first.inputs.values, second.inputs.values, name: "epoch \(epoch)")
      }
    }
  }

  @Test("any batch of any epoch can be made from its numbers alone")
  func randomAccess() {
    let steady = Self.loader(.flipCrop)
    let epochs = (0..<4).map { Self.epoch(steady, $0) }
    let jumping = Self.loader(.flipCrop)
    for (epoch, batch) in [(3, 1), (0, 2), (3, 0), (1, 1)] {
      jumping.beginEpoch(epoch)
      let rows = jumping.load(batch)
      let seen = (0..<rows).map { Coordinates.see(jumping.inputs, row: $0, .unit) }
      #expect(seen == Array(epochs[epoch][batch * 4..<batch * 4 + rows]))
    }
  }

  @Test("the batch size cuts the epoch, and changes nothing else", arguments: [1, 3, 5, 10, 16])
  func batchSize(size: Int) {
    #expect(
      Self.epoch(Self.loader(.flipCrop, batchSize: size), 1)
        == Self.epoch(Self.loader(.flipCrop), 1))
  }

  @Test(
    "normalization moves no draw",
    arguments: DatasetConfig.Normalization.allCases, DatasetConfig.Augmentation.allCases)
  func normalizationMovesNothing(
    normalization: DatasetConfig.Normalization, augmentation: DatasetConfig.Augmentation
  ) {
    #expect(
      Self.epoch(
        Self.loader(augmentation, normalization: normalization), 2, normalization: normalization)
        == Self.epoch(Self.loader(augmentation), 2))
  }

  @Test("flip only flips, crop only shifts, both do both, by the same draws")
  func augmentation() {
    var (flips, shifts, total) = (0, Set<Int>(), 0)
    for epoch in 0..<40 {
      let none = Self.epoch(Self.loader(.none), epoch)
      let flip = Self.epoch(Self.loader(.flip), epoch)
      let crop = Self.epoch(Self.loader(.crop), epoch)
      let both = Self.epoch(Self.loader(.flipCrop), epoch)
      // Augmentation does not move the order.
      for seen in [flip, crop, both] { #expect(seen.map(\.record) == none.map(\.record)) }
      #expect(none.allSatisfy { $0 == Self.plain($0.record) })
      #expect(flip.allSatisfy { $0.dx == 0 && $0.dy == 0 })
      #expect(crop.allSatisfy { !$0.flip })
      for (place, seen) in both.enumerated() {
        #expect(seen.flip == flip[place].flip)
        #expect((seen.dx, seen.dy) == (crop[place].dx, crop[place].dy))
        flips += seen.flip ? 1 : 0
        shifts.formUnion([seen.dx, 100 + seen.dy])
        total += 1
      }
    }
    // Half of 400 draws, within five standard deviations of √400/2 = 10.
    #expect(abs(flips - total / 2) < 50)
    // −4 … 4 each; one missing by chance: 18·(8/9)⁴⁰⁰ = 10⁻¹⁹.
    #expect(shifts == Set(-4...4).union(96...104))
  }

  @Test("crop shifts by up to the padding, each way", arguments: [1, 2, 8])
  func padding(padding: Int) {
    let seen = (0..<60).flatMap { Self.epoch(Self.loader(.crop, cropPadding: padding), $0) }
    // 600 draws from 17 values at most: one missing once in 10¹⁵.
    #expect(Set(seen.map(\.dx)) == Set(-padding...padding))
    #expect(Set(seen.map(\.dy)) == Set(-padding...padding))
  }

  @Test("each epoch and each seed draws its own augmentation")
  func drawsDiffer() {
    func draws(_ seed: UInt64, _ epoch: Int) -> [Seen] {
      Self.epoch(Self.loader(.flipCrop, isShuffled: false, seed: seed), epoch)
    }
    let all = Set([draws(0, 0), draws(0, 1), draws(0, 2), draws(1, 0), draws(2, 0)])
    #expect(all.count == 5)
  }

  @Test("bytes become numbers as each normalization says")
  func normalizations() {
    func values(_ normalization: DatasetConfig.Normalization) -> [Float] {
      let images = [UInt8](repeating: 0, count: 1024 * 3).enumerated().map {
        UInt8($0.offset % 1024 == 0 ? 255 : 0)
      }
      let loader = BatchLoader(
        ImageSplit(images: images, labels: [0]),
        config: DatasetConfig(
          name: .synthetic, normalization: normalization, augmentation: .none), batchSize: 1,
        forTraining: true, isShuffled: false, seed: 0)
      loader.beginEpoch(0)
      _ = loader.load(0)
      // Of each channel a pixel of 255 and one of 0.
      return (0..<3).flatMap { [loader.inputs.data[$0 * 1024], loader.inputs.data[$0 * 1024 + 1]] }
    }
    // A product up to 4.05 rounded by 2⁻²³ and the constants before it.
    expectClose(values(.unit), [1, 0, 1, 0, 1, 0], atol: 1e-6, name: "unit")
    expectClose(values(.symmetric), [1, -1, 1, -1, 1, -1], atol: 1e-6, name: "symmetric")
    expectClose(
      values(.standard),
      [
        (1 - 0.4914) / 0.2470, -0.4914 / 0.2470, (1 - 0.4822) / 0.2435, -0.4822 / 0.2435,
        (1 - 0.4465) / 0.2616, -0.4465 / 0.2616,
      ], atol: 1e-6, name: "standard")
  }
}
