import Foundation
import Testing

/// The same numbers from the same experiment, however it is carried out.
struct DeterminismTests {
  /// Seven variants, two optimizers, two seeds: 28 runs.
  static let all = """
    dataset: {name: synthetic, augmentation: flip+crop, limit: 200, test_limit: 100}
    model: {name: topk_mlp, hidden_layers: 2, width: 16, sparsity: 0.75}
    optimizer: [{name: sgd, lr: 0.1}, {name: adam, lr: 0.001}]
    excitation: {variants: [\(Workplace.variants.joined(separator: ", "))]}
    batch_size: 50
    epochs: 2
    seeds: [0, 1]

    """

  let work: Workplace

  init() throws {
    work = try Workplace()
    try work.write(Self.all, to: "all.yaml")
  }

  /// Bytes of the files that must repeat, by name.
  private func carryOut(
    _ name: String, jobs: Int, environment: [String: String] = [:]
  ) throws -> [String: Data] {
    let arguments = [
      "run", "all.yaml", "--out", name, "--save", name, "--quiet", "--jobs", "\(jobs)",
    ]
    _ = try work.success(arguments, environment: environment)
    let lasting = [
      "/metrics.csv", "/experts.csv", "/expert_classes.csv", "/result.json", "/final.safetensors",
    ]
    let files = work.files(in: name).filter { file in lasting.contains { file.hasSuffix($0) } }
    return try Dictionary(
      uniqueKeysWithValues: files.map { ($0, try work.read("\(name)/\($0)")) })
  }

  @Test func sameBytesWhateverTheJobsAndThreads() throws {
    let first = try carryOut("first", jobs: 1)
    #expect(first.count == 28 * 5)
    // Of OpenBLAS's cores some have other bits with more threads, this one among them.
    let core = ["OPENBLAS_CORETYPE": "Haswell"]
    let threads = core.merging(["OPENBLAS_NUM_THREADS": "2"]) { $1 }
    let pairs = [
      ("again", first, try carryOut("again", jobs: 1)),
      ("jobs", first, try carryOut("jobs", jobs: 2)),
      (
        "threads", try carryOut("core", jobs: 3, environment: core),
        try carryOut("threads", jobs: 3, environment: threads)
      ),
    ]
    for (name, one, other) in pairs {
      #expect(Set(other.keys) == Set(one.keys), "\(name)")
      let different = one.filter { other[$0.key] != $0.value }.keys.sorted()
      #expect(different.isEmpty, "\(name): \(different)")
    }
  }

  /// The first step of a seed has the same weights and the same batch for every variant, optimizer
  /// and rate, so its loss is the same; another seed's is not. The second step tells them apart.
  @Test func variantsOfASeedStartTheSame() throws {
    let common = ["sweep", "all.yaml", "--quiet", "--seeds", "0,1,7"]
    _ = try work.success(common + ["--max-steps", "1", "--out", "one"])
    _ = try work.success(common + ["--max-steps", "2", "--out", "two"])
    func losses(_ folder: String) throws -> [UInt64: [String]] {
      let runs = try work.labels(in: folder).map { label in
        (
          try work.result("\(folder)/runs/\(label)").seed,
          try work.metrics("\(folder)/runs/\(label)")
        )
      }
      #expect(runs.allSatisfy { $0.1.lines.count == 1 })
      return Dictionary(grouping: runs, by: \.0).mapValues { $0.flatMap { $0.1["train_loss"] } }
    }
    let one = try losses("one")
    #expect(one.keys.sorted() == [0, 1, 7])
    for (seed, losses) in one {
      #expect(losses.count == 14)
      #expect(Set(losses).count == 1, "seed \(seed): \(losses)")
    }
    #expect(Set(one.values.joined()).count == 3)
    for (seed, losses) in try losses("two") {
      #expect(Set(losses).count == 14, "seed \(seed): \(losses)")
    }
  }

  /// A run's numbers do not depend on the experiment that it is part of.
  @Test func aRunIsTheSameInAnyExperiment() throws {
    _ = try work.success(["run", "all.yaml", "--out", "all", "--quiet"])
    _ = try work.success(
      [
        "run", "all.yaml", "--set", "optimizer={name: adam, lr: 0.001}", "--seeds", "1",
        "--variants", "random-boost", "--out", "one", "--quiet",
      ])
    let label = try #require(work.labels(in: "one").first)
    #expect(work.labels(in: "one").count == 1)
    #expect(
      try work.read("one/runs/\(label)/metrics.csv") == work.read("all/runs/\(label)/metrics.csv"))
  }
}
