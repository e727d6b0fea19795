import Foundation
import Plots

/// Δ PPL over the number of experts, as the paper's Figure 7: a panel for each number of picks, a line
/// for each width of an expert; ours above, the paper's below.
/// - Parameter table: of language models whose Δ the paper has.
public func scalingFigure(of table: AccuracyTable, notes: [String]) -> Drawing {
  let grids = GainGrid.all(table.rows)
  let picks = grids.first?.picks ?? []
  let ours = grids.flatMap { grid in
    picks.map { picked in
      grid.panel(
        picked, title: (grids.count > 1 ? "\(grid.name), " : "") + "top-\(picked)",
        yTitle: "Δ PPL", \.ours)
    }
  }
  let published = grids.prefix(1).flatMap { grid in
    picks.map { grid.panel($0, title: "top-\($0), paper", yTitle: "Δ PPL, paper", \.published) }
  }
  let places = grids.flatMap(\.experts).map { (log2(Double($0)), "\($0)") }
  return CurveChart(
    title: oneLine(table.experiment.name), xTitle: "experts",
    xNames: Dictionary(places, uniquingKeysWith: { first, _ in first }),
    panels: ours + published, columns: max(1, picks.count),
    notes: ["Δ PPL: vanilla's test perplexity − that of the excited run; above 0 excitation helps."]
      + notes
  ).drawing()
}

extension GainGrid {
  fileprivate func panel(
    _ picked: Int, title: String, yTitle: String, _ number: (Cell) -> Double?
  ) -> CurveChart.Panel {
    let names = widths.map { "F \($0)" }
    let colors = Palette.colors(names)
    let lines = zip(widths, names).map { width, name in
      let samples = experts.compactMap { experts -> CurveChart.Sample? in
        let place = Place(experts: experts, picked: picked, width: width)
        return cells[place].flatMap(number).map {
          CurveChart.Sample(x: log2(Double(experts)), mean: $0, low: $0, high: $0)
        }
      }
      return CurveChart.Line(
        name: name, color: colors[name] ?? RGB(0), dash: [], samples: samples)
    }
    let zero = experts.map { CurveChart.Sample(x: log2(Double($0)), mean: 0, low: 0, high: 0) }
    let base = CurveChart.Line(
      name: "no gain", color: RGB(0x7F858C), dash: [2, 3], samples: zero)
    return CurveChart.Panel(title: title, yTitle: yTitle, lines: [base] + lines, isCut: false)
  }
}
