import Foundation
import Testing

/// `excite bench overhead`, `scale` and `start` on tiny models.
@Suite struct BenchTests {
  let work: Workplace

  init() throws { work = try Workplace() }

  struct Overheads: Decodable {
    struct Row: Decodable {
      let model: String
      let parameters: Int
      let expertComponents: Int
      let batchSize: Int
      let optimizer: String
      let variant: String
      let sessions: Int
      let burnIn: Int
      let trials: Int
      let overheadPercent: Double
      let overheadStd: Double?
      let sessionPercents: [Double]
      let intervalLow: Double?
      let intervalHigh: Double?
      let cpuOverheadPercent: Double
      let updateOverheadPercent: Double
      let publishedPercent: Double?
      let vanillaMedianSeconds: Double
      let excitedMedianSeconds: Double
      let vanillaAllocatedBytes: Int?
      let excitedAllocatedBytes: Int?
      let vanillaPeakBytes: Int?
      let excitedPeakBytes: Int?
    }
    struct Machine: Decodable {
      let cpu: String
      let threads: Int
    }
    let machine: Machine
    let rows: [Row]
  }

  func overheads(_ arguments: [String]) throws -> Overheads {
    let output = try work.success(["bench", "overhead", "--json"] + arguments)
    return try snakeCaseDecoder().decode(Overheads.self, from: Data(output.stdout.utf8))
  }

  static let tiny = [
    "--width", "16", "--hidden-layers", "2", "--batch-size", "8", "--burn-in", "1",
  ]

