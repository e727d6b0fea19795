/// An array job of Slurm that carries an experiment out, each task a part of its runs.
///
/// A task that comes near its time limit is told so by a signal; excite then writes checkpoints and
/// ends with `exitCode`, upon which the script sends the task back to the queue. Where not a step was
/// done by then, twice on end, the limit is too short for the task and it ends. Any other end is left
/// as it is too, so that a failure is not repeated for ever.
public struct SlurmScript: Hashable, Sendable {
  /// How excite ends when it was stopped near the limit with something left to do: EX_TEMPFAIL.
  public static let exitCode: Int32 = 75
  /// The same, with not a step done.
  public static let idleExitCode: Int32 = 76
  /// Slurm's own default for the largest array, `MaxArraySize`, less one.
  public static let mostTasks = 1000

  /// The experiment's name, which the job gets.
  public var name: String
  /// excite with its full path and the subcommand.
  public var program: [String]
  /// The other arguments of the command.
  public var arguments: [String]
  /// The parts to do, from 1, and how many there are in all.
  public var tasks: [Int]
  public var parts: Int
  /// Runs at once in a task, and so its processors.
  public var jobs: Int
  /// Where the command is to run, a full path.
  public var directory: String
  /// Where the script and its logs are, a full path.
  public var folder: String
  public var partition: String?
  public var time: SlurmTime?
  /// Tasks at once.
  public var maxRunning: Int?
  /// Other options of sbatch, without their dashes: `account=vision`.
  public var others: [String] = []

  public init(
    name: String, program: [String], arguments: [String], tasks: [Int], parts: Int, jobs: Int,
    directory: String, folder: String
  ) {
    self.name = name
    self.program = program
    self.arguments = arguments
    self.tasks = tasks
    self.parts = parts
    self.jobs = jobs
    self.directory = directory
    self.folder = folder
  }

  /// How many equal parts so many runs make, each of `jobs` runs or, beyond `mostTasks`, more.
  public static func parts(runs: Int, jobs: Int) -> Int {
    min((runs + jobs - 1) / jobs, mostTasks)
  }

  public var path: String { "\(folder)/slurm.sh" }

  /// Seconds before the limit at which to stop: two minutes, less where the limit is short. Slurm
  /// may send the signal up to a minute earlier.
  private var warning: Int {
    guard let time, time.seconds > 0 else { return 120 }
    return min(120, max(1, time.seconds / 4))
  }

  private var options: [(String, String?)] {
    var options: [(String, String?)] = [
      ("job-name", name),
      ("array", Self.ranges(tasks) + (maxRunning.map { "%\($0)" } ?? "")),
      ("cpus-per-task", "\(jobs)"),
    ]
    if let partition { options.append(("partition", partition)) }
    if let time { options.append(("time", time.text)) }
    options += [
      ("chdir", directory),
      // A percent sign in a path is none of Slurm's own.
      ("output", folder.replacing("%", with: "%%") + "/slurm-%A_%a.log"),
      ("open-mode", "append"), ("requeue", nil), ("signal", "B:USR2@\(warning)"),
    ]
    return options
  }

  /// The first of its options that Slurm cannot take; nil where there is none. A line break would end
  /// the comment that an option stands in, and what follows would be a command.
  public var impossibleOption: String? {
    (options.compactMap(\.1) + others).first { $0.contains(where: \.isNewline) }
  }

  /// The script.
  public var text: String {
    let lines =
      options.map { "#SBATCH --" + $0 + ($1.map { "=" + shellWord($0) } ?? "") }
      + others.map { "#SBATCH --" + shellWord($0) }
    let words = program.map(shellWord).joined(separator: " ")
    let rest = (["--jobs", "\(jobs)", "--quiet"] + arguments).map(shellWord).joined(separator: " ")
    return """
      #!/bin/bash
      # An array job of Slurm, written by excite. Each task does its part of the runs; what the
      # store has is not repeated, so the job may be submitted again: sbatch slurm.sh
      \(lines.joined(separator: "\n"))

      # Slurm sends USR2 some time before the limit. excite then writes its checkpoints and ends
      # with \(Self.exitCode); the task queues again and goes on. With \(Self.idleExitCode), or by the signal, it had done
      # no step; twice on end is enough.
      task=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
      idle=\(shellWord(folder))/slurm-$task.idle
      near_the_limit() {
        kill -USR2 "$excite" 2>/dev/null
        wait "$excite"
        code=$?
        case $code in
          \(Self.exitCode)) rm -f "$idle" ;;
          \(Self.idleExitCode) | $((128 + $(kill -l USR2))))
            if [ -e "$idle" ]; then
              rm -f "$idle"
              echo "error: no step was done before the time limit, twice: give a longer --time" >&2
              exit \(Self.idleExitCode)
            fi
            touch "$idle" ;;
          *) exit "$code" ;;
        esac
        scontrol requeue "$task"
        exit "$code"
      }
      trap near_the_limit USR2

      \(words) --shard "$SLURM_ARRAY_TASK_ID/\(parts)" \(rest) &
      excite=$!
      wait "$excite"

      """
  }

  /// `1-3,5` of 1, 2, 3, 5.
  private static func ranges(_ numbers: [Int]) -> String {
    var ranges: [ClosedRange<Int>] = []
    for number in numbers.sorted() {
      if let last = ranges.last, last.upperBound + 1 == number {
        ranges[ranges.count - 1] = last.lowerBound...number
      } else {
        ranges.append(number...number)
      }
    }
    return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
      .joined(separator: ",")
  }
}

/// A word as a shell reads it back, quoted where it must be.
public func shellWord(_ word: String) -> String {
  let plain = word.allSatisfy { character in
    character.isLetter || character.isNumber || "-_=./,+:@%".contains(character)
  }
  return plain && !word.isEmpty ? word : "'" + word.replacing("'", with: "'\\''") + "'"
}
