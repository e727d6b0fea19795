import Foundation
import TestSupport
import Testing

/// Help, version, doctor and bench.
struct OtherCommandTests {
  let work: Workplace

  init() throws { work = try Workplace() }

  static let shared = [
    "--seeds <list>", "--variants <list>", "--jobs <jobs>", "--data-dir <dir>", "--out <dir>",
    "--format <format>", "--max-steps <n>", "--from <file.safetensors>", "--save <dir>",
    "--order <order>", "--dry-run", "--quiet",
  ]
  static let helps: [([String], [String])] = [
    ([], ["run ", "sweep ", "data ", "bench ", "doctor ", "--version", "configs/quickstart.yaml"]),
    (["run"], shared + ["--set <key.path=value>", "<config>"]),
    (
      ["sweep"],
      shared + [
        "--lr [<list>]", "--gamma [<list>]", "--sparsity [<list>]", "--batch-size [<list>]",
        "--optimizer [<list>]", "--schedule [<list>]", "--hidden-layers [<list>]",
        "--set <key.path=a,b,c>", "Table 3",
      ]
    ),
    (["data"], ["list ", "fetch ", "verify "]),
    (["data", "list"], ["--data-dir <dir>", "EXCITE_DATA"]),
    (["data", "fetch"], ["<name>", "--data-dir <dir>", "--source <url>", "--force", "--quiet"]),
    (["data", "verify"], ["<name>", "--data-dir <dir>"]),
    (["bench"], ["step ", "epoch ", "gemm "]),
    (
      ["bench", "step"],
      [
        "--model", "--batch-size", "--optimizer", "--variant", "--hidden-layers", "--width",
        "--sparsity", "--set", "--threads", "--repetitions", "--json",
      ]
    ),
    (
      ["bench", "epoch"],
      ["--data-dir <dir>", "--model", "--set", "--threads", "--repetitions", "--json", "<config>"]
    ),
    (["bench", "gemm"], ["--cores", "--current", "--threads", "--repetitions", "--json"]),
    (["doctor"], ["--help"]),
  ]

  @Test(arguments: helps)
  func help(command: [String], parts: [String]) throws {
    let output = try work.success(command + ["--help"])
    #expect(output.stdout.hasPrefix("OVERVIEW: "))
    for part in parts { #expect(output.stdout.contains(part), "\(part)") }
    #expect(output.stderr.isEmpty)
    #expect(try work.success(["help"] + command).stdout == output.stdout)
  }

  @Test func withoutArgumentsComesHelp() throws {
    #expect(try work.excite().stdout == work.excite("--help").stdout)
  }

  @Test func version() throws {
    let output = try work.success(["--version"])
    let form = #/excite \d+\.\d+\.\d+( \(commit [0-9a-f]{12}\))?\n/#
    #expect(output.stdout.wholeMatch(of: form) != nil)
  }

  @Test func doctor() throws {
    let output = try work.success(["doctor"])
    let names = output.lines.map { String($0.prefix { $0 != " " }) }
    #expect(names == ["excite", "CPU", "kernels", "BLAS", "core"])
    #expect(output.lines.allSatisfy { $0.split(separator: " ").count >= 2 })
    #expect(output.stderr.isEmpty)
  }

  @Test func doctorNamesTheCoreThatWasAskedFor() throws {
    // Only a library built with all cores can obey, and only an x86-64 CPU has this one.
    let canObey =
      try work.success(["doctor"]).stdout.contains("DYNAMIC_ARCH")
      && KernelSets.all.contains("avx2")
    let output = try work.success(["doctor"], environment: ["OPENBLAS_CORETYPE": "haswell"])
    let line = try #require(output.lines.last)
    #expect(line.hasPrefix("core "))
    if canObey { #expect(line == "core      Haswell, as OPENBLAS_CORETYPE asks") }
  }

  @Test func aCoreThatThereIsNotLeavesTheChoiceToTheLibrary() throws {
    let output = try work.success(["doctor"], environment: ["OPENBLAS_CORETYPE": "Abacus"])
    let line = try #require(output.lines.last)
    #expect(line.hasPrefix("core ") && !line.contains("OPENBLAS_CORETYPE"))
  }

  struct Timing: Decodable {
    let medianSeconds: Double
    let minSeconds: Double
    let maxSeconds: Double
    let repetitions: Int
  }

  static let step = [
    "bench", "step", "--width", "16", "--batch-size", "8", "--hidden-layers", "1", "--repetitions",
    "3",
  ]

  @Test func benchAsJSON() throws {
    let output = try work.success(Self.step + ["--json"])
    let timing = try snakeCaseDecoder().decode(Timing.self, from: Data(output.stdout.utf8))
    #expect(timing.medianSeconds > 0)
    #expect(timing.minSeconds <= timing.medianSeconds)
    #expect(timing.medianSeconds <= timing.maxSeconds)
    #expect(timing.repetitions == 3)
  }

  @Test(arguments: ["sgd", "momentum", "adam", "adamw", "rmsprop", "adagrad"])
  func benchAsText(optimizer: String) throws {
    let output = try work.success(Self.step + ["--optimizer", optimizer])
    #expect(output.stdout.contains(" ms "))
    #expect(output.stdout.contains(" µs per sample"))
    #expect(output.lines.map { $0.prefix { $0 != " " } } == ["step", "preparation", "useful"])
  }

  struct EpochFacts: Decodable {
    let medianSeconds: Double
    let preparationMedianSeconds: Double
    let evaluationMedianSeconds: Double
    let samplesPerSecond: Double
    let trainSamples: Int
    let testSamples: Int
    let repetitions: Int
  }

  /// 70 records in batches of 32: the last batch holds 6.
  static let epoch = [
    "bench", "epoch", "--width", "16", "--batch-size", "32", "--hidden-layers", "1",
    "--repetitions", "2", "--set", "dataset.limit=70", "--set", "dataset.test_limit=40",
  ]

  @Test func benchOfAnEpochAsJSON() throws {
    let output = try work.success(Self.epoch + ["--json"])
    let timing = try snakeCaseDecoder().decode(EpochFacts.self, from: Data(output.stdout.utf8))
    #expect(timing.trainSamples == 70)
    #expect(timing.testSamples == 40)
    #expect(timing.repetitions == 2)
    #expect(timing.preparationMedianSeconds > 0)
    #expect(timing.evaluationMedianSeconds > 0)
    #expect((timing.samplesPerSecond * timing.medianSeconds - 70).magnitude < 1e-6)
  }

  @Test func benchOfAnEpochAsText() throws {
    let output = try work.success(Self.epoch)
    #expect(output.lines.map { $0.prefix { $0 != " " } } == ["epoch", "preparation", "evaluation"])
  }

  @Test func benchOfAnEpochNeedsItsData() throws {
    let output = try work.excite(
      Self.epoch + ["--set", "dataset.name=cifar10", "--data-dir", "nowhere"])
    #expect(output.status == 1)
    #expect(output.errorLines.count == 1)
    #expect(output.stderr.contains("excite data fetch cifar10"))
  }

  @Test func benchOfAModelThatThereIsNot() throws {
    let output = try work.excite(["bench", "step", "--model", "perceptron"])
    #expect(output.status == 64)
    #expect(output.stderr.contains("topk_mlp"))
  }
}
