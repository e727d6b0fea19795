import Experiments
import Foundation
import Reports

/// Prints what `--dry-run` shows: the resolved experiment, and its runs as comments, so that the
/// whole is an experiment again.
/// - Parameters:
///   - jobs: runs at once.
///   - data: the data directory.
///   - kept: what it has takes no time.
func printPlan(_ experiment: ExperimentConfig, jobs: Int, data: URL, kept: KeptRuns) {
  let runs = distinctRuns(experiment.runs)
  let images = ImagesAtHand(for: runs, in: data)
  printExperiment(experiment)
  print("# \(planLine(of: runs, jobs: jobs, images: images, kept: kept)):")
  printRuns(runs, of: experiment, jobs: jobs, images: images, data: data)
  printOtherData(kept)
}

/// As `printPlan`, of tables and figures one after the other, each under its title; in the end how
/// much it is together. Runs that were listed before or that the store has are not counted again.
func printPlans(_ plans: [PaperPlan], jobs: Int, data: URL, kept: KeptRuns) {
  var listed: Set<String> = []
  var inStore = 0
  var total: ClosedRange<Double>? = 0...0
  for (index, plan) in plans.enumerated() {
    if index > 0 { print("---") }
    if plan.experiments.isEmpty { print("# \(plan.title)\n# no runs") }
    let panels = plan.experiments.count
    for (panel, experiment) in plan.experiments.enumerated() {
      if panel > 0 { print("---") }
      print("# \(plan.title)" + (panels > 1 ? ", panel \(panel + 1) of \(panels)" : ""))
      let runs = distinctRuns(experiment.runs)
      let images = ImagesAtHand(for: runs, in: data)
      printExperiment(experiment)
      let fresh = runs.filter { listed.insert($0.label).inserted }
      let open = kept.open(of: fresh)
      inStore += fresh.count - open.count
      let time = PlanTime(of: open, jobs: jobs, images: images)
      total = sum(total, time.seconds)
      let known = [
        (runs.count - fresh.count, "listed above"), (fresh.count - open.count, "in the store"),
      ]
      print("# \(planLine(of: runs, known: known, time)):")
      printRuns(runs, of: experiment, jobs: jobs, images: images, data: data)
    }
  }
  printOtherData(kept)
  guard plans.flatMap(\.experiments).count > 1 else { return }
  guard inStore < listed.count else {
    print("# in all: \(listed.count) runs, \(inStore) in the store")
    return
  }
  let done = inStore > 0 ? ", \(inStore) in the store; the others" : ","
  let time = total.map { "about \(durations($0))" } ?? "not timed"
  print("# in all: \(listed.count) runs\(done) \(time) with \(count(jobs, "job"))")
}

private func printOtherData(_ kept: KeptRuns) {
  let others = kept.fromOtherData.count
  guard others > 0 else { return }
  print(
    "# \(count(others, "run")) of the store from other data, counted as not there: doing them sets "
      + "what is kept aside")
}

/// The experiment as YAML; with flags, what its header says of duration and outcome is not so.
private func printExperiment(_ experiment: ExperimentConfig) {
  var lines = experiment.resolvedYAML.split(separator: "\n", omittingEmptySubsequences: false)
  if experiment.isOverridden {
    let labels = ["# " + ExperimentConfig.minutesLabel, "# expected "]
    var isDropped = false
    lines.removeAll { line in
      // What is indented goes on with the line above.
      isDropped = labels.contains { line.hasPrefix($0) } || isDropped && line.hasPrefix("#  ")
      return isDropped
    }
  }
  print(lines.joined(separator: "\n"), terminator: "")
}

private func printRuns(
  _ runs: [PlannedRun], of experiment: ExperimentConfig, jobs: Int, images: ImagesAtHand, data: URL
) {
  for run in runs {
    let values = run.setting.varying.map { "  \($0.key)=\($0.value)" }.joined()
    let gamma = run.config.excitation.gamma
    let intensity = experiment.gammas.count > 1 && run.config.excitation.variant != .vanilla
    print("#   \(run.label)\(values)" + (intensity ? "  gamma=\(gamma)" : ""))
  }
  for note in images.notes + missingData(for: runs, in: data) { print("# \(note)") }
  if let compute = computeText(of: runs, images: images) { print("# compute: \(compute)") }
  let memory = memoryText(of: runs, threads: max(1, jobs / max(1, runs.count)))
  print("# memory: \(memory) a run, \(min(jobs, runs.count)) at once, beside program and data")
}

/// What transformers' runs add up to, and what it takes to be done within a week: "2.4e+19 FLOP,
/// 1.6e+17 to 6.9e+17 a run; 40 TFLOP/s do them in a week".
private func computeText(of runs: [PlannedRun], images: ImagesAtHand) -> String? {
  let flop = DurationEstimate.flop(
    of: runs.filter { $0.config.model.sharesWork }, images: images)
  guard let least = flop.min(), let most = flop.max() else { return nil }
  let total = flop.reduce(0, +)
  func text(_ number: Double) -> String { String(format: "%.1e", number) }
  let each = text(least) == text(most) ? text(least) : "\(text(least)) to \(text(most))"
  let day = 24 * 3600.0
  var line = "\(text(total)) FLOP in all, \(each) a run"
  if total > 1e12 * day {
    line += String(format: "; %.2g TFLOP/s do that in a week", total / (7 * day) / 1e12)
  }
  return line
}

