import Foundation
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
    (["bench"], ["step "]),
    (
      ["bench", "step"],
      [
        "--batch-size", "--optimizer", "--variant", "--hidden-layers", "--width", "--sparsity",
        "--threads", "--repetitions", "--json",
      ]
    ),
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
    let variables = ["OPENBLAS_CORETYPE": "Haswell"]
    let output = try work.excite(["doctor"], environment: variables)
    // A machine without this core type says what it took instead.
    #expect(output.status == 0)
    #expect(output.lines.last?.hasPrefix("core ") == true)
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
  }
}
