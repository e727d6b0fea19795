import Experiments
import Foundation
import Reports

/// Prints what `--dry-run` shows: the resolved experiment, and its runs as comments, so that the
/// whole is an experiment again.
/// - Parameter jobs: runs at once.
func printPlan(_ experiment: ExperimentConfig, jobs: Int) {
  let runs = experiment.runs
  print(experiment.resolvedYAML, terminator: "")
  print("# \(planLine(of: runs, jobs: jobs)):")
  for run in runs {
    let values = run.setting.varying.map { "  \($0.key)=\($0.value)" }.joined()
    let gamma = run.config.excitation.gamma
    let intensity = experiment.gammas.count > 1 && run.config.excitation.variant != .vanilla
    print("#   \(run.label)\(values)" + (intensity ? "  gamma=\(gamma)" : ""))
  }
  let memory = memoryText(of: runs, threads: max(1, jobs / max(1, runs.count)))
  print("# memory: \(memory) a run, \(min(jobs, runs.count)) at once")
}

/// Of the largest run: "about 48 MB", "about 1.7 GB".
private func memoryText(of runs: [PlannedRun], threads: Int) -> String {
  let bytes = runs.map { $0.config.trainingBytes(threads: threads) }.max() ?? 0
  return String(
    format: bytes < 1e9 ? "about %.0f MB" : "about %.1f GB", bytes / (bytes < 1e9 ? 1e6 : 1e9))
}

/// "9 runs, about 1h 50m with 2 jobs (calibrated here: 11 ms a step)".
func planLine(of runs: [PlannedRun], jobs: Int) -> String {
  let count = runs.count == 1 ? "1 run" : "\(runs.count) runs"
  return "\(count), \(durationText(of: runs, jobs: min(jobs, runs.count)))"
}

/// "about 1h 50m to 2h 5m with 2 jobs (calibrated here: 11 to 12 ms a step)".
private func durationText(of runs: [PlannedRun], jobs: Int) -> String {
  do {
    guard let estimate = try DurationEstimate(of: runs, jobs: jobs) else {
      return "not timed: a step of theirs takes too long for that"
    }
    let step = range(estimate.step, milliseconds)
    let duration = range(estimate.seconds) { ProgressLine.duration(max(1, $0)) }
    let timed =
      estimate.kindsTimed < estimate.kinds
      ? "; \(estimate.kindsTimed) of \(estimate.kinds) kinds of step timed" : ""
    return
      "about \(duration) with \(jobs) job\(jobs == 1 ? "" : "s") "
      + "(calibrated here: \(step) ms a step\(timed))"
  } catch {
    return "not timed: "
      + error.description.split(whereSeparator: \.isNewline).joined(separator: " ")
  }
}

/// Both ends, or one where they read alike.
private func range(_ range: ClosedRange<Double>, _ text: (Double) -> String) -> String {
  let (low, high) = (text(range.lowerBound), text(range.upperBound))
  return low == high ? low : "\(low) to \(high)"
}

/// Two digits: 0.12, 1.2, 12, 120.
private func milliseconds(_ seconds: Double) -> String {
  let value = seconds * 1e3
  let digits = value < 0.995 ? 2 : value < 9.95 ? 1 : 0
  return String(format: "%.\(digits)f", value)
}
