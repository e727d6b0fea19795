/// One column of a table for people.
struct ReportColumn: Equatable {
  enum Role {
    case axis, variant, gamma, count, accuracy, words, validation, delta, interval, p, published,
      publishedDelta, sign, time
  }

  let role: Role
  let title: String
  /// One text per row of the table.
  var cells: [String]

  /// Names stand left, numbers right. Free values of `--set` axes stand right too: they are
  /// mostly numbers.
  var isLeft: Bool { role == .variant || (role == .axis && SettingField.names.contains(title)) }
}

/// How much a table says, from all of it to what fits a narrow terminal. What tells whether Δ can be
/// believed goes last.
enum ReportDetail: CaseIterable {
  case full
  case withoutTime
  /// Without the spread of Δ and other perplexities as well, with short titles.
  case compact
  /// Without whether the sign of Δ is the published one, which the numbers beside show.
  case withoutSign
  /// Without the published accuracy, and the spread of our own.
  case lean
  /// Without the interval and the p of Δ.
  case narrow
}

/// A field of a setting that can be a column or a word of the configuration line.
struct SettingField: Sendable {
  /// The axis key that means this field.
  let key: String
  let title: String
  /// Nil where the setting has no such value.
  let value: @Sendable (SettingRecord) -> String?
  /// The field in a sentence.
  let phrase: @Sendable (String) -> String

  /// What the setting has, else what its axis says: a value that means nothing (a window of one
  /// batch) is still one of an axis.
  func text(_ setting: SettingRecord) -> String {
    value(setting) ?? setting.varying.first { $0.shortKey == key }?.value ?? missing
  }

  /// Titles of the fields whose values are names.
  static let names: Set<String> = ["model", "dataset", "optimizer", "schedule"]

  static let all: [SettingField] = [
    SettingField(key: "model", title: "model", value: \.model, phrase: { $0 }),
    SettingField(key: "dataset", title: "dataset", value: \.dataset, phrase: { $0 }),
    number("limit", \.limit) { "first \($0) training images" },
    number("test_limit", \.testLimit) { "first \($0) test images" },
    SettingField(key: "optimizer", title: "optimizer", value: \.optimizer, phrase: { $0 }),
    SettingField(key: "lr", title: "lr", value: { shortText($0.lr) }, phrase: { "lr \($0)" }),
    SettingField(
      key: "momentum", title: "μ", value: { $0.momentum.map(shortText) }, phrase: { "μ \($0)" }),
    number("batch_size", title: "batch", \.batchSize) { "batch \($0)" },
    SettingField(
      key: "sparsity", title: "sparsity", value: { $0.sparsity.map(shortText) },
      phrase: { "sparsity \($0)" }),
    SettingField(key: "schedule", title: "schedule", value: \.schedule, phrase: { $0 }),
    number("hidden_layers", title: "layers", \.hiddenLayers) { plural($0, "hidden layer") },
    number("width", \.width) { "width \($0)" },
    number("heads", \.heads) { plural($0, "head") },
    number("experts", \.experts) { plural($0, "expert") },
    number("k", \.picked) { "\($0) picked" },
    number("hidden", \.hidden) { "expert width \($0)" },
    number("patch", \.patch) { "patch \($0)" },
    number("context", \.context) { "context \($0)" },
    number("window", \.window) { "utilization over \(plural($0, "batch"))" },
    number("epochs", \.epochs) { plural($0, "epoch") },
    number("max_steps", \.maxSteps) { "stopped after \(plural($0, "step"))" },
  ]

  private static func number(
    _ key: String, title: String? = nil, _ value: @escaping @Sendable (SettingRecord) -> Int?,
    _ phrase: @escaping @Sendable (String) -> String
  ) -> SettingField {
    SettingField(
      key: key, title: title ?? key, value: { value($0).map { "\($0)" } }, phrase: phrase)
  }

  private static func plural(_ number: String, _ noun: String) -> String {
    number == "1" ? "1 \(noun)" : "\(number) \(noun == "batch" ? "batche" : noun)s"
  }
}

/// A table laid out for people: which columns, which words, what stands out. The formats differ
/// in how they draw it.
struct ReportGrid {
  let columns: [ReportColumn]
  /// Row ranges of the groups.
  let groups: [Range<Int>]
  /// Rows with the highest accuracy of a group that has something to compare.
  let best: Set<Int>
  /// Label and items of each line above the table.
  let facts: [(label: String, items: [String])]
  /// Lines under the table.
  let notes: [String]
  /// One line per reason for which runs have no result.
  let failures: [String]

  /// Columns that tell spreads.
  var spreads: Int { columns.count { $0.cells.contains { $0.contains(" ± ") } } }

  /// Groups of one row need nothing between them.
  var separatesGroups: Bool { groups.contains { $0.count > 1 } }

