import Foundation
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Array jobs, with stand-ins for Slurm's own programs. `scripts/check_slurm.sh` has the real ones.
struct SlurmTests {
  let work: Workplace

  init() throws {
    work = try Workplace()
    try standIn("sbatch", "echo \"$@\" >> calls; echo '77;cluster'")
    try standIn("scontrol", "echo \"$@\" >> calls")
  }

  private func standIn(_ name: String, _ line: String) throws {
    try work.write("#!/bin/sh\n\(line)\n", to: "bin/\(name)")
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o755], ofItemAtPath: work.path("bin/\(name)"))
  }

  /// What Slurm sets for the first task of job 77, and the stand-ins' place.
  private var environment: [String: String] {
    [
      "PATH": "\(work.path("bin")):/usr/bin:/bin", "SLURM_ARRAY_JOB_ID": "77",
      "SLURM_ARRAY_TASK_ID": "1", "SLURM_JOB_ID": "78",
    ]
  }

  /// The stand-ins' calls, one a line.
  private func calls() throws -> [String] {
    work.exists("calls") ? try work.text("calls").split(separator: "\n").map(String.init) : []
  }

  private func options(_ script: String) -> [String] {
    script.split(separator: "\n").filter { $0.hasPrefix("#SBATCH --") }
      .map { String($0.dropFirst("#SBATCH --".count)) }
  }

  /// The script of the experiment in a store.
  private func script(in store: String) throws -> String {
    "\(try work.experiment(in: store))/slurm.sh"
  }

  // MARK: The script

  @Test func dryRunPrintsTheScript() throws {
    let output = try work.success([
      "run", "small.yaml", "--slurm", "--partition", "cpu", "--time=1:00:00", "--max-running", "2",
      "--sbatch", "account=vision", "--sbatch", "exclusive", "--dry-run", "--quiet", "--jobs", "1",
      "--out", "a b%", "--save", "it's",
    ])
    #expect(!work.exists("a b%"))
    let here = try #require(realpath(work.folder.path))
    #expect(
      options(output.stdout) == [
        "job-name=small", "array=1-6%2", "cpus-per-task=1", "partition=cpu", "time=1:00:00",
        "chdir=\(here)", "output='\(here)/a b%%/experiments/small/slurm-%A_%a.log'",
        "open-mode=append", "requeue", "signal=B:USR2@120", "account=vision", "exclusive",
      ])
    let program = try #require(realpath(try Program.path()))
    #expect(
      output.lines.contains(
        "\(program) run --shard \"$SLURM_ARRAY_TASK_ID/6\" --jobs 1 --quiet small.yaml "
          + "--out 'a b%' --save 'it'\\''s' &"))
  }

  private func realpath(_ path: String) -> String? {
    #if canImport(Glibc)
      let real = Glibc.realpath(path, nil)
    #elseif canImport(Darwin)
      let real = Darwin.realpath(path, nil)
    #endif
    defer { free(real) }
    return real.map { String(cString: $0) }
  }

  /// 6 runs, 4 a task: two tasks.
  @Test func jobsAreRunsOfATask() throws {
    let output = try work.success(["run", "small.yaml", "--slurm", "--jobs", "4", "--dry-run"])
    let options = options(output.stdout)
    #expect(options.contains("array=1-2"))
    #expect(options.contains("cpus-per-task=4"))
    #expect(output.stdout.contains(" --shard \"$SLURM_ARRAY_TASK_ID/2\" --jobs 4 "))
  }

  /// An array may have 1000 tasks, so 600 seeds of 3 variants are 2 runs a task.
  @Test func anArrayIsNotLargerThanSlurmTakes() throws {
    let output = try work.success(
      ["run", "small.yaml", "--seeds", "0-599", "--slurm", "--dry-run"])
    #expect(options(output.stdout).contains("array=1-1000"))
  }

  /// Two minutes before the limit, or a quarter of it.
  @Test(arguments: [
    ("1", 15), ("4:00", 60), ("8", 120), ("2-12", 120), ("0-0:02", 30), ("0:00:40", 10),
    ("1-00:00:00", 120), ("0", 120),
  ])
  func signalComesBeforeTheLimit(time: String, seconds: Int) throws {
    let output = try work.success(
      ["run", "small.yaml", "--slurm", "--time", time, "--dry-run"])
    #expect(options(output.stdout).contains("signal=B:USR2@\(seconds)"))
    #expect(options(output.stdout).contains("time=\(time)"))
  }

  // MARK: Flags

  @Test(arguments: [
    ["--slurm", "--time", "soon"], ["--slurm", "--time", "1:2:3:4"], ["--slurm", "--time", "1-"],
    ["--slurm", "--time", "-1-2"], ["--slurm", "--time", "1234567"],
    ["--slurm", "--max-running", "0"], ["--slurm", "--fresh"], ["--slurm", "--shard", "1/2"],
    ["--partition", "cpu"], ["--time", "5"], ["--max-running", "2"], ["--sbatch", "mem=1G"],
  ])
  func badFlagsAreRefused(flags: [String]) throws {
    let output = try work.excite(["run", "small.yaml"] + flags, environment: environment)
    #expect(output.status == 64)
    // Each message names the last flag.
    let flag = try #require(flags.last { $0.hasPrefix("--") })
    #expect(output.stderr.contains(flag), "\(output.stderr)")
    #expect(try calls().isEmpty)
    #expect(!work.exists("results"))
    expectNoCrash(output)
  }

  /// It would end the comment that the option stands in, and the next line be a command.
  @Test func aLineBreakIsNoOption() throws {
    let output = try work.excite(
      ["run", "small.yaml", "--slurm", "--sbatch", "comment=a\ntouch evil", "--dry-run"],
      environment: environment)
    #expect(output.status == 1)
    #expect(output.stdout == "")
    #expect(
      output.stderr
        == "error: comment=a\\ntouch evil: has a line break, which no option of Slurm can have\n")
  }

  @Test func withoutSlurmItSaysWhatElseThereIs() throws {
    let output = try work.excite(
      ["run", "small.yaml", "--slurm"], environment: ["PATH": "/nowhere"])
    expectRefused(output, status: 1, saying: ["sbatch is not on PATH", "--shard"])
    #expect(!work.exists("results"))
  }

  @Test func whatSbatchSaysIsPassedOn() throws {
    try standIn("sbatch", "echo 'sbatch: error: invalid partition specified: x' >&2; exit 1")
    let output = try work.excite(
      ["run", "small.yaml", "--slurm", "--partition", "x"], environment: environment)
    #expect(output.status == 1)
    #expect(output.stdout.isEmpty)
    #expect(output.errorLines.count == 2)
    #expect(output.stderr.contains("invalid partition specified: x\n"))
    #expect(output.stderr.contains("error: sbatch refused "))
  }

  // MARK: Submitting

  @Test func onlyWhatIsLeftIsSubmitted() throws {
    let sweep = ["sweep", "small.yaml", "--lr", "0.1,0.2", "--variants", "vanilla", "--out", "o"]
    let slurm = sweep + ["--slurm", "--max-running", "2"]
    let first = try work.success(slurm, environment: environment)
    let script = try script(in: "o")
    let path = try #require(realpath(work.path(script)))
    #expect(try calls() == ["--parsable \(path)"])
    #expect(first.stdout.contains("0 of 4 runs are over; Slurm job 77 does the others in 4 tasks"))
    #expect(options(try work.text(script)).contains("array=1-4%2"))
    // Known to the store before the first task begins, under the command that repeats it.
    #expect(try work.success(["status", "o"]).stdout.contains("4 runs: 4 not begun"))
    let kept = try work.text("\(try work.experiment(in: "o"))/experiment.json")
    #expect(kept.contains("\"excite \(sweep.joined(separator: " "))\""))

    _ = try work.success(sweep + ["--quiet", "--shard", "3/4"])
    let second = try work.success(slurm, environment: environment)
    #expect(second.stdout.contains("1 of 4 runs are over; Slurm job 77 does the others in 3 tasks"))
    #expect(options(try work.text(script)).contains("array=1-2,4%2"))

    _ = try work.success(sweep + ["--quiet"])
    let third = try work.success(slurm, environment: environment)
    #expect(third.stdout == "4 of 4 runs are over: nothing to submit; see excite status o\n")
    #expect(try calls().count == 2)
    // Weights that are missing are work to do.
    _ = try work.success(slurm + ["--save", "w"], environment: environment)
    #expect(try calls().count == 3)
  }

  @Test func failedRunsAreSubmittedOnRequest() throws {
    let sweep = ["sweep", "small.yaml", "--lr", "1e30", "--variants", "vanilla", "--out", "o"]
    #expect(try work.excite(sweep + ["--quiet"]).status == 1)
    _ = try work.success(sweep + ["--slurm"], environment: environment)
    #expect(try calls().isEmpty)
    _ = try work.success(sweep + ["--slurm", "--retry-failed"], environment: environment)
    #expect(try calls().count == 1)
  }

  // MARK: A task

  /// The first task of an array whose only run would take hours, once it has done some epochs.
  private func startEndlessTask() throws -> (child: Child, run: String) {
    _ = try work.success(
      [
        "run", "small.yaml", "--variants", "vanilla", "--seeds", "0", "--set", "epochs=1000000",
        "--out", "o", "--slurm",
      ], environment: environment)
    try FileManager.default.removeItem(atPath: work.path("calls"))
    let child = try startTask(try script(in: "o"))
    let isReady = child.wait {
      work.labels(in: "o").contains {
        ((try? work.metrics("o/runs/\($0)").lines.count) ?? 0) > 2
      }
    }
    #expect(isReady)
    return (child, "o/runs/\(try #require(work.labels(in: "o").first))")
  }

  /// Runs a job's script as its first task.
  private func startTask(_ script: String) throws -> Child {
    // Threads of a pool block most signals, which a child inherits, and bash cannot undo that.
    var none = sigset_t()
    var usual = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &usual)
    defer { pthread_sigmask(SIG_SETMASK, &usual, nil) }
    return try Child(
      "/bin/bash", [work.path(script)],
      environment: ProcessInfo.processInfo.environment.merging(environment) { $1 },
      folder: work.folder, input: nil)
  }

  /// The process that status shows for the only run.
  private func process() throws -> Int32 {
    struct Line: Decodable {
      let state: String
      let process: Int32?
      let job: String?
    }
    let output = try work.success(["status", "o", "--json"])
    let line = try #require(JSONDecoder().decode([Line].self, from: Data(output.stdout.utf8)).first)
    #expect(line.state == "running")
    #expect(line.job == "77_1")
    return try #require(line.process)
  }

  @Test func aTaskNearItsLimitQueuesAgain() throws {
    let (child, run) = try startEndlessTask()
    #expect(try work.success(["status", "o"]).stdout.contains(", Slurm job 77_1"))
    child.signal(SIGUSR2)
    let output = child.finish()
    #expect(output.status == 75)
    #expect(try calls() == ["requeue 77_1"])
    #expect(output.stderr.hasPrefix("interrupted: 0 of 1 runs finished"))
    #expect(work.exists("\(run)/checkpoint.safetensors"))
    #expect(!work.exists("\(run)/claim.1"))
  }

  /// A task whose limit comes before its first step queues again once, then gives up; progress in
  /// between clears it.
  @Test func aTaskThatGetsNowhereEnds() throws {
    _ = try work.success(
      ["run", "small.yaml", "--out", "o", "--slurm"], environment: environment)
    try FileManager.default.removeItem(atPath: work.path("calls"))
    let (script, program) = (try script(in: "o"), try #require(realpath(try Program.path())))
    // In place of excite, what ends with the given code when it is told to.
    try standIn(
      "excite", "trap \"exit $(cat code)\" USR2; touch ready; while :; do sleep 0.02; done")
    try work.write(
      try work.text(script).replacingOccurrences(
        of: program, with: "/bin/bash \(work.path("bin/excite"))"), to: script)
    /// - Returns: the task's exit code, and whether it queued again.
    func end(with code: Int32) throws -> (code: Int32, isQueued: Bool, says: String) {
      try work.write("\(code)", to: "code")
      let child = try startTask(script)
      #expect(child.wait { work.exists("ready") })
      child.signal(SIGUSR2)
      let output = child.finish()
      try FileManager.default.removeItem(atPath: work.path("ready"))
      let isQueued = try calls() == ["requeue 77_1"]
      try? FileManager.default.removeItem(atPath: work.path("calls"))
      return (output.status, isQueued, output.stderr)
    }
    for code: Int32 in [76, 75, 128 + SIGUSR2] { #expect(try end(with: code) == (code, true, "")) }
    let last = try end(with: 76)
    #expect(last.code == 76 && !last.isQueued)
    #expect(last.says.contains("no step was done before the time limit, twice"))
    // Submitted again, it may try again.
    #expect(try end(with: 76) == (76, true, ""))
  }

  /// Stopped while it waits for a run of another process, it has done nothing.
  @Test func stoppedBeforeItsFirstStepItSaysSo() throws {
    let (first, _) = try startEndlessTask()
    let endless = [
      "run", "small.yaml", "--variants", "vanilla", "--seeds", "0", "--set", "epochs=1000000",
      "--out", "o",
    ]
    _ = FileManager.default.createFile(atPath: work.path("log"), contents: nil)
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: work.path("log")))
    let second = try work.start(endless, stderr: .handle(handle))
    #expect(second.wait { (try? work.text("log").contains("is at it")) == true })
    second.signal(SIGUSR2)
    #expect(second.finish().status == 76)
    #expect(try work.text("log").contains("no step was done before the signal came"))
    first.signal(SIGUSR2)
    #expect(first.finish().status == 75)
  }

  @Test(arguments: [SIGKILL, SIGTERM])
  func aTaskThatIsStoppedDoesNot(number: Int32) throws {
    let (child, _) = try startEndlessTask()
    kill(try process(), number)
    // SIGTERM is answered with a checkpoint, and the same code as without one.
    #expect(child.finish().status == 128 + number)
    #expect(try calls().isEmpty)
  }

  @Test func aTaskThatIsOverOrFailsDoesNot() throws {
    let sweep = ["sweep", "small.yaml", "--lr", "0.1,1e30", "--variants", "vanilla"]
    _ = try work.success(
      sweep + ["--seeds", "0", "--out", "o", "--slurm"], environment: environment)
    try FileManager.default.removeItem(atPath: work.path("calls"))
    for (task, status) in [("1", Int32(0)), ("2", 1)] {
      var environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
      environment["SLURM_ARRAY_TASK_ID"] = task
      let output = try Child(
        "/bin/bash", [work.path(try script(in: "o"))], environment: environment,
        folder: work.folder, input: nil
      ).finish()
      #expect(output.status == status)
    }
    #expect(try calls().isEmpty)
    #expect(try work.success(["status", "o"]).stdout.contains("2 runs: 1 finished, 1 failed"))
  }
}
