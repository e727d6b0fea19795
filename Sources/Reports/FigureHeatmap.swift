import Plots

extension FigureContent {
  /// Mean Δ over two axes: what settings differ in against variants and γs; where there is one
  /// setting, variants against γs; where there is one variant, the last setting axis against the
  /// others.
  func heatmapChart(notes: [String]) -> HeatmapChart {
    let excited = self.rows.filter { $0.variant != baselineVariant }
    let variants = distinct(excited.map(\.variant))
    let gammas = distinct(excited.compactMap(\.gamma)).sorted()
    var rowAxes = axes.columns.map(\.title)
    var columnAxes: [String] = []
    if variants.count > 1 { columnAxes.append("variant") }
    if gammas.count > 1 { columnAxes.append("γ") }
    if rowAxes.isEmpty, columnAxes.count == 2 { rowAxes = [columnAxes.removeFirst()] }
    if columnAxes.isEmpty, rowAxes.count > 1 { columnAxes = [rowAxes.removeLast()] }
    if columnAxes.isEmpty { columnAxes = ["variant"] }

    func names(_ axes: [String], _ row: AccuracyRow) -> [String] {
      axes.map { axis in
        switch axis {
        case "variant": oneLine(row.variant)
        case "γ": row.gamma.map(shortText) ?? missing
        default: value(axis, row.setting)
        }
      }
    }
    let places = excited.map { (row: names(rowAxes, $0), column: names(columnAxes, $0)) }
    let rows = ordered(places.map(\.row))
    let columns = ordered(places.map(\.column))
    var values = [[Double?]](
      repeating: Array(repeating: nil, count: columns.count), count: rows.count)
    for (place, row) in zip(places, excited) {
      guard let y = rows.firstIndex(of: place.row), let x = columns.firstIndex(of: place.column)
      else { continue }
      values[y][x] = row.deltaMean
    }
    // Where variants are no axis, nothing else names it.
    let only =
      variants.count == 1 && !columnAxes.contains("variant") ? variants.map(oneLine)[0] : nil
    let measure = settings.first?.measure ?? .accuracy
    let whose = only.map { " of \($0)" } ?? ""
    return HeatmapChart(
      title: title, rowTitle: rowAxes.joined(separator: ", "),
      columnTitle: columnAxes.joined(separator: ", "),
      rows: rows.map { $0.joined(separator: ", ") },
      columns: columns.map { $0.joined(separator: "\n") }, values: values,
      valueTitle: measure.gainTitle,
      notes: [
        (measure == .accuracy
          ? "Δ: test accuracy\(whose) minus vanilla's, "
          : "Δ: vanilla's test perplexity minus that\(whose.isEmpty ? " of the variant" : whose), ")
          + "mean over seeds, paired by seed."
      ] + notes)
  }

  private func value(_ axis: String, _ setting: SettingRecord) -> String {
    guard let index = settings.firstIndex(of: setting),
      let column = axes.columns.first(where: { $0.title == axis })
    else { return missing }
    return oneLine(column.values[index])
  }

  /// Names once each, by the first axis, then the second, and so on: an axis of numbers by size,
  /// another in order of first appearance.
  private func ordered(_ names: [[String]]) -> [[String]] {
    let names = distinct(names)
    let places = (0..<(names.first?.count ?? 0)).map { axis in
      let values = distinct(names.map { $0[axis] })
      let numbers = values.compactMap(Double.init).filter(\.isFinite)
      let isNumeric = numbers.count == values.count
      let order = isNumeric ? numbers : values.indices.map(Double.init)
      return Dictionary(uniqueKeysWithValues: zip(values, order))
    }
    func place(_ name: [String]) -> [Double] {
      zip(places, name).map { $0[$1] ?? 0 }
    }
    return names.sorted { place($0).lexicographicallyPrecedes(place($1)) }
  }
}
