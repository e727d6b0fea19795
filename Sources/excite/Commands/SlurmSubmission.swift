import Experiments
import Foundation
import Reports

extension ExperimentOptions {
  /// Writes the experiment's array job into the store and submits it; in a dry run prints it.
  func submit(_ experiment: ExperimentConfig) throws(RunnerError) {
    guard !out.isEmpty else { throw .unwritable(path: "\"\"", reason: "give a folder's name") }
    let initial = try readInitialWeights()
    let store = RunStore(fullPath(out))
    let name = experiment.storeName(initial: initial)
    let runs = experiment.runs.count
    let parts = SlurmScript.parts(runs: runs, jobs: jobs ?? 1)
    let work = SlurmWork(
      experiment, in: store, parts: parts, initial: initial, retryFailed: retryFailed,
      saveDirectory: save)
    let script = script(
      tasks: dryRun ? Array(1...parts) : work.parts, parts: parts, name: name,
      folder: store.folder(of: name))
    if let option = script.impossibleOption {
      throw .badSlurmOption(option)
    }
    if dryRun {
      print(script.text, terminator: "")
      return
    }
    let done =
      "\(work.over) of \(runs) runs are over"
      + (work.running > 0 ? ", \(work.running) running now" : "")
    guard !work.parts.isEmpty else {
      print("\(done): nothing to submit; see excite status \(shellWord(out))")
      return
    }
    guard let sbatch = programPath("sbatch") else {
      printError(
        "sbatch is not on PATH: give this command on a host of the Slurm cluster. Without Slurm, "
          + "--shard i/n does a part of the runs, for GNU parallel or a Kubernetes indexed job")
      Self.exit(withError: Failure.failedRun)
    }
    let environment = try EnvironmentRecord.current(jobs: script.jobs)
    let stored = experiment.stored(
      command: Self.command, environment: environment, initial: initial)
    try store.keep(stored, as: name)
    try store.keep(script)
    guard let job = submitted(script.path, by: sbatch) else {
      printError("sbatch refused \(script.path)")
      Self.exit(withError: Failure.failedRun)
    }
    print(
      """
      \(done); Slurm job \(job) does the others in \(script.tasks.count) \
      task\(script.tasks.count == 1 ? "" : "s")
      excite status \(shellWord(out)) shows them, \(script.folder)/slurm-\(job)_*.log what they say
      """)
  }

  private func script(tasks: [Int], parts: Int, name: String, folder: String) -> SlurmScript {
    // The subcommand first, then flags: an axis flag at the end must not take them for its list.
    let words = SlurmOptions.arguments(
      without: ["--jobs"], flags: ["--quiet", "--dry-run"])
    var script = SlurmScript(
      name: name,
      program: [Bundle.main.executablePath ?? CommandLine.arguments[0]] + words.prefix(1),
      arguments: Array(words.dropFirst()), tasks: tasks, parts: parts, jobs: jobs ?? 1,
      directory: FileManager.default.currentDirectoryPath, folder: folder)
    script.partition = slurm.partition
    script.time = slurm.time
    script.maxRunning = slurm.maxRunning
    script.others = slurm.sbatch
    return script
  }
}

private func fullPath(_ path: String) -> String {
  URL(fileURLWithPath: path).standardizedFileURL.path
}

/// Where PATH has a program.
private func programPath(_ name: String) -> String? {
  (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    .map { "\($0)/\(name)" }.first(where: FileManager.default.isExecutableFile)
}

/// The job's number; nil where sbatch, which says why itself, does not take the script.
private func submitted(_ script: String, by sbatch: String) -> String? {
  let process = Process()
  let output = Pipe()
  process.executableURL = URL(fileURLWithPath: sbatch)
  process.arguments = ["--parsable", script]
  process.standardOutput = output
  guard (try? process.run()) != nil else { return nil }
  let text = String(
    decoding: (try? output.fileHandleForReading.readToEnd()) ?? Data(), as: UTF8.self)
  process.waitUntilExit()
  // A cluster's name may follow the number.
  let job = text.prefix { $0.isNumber }
  return process.terminationStatus == 0 && !job.isEmpty ? String(job) : nil
}
