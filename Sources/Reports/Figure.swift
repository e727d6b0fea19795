import Plots

/// The pictures of a table.
public enum FigureKind: String, CaseIterable, Codable, Hashable, Sendable {
  case curves, bars, heatmap
}

/// A picture of a table; one that says so where there is nothing to draw.
///
/// - Parameters:
///   - curves: the table's runs, for `.curves`.
///   - metrics: what `.curves` shows; nil for test accuracy or perplexity, and training loss beside it
///     where there is one setting.
///   - notes: sentences under the picture, behind what the runs were.
public func figure(
  _ kind: FigureKind, of table: AccuracyTable, curves: [RunCurve] = [],
  metrics: [CurveMetric]? = nil, notes: [String] = []
) -> Drawing {
  let content = FigureContent(
    rows: table.rows, variants: table.experiment.variants, curves: curves,
    title: oneLine(table.experiment.name))
  return content.drawing(kind, metrics: metrics, notes: configNotes(table) + notes)
}

/// What a table's runs were, for under a picture: in a paper it stands alone.
public func configNotes(_ table: AccuracyTable) -> [String] {
  let config = ReportGrid(table).facts.first { $0.label == "config" }?.items ?? []
  // Lines break between the items only.
  let items = config.map { $0.replacing(" ", with: "\u{A0}") }
  return items.isEmpty ? [] : [items.joined(separator: ", ")]
}

/// What the pictures of a table share: names of settings, names and colours of variants.
struct FigureContent {
  /// One line or bar of each setting.
  struct Series: Hashable {
    let variant: String
    /// Nil for vanilla.
    let gamma: Double?

    init(_ variant: String, _ gamma: Double?) {
      self.variant = variant
      self.gamma = variant == baselineVariant ? nil : gamma
    }
  }

  let rows: [AccuracyRow]
  /// The heading of each picture; empty for none.
  let title: String
  let curves: [RunCurve]
  /// Those of the rows, then those that only curves have.
  let settings: [SettingRecord]
  /// Variants in order of first appearance, each with its γs from low to high.
  let series: [Series]
  let axes: SettingAxes
  private let colors: [String: RGB]

  /// - Parameter variants: those that are to have the first colours, where they have none of
  ///   their own.
  init(rows: [AccuracyRow], variants: [String], curves: [RunCurve], title: String) {
    self.rows = rows
    self.title = title
    self.curves = curves
    settings = distinct(rows.map(\.setting) + curves.map(\.setting.group))
    let found = distinct(
      rows.map { Series($0.variant, $0.gamma) }
        + curves.map { Series($0.variant, $0.gamma) })
    series = distinct(found.map(\.variant)).flatMap { variant in
      found.filter { $0.variant == variant }.sorted { ($0.gamma ?? 0) < ($1.gamma ?? 0) }
    }
    axes = SettingAxes(settings)
    colors = Palette.colors(variants + series.map(\.variant))
  }

  func drawing(_ kind: FigureKind, metrics: [CurveMetric]?, notes: [String]) -> Drawing {
    switch kind {
    case .curves: curveChart(metrics, notes: notes).drawing()
    case .bars: barChart(notes: notes).drawing()
    case .heatmap: heatmapChart(notes: notes).drawing()
    }
  }

  /// "zero-sum", with its γ where there are several.
  func name(_ series: Series) -> String {
    let variesGamma = Set(self.series.compactMap(\.gamma)).count > 1
    let gamma = variesGamma ? series.gamma.map { " γ \(shortText($0))" } : nil
    return oneLine(series.variant) + (gamma ?? "")
  }

  /// Place among the γs of its variant.
  private func place(_ series: Series) -> (index: Int, count: Int) {
    let gammas = self.series.filter { $0.variant == series.variant }.compactMap(\.gamma)
    return (series.gamma.flatMap { gammas.firstIndex(of: $0) } ?? 0, gammas.count)
  }

  func color(_ series: Series) -> RGB {
    let (index, count) = place(series)
    return Palette.shade(colors[series.variant] ?? RGB(0), index, of: count)
  }

  func dash(_ series: Series) -> [Double] { Palette.dash(place(series).index) }

  /// What tells a setting from the others: "adam, lr 0.001"; empty where there is only one. How deep
  /// the model is always belongs to it, even where the optimizer would do.
  func label(setting index: Int) -> String {
    var columns = axes.columns
    let depths = settings.map { $0.hiddenLayers.map { "\($0)" } ?? missing }
    if Set(depths).count > 1, !columns.contains(where: { $0.title == "layers" }) {
      columns.append((title: "layers", values: depths))
    }
    return columns.map { phrase($0.title, $0.values[index]) }.joined(separator: ", ")
  }

  func phrase(_ title: String, _ value: String) -> String {
    let field = SettingField.all.first { $0.title == title }
    return oneLine(field?.phrase(value) ?? "\(title) \(value)")
  }
}

/// Each value once, in order of first appearance.
public func distinct<Value: Hashable>(_ values: [Value]) -> [Value] {
  var seen: Set<Value> = []
  return values.filter { seen.insert($0).inserted }
}
