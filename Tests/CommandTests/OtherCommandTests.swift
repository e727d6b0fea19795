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
    (["bench"], ["step ", "epoch ", "overhead ", "scale ", "start ", "gemm "]),
    (
      ["bench", "overhead"],
      [
        "--only <list>", "--sessions <n>", "--burn-in <n>", "--trials <n>", "--budget <minutes>",
        "--threads", "--json", "mlp-2048x2", "vit-1024x12x32", "Table 8",
      ]
    ),
    (
      ["bench", "scale"],
      ["--axis <axis>", "--values <list>", "--tokens-per-expert <n>", "--out <dir>", "--json"]
    ),
    (["bench", "start"], ["--model", "--set", "--threads", "--json"]),
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
    (["doctor"], ["--data-dir <dir>", "--out <dir>", "Exits with 0"]),
  ]

  #if os(Linux)
    /// Dispatch waits for ever for threads that cannot start, and Foundation traps.
    @Test(arguments: [
      "doctor", "bench gemm", "data fetch gpt2 --source http://127.0.0.1:1/", "data verify cifar10",
    ])
    func tooSmallAnAddressSpaceIsRefused(command: String) throws {
      expectRefused(
        try work.shell("ulimit -v 400000; excite \(command)"), status: 1,
        saying: ["excite: needs about", "of address space", "ulimit -v"])
    }

    @Test func theVersionNeedsNoRoom() throws {
      let output = try work.shell("ulimit -v 400000; excite --version")
      #expect(output.status == 0 && output.stderr.isEmpty, "\(output.stderr)")
    }

    @Test func benchesAskForRoomForTheirThreads() throws {
      expectRefused(
        try work.shell("ulimit -v 2000000; excite bench step --threads 64 --width 64"), status: 1,
        saying: ["topk_mlp: needs about", "of address space", "fewer threads"])
    }
  #endif

  @Test(arguments: helps)
  func help(command: [String], parts: [String]) throws {
    let output = try work.success(command + ["--help"])
    #expect(output.stdout.hasPrefix("OVERVIEW: "))
    for part in parts { #expect(output.stdout.contains(part), "\(part)") }
    let example = (["  excite"] + command).joined(separator: " ")
    #expect(output.stdout.contains(example), "no example")
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

  /// A checkout that has moved on since the program was built in it.
  @Test func versionNamesTheCommitOfTheBuild() throws {
    try work.write("", to: "checkout/.build/release/note")
    let program = work.path("checkout/.build/release/excite")
    try FileManager.default.copyItem(atPath: Program.path(), toPath: program)
    let built = Date(timeIntervalSince1970: 1_000_000)
    try FileManager.default.setAttributes([.modificationDate: built], ofItemAtPath: program)
    func commit(_ digit: String) -> String { String(repeating: digit, count: 40) }
    func version() throws -> String { try work.shell("'\(program)' --version").stdout }
    let (old, mine, new) = (commit("1"), commit("2"), commit("3"))

    try work.write("ref: refs/heads/main\n", to: "checkout/.git/HEAD")
    try work.write("\(new)\n", to: "checkout/.git/refs/heads/main")
    // Without a log, what is checked out now is the best guess.
    #expect(try version().hasSuffix("(commit 333333333333)\n"))
    try work.write(
      """
      \(old) \(old) A B <a@b> 900000 +0100\tclone: from 5 5 x
      \(old) \(mine) A B <a@b> 1000000 +0100\tcommit: one
      \(mine) \(new) A B <a@b> 1000001 +0100\tcommit: two

      """, to: "checkout/.git/logs/HEAD")
    #expect(try version().hasSuffix("(commit 222222222222)\n"))
  }

  @Test func doctor() throws {
    let output = try work.success(["doctor", "--data-dir", "data"])
    #expect(output.stdout.contains("/data: is not there yet, can be made"))
    let facts = output.stdout.components(separatedBy: "\n\n")[0].components(separatedBy: "\n")
    #expect(
      facts.map { String($0.prefix { $0 != " " }) } == [
        "excite", "system", "CPU", "memory", "kernels", "BLAS", "core", "results", "data",
        "cifar10", "cifar100", "svhn", "synthetic", "wikitext2", "wikitext103", "gpt2",
      ])
    #expect(facts.allSatisfy { $0.split(separator: " ").count >= 2 })
    #expect(output.stdout.contains("\nnote: no data set is here but the embedded images"))
    #expect(output.stdout.contains("\n  do: excite data fetch cifar10 --data-dir "))
    #expect(output.stdout.hasSuffix("\nNothing stops a run on the embedded images.\n"))
    #expect(output.stderr.isEmpty)
    // Looking changes nothing.
    #expect(work.files() == ["small.yaml"])
    #expect(!work.exists("data") && !work.exists("results"))
  }

  @Test func doctorNamesTheCoreThatWasAskedFor() throws {
    // Only a library built with all cores can obey, and only an x86-64 CPU has this one.
    let canObey =
      try work.success(["doctor"]).stdout.contains("DYNAMIC_ARCH")
      && KernelSets.all.contains("avx2")
    let output = try work.success(["doctor"], environment: ["OPENBLAS_CORETYPE": "haswell"])
    let line = try #require(output.lines.first { $0.hasPrefix("core ") })
    if canObey { #expect(line.hasSuffix("Haswell, as OPENBLAS_CORETYPE asks")) }
  }

  @Test func kernelsThatAreAskedForAreUsed() throws {
    let asked = ["EXCITE_KERNELS": "plain"]
    let doctor = try work.success(["doctor"], environment: asked)
    #expect(doctor.lines.contains("kernels     plain, as EXCITE_KERNELS asks"))
    try work.write("dataset: {name: synthetic}\nepochs: 1\n", to: "small.yaml")
    let run = try work.success(["run", "small.yaml", "--max-steps", "1"], environment: asked)
    #expect(run.stdout.contains("kernels  plain\n"))
  }

  @Test func kernelsThatThereAreNotAreToldOf() throws {
    let output = try work.excite(["data", "list"], environment: ["EXCITE_KERNELS": "avx9"])
    #expect(output.status == 1)
    #expect(
      output.stderr
        == "error: EXCITE_KERNELS: \"avx9\" is none of the kernel sets that this CPU runs: "
        + KernelSets.all.joined(separator: ", ") + "\n")
  }

  @Test func aCoreThatThereIsNotLeavesTheChoiceToTheLibrary() throws {
    let output = try work.success(["doctor"], environment: ["OPENBLAS_CORETYPE": "Abacus"])
    let line = try #require(output.lines.first { $0.hasPrefix("core ") })
    #expect(!line.contains("OPENBLAS_CORETYPE"))
    // Accelerate tells of no cores.
    if !line.hasSuffix("not told by this library") {
      #expect(output.stdout.contains("\nnote: OPENBLAS_CORETYPE: \"Abacus\" is no core that "))
    }
  }

  /// What is wrong, what the doctor says of it, and whether that stops runs.
  struct Illness: CustomTestStringConvertible {
    let testDescription: String
    /// Files, by what they hold.
    let files: [String: String]
    let saying: [String]
    let stops: Bool
  }

  static let illnesses = [
    Illness(
      testDescription: "a file in place of the results", files: ["results": "x"],
      saying: ["problem: results: cannot be written: ", "/results is a file", "--out"], stops: true),
    Illness(
      testDescription: "none, and results are there", files: ["results/a": "x"],
      saying: ["results: can be written"], stops: false),
    Illness(
      testDescription: "a file in place of the data", files: ["data": "x"],
      saying: ["note: ", "/data: cannot be written, so no data set can be fetched", "--data-dir"],
      stops: false),
    Illness(
      testDescription: "damaged data",
      files: ["data/cifar-100-binary/train.bin": "x", "data/cifar-100-binary/test.bin": "x"],
      saying: [
        "cifar100    damaged", "problem: ", "excite data fetch cifar100 --data-dir ", "--force",
      ],
      stops: true),
    Illness(
      testDescription: "half of the data", files: ["data/cifar-100-binary/train.bin": "x"],
      saying: [
        "cifar100    incomplete", "note: cifar100 is incomplete, without cifar-100-binary/test.bin",
        "do: excite data fetch cifar100",
      ], stops: false),
  ]

  @Test(arguments: illnesses) func doctorSaysWhatToDo(_ illness: Illness) throws {
    for (name, text) in illness.files { try work.write(text, to: name) }
    let output = try work.excite("doctor", "--data-dir", "data")
    #expect(output.status == (illness.stops ? 1 : 0), "\(output.stdout)")
    for part in illness.saying { #expect(output.stdout.contains(part), "\(output.stdout)") }
    #expect(output.stdout.contains("Nothing stops a run") != illness.stops)
    #expect(output.stdout.contains("\n  do: ") || illness.files.keys.contains("results/a"))
    #expect(output.stderr.isEmpty)
    #expect(work.files() == (illness.files.keys + ["small.yaml"]).sorted())
  }

  @Test(arguments: ["bash", "zsh", "fish"]) func completions(shell: String) throws {
    let script = try work.success(["--generate-completion-script", shell]).stdout
    // Every subcommand, and values of every kind.
    for word in [
      "run", "sweep", "data", "list", "fetch", "verify", "bench", "step", "gemm", "doctor", "help",
      "yaml", "safetensors", "zero-sum", "adagrad", "cifar100", "sequential", "markdown",
    ] {
      #expect(script.contains(word), "\(word)")
    }
  }

  /// Each shell that is installed takes its script for a script.
  @Test(arguments: ["bash", "zsh", "fish"]) func completionsAreScripts(shell: String) throws {
    guard try work.shell("command -v \(shell)").status == 0 else { return }
    let output = try work.shell("excite --generate-completion-script \(shell) | \(shell) -n")
    #expect(output.status == 0, "\(output.stderr)")
    #expect(output.stderr.isEmpty)
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
    let expertMetricsMedianSeconds: Double
    let expertMetricsFraction: Double
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
    #expect(timing.expertMetricsMedianSeconds > 0)
    #expect(timing.expertMetricsFraction > 0 && timing.expertMetricsFraction < 1)
    #expect((timing.samplesPerSecond * timing.medianSeconds - 70).magnitude < 1e-6)
  }

  @Test func benchOfAnEpochAsText() throws {
    let output = try work.success(Self.epoch)
    #expect(
      output.lines.map { $0.prefix { $0 != " " } }
        == ["epoch", "preparation", "evaluation", "metrics"])
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
