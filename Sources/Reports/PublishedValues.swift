import SwiftCSV

/// A cell of the paper's tables: what it was trained with, and its mean accuracy in percent.
public struct PublishedCell: Hashable, Sendable {
  /// As a config names it.
  public let optimizer: String
  public let lr: Double
  public let batchSize: Int
  public let sparsity: Double
  public let schedule: String
  public let accuracy: Double

  public init(
    optimizer: String, lr: Double, batchSize: Int, sparsity: Double, schedule: String,
    accuracy: Double
  ) {
    self.optimizer = optimizer
    self.lr = lr
    self.batchSize = batchSize
    self.sparsity = sparsity
    self.schedule = schedule
    self.accuracy = accuracy
  }
}

/// Test accuracies of the paper's Top-K MLPs on CIFAR-10 (arXiv:2602.21798, tables 1 and 3-7).
public struct PublishedValues: Sendable {
  /// One published cell: percent, percent, and points against vanilla (nil for vanilla).
  public struct Value: Equatable, Sendable {
    public let mean: Double
    public let std: Double?
    public let delta: Double?
  }

  /// Everything a cell of those tables depends on.
  private struct Cell: Equatable {
    let model: String
    let dataset: String
    let optimizer: String
    let lr: Double
    let batchSize: Double
    let sparsity: Double
    let schedule: String
    let variant: String
    /// Nil for vanilla.
    let gamma: Double?

    /// This cell's baseline.
    var vanilla: Cell {
      Cell(
        model: model, dataset: dataset, optimizer: optimizer, lr: lr, batchSize: batchSize,
        sparsity: sparsity, schedule: schedule, variant: baselineVariant, gamma: nil)
    }

    static func == (a: Cell, b: Cell) -> Bool {
      a.model == b.model && a.dataset == b.dataset && a.optimizer == b.optimizer
        && a.schedule == b.schedule && a.variant == b.variant && same(a.lr, b.lr)
        && same(a.batchSize, b.batchSize) && same(a.sparsity, b.sparsity)
        && (a.gamma == nil) == (b.gamma == nil) && same(a.gamma ?? 0, b.gamma ?? 0)
    }

    /// Equal as written decimals; a computed 3 * 5e-5 is still the table's 1.5e-4.
    private static func same(_ a: Double, _ b: Double) -> Bool {
      abs(a - b) <= 1e-9 * max(abs(a), abs(b))
    }
  }

  /// Tables whose cells are an accuracy per recipe; the others hold figures and overheads.
  private static let tables: Set<String> = ["1", "3", "4", "5", "6", "7"]
  private static let metric = "dev_accuracy_percent"
  private static let width = 128
  /// How many Top-K layers "4-layer" may mean in those tables.
  public static let hiddenLayers = hiddenLayers(named: 4)

  /// How many Top-K layers the paper may mean by a number: it may count the classifier, and the
  /// input.
  private static func hiddenLayers(named depth: Int) -> ClosedRange<Int> { depth - 2...depth }
  /// Rates the paper leaves out, by its optimizer's name: there our defaults stand in.
  private static let unstatedRates = [
    "sgd_momentum_0.9": 0.01, "adamw": 1e-4, "rmsprop": 1e-4, "adagrad": 1e-4,
  ]

  private var cells: [(cell: Cell, value: Value)] = []
  private var transformers: [PublishedTransformer] = []
  private var gains: [PublishedGain] = []
  /// Table 8.
  public private(set) var overheads: [PublishedOverhead] = []

  /// Where the curves of a deep model end, as Figure 3 has it.
  private struct DeepEnd {
    /// "topk_mlp depth=10".
    let model: String
    let dataset: String
    let optimizer: String
    let accuracy: Double

    func means(_ setting: SettingRecord) -> Bool {
      let parts = model.split(separator: "=")
      guard let depth = parts.last.flatMap({ Int($0) }), let hidden = setting.hiddenLayers else {
        return false
      }
      return parts[0] == "\(setting.model) depth" && hiddenLayers(named: depth).contains(hidden)
        && dataset == setting.dataset && optimizer == setting.optimizer
    }
  }

  private static let deepTables: Set<String> = ["fig3a", "fig3b"]
  private var deepEnds: [DeepEnd] = []

  /// Number of distinct cells.
  public var count: Int { cells.count }

  private static let embedded = Result { () throws(ReportsError) -> PublishedValues in
    try PublishedValues(csv: String(decoding: PackageResources.paper_values_csv, as: UTF8.self))
  }

  /// The values that are built into the program, parsed once.
  ///
  /// - Throws: `ReportsError.publishedValues`.
  public static func load() throws(ReportsError) -> PublishedValues { try embedded.get() }

  /// Reads a table with the columns table, model, dataset, optimizer, lr, batch_size, sparsity,
  /// schedule, variant, gamma, metric, mean, std, delta; rows of other tables are skipped.
  ///
  /// - Throws: `ReportsError.publishedValues` for a missing column, a number that is none, or
  ///   two different values for one cell.
  public init(csv: String) throws(ReportsError) {
    let rows: [[String: String]]
    do {
      rows = try NamedCSV(string: csv, delimiter: .comma, loadColumns: false).rows
    } catch {
      throw .publishedValues(line: 1, problem: "not a CSV table: \(error)")
    }
    for (index, fields) in rows.enumerated() {
      let row = Row(line: index + 2, fields: fields)
      if Self.deepTables.contains(try row.text("table")) {
        deepEnds.append(
          DeepEnd(
            model: try row.text("model"), dataset: try row.text("dataset"),
            optimizer: try row.text("optimizer"), accuracy: try row.number("mean")))
      }
      guard Self.tables.contains(try row.text("table")), try row.text("metric") == Self.metric
      else {
        if let value = try PublishedTransformer(row) { transformers.append(value) }
        if let value = try PublishedGain(row) { gains.append(value) }
        if let value = try PublishedOverhead(row) { overheads.append(value) }
        continue
      }
      let cell = try Self.cell(row)
      let value = Value(
        mean: try row.number("mean"), std: try row.optionalNumber("std"),
        delta: try row.optionalNumber("delta"))
      try add(cell, value, line: row.line)
    }
    completeDeltas()
  }