  init(_ table: AccuracyTable, detail: ReportDetail = .full) {
    let rows = table.rows
    var groups: [Range<Int>] = []
    for (index, row) in rows.enumerated() {
      if index > 0, rows[index - 1].group == row.group, let last = groups.last {
        groups[groups.count - 1] = last.lowerBound..<(index + 1)
      } else {
        groups.append(index..<(index + 1))
      }
    }
    self.groups = groups
    let settings = groups.map { rows[$0.lowerBound].setting }
    let axes = SettingAxes(settings)
    let gammas = Set(rows.compactMap(\.gamma))

    var columns = axes.columns.map { axis in
      ReportColumn(
        role: .axis, title: axis.title,
        cells: zip(groups, axis.values).flatMap { group, value in
          Array(repeating: oneLine(value), count: group.count)
        })
    }
    columns.append(Self.column(.variant, "variant", rows) { oneLine($0.variant) })
    if gammas.count > 1 {
      columns.append(Self.column(.gamma, "γ", rows) { $0.gamma.map(shortText) ?? missing })
    }
    if Set(rows.map(\.seeds.count)).count > 1 {
      columns.append(Self.column(.count, "n", rows) { "\($0.seeds.count)" })
    }
    columns += Self.results(rows, detail)
    self.columns = columns

    best = Set(
      groups.flatMap { group -> [Int] in
        let means = group.compactMap { rows[$0].accuracyMean }
        let measure = rows[group.lowerBound].setting.measure
        guard means.count > 1, let top = measure.best(means) else { return [] }
        return group.filter { rows[$0].accuracyMean == top }
      })
    facts = Self.facts(table, axes: axes, gammas: gammas)
    let own = table.experiment.notes
    notes = (rows.isEmpty && !own.isEmpty ? [] : Self.notes(rows, columns)) + own
    failures = Self.failures(rows.flatMap(\.failures))
  }

  /// Runs that fail alike are one line: the first of them, and how many more.
  private static func failures(_ failures: [RunFailure]) -> [String] {
    distinct(failures.map { oneLine($0.reason) }).map { reason in
      let labels = failures.filter { oneLine($0.reason) == reason }.map { oneLine($0.label) }
      let others = labels.count > 1 ? " and \(counted(labels.count - 1, "other run"))" : ""
      return "\(labels[0])\(others): \(reason)"
    }
  }

  private static func column(
    _ role: ReportColumn.Role, _ title: String, _ rows: [AccuracyRow],
    _ text: (AccuracyRow) -> String
  ) -> ReportColumn {
    ReportColumn(role: role, title: title, cells: rows.map(text))
  }

  /// The columns of numbers; one that no row could fill is left out.
  private static func results(_ rows: [AccuracyRow], _ detail: ReportDetail) -> [ReportColumn] {
    let hasTests = detail != .narrow
    let isWide = detail == .full || detail == .withoutTime
    let measure = rows.first?.setting.measure ?? .accuracy
    var columns = [
      column(.accuracy, measure.title, rows) { row in
        guard let mean = row.accuracyMean else { return missing }
        guard detail != .lean else { return fixed(mean, 2) }
        return "\(fixed(mean, 2)) ± \(row.accuracyStd.map { fixed($0, 2) } ?? missing)"
      }
    ]
    if isWide, rows.contains(where: { $0.wordMean != nil }) {
      columns.append(
        column(.words, "per word", rows) { $0.wordMean.map { fixed($0, 2) } ?? missing })
    }
    if isWide, rows.contains(where: { $0.validationMean != nil }) {
      columns.append(
        column(.validation, "validation", rows) {
          $0.validationMean.map { fixed($0, 2) } ?? missing
        })
    }
    if rows.contains(where: { $0.deltaMean != nil }) {
      columns.append(
        column(.delta, isWide ? measure.gainTitle : "Δ", rows) { row in
          guard let mean = row.deltaMean else { return missing }
          let spread = isWide ? row.deltaStd.map { " ± \(fixed($0, 2))" } : nil
          return signed(mean) + (spread ?? "")
        })
    }
    if hasTests, rows.contains(where: { $0.deltaCI95T != nil }) {
      columns.append(
        column(.interval, "95 % interval", rows) { row in
          row.deltaCI95T.map { "[\(signed($0.low)), \(signed($0.high))]" } ?? missing
        })
    }
    if hasTests, rows.contains(where: { $0.signFlipP != nil }) {
      columns.append(column(.p, "p", rows) { $0.signFlipP.map(probabilityText) ?? missing })
    }
    if detail != .lean, rows.contains(where: { $0.publishedMean != nil }) {
      columns.append(
        column(.published, "paper", rows) { $0.publishedMean.map { fixed($0, 2) } ?? missing })
    }
    if rows.contains(where: { $0.publishedDelta != nil }) {
      columns.append(
        column(.publishedDelta, "paper Δ", rows) { $0.publishedDelta.map(signed) ?? missing })
    }
    if isWide || detail == .compact, rows.contains(where: { $0.signAgrees != nil }) {
      columns.append(
        column(.sign, "sign", rows) { row in
          row.signAgrees.map { $0 ? "same" : "other" } ?? missing
        })
    }
    if detail == .full, rows.contains(where: { $0.secondsPerEpoch != nil }) {
      columns.append(
        column(.time, "time/epoch", rows) { row in
          row.secondsPerEpoch.map { secondsText($0) + " s" } ?? missing
        })
    }
    return columns
  }

