import Plots

extension FigureContent {
  /// Final accuracies, one group per setting, one bar per variant and γ.
  func barChart(notes: [String]) -> BarChart {
    let groups = settings.enumerated().map { index, setting in
      BarChart.Group(
        label: label(setting: index), section: section(setting: index), bars: bars(setting))
    }
    let measure = settings.first?.measure ?? .accuracy
    let yTitle =
      measure == .accuracy ? "test accuracy, last epoch [%]" : "test perplexity, last epoch"
    return BarChart(title: title, yTitle: yTitle, groups: groups, notes: notes)
  }

  /// Where settings differ in several things, those that are alike in the first belong together.
  private func section(setting index: Int) -> String {
    axes.columns.count > 1 ? axes.columns[0].values[index] : ""
  }

  private func bars(_ setting: SettingRecord) -> [BarChart.Bar] {
    let rows = self.rows.filter { $0.setting == setting }
    return series.flatMap { series in
      rows.filter { Series($0.variant, $0.gamma) == series }.map { row in
        BarChart.Bar(
          name: name(series), color: color(series), mean: row.accuracyMean,
          spread: row.accuracyStd, values: row.accuracies, published: row.publishedMean)
      }
    }
  }
}
