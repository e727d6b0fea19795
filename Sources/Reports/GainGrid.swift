/// Δ PPL of language models as the paper's Table 2 lays it out: experts and picks down, the width of
/// an expert across.
struct GainGrid {
  struct Cell {
    /// Mean over seeds; nil where not measured.
    let ours: Double?
    let published: Double?

    /// "+0.12 +0.64 ✓"; without a sign for what agrees where one is missing.
    fileprivate var text: String {
      let numbers = [ours, published].map { $0.map(signed) ?? missing }.joined(separator: " ")
      guard let signAgrees else { return "\(numbers)  " }
      return numbers + (signAgrees ? " ✓" : " ✗")
    }

    fileprivate var signAgrees: Bool? {
      guard let ours, let published else { return nil }
      return sameSign(ours, published)
    }
  }

  /// A model of the grid.
  struct Place: Hashable {
    let experts: Int
    let picked: Int
    let width: Int
  }

  /// Of what the gains are: "zero-sum", with its γ where there are several.
  let name: String
  let cells: [Place: Cell]
  /// Over the grid, ascending.
  let experts: [Int]
  let picks: [Int]
  let widths: [Int]
  /// How many times as wide the paper's experts are.
  private let scale: Double

  /// One for each excited variant and γ; none for other models, and where no Δ was published.
  static func all(_ rows: [AccuracyRow]) -> [GainGrid] {
    let own = rows.filter {
      $0.setting.model == PublishedGain.model && $0.variant != baselineVariant
    }
    let gammas = Set(own.compactMap(\.gamma))
    let names = distinct(own.map { name($0, showsGamma: gammas.count > 1) })
    return names.compactMap { name in
      GainGrid(
        name: name, rows: own.filter { Self.name($0, showsGamma: gammas.count > 1) == name })
    }
  }

  private static func name(_ row: AccuracyRow, showsGamma: Bool) -> String {
    oneLine(row.variant) + (showsGamma ? row.gamma.map { " γ \(shortText($0))" } ?? "" : "")
  }

  private init?(name: String, rows: [AccuracyRow]) {
    var cells: [Place: Cell] = [:]
    for row in rows {
      guard let experts = row.setting.experts, let picked = row.setting.picked,
        let width = row.setting.hidden
      else { continue }
      // Settings that differ in something else are no grid.
      let place = Place(experts: experts, picked: picked, width: width)
      guard cells[place] == nil else { return nil }
      cells[place] = Cell(ours: row.deltaMean, published: row.publishedDelta)
    }
    guard cells.values.contains(where: { $0.published != nil }),
      let model = rows.first?.setting.width
    else { return nil }
    self.name = name
    self.cells = cells
    experts = Set(cells.keys.map(\.experts)).sorted()
    picks = Set(cells.keys.map(\.picked)).sorted()
    widths = Set(cells.keys.map(\.width)).sorted()
    scale = Double(PublishedGain.width) / Double(model)
  }

  /// A number of each cell that has it, by rows.
  func values(_ number: (Cell) -> Double?) -> [Double] {
    places.compactMap { cells[$0].flatMap(number) }
  }

  private var places: [Place] {
    experts.flatMap { experts in
      picks.flatMap { picked in
        widths.map { Place(experts: experts, picked: picked, width: $0) }
      }
    }
  }
}

// MARK: As a table

extension GainGrid {
  private var heading: String {
    "Δ PPL of \(name): ours, the paper's, ✓ where they have the same sign; N experts, k picked, each "
      + "expert F wide" + (scale == 1 ? "" : " (F of the paper's model)")
  }

  private var titles: [String] {
    ["N", "k"]
      + widths.map { width in
        "F \(width)" + (scale == 1 ? "" : " (\(shortText(Double(width) * scale)))")
      }
  }

  private var lines: [[String]] {
    experts.flatMap { experts in
      picks.compactMap { picked -> [String]? in
        let row = widths.map { cells[Place(experts: experts, picked: picked, width: $0)] }
        guard row.contains(where: { $0 != nil }) else { return nil }
        return ["\(experts)", "\(picked)"] + row.map { $0?.text ?? missing }
      }
    }
  }

  /// How often ours and the published have the same sign.
  private var summary: String {
    let agreements = cells.values.compactMap(\.signAgrees)
    return "the same sign in \(agreements.count(where: \.self)) of \(agreements.count)"
  }

  /// For a terminal.
  func text(_ style: TerminalStyle) -> String {
    let columns = titles.map { RuledColumn($0, isNumber: true) }
    return (wrapped(heading, width: style.width) + [""]).joined(separator: "\n")
      + "\n" + ruledTable(columns, rows: lines) + "\n\(summary)\n"
  }

  var markdown: String {
    let head = ["\(heading):", "", row(titles), row(titles.map { _ in "---:" })]
    return (head + lines.map(row) + ["", "\(summary)."]).joined(separator: "\n") + "\n"
  }

  private func row(_ cells: [String]) -> String {
    "| " + cells.map { $0.trimmed }.joined(separator: " | ") + " |"
  }
}

extension String {
  fileprivate var trimmed: String {
    String(reversed().drop { $0 == " " }.reversed())
  }
}
