import Datasets
import Excitation
import Experiments
import Foundation
import Models
import Optimizers
import TestSupport
import Testing
import Training

/// The arithmetic from seconds a step to the time of all runs.
@Suite struct DurationEstimateTests {
  static func run(
    _ dataset: DatasetConfig, batchSize: Int, epochs: Int, maxSteps: Int? = nil
  ) -> RunConfig {
    RunConfig(
      dataset: dataset, model: .topKMLP(TopKMLPConfig()), optimizer: OptimizerConfig(.sgd),
      schedule: ScheduleConfig(), excitation: ExcitationConfig(variant: .vanilla),
      batchSize: batchSize, epochs: epochs, maxSteps: maxSteps, seed: 0)
  }

  /// A record of training takes 1, one of evaluation 0.63: 10 s a step of 10 records.
  static let runs: [(RunConfig, Double)] = [
    // 2 epochs · (50,000 + 0.63 · 10,000).
    (run(DatasetConfig(name: .cifar10), batchSize: 10, epochs: 2), 112_600),
    (run(DatasetConfig(name: .cifar100), batchSize: 10, epochs: 2), 112_600),
    // 73,257 + 0.63 · 26,032.
    (run(DatasetConfig(name: .svhn), batchSize: 10, epochs: 1), 89_657.16),
    // Limits: 3 · (200 + 0.63 · 100). One beyond the data has no effect.
    (
      run(
        DatasetConfig(name: .synthetic, limit: 200, testLimit: 100), batchSize: 10, epochs: 3), 789
    ),
    (
      run(
        DatasetConfig(name: .synthetic, limit: 900_000, testLimit: 900_000), batchSize: 10,
        epochs: 1), 11_260
    ),
    // The last batch of 5 costs half a step: 95 + 0.63 · 100.
    (
      run(DatasetConfig(name: .synthetic, limit: 95, testLimit: 100), batchSize: 10, epochs: 1),
      158
    ),
    // 25 steps of 20 an epoch: 250 for training, and 2 evaluations of 63.
    (
      run(
        DatasetConfig(name: .synthetic, limit: 200, testLimit: 100), batchSize: 10, epochs: 3,
        maxSteps: 25), 376
    ),
  ]

  @Test(arguments: runs.indices) func oneRun(index: Int) {
    let (run, expected) = Self.runs[index]
    let seconds = DurationEstimate.seconds(of: run, step: 10, evaluation: 0.63)
    #expect(abs(seconds - expected) < 1e-9 * expected, "\(seconds)")
  }

