/// A quantity of the expert layers in numbers: a setting's layers down, variants across, after each
/// run's last epoch.
struct ExpertGrid {
  private let heading: String
  private let titles: [String]
  private let lines: [[String]]

  /// Nil where no run measured its expert layers.
  init?(_ curves: [ExpertCurve], metric: ExpertMetric) {
    let content = FigureContent(expertCurves: curves)
    let runs = content.seedRuns(curves)
    let isOne = content.settings.count == 1
    var lines: [[String]] = []
    for setting in content.settings.indices {
      let ends = Dictionary(
        runs[setting].map { series, runs in (series, runs.map { Self.end(of: $0, metric) }) },
        uniquingKeysWith: { first, _ in first })
      for layer in Set(ends.values.joined().flatMap(\.keys)).sorted() {
        let means = content.series.map { series in
          Statistics.mean((ends[series] ?? []).compactMap { $0[layer] })
        }
        lines.append(
          (isOne ? [] : [content.label(setting: setting)]) + ["\(layer)"]
            + means.map { $0.map { fixed($0, 4) } ?? missing })
      }
    }
    guard !lines.isEmpty else { return nil }
    heading = "\(metric.title) by layer, after each run's last epoch, mean over seeds"
    titles = (isOne ? [] : ["model"]) + ["layer"] + content.series.map(content.name)
    self.lines = lines
  }

  /// By layer.
  private static func end(of points: [ExpertPoint], _ metric: ExpertMetric) -> [Int: Double] {
    let last = points.map(\.epoch).max()
    return Dictionary(
      points.filter { $0.epoch == last }.map { ($0.layer, metric.value($0)) },
      uniquingKeysWith: { _, last in last })
  }

  /// For a terminal.
  func text(_ style: TerminalStyle) -> String {
    let columns = titles.map { RuledColumn($0, isNumber: $0 != "model") }
    return (wrapped(heading, width: style.width) + [""]).joined(separator: "\n") + "\n"
      + ruledTable(columns, rows: lines)
  }

  var markdown: String {
    let rules = titles.map { $0 == "model" ? ":---" : "---:" }
    let rows = [titles, rules] + lines
    return (["\(heading):", ""] + rows.map { "| " + $0.joined(separator: " | ") + " |" })
      .joined(separator: "\n") + "\n"
  }
}