  private static func facts(
    _ table: AccuracyTable, axes: SettingAxes, gammas: Set<Double>
  ) -> [(label: String, items: [String])] {
    let experiment = table.experiment
    let machine = table.environment
    var config = axes.phrases
    if let gamma = gammas.first, gammas.count == 1 { config.append("γ \(shortText(gamma))") }
    let library = [machine.blasLibrary, machine.blasVersion].compactMap { $0 }
    var build = ["excite \(machine.version)"]
    if let commit = machine.commit { build.append("commit \(commit)") }
    if let swift = machine.swift { build.append("Swift \(swift)") }
    build += [machine.build, machine.os].compactMap { $0 }
    var facts: [(label: String, items: [String])] = [
      ("command", [experiment.command]),
      ("config", config),
      ("seeds", experiment.seeds.map { "\($0)" }),
    ]
    // Where nothing has run there is no machine that did.
    let madeOn: [(label: String, items: [String])] = [
      (
        "machine",
        [machine.cpu, counted(machine.cores, "core"), "\(counted(machine.jobs, "run")) at once"]
      ),
      (
        "BLAS",
        [library.joined(separator: " ")] + (machine.blasCore.map { ["\($0) core"] } ?? [])
          + ["\(counted(machine.blasThreads, "thread")) per run"]
      ),
      ("kernels", [machine.kernels]),
      ("build", build),
    ]
    if table.rows.contains(where: { !$0.seeds.isEmpty }) { facts += madeOn }
    return facts.map { ($0.label, $0.items.map(oneLine).filter { !$0.isEmpty }) }
      .filter { !$0.items.isEmpty }
  }

  private static func notes(_ rows: [AccuracyRow], _ columns: [ReportColumn]) -> [String] {
    if rows.isEmpty { return ["No runs."] }
    let counts = rows.map(\.seeds.count).filter { $0 > 0 }
    let measure = rows[0].setting.measure
    var notes: [String] = []
    if let most = counts.max() {
      notes.append(
        (measure == .accuracy
          ? "accuracy: test set, last epoch; "
          : "perplexity: per token of the test text, last epoch; less is better; ")
          + (most > 1 ? "mean ± sample std over seeds; " : "one seed, no spread; ")
          + "n = \(range(counts))")
    }
    let pairs = rows.map(\.deltaSeeds.count).filter { $0 > 0 }
    if !pairs.isEmpty {
      notes.append(
        "Δ: mean over seeds of \(measure == .accuracy ? "excited − vanilla" : "vanilla − excited"), "
          + "paired by seed; n = \(range(pairs))")
    }
    if columns.contains(where: { $0.role == .words }) {
      notes.append("per word: perplexity of the test text, per word instead of per token")
    }
    if columns.contains(where: { $0.role == .validation }) {
      notes.append("validation: perplexity of the validation text, likewise")
    }
    if columns.contains(where: { $0.role == .interval }) {
      notes.append("95 % interval: of that mean, by Student's t")
    }
    if columns.contains(where: { $0.role == .p }) {
      notes.append("p: sign-flip test of Δ, two-sided")
    }
    let isVanilla = rows.map { $0.variant == baselineVariant }
    if isVanilla.contains(false), !isVanilla.contains(true) {
      notes.append("no Δ: \(baselineVariant) is not among the variants")
    }
    notes += significanceNote(pairs).map { [$0] } ?? []
    if rows.contains(where: { $0.publishedMean != nil }) {
      notes.append("paper: published mean over 3 seeds, arXiv:2602.21798")
    } else if rows.contains(where: { $0.publishedDelta != nil }) {
      notes.append("paper Δ: published, one seed, arXiv:2602.21798")
    }
    if let fit = PublishedFit(rows) {
      // Of language models the paper's layout tells them.
      let isListed = measure == .accuracy
      let opposite = rows.indices.filter { isListed && rows[$0].signAgrees == false }.map { row in
        columns.filter { [.axis, .variant, .gamma].contains($0.role) }.map { $0.cells[row] }
          .joined(separator: " ")
      }
      notes.append(fit.text(opposite: opposite))
    }
    return notes
  }

  /// Why rows have no p, and what their Δ can be judged by.
  /// - Parameter pairs: how many differences the rows have, none of them 0.
  private static func significanceNote(_ pairs: [Int]) -> String? {
    let few = pairs.filter { Statistics.smallestSignFlipP($0) > Statistics.significance }
    guard let most = few.max() else { return nil }
    guard most > 1 else { return "one seed has no interval and no test; only more seeds can tell" }
    let smallest = shortText(Statistics.smallestSignFlipP(most))
    return "no p with \(range(few)) seeds: a sign-flip test cannot go below \(smallest) there; the "
      + "interval is the only test, and takes the differences as normal"
  }

  /// "3", or "2–3".
  private static func range(_ counts: [Int]) -> String {
    guard let low = counts.min(), let high = counts.max() else { return "0" }
    return low == high ? "\(low)" : "\(low)–\(high)"
  }
}
