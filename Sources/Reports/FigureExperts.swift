import Plots

/// The quantities of expert layers that can be drawn.
public enum ExpertMetric: String, CaseIterable, Sendable {
  case specialization, routingEntropy, deadShare, highestLoad, modulationDeviation

  var title: String {
    switch self {
    case .specialization: "specialization"
    case .routingEntropy: "routing entropy [nats]"
    case .deadShare: "share of dead experts"
    case .highestLoad: "largest load of an expert"
    case .modulationDeviation: "standard deviation of Φ"
    }
  }

  var note: String {
    switch self {
    case .specialization:
      "Specialization: p squared, summed over classes, p being the shares of an expert's uses; mean "
        + "over the experts in use, on the test split."
    case .routingEntropy:
      "Routing entropy: of the softmax over the scores that choose experts, mean over the test "
        + "split."
    case .deadShare: "Dead: used by no training sample of the epoch."
    case .highestLoad: "Load: share of the epoch's training samples that used the expert."
    case .modulationDeviation: "Over the experts of a layer, mean over the epoch's steps."
    }
  }

  func value(_ point: ExpertPoint) -> Double {
    switch self {
    case .specialization: point.specialization
    case .routingEntropy: point.routingEntropy
    case .deadShare: point.deadShare
    case .highestLoad: point.highestLoad
    case .modulationDeviation: point.modulationDeviation
    }
  }
}

/// A quantity of the expert layers by depth, after each run's last epoch (the paper's Figure 4).
///
/// One panel per setting, one line per variant and γ: the mean over seeds, in a band from the
/// lowest to the highest.
public func expertDepthFigure(
  _ curves: [ExpertCurve], metric: ExpertMetric = .specialization, title: String,
  notes: [String] = []
) -> Drawing {
  let panel = ExpertPanel(name: "") { points in
    let end = points.map(\.epoch).max()
    return numbers(points.filter { $0.epoch == end }, by: \.layer, metric)
  }
  return expertFigure(
    curves, metric, xTitle: "layer", title: title, averaged: "the seeds, each after its last epoch",
    notes: notes
  ) { _ in [panel] }
}

/// A quantity of the expert layers over training (the paper's Figure 5): its mean over the layers,
/// or one panel per layer.
///
/// One panel per setting, one line per variant and γ: the mean over seeds, in a band from the
/// lowest to the highest.
public func expertCourseFigure(
  _ curves: [ExpertCurve], metric: ExpertMetric = .routingEntropy, byLayer: Bool = false,
  title: String, notes: [String] = []
) -> Drawing {
  let whole = ExpertPanel(name: "") { points in
    Dictionary(grouping: points, by: \.epoch).mapValues { layers in
      Statistics.mean(layers.map(metric.value)) ?? .nan
    }
  }
  return expertFigure(curves, metric, xTitle: "epoch", title: title, notes: notes) { curves in
    guard byLayer else { return [whole] }
    return Set(curves.flatMap(\.points).map(\.layer)).sorted().map { layer in
      ExpertPanel(name: "layer \(layer)") { points in
        numbers(points.filter { $0.layer == layer }, by: \.epoch, metric)
      }
    }
  }
}

extension FigureContent {
  init(expertCurves curves: [ExpertCurve], title: String = "") {
    self.init(
      rows: [], variants: [],
      curves: curves.map {
        RunCurve(
          setting: $0.setting, variant: $0.variant, gamma: $0.gamma, seed: $0.seed, points: [])
      }, title: title)
  }
}

/// One of a setting's panels.
private struct ExpertPanel {
  let name: String
  /// What it shows of a run, by x.
  let values: ([ExpertPoint]) -> [Int: Double]
}

/// Of a place that occurs twice the last counts.
private func numbers(
  _ points: [ExpertPoint], by place: (ExpertPoint) -> Int, _ metric: ExpertMetric
) -> [Int: Double] {
  Dictionary(points.map { (place($0), metric.value($0)) }, uniquingKeysWith: { _, last in last })
}

private func expertFigure(
  _ curves: [ExpertCurve], _ metric: ExpertMetric, xTitle: String, title: String,
  averaged: String = "the seeds that reached the epoch", notes: [String],
  panels: ([ExpertCurve]) -> [ExpertPanel]
) -> Drawing {
  let content = FigureContent(expertCurves: curves, title: oneLine(title))
  let runs = content.seedRuns(curves)
  let drawn = content.settings.indices.filter { runs[$0].contains { !$0.runs.isEmpty } }
  var charts: [CurveChart.Panel] = []
  var panelsPerSetting = 1
  for (place, setting) in drawn.enumerated() {
    let own = curves.filter { $0.setting.group == content.settings[setting] }
    let panels = panels(own)
    panelsPerSetting = max(panelsPerSetting, panels.count)
    for panel in panels {
      let label = content.lettered(content.label(setting: setting), place, of: drawn.count)
      let names = [label, panel.name].filter { !$0.isEmpty }
      charts.append(
        CurveChart.Panel(
          title: names.joined(separator: ", "), yTitle: metric.title,
          // What differs between settings is not what is compared.
          scale: "\(setting)",
          lines: runs[setting].map { content.line($0.series, $0.runs.map(panel.values)) },
          isCut: false))
    }
  }
  let counts = drawn.flatMap { runs[$0].map(\.runs.count) }
  return CurveChart(
    title: content.title, xTitle: xTitle, panels: charts,
    columns: panelsPerSetting > 1
      ? layerColumns(panelsPerSetting) : charts.count == 4 ? 2 : min(charts.count, 3),
    notes: charts.isEmpty
      ? [] : [metric.note] + content.seedNote(counts, averaged: averaged) + notes
  ).drawing()
}

/// Panels in a row, so that a setting fills its rows where it can.
private func layerColumns(_ layers: Int) -> Int {
  layers <= 4 ? layers : [4, 5, 3].first { layers.isMultiple(of: $0) } ?? 4
}
