import Reports
import Tensors

/// A table or figure as a command asks for it: its experiments, and what they change in the paper's.
public struct PaperPlan: Sendable {
  public let artifact: PaperArtifact
  /// One for each panel.
  public let experiments: [ExperimentConfig]
  let isQuick: Bool
  /// What flags change besides, in words: "seeds 0-2", "stopped after 2 steps".
  let changes: [String]
  private let overrides: ConfigOverrides
  private let givenFolder: String?

  /// - Parameters:
  ///   - folder: where the configs are; nil looks for them.
  ///   - overrides: seeds, where given, go before the quick version's own.
  /// - Throws: `.config`; `.unreadable` where no configs are found.
  public init(
    _ artifact: PaperArtifact, in folder: String?, isQuick: Bool, overrides: ConfigOverrides
  ) throws(RunnerError) {
    let place = try PaperArtifact.configFolder(folder)
    let standard: [ExperimentConfig]
    do {
      experiments = try artifact.experiments(in: place, isQuick: isQuick, overrides: overrides)
      standard = try artifact.experiments(
        in: place, isQuick: isQuick, overrides: ConfigOverrides())
    } catch {
      throw .config(error)
    }
    self.artifact = artifact
    self.isQuick = isQuick
    self.overrides = overrides
    givenFolder = folder
    changes = distinct(zip(experiments, standard).flatMap { $0.changes(from: $1) })
  }

  /// "Table 1: optimizers on CIFAR-10 (quick, seeds 0-2)".
  public var title: String {
    let words = (isQuick ? ["quick"] : []) + changes
    return artifact.title + (words.isEmpty ? "" : " (\(words.joined(separator: ", ")))")
  }

  /// All panels', as `--seeds` takes them.
  public var seeds: String {
    listText(distinct(experiments.flatMap(\.seeds))).replacing(" ", with: "")
  }

  /// Of its pictures, without extension: what flags change has a hash in it, so that a cut version
  /// never takes the place of the whole one.
  var fileName: String {
    let name = artifact.name + (isQuick ? "-quick" : "")
    guard !changes.isEmpty else { return name }
    var hash = ContentHash()
    for experiment in experiments { hash.add(experiment.resolvedYAML) }
    return "\(name)-\(hash.hexadecimal.prefix(8))"
  }

  /// What makes it in a store, with other seeds where some are given.
  func command(in store: RunStore, seeds: String? = nil) -> String {
    let flags = [
      ("--seeds", seeds ?? overrides.seeds), ("--variants", overrides.variants),
      ("--max-steps", overrides.maxSteps), ("--order", overrides.order), ("--configs", givenFolder),
      ("--out", store.directory == RunStore.standardDirectory ? nil : store.directory),
    ]
    var words = ["excite", "reproduce", artifact.name] + (isQuick ? ["--quick"] : [])
    for case (let flag, let value?) in flags { words += [flag, value] }
    return words.map(shellWord).joined(separator: " ")
  }

  /// Enough more seeds to tell something: three, or twice as many as now; nil of what has none.
  public var moreSeeds: String? {
    experiments.map(\.seeds.count).max().map { "0-\(max(3, 2 * $0) - 1)" }
  }

  /// What makes it with those.
  func commandWithMoreSeeds(in store: RunStore) -> String? {
    moreSeeds.map { command(in: store, seeds: $0) }
  }

  /// How long it takes, as the configs say of the whole of it.
  public var minutes: [String] {
    isQuick || !changes.isEmpty ? [] : byPanel(experiments.map(\.minutes))
  }
}

extension PaperPlan {
  /// Where its runs differ from the paper's or the paper is silent, as the configs' headers say.
  public var deviations: [String] {
    let texts = experiments.map(\.deviations)
    return Set(texts).count == 1 ? texts.prefix(1).compactMap(\.self) : byPanel(texts)
  }

  /// What is said of each panel, with its letter where there are several.
  private func byPanel(_ texts: [String?]) -> [String] {
    guard texts.count > 1 else { return texts.compactMap(\.self) }
    return zip("abcdefgh", texts).compactMap { letter, text in text.map { "(\(letter)) \($0)" } }
  }
}

extension ExperimentConfig {
  /// What its header says after an empty line.
  fileprivate var deviations: String? {
    let text = header.drop { !$0.isEmpty }.filter { !$0.isEmpty }.joined(separator: " ")
    return text.isEmpty ? nil : text
  }

  /// What a header says before its duration.
  public static let minutesLabel = "minutes on 2 cores: "

  /// What the config's header says of its duration.
  fileprivate var minutes: String? {
    header.first { $0.hasPrefix(Self.minutesLabel) }.map {
      String($0.dropFirst(Self.minutesLabel.count))
    }
  }

  /// What flags changed, in words.
  fileprivate func changes(from standard: ExperimentConfig) -> [String] {
    var words: [String] = []
    if base.maxSteps != standard.base.maxSteps {
      words.append(
        base.maxSteps.map { "stopped after \($0) step\($0 == 1 ? "" : "s")" } ?? "all steps")
    }
    if seeds != standard.seeds {
      words.append("seed\(seeds.count == 1 ? "" : "s") \(listText(seeds))")
    }
    if variants != standard.variants {
      words.append("only " + variants.map(\.rawValue).joined(separator: ", "))
    }
    if base.order != standard.base.order { words.append("records in \(base.order.rawValue) order") }
    return words
  }
}

/// "0-4", or "0, 2, 5" where they do not follow each other.
private func listText(_ seeds: [UInt64]) -> String {
  let isRange = seeds.count > 2 && zip(seeds, seeds.dropFirst()).allSatisfy { $0 &+ 1 == $1 }
  guard isRange, let first = seeds.first, let last = seeds.last else {
    return seeds.map(String.init).joined(separator: ", ")
  }
  return "\(first)-\(last)"
}