  private static func cell(_ row: Row) throws(ReportsError) -> Cell {
    let optimizer = try row.text("optimizer")
    guard let lr = try row.optionalNumber("lr") ?? unstatedRates[optimizer] else {
      throw .publishedValues(line: row.line, problem: "no lr, and no default for '\(optimizer)'")
    }
    return Cell(
      model: try row.text("model"), dataset: try row.text("dataset"), optimizer: optimizer,
      lr: lr, batchSize: try row.number("batch_size"), sparsity: try row.number("sparsity"),
      schedule: try row.text("schedule"), variant: try row.text("variant"),
      gamma: try row.optionalNumber("gamma"))
  }

  /// Adds a cell, or checks it: the tables repeat cells, and only some print its delta.
  private mutating func add(_ cell: Cell, _ value: Value, line: Int) throws(ReportsError) {
    guard let index = cells.firstIndex(where: { $0.cell == cell }) else {
      cells.append((cell, value))
      return
    }
    let known = cells[index].value
    guard known.mean == value.mean, known.std == value.std else {
      throw .publishedValues(
        line: line, problem: "\(value.mean) for a cell that has \(known.mean) further up")
    }
    cells[index].value = Value(
      mean: known.mean, std: known.std, delta: known.delta ?? value.delta)
  }

  /// Where no table prints a delta (Table 3), it is the difference of the printed means, which
  /// have two decimals.
  private mutating func completeDeltas() {
    for (index, entry) in cells.enumerated()
    where entry.value.delta == nil && entry.cell.gamma != nil {
      let vanilla = entry.cell.vanilla
      guard let baseline = cells.first(where: { $0.cell == vanilla })?.value.mean else { continue }
      cells[index].value = Value(
        mean: entry.value.mean, std: entry.value.std,
        delta: ((entry.value.mean - baseline) * 100).rounded() / 100)
    }
  }

  /// The vanilla cells, each once, in the order of the tables.
  public var vanillaCells: [PublishedCell] {
    cells.filter { $0.cell.variant == baselineVariant }.map { cell, value in
      PublishedCell(
        optimizer: cell.optimizer.hasPrefix("sgd_momentum") ? "momentum" : cell.optimizer,
        lr: cell.lr, batchSize: Int(cell.batchSize), sparsity: cell.sparsity,
        schedule: cell.schedule, accuracy: value.mean)
    }
  }

  /// The paper's value for a setting and variant, or nil where it has none.
  ///
  /// - Parameter gamma: γ; ignored for `vanilla`.
  public func value(for setting: SettingRecord, variant: String, gamma: Double?) -> Value? {
    if setting.model == PublishedTransformer.model {
      return transformers.value(for: setting, variant: variant, gamma: gamma)
    }
    guard let sparsity = setting.sparsity, setting.width == Self.width,
      let depth = setting.hiddenLayers, Self.hiddenLayers.contains(depth)
    else { return nil }
    var optimizer = setting.optimizer
    if optimizer == "momentum" { optimizer = "sgd_momentum_\(shortText(setting.momentum ?? 0.9))" }
    let cell = Cell(
      model: setting.model, dataset: setting.dataset, optimizer: optimizer, lr: setting.lr,
      batchSize: Double(setting.batchSize), sparsity: sparsity, schedule: setting.schedule,
      variant: variant, gamma: variant == baselineVariant ? nil : gamma)
    return cells.first { $0.cell == cell }?.value
  }

  /// Δ PPL that Table 2 prints for a language model; nil for what it does not have.
  /// - Parameter gamma: γ; ignored for `vanilla`.
  public func gain(for setting: SettingRecord, variant: String, gamma: Double?) -> Double? {
    gains.value(for: setting, variant: variant, gamma: gamma)
  }

  /// Percent that Figure 3 prints of an excited run of the setting, of which variant it does not say.
  public func excitedEnd(for setting: SettingRecord) -> Double? {
    deepEnds.first { $0.means(setting) }?.accuracy
  }

  /// A parsed row that knows its place.
  struct Row {
    let line: Int
    let fields: [String: String]

    func text(_ column: String) throws(ReportsError) -> String {
      guard let text = fields[column] else {
        throw .publishedValues(line: line, problem: "no column '\(column)'")
      }
      return text
    }

    func number(_ column: String) throws(ReportsError) -> Double {
      guard let number = try optionalNumber(column) else {
        throw .publishedValues(line: line, problem: "\(column) is empty")
      }
      return number
    }

    func optionalNumber(_ column: String) throws(ReportsError) -> Double? {
      let text = try text(column)
      if text.isEmpty { return nil }
      guard let number = Double(text), number.isFinite else {
        throw .publishedValues(line: line, problem: "\(column) '\(text)' is not a number")
      }
      return number
    }
  }
}
