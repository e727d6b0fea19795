import Plots

extension FigureContent {
  /// One panel per setting and quantity, one line per variant and γ: its mean over seeds, in a
  /// band from the lowest to the highest.
  func curveChart(_ metrics: [CurveMetric]?, notes: [String]) -> CurveChart {
    let lines = seedRuns(curves)
    let drawn = settings.indices.filter { lines[$0].contains { !$0.runs.isEmpty } }
    let progress = CurveMetric.progress(of: settings.first?.measure ?? .accuracy)
    let metrics =
      metrics
      ?? (drawn.count > 1
        ? [progress]
        : progress == .testAccuracy
          ? [progress, .trainLoss] : [progress, .validationPerplexity, .trainLoss])
    let panels = drawn.enumerated().flatMap { place, setting in
      metrics.map { metric in
        CurveChart.Panel(
          title: lettered(label(setting: setting), place, of: drawn.count), yTitle: metric.title,
          // Accuracies on different data have nothing to do with each other.
          scale: settings[setting].dataset,
          lines: lines[setting].map { series, runs in
            line(
              series,
              runs.map { points in
                Dictionary(
                  points.map { ($0.epoch, metric.value($0)) }, uniquingKeysWith: { _, last in last }
                )
              })
          }, marks: metric == .testAccuracy ? published(setting, lines[setting].map(\.series)) : [],
          isCut: metric.isOpen)
      }
    }
    let count = metrics.count > 1 ? metrics.count : drawn.count == 4 ? 2 : min(drawn.count, 3)
    return CurveChart(
      title: title, xTitle: "epoch", panels: panels, columns: count,
      notes: seedNote(drawn.flatMap { lines[$0].map(\.runs.count) })
        + publishedNote(panels.flatMap(\.marks)) + notes)
  }

  /// A panel's title behind its letter, as the paper has them; without where there is one panel, or
  /// there are more than letters.
  func lettered(_ title: String, _ place: Int, of panels: Int) -> String {
    guard 2...26 ~= panels else { return title }
    return "(\(Character(UnicodeScalar(UInt8(ascii: "a") + UInt8(place))))) \(title)"
  }

  private func publishedNote(_ marks: [CurveChart.Level]) -> [String] {
    guard !marks.isEmpty else { return [] }
    let owners = [
      marks.contains { $0.color != nil } ? "in its line's colour" : nil,
      marks.contains { $0.color == nil }
        ? "black for an excited run, of which variant it does not say" : nil,
    ].compactMap(\.self)
    return ["Published: the paper's accuracy after training, \(owners.joined(separator: "; "))."]
  }

  /// What the paper prints of the ends of a setting's lines.
  private func published(_ setting: Int, _ series: [Series]) -> [CurveChart.Level] {
    let setting = settings[setting]
    let rows = self.rows.filter { $0.setting == setting }
    let own = series.compactMap { series in
      rows.first { Series($0.variant, $0.gamma) == series }?.publishedMean.map {
        CurveChart.Level(value: $0, color: color(series))
      }
    }
    let excited = rows.lazy.compactMap(\.publishedExcited).first
    return own + (excited.map { [CurveChart.Level(value: $0, color: nil)] } ?? [])
  }

  /// Per setting the variants that have runs, each with its runs' points, one run a seed.
  func seedRuns<Curve: SeedCurve>(
    _ curves: [Curve]
  ) -> [[(series: Series, runs: [[Curve.Point]])]] {
    // Vanilla is repeated for each γ: of a seed's runs the longest counts, as the first would.
    var longest: [SettingRecord: [Series: [UInt64: [Curve.Point]]]] = [:]
    for curve in curves {
      let series = Series(curve.variant, curve.gamma)
      let known = longest[curve.setting.group]?[series]?[curve.seed]
      guard curve.points.count > known?.count ?? 0 else { continue }
      longest[curve.setting.group, default: [:]][series, default: [:]][curve.seed] = curve.points
    }
    return settings.map { setting in
      series.compactMap { series in
        guard let runs = longest[setting]?[series] else { return nil }
        // In the order of seeds, so that rounding does not depend on hashing.
        return (series, runs.sorted { $0.key < $1.key }.map(\.value))
      }
    }
  }

  /// The mean over runs at each x that one of them has, in a band from the lowest to the highest.
  /// - Parameter runs: numbers by x.
  func line(_ series: Series, _ runs: [[Int: Double]]) -> CurveChart.Line {
    let samples = Set(runs.flatMap(\.keys)).sorted().map { x in
      let values = runs.compactMap { $0[x] }.filter(\.isFinite)
      return CurveChart.Sample(
        x: Double(x), mean: Statistics.mean(values) ?? .nan, low: values.min() ?? .nan,
        high: values.max() ?? .nan)
    }
    return CurveChart.Line(
      name: name(series), color: color(series), dash: dash(series), samples: samples)
  }

  /// - Parameter averaged: what the lines are the mean of.
  func seedNote(
    _ counts: [Int], averaged: String = "the seeds that reached the epoch"
  ) -> [String] {
    guard let low = counts.min(), let high = counts.max() else { return [] }
    if high == 1 { return ["One seed."] }
    let n = low == high ? "\(low)" : "\(low)–\(high)"
    return [
      "Line: mean over \(averaged), n = \(n). Band: lowest to highest seed."
    ]
  }
}