/// Each run once: settings that differ in what vanilla does not have share it.
private func distinctRuns(_ runs: [PlannedRun]) -> [PlannedRun] {
  var labels: Set<String> = []
  return runs.filter { labels.insert($0.label).inserted }
}

/// Of the largest run: "about 48 MB", "about 1.7 GB".
private func memoryText(of runs: [PlannedRun], threads: Int) -> String {
  let bytes = runs.map { $0.config.trainingBytes(threads: threads) }.max() ?? 0
  return String(
    format: bytes < 1e9 ? "about %.0f MB" : "about %.1f GB", bytes / (bytes < 1e9 ? 1e6 : 1e9))
}

/// "54 runs, 14 in the store; the others about 40m to 50m with 2 jobs".
/// - Parameter kept: as of `printPlan`.
func planLine(
  of runs: [PlannedRun], jobs: Int, images: ImagesAtHand, kept: KeptRuns
) -> String {
  let open = kept.open(of: runs)
  return planLine(
    of: runs, known: [(runs.count - open.count, "in the store")],
    PlanTime(of: open, jobs: jobs, images: images))
}

private func planLine(
  of runs: [PlannedRun], known: [(count: Int, place: String)], _ time: PlanTime
) -> String {
  let known = known.filter { $0.count > 0 }
  let places = known.map { ", \($0.count) \($0.place)" }.joined()
  let hasOpen = known.reduce(0) { $0 + $1.count } < runs.count || runs.isEmpty
  let rest = hasOpen ? (known.isEmpty ? ", " : "; the others ") + time.text : ""
  return "\(count(runs, "run"))\(places)\(rest)"
}

/// How long runs may take.
private struct PlanTime {
  /// "about 1h 50m to 2h 5m with 2 jobs (calibrated here: 11 to 12 ms a step)".
  let text: String
  /// Nil where it could not be timed.
  let seconds: ClosedRange<Double>?

  init(of runs: [PlannedRun], jobs: Int, images: ImagesAtHand) {
    guard !runs.isEmpty else {
      (text, seconds) = ("nothing to do", 0...0)
      return
    }
    let jobs = min(jobs, runs.count)
    do {
      guard let estimate = try DurationEstimate(of: runs, jobs: jobs, images: images) else {
        (text, seconds) = ("not timed: a step of theirs takes too long for that", nil)
        return
      }
      let step = stepText(estimate.step)
      let speed =
        runs.contains { $0.config.model.sharesWork }
        ? String(format: ", %.2g GFLOP/s a job", estimate.flopPerSecond / 1e9) : ""
      let timed =
        estimate.kindsTimed < estimate.kinds
        ? "; \(estimate.kindsTimed) of \(estimate.kinds) kinds of step timed" : ""
      text =
        "about \(durations(estimate.seconds)) with \(count(jobs, "job")) "
        + "(calibrated here: \(step) a step\(speed)\(timed))"
      seconds = estimate.seconds
    } catch {
      let reason = error.description.split(whereSeparator: \.isNewline).joined(separator: " ")
      (text, seconds) = ("not timed: \(reason)", nil)
    }
  }
}

private func sum(_ a: ClosedRange<Double>?, _ b: ClosedRange<Double>?) -> ClosedRange<Double>? {
  guard let a, let b else { return nil }
  return (a.lowerBound + b.lowerBound)...(a.upperBound + b.upperBound)
}

private func count(_ things: [PlannedRun], _ noun: String) -> String { count(things.count, noun) }

private func count(_ number: Int, _ noun: String) -> String {
  "\(number) \(noun)\(number == 1 ? "" : "s")"
}

private func durations(_ seconds: ClosedRange<Double>) -> String {
  let day = 24 * 3600.0
  let year = 365.25 * day
  return range(seconds) { seconds in
    switch seconds {
    case ..<(3 * day): ProgressLine.duration(max(1, seconds))
    case ..<(2 * year): String(format: "%.0f days", seconds / day)
    default: String(format: "%.3g years", seconds / year)
    }
  }
}

/// Both ends, or one where they read alike.
private func range(_ range: ClosedRange<Double>, _ text: (Double) -> String) -> String {
  let (low, high) = (text(range.lowerBound), text(range.upperBound))
  return low == high ? low : "\(low) to \(high)"
}

/// "11 to 12 ms", or from ten seconds on "12 to 130 s".
private func stepText(_ step: ClosedRange<Double>) -> String {
  step.upperBound < 10
    ? "\(range(step, milliseconds)) ms" : "\(range(step) { milliseconds($0 / 1e3) }) s"
}

/// Two digits: 0.12, 1.2, 12, 120.
private func milliseconds(_ seconds: Double) -> String {
  let value = seconds * 1e3
  let digits = value < 0.995 ? 2 : value < 9.95 ? 1 : 0
  return String(format: "%.\(digits)f", value)
}
