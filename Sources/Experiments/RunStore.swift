import Foundation
import Reports
import Tensors
import Training

/// The folder that keeps runs, whatever experiments ask for them.
///
///     runs/LABEL/                one run: see `RunFolder`
///     experiments/NAME/          one experiment: see `StoredExperiment`
public struct RunStore: Sendable {
  public let directory: String

  /// Where no command names another.
  public static let standardDirectory = "results"

  public init(_ directory: String) { self.directory = directory }

  func runFolder(_ name: String) -> String { "\(directory)/runs/\(name)" }

  /// Where a run stands in the store.
  public enum RunState: Sendable {
    case absent
    case finished(RunOutcome)
    case failed(RunOutcome)
    /// Begun and left; `epochs` are kept and will not be repeated.
    case partial(epochs: Int)
    /// Another process is at it; nil where it cannot be told which.
    case running(RunHolder?, epochs: Int)
    case damaged(problem: String)
  }

  /// Where the run in a folder stands. Its data are not looked at: that is for `open`, which is about
  /// to do the run. Which engine made it is told, not judged.
  public func state(ofRun name: String) -> RunState {
    let path = runFolder(name)
    switch RunResult.read("\(path)/result.json") {
    case .result(let result):
      guard result.outcome.label == name else {
        return .damaged(problem: "result.json: of another run, \(result.outcome.label)")
      }
      var outcome = result.outcome(in: path)
      outcome.numerics = result.identity.numerics
      outcome.data = result.identity.data
      return outcome.status.isFailure ? .failed(outcome) : .finished(outcome)
    case .damaged(let problem): return .damaged(problem: "result.json: \(problem)")
    case .nothing: break
    }
    let epochs = RunFolder.epochs(in: path)
    if case .held(let holder) = RunClaim.state(in: path) {
      return .running(holder, epochs: epochs)
    }
    return FileManager.default.fileExists(atPath: "\(path)/config.yaml")
      ? .partial(epochs: epochs) : .absent
  }

  /// Names of all run folders, sorted.
  public var runNames: [String] { names(in: "\(directory)/runs") }

  func names(in folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
      .filter { !$0.hasPrefix(".") }.sorted()
  }
}

/// What `RunStore.open` found.
enum OpenedRun {
  /// It is over, in this start or an earlier one.
  case over(RunOutcome)
  case held(RunHolder?)
  case mine(RunFolder)
}

/// What is to be repeated although the store has it.
struct Repetition: Sendable {
  var all = false
  var failed = false
  /// Finished runs too, where this file is missing.
  var unlessPresent: String?
}

extension RunStore {
  /// Takes a run to do it, unless it is over or someone else is at it.
  ///
  /// Whatever is damaged or belongs to another identity is set aside under a new name, with a note.
  func open(
    _ plan: PlannedRun, identity: RunIdentity, repeating: Repetition, note: (String) -> Void
  ) throws(RunnerError) -> OpenedRun {
    let path = runFolder(plan.folder(initialWeights: identity.initialWeights))
    let result = "\(path)/result.json"
    if case .result(let kept) = RunResult.read(result), kept.identity == identity,
      suffices(kept.outcome, repeating)
    {
      return .over(kept.outcome(in: path))
    }
    try prepareFolder(path)
    let claim: RunClaim
    switch try RunClaim.attempt(in: path) {
    case .held(let holder): return .held(holder)
    case .mine(let mine): claim = mine
    }
    // Read again: another process may have finished it before the claim was ours.
    switch RunResult.read(result) {
    case .nothing: break
    case .result(let kept):
      if let difference = identity.difference(from: kept.identity) {
        for name in [
          "result.json", "metrics.csv", "experts.csv", RunFolder.expertClasses, "timing.csv",
          "checkpoint.safetensors",
        ] {
          setAside("\(path)/\(name)", because: difference, note: note)
        }
      } else if suffices(kept.outcome, repeating) {
        claim.release()
        return .over(kept.outcome(in: path))
      }
    case .damaged(let problem): setAside(result, because: problem, note: note)
    }
    let folder = RunFolder(
      path, claim: claim, identity: identity, isText: plan.config.corpus != nil)
    if repeating.all { folder.discardProgress() }
    do { try folder.begin(plan) } catch {
      claim.release()
      throw error
    }
    return .mine(folder)
  }

  private func suffices(_ outcome: RunOutcome, _ repeating: Repetition) -> Bool {
    if repeating.all || (repeating.failed && outcome.status.isFailure) { return false }
    guard let file = repeating.unlessPresent, outcome.status == .finished else { return true }
    return FileManager.default.fileExists(atPath: file)
  }
}

/// Renames a file that cannot be used, so that it is neither trusted nor lost.
func setAside(_ path: String, because reason: String, note: (String) -> Void) {
  guard FileManager.default.fileExists(atPath: path) else { return }
  var number = 1
  while FileManager.default.fileExists(atPath: "\(path).set-aside-\(number)") { number += 1 }
  let target = "\(path).set-aside-\(number)"
  do {
    try FileManager.default.moveItem(atPath: path, toPath: target)
    note("\(path): \(reason); set aside as \(URL(fileURLWithPath: target).lastPathComponent)")
  } catch {
    note("\(path): \(reason); it could not be set aside")
  }
}
