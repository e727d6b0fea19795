import ArgumentParser
import Experiments

extension SlurmTime: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

/// The flags that hand an experiment to Slurm.
struct SlurmOptions: ParsableArguments {
  @Flag(
    name: .customLong("slurm"),
    help: """
      Submit the runs to Slurm as an array job, --jobs runs (1 by default) a task; with --dry-run \
      print its script.
      """)
  var isOn = false

  @Option(help: ArgumentHelp("With --slurm: the partition.", valueName: "name"))
  var partition: String?

  @Option(
    help: ArgumentHelp(
      "With --slurm: a task's time limit, as 90 (minutes), 1:30:00 or 2-12; near it a task queues again.",
      valueName: "time"))
  var time: SlurmTime?

  @Option(help: ArgumentHelp("With --slurm: tasks at once, at most.", valueName: "n"))
  var maxRunning: Int?

  @Option(
    help: ArgumentHelp(
      "With --slurm: another option of sbatch, without its dashes; may be repeated.",
      valueName: "mem=4G"))
  var sbatch: [String] = []

  private static let valued = ["--partition", "--time", "--max-running", "--sbatch"]

  mutating func validate() throws {
    if let maxRunning, maxRunning < 1 {
      throw ValidationError("--max-running \(maxRunning): give 1 or more")
    }
    guard !isOn else { return }
    let given = [partition != nil, time != nil, maxRunning != nil, !sbatch.isEmpty]
    if let index = given.firstIndex(of: true) {
      throw ValidationError("\(Self.valued[index]) is for --slurm, which is not given")
    }
  }

  /// The program's arguments without these flags.
  /// - Parameters:
  ///   - options: further ones to leave out, with the value that follows each.
  ///   - flags: further ones that have no value.
  static func arguments(
    without options: Set<String> = [], flags: Set<String> = []
  ) -> [String] {
    let options = options.union(valued)
    let flags = flags.union(["--slurm"])
    var kept: [String] = []
    var rest = CommandLine.arguments.dropFirst()
    while let word = rest.popFirst() {
      if word == "--" { return kept + [word] + rest }
      if flags.contains(word) { continue }
      if options.contains(word) {
        rest = rest.dropFirst()
      } else if !options.contains(String(word.prefix { $0 != "=" })) {
        kept.append(word)
      }
    }
    return kept
  }
}