  /// A cut SVHN, of 8 and 4 images, is what the time is for: 8 + 0.63 · 4 of one epoch.
  @Test func imagesAtHandCount() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("excite-images-\(UUID().uuidString)", isDirectory: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try SVHNFiles.write(train: 8, test: 4, to: folder)
    let experiment = try ExperimentConfig.standard(
      overrides: ConfigOverrides(set: ["dataset.name=svhn"]))
    let images = ImagesAtHand(for: experiment.runs, in: folder)
    let run = Self.run(DatasetConfig(name: .svhn), batchSize: 10, epochs: 1)
    let seconds = DurationEstimate.seconds(of: run, step: 10, evaluation: 0.63, images: images)
    #expect(abs(seconds - 10.52) < 1e-9)
    #expect(
      images.notes == [
        "svhn here is not the whole set: 8 training and 4 test images instead of 73257 and 26032"
      ])
    let limited = Self.run(DatasetConfig(name: .svhn, limit: 2), batchSize: 10, epochs: 1)
    let fewer = DurationEstimate.seconds(
      of: limited, step: 10, evaluation: 0.63, images: images)
    #expect(abs(fewer - 4.52) < 1e-9)
    // Nothing is there of the others: their official size counts.
    #expect(ImagesAtHand(for: experiment.runs, in: folder.appendingPathComponent("x")).notes == [])
  }

  @Test func severalJobs() {
    #expect(DurationEstimate.elapsed([], jobs: 2) == 0)
    #expect(DurationEstimate.elapsed([3, 4, 5], jobs: 1) == 12)
    // 3 and 4 begin; 5 follows the 3.
    #expect(DurationEstimate.elapsed([3, 4, 5], jobs: 2) == 8)
    #expect(DurationEstimate.elapsed([3, 4, 5], jobs: 100) == 5)
    // Three equal runs with two jobs take as long as two.
    #expect(DurationEstimate.elapsed([6, 6, 6], jobs: 2) == 12)
  }

  /// Kinds are batch sizes here; of five, four are timed, and the fifth lies between two of them.
  @Test func timedInTurn() throws {
    let experiment = try ExperimentConfig.standard(
      overrides: ConfigOverrides(
        set: ["model.width=16", "dataset.name=synthetic"],
        axes: [SweepAxis(.batchSize, list: "8,16,32,64,128")]))
    let estimate = try #require(try DurationEstimate(of: experiment.runs, jobs: 1))
    #expect(estimate.kinds == 5)
    #expect(estimate.kindsTimed == 4)
    #expect(estimate.step.lowerBound > 0)
    // All runs of all kinds take longer than a step.
    #expect(estimate.seconds.lowerBound > estimate.step.upperBound)
  }

  /// Models of which a whole step takes too long: a part of it is timed. Both cores' products run at
  /// 1 to 2000 GFLOP/s; the estimate for a run must be its arithmetic at such a speed.
  @Test(arguments: [
    ["model=gpt_moe", "dataset=wikitext103", "optimizer=adam", "batch_size=32", "epochs=5"],
    ["model=moe_vit", "optimizer=adam", "batch_size=1024"],
  ])
  func largeTransformers(changes: [String]) throws {
    let experiment = try ExperimentConfig.standard(
      overrides: ConfigOverrides(set: changes, seeds: "0", variants: "vanilla"))
    let estimate = try #require(try DurationEstimate(of: experiment.runs, jobs: 1))
    #expect(estimate.kindsTimed == 1)
    #expect((1e9...2e12).contains(estimate.flopPerSecond))
    let flop = DurationEstimate.flop(of: experiment.runs)[0]
    #expect(abs(estimate.seconds.lowerBound * estimate.flopPerSecond - flop) < 1e-6 * flop)
  }

  /// A token takes 6·(12·(4·512² + 1025·512 + 4·512 + 2·2·512·256) + 512·50257) = 305,568,768
  /// (attention to half of the context on average), three times what its evaluation does.
  /// WikiText-103: 540 MB and, tested and validated on, 2.44 MB, at 4.5 bytes a token in whole
  /// sequences of 1024: 117,187 and 529.
  @Test func arithmeticOfTheSmallestModel() throws {
    let experiment = try ExperimentConfig.standard(
      overrides: ConfigOverrides(
        set: [
          "model=gpt_moe", "dataset=wikitext103", "optimizer=adam", "batch_size=32", "epochs=5",
        ],
        seeds: "0", variants: "vanilla"))
    let flop = DurationEstimate.flop(of: experiment.runs)
    #expect(flop.count == 1)
    let expected = 5.0 * 1024 * 305_568_768 * (117_187 + 529.0 / 3)
    #expect(abs(flop[0] - expected) < 1e-9 * expected)
  }

  /// The numbers of the official splits are those that the program draws or the catalog's files
  /// hold: a CIFAR-10 file is records of 1 + 3,072 bytes, one of CIFAR-100 of 2 + 3,072.
  @Test func recordCounts() {
    func records(_ set: DatasetName, _ file: Int, bytes: Int) -> Int {
      (DataCatalog.entry(set.data).files[file].bytes ?? 0) / bytes
    }
    let cifar10 = DatasetName.cifar10.recordCounts
    #expect(cifar10.train == (0..<5).reduce(0) { $0 + records(.cifar10, $1, bytes: 3073) })
    #expect(cifar10.test == records(.cifar10, 5, bytes: 3073))
    let cifar100 = DatasetName.cifar100.recordCounts
    #expect(cifar100.train == records(.cifar100, 0, bytes: 3074))
    #expect(cifar100.test == records(.cifar100, 1, bytes: 3074))
    #expect(DataCatalog.svhn.summary.hasPrefix("73,257 + 26,032 "))
    #expect(DatasetName.svhn.recordCounts == (73_257, 26_032))
    #expect(DatasetName.synthetic.recordCounts == (10_000, 2_000))
  }
}
