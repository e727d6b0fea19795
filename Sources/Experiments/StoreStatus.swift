import Foundation
import Reports
import Tensors
import Training

/// What `excite status` shows of a store: a line per run, and how many there are of each kind.
public struct StoreStatus: Sendable {
  /// One run.
  public struct Line: Codable, Hashable, Sendable {
    public enum State: String, Codable, CaseIterable, Sendable {
      case finished, running, partial, failed, damaged
      case notBegun = "not begun"
    }
    public let run: String
    /// Those of the store that ask for it.
    public let experiments: [String]
    public let state: State
    /// Epochs done; nil where none are known.
    public let epochs: Int?
    /// Percent, of a finished run.
    public let accuracy: Double?
    /// Of a failed or damaged one.
    public let reason: String?
    /// Of a running one.
    public let host: String?
    public let process: Int32?
    /// Its job of Slurm, if any.
    public let job: String?
    /// The numerics version of the engine that made it, where it is over.
    public let numerics: Int?
    /// Steps that it ends after, where `max_steps` cuts it.
    public let maxSteps: Int?

    enum CodingKeys: String, CodingKey {
      case run, experiments, state, epochs, accuracy, reason, host, process, job, numerics
      case maxSteps = "max_steps"
    }
  }

  public let lines: [Line]
  /// Experiments of the store that cannot be read, so that their runs do not name them; why.
  public let problems: [String]

  /// What a folder holds: a store, or the runs of one experiment whose own folder it is.
  /// - Throws: `.unreadable` for an experiment's folder that tells nothing.
  public init(folder: String) throws(RunnerError) {
    let url = URL(fileURLWithPath: folder).standardizedFileURL
    guard let (name, store) = RunStore.experiment(at: url) else {
      self.init(RunStore(folder))
      return
    }
    let runs = try store.experiment(name).runs
    self.init(store, names: runs.map(\.label), demands: [(name, runs)], problems: [])
  }

  /// All runs that the store holds or that one of its experiments asks for, sorted by name.
  public init(_ store: RunStore) {
    var demands: [(String, [RunOutcome])] = []
    var problems: [String] = []
    for name in store.experimentNames {
      do throws(RunnerError) { demands.append((name, try store.experiment(name).runs)) } catch {
        problems.append(error.description)
      }
    }
    let names = store.runNames + demands.flatMap { $0.1.map(\.label) }
    self.init(store, names: names, demands: demands, problems: problems)
  }

  private init(
    _ store: RunStore, names: [String], demands: [(String, [RunOutcome])], problems: [String]
  ) {
    self.problems = problems
    var experiments: [String: [String]] = [:]
    var maxSteps: [String: Int] = [:]
    for (name, runs) in demands {
      for run in runs {
        experiments[run.label, default: []].append(name)
        maxSteps[run.label] = run.setting.maxSteps
      }
    }
    lines = Set(names).sorted().map { name in
      Self.line(
        name, store.state(ofRun: name), experiments: experiments[name] ?? [],
        maxSteps: maxSteps[name])
    }
  }

  private static func line(
    _ run: String, _ state: RunStore.RunState, experiments: [String], maxSteps: Int?
  ) -> Line {
    func line(
      _ state: Line.State, epochs: Int? = nil, accuracy: Double? = nil, reason: String? = nil,
      holder: RunHolder? = nil, numerics: Int? = nil
    ) -> Line {
      Line(
        run: run, experiments: experiments, state: state, epochs: epochs, accuracy: accuracy,
        reason: reason, host: holder?.host, process: holder?.process, job: holder?.job,
        numerics: numerics, maxSteps: maxSteps)
    }
    return switch state {
    case .absent: line(.notBegun)
    case .finished(let outcome):
      line(
        .finished, epochs: outcome.epochs, accuracy: outcome.accuracy, numerics: outcome.numerics)
    case .failed(let outcome):
      line(
        .failed, epochs: outcome.epochs, reason: outcome.status.reason, numerics: outcome.numerics)
    case .partial(let epochs): line(.partial, epochs: epochs)
    case .running(let holder, let epochs): line(.running, epochs: epochs, holder: holder)
    case .damaged(let problem): line(.damaged, reason: problem)
    }
  }

  /// The lines as a table, and a summary: `12 runs: 9 finished, 3 partial`.
  public var text: String {
    ruledTable(
      [
        RuledColumn("run"), RuledColumn("state"), RuledColumn("epochs", isNumber: true),
        RuledColumn("accuracy [%]", isNumber: true), RuledColumn("experiments"), RuledColumn(""),
      ],
      rows: lines.map { line in
        [
          printable(line.run), line.state.rawValue, line.epochs.map(String.init) ?? "",
          line.accuracy.map { String(format: "%.2f", $0) } ?? "",
          printable(line.experiments.joined(separator: ", ")), line.remark,
        ]
      }) + (lines.isEmpty ? "" : "\n") + summary + "\n"
  }

  public var summary: String {
    let counts = Line.State.allCases.compactMap { state in
      let count = lines.count { $0.state == state }
      return count > 0 ? "\(count) \(state.rawValue)" : nil
    }
    let runs = "\(lines.count) run\(lines.count == 1 ? "" : "s")"
    return counts.isEmpty ? runs : "\(runs): " + counts.joined(separator: ", ")
  }
}

extension StoreStatus.Line {
  fileprivate var remark: String {
    var parts = [
      maxSteps.map { "stopped after \($0) step\($0 == 1 ? "" : "s")" }, reason,
    ].compactMap(\.self)
    if let host, let process {
      parts.append("process \(process) on \(host)" + (job.map { ", Slurm job \($0)" } ?? ""))
    }
    if let numerics, numerics != numericsVersion {
      parts.append("numerics version \(numerics), not \(numericsVersion): run repeats it")
    }
    return printable(parts.joined(separator: "; "))
  }
}

extension RunOutcome.Status {
  var reason: String? {
    if case .failed(let reason) = self { reason } else { nil }
  }
}