  @Test func overheadOfAModelOfOnesOwn() throws {
    let found = try overheads(Self.tiny + ["--sessions", "2", "--trials", "7"])
    #expect(found.machine.threads == 1)
    #expect(found.rows.count == 1)
    let row = try #require(found.rows.first)
    #expect(row.model == "topk_mlp")
    // 3072 inputs, two layers of 16, 10 classes, each with its bias.
    #expect(row.parameters == 3073 * 16 + 17 * 16 + 17 * 10)
    #expect(row.expertComponents == 32)
    #expect((row.batchSize, row.optimizer, row.variant) == (8, "sgd", "zero-sum"))
    // Two pairs make a block: 7 count as 8, and 2 · 4 blocks give an interval.
    #expect((row.sessions, row.burnIn, row.trials) == (2, 1, 8))
    #expect(row.sessionPercents.count == 2)
    #expect(
      abs(row.overheadPercent - row.sessionPercents.reduce(0, +) / 2)
        < 1e-9 * max(1, abs(row.overheadPercent)))
    #expect(row.overheadStd != nil)
    #expect((row.intervalLow ?? .nan) <= (row.intervalHigh ?? .nan))
    #expect(row.publishedPercent == nil)
    #expect(row.vanillaMedianSeconds > 0 && row.excitedMedianSeconds > 0)
  }

  /// Φ keeps nothing for a parameter, and takes nothing for one during a step: 3.9 million of them are
  /// 15.8 MB, of which a quarter would show.
  @Test(arguments: ["topk_mlp", "moe_vit"], ["sgd", "adam"])
  func memoryForPhi(model: String, optimizer: String) throws {
    let sizes =
      model == "topk_mlp"
      ? ["--width", "1024", "--hidden-layers", "2"] : ["--model", model, "--set", "model.layers=1"]
    let found = try overheads(
      sizes + [
        "--batch-size", "8", "--sessions", "1", "--burn-in", "0", "--trials", "2", "--optimizer",
        optimizer,
      ])
    let row = try #require(found.rows.first)
    #expect(row.parameters > 3_900_000)
    #if os(Linux)
      let vanilla = try #require(row.vanillaAllocatedBytes)
      let excited = try #require(row.excitedAllocatedBytes)
      // Weights and gradients at least.
      #expect(vanilla > 8 * row.parameters)
      // Lists of the allocator's own may grow by a few of Φ's numbers for each expert.
      #expect(abs(excited - vanilla) < 64 * row.expertComponents)
      let peaks = try #require(
        row.vanillaPeakBytes.flatMap { v in row.excitedPeakBytes.map { $0 - v } })
      #expect(peaks < row.parameters)
    #endif
  }

  /// A hundredth of a second is not enough for what the paper did: the rows say what was done.
  @Test func budget() throws {
    let arguments = ["--only", "mlp-1024x16", "--batch-size", "4", "--budget", "0.0001"]
    let output = try work.success(["bench", "overhead"] + arguments)
    #expect(output.stdout.contains("mlp-1024x16"))
    // 784 · 1024 + 15 · 1024² + 10 · 1024, and biases.
    #expect(output.stdout.contains(" 16.6 M "))
    #expect(output.stdout.contains("+29.7 ± 0.4"))
    #expect(output.lines[2].hasSuffix(" 3 × 4"))
    #expect(output.lines.allSatisfy { $0.hasPrefix("# ") || $0.count <= 80 })
    let note = "# mlp-1024x16: 1 + 4 pairs of steps a session instead of 100 + 500"
    #expect(output.lines.contains { $0.hasPrefix(note) })
    #expect(output.stderr.isEmpty)
  }

  @Test func overheadOfATransformer() throws {
    let found = try overheads([
      "--model", "moe_vit", "--set", "model.layers=2", "--set", "model.d=16", "--set",
      "model.patch=16", "--set", "model.experts=6", "--batch-size", "4", "--optimizer", "adam",
      "--variant", "positive-sum", "--sessions", "1", "--burn-in", "0", "--trials", "2",
      "--threads", "2",
    ])
    let row = try #require(found.rows.first)
    #expect((row.model, row.expertComponents) == ("moe_vit", 12))
    #expect((row.optimizer, row.variant) == ("adam", "positive-sum"))
    #expect(row.overheadStd == nil && row.intervalLow == nil)
    #expect(found.machine.threads == 2)
  }

  struct Scale: Decodable {
    struct Place: Decodable {
      let value: Double
      let parameters: Int
      let batchSize: Int
      let threads: Int
      let stepSeconds: Double
      let secondsPerSample: Double
      let secondsPerToken: Double
      let memoryBytes: Int?
    }
    let axis: String
    let model: String
    let timeExponent: Double?
    let memoryExponent: Double?
    let points: [Place]
  }

  static let vit = [
    "--set", "model.layers=1", "--set", "model.d=16", "--set", "model.patch=16", "--set",
    "model.hidden=8",
  ]

  @Test func scaleAlongExperts() throws {
    let output = try work.success(
      ["bench", "scale", "--axis", "experts", "--values", "16,4", "--tokens-per-expert", "5"]
        + ["--repetitions", "1", "--json", "--out", "o/p"] + Self.vit)
    let scale = try snakeCaseDecoder().decode(Scale.self, from: Data(output.stdout.utf8))
    #expect((scale.axis, scale.model) == ("experts", "moe_vit"))
    #expect(scale.points.map(\.value) == [4, 16])
    // 5 tokens for each expert, 2 picked: 10 tokens are 2 images of 5, 40 are 8.
    #expect(scale.points.map(\.batchSize) == [2, 8])
    #expect(scale.timeExponent != nil)
    for point in scale.points {
      #expect(abs(point.secondsPerSample - 5 * point.secondsPerToken) < 1e-12)
      #expect(point.threads == 1)
    }
    #expect(output.errorLines == ["wrote o/p/scale-experts.svg", "wrote o/p/scale-experts.png"])
    #expect(work.files(in: "o") == ["p/scale-experts.png", "p/scale-experts.svg"])
    #expect(try work.text("o/p/scale-experts.svg").contains("experts per layer"))
  }

  @Test func scaleAsText() throws {
    let output = try work.success([
      "bench", "scale", "--axis", "sparsity", "--values", "0.5,0.75", "--width", "16",
      "--hidden-layers", "1", "--batch-size", "8", "--repetitions", "1", "--out", "o",
    ])
    #expect(output.lines[0].split(separator: " ").first == "sparsity")
    #expect(output.stdout.contains("# time per sample grows as (1 − sparsity)^"))
    #expect(output.stdout.contains("# memory grows as (1 − sparsity)^"))
  }

  @Test func start() throws {
    let arguments = ["bench", "start", "--width", "16", "--batch-size", "8"]
    let output = try work.success(arguments + ["--json"])
    let facts = try snakeCaseDecoder().decode([String: Double].self, from: Data(output.stdout.utf8))
    #expect(facts.keys.sorted() == ["build_seconds", "first_step_seconds"])
    #expect(try work.success(arguments).lines.map { $0.prefix(5) } == ["build", "first"])
  }

  // MARK: Mistakes

  /// 1,000 layers of 65,536² weights are 17 TB, gradients as much.
  @Test(arguments: [["overhead"], ["step"], ["start"], ["scale", "--axis", "batch"]])
  func whatDoesNotFitIsRefused(command: [String]) throws {
    let output = try work.excite(
      ["bench"] + command + ["--width", "65536", "--hidden-layers", "1000"])
    expectRefused(output, status: 64, saying: [" GB of memory; ", " GB are free: "])
    #expect(work.files() == ["small.yaml"])
  }

  static let mistakes: [(arguments: [String], saying: [String])] = [
    (["overhead", "--only", "mlp"], ["--only mlp: not one of mlp-2048x2, ", "vit-1024x12x32"]),
    (["overhead", "--only", ""], ["--only : not one of "]),
    (["overhead", "--only", "mlp-2048x2", "--width", "8"], ["--only picks models of Table 8"]),
    (["overhead", "--sessions", "0"], ["--sessions 0: give 1 or more"]),
    (["overhead", "--burn-in=-1"], ["--burn-in -1: give 0 or more"]),
    (["overhead", "--trials", "1"], ["--trials 1: give 2 or more"]),
    (["overhead", "--trials", "many"], ["'many'", "--trials"]),
    (["overhead", "--threads", "0"], ["--threads 0: give 1 to 1024"]),
    (["overhead", "--budget", "0"], ["--budget 0.0: give more than 0"]),
    (["scale"], ["'--axis <axis>'"]),
    (["scale", "--axis", "height"], ["'height'", "- experts", "- sparsity"]),
    (["scale", "--axis", "width", "--values", "8,x"], ["--values x: not a value of width"]),
    (["scale", "--axis", "width", "--values", "1e30"], ["--values 1e30: not a value of width"]),
    (["scale", "--axis", "threads", "--values", "2000"], ["2000: not a value of threads"]),
    (["step", "--threads", "2147483648"], ["--threads 2147483648: give 1 to 1024"]),
    (["scale", "--axis", "width", "--values", "8,,9"], ["--values : not a value of width"]),
    (["scale", "--axis", "sparsity", "--values", "1"], ["--values 1: not a value of sparsity"]),
    (["scale", "--axis", "width", "--values", "8,8"], ["--values 8,8: a value is given twice"]),
    (
      ["scale", "--axis", "experts", "--tokens-per-expert", "0"], ["--tokens-per-expert 0: give 1"]
    ),
    (["start", "--threads", "0"], ["--threads 0: give 1 to 1024"]),
  ]

  @Test(arguments: mistakes.indices) func usage(index: Int) throws {
    let (arguments, parts) = Self.mistakes[index]
    let output = try work.excite(["bench"] + arguments)
    #expect(output.status == 64)
    #expect(output.stdout.isEmpty)
    for part in parts { #expect(output.stderr.contains(part), "\(output.stderr)") }
    expectNoCrash(output)
    #expect(work.files() == ["small.yaml"])
  }

  @Test func anAxisThatTheModelDoesNotHave() throws {
    let output = try work.excite(
      "bench", "scale", "--axis", "experts", "--model", "topk_mlp", "--out", "o")
    #expect(output.status == 64)
    #expect(output.stderr.contains("--axis experts: topk_mlp has no such axis"))
    let value = try work.excite(
      "bench", "scale", "--axis", "experts", "--values", "1", "--out", "o")
    expectRefused(value, status: 64, saying: ["--set model.experts=1", "experts"])
  }
}
