/// What the paper reads from its Table 2. Its runs have one seed; what is sampled are the models, so
/// that an interval tells how far a gain goes beyond what differs from model to model.
extension Claim {
  /// Percent of the models that count as nearly all.
  static let nearlyAll = 90.0

  func evidence(_ grid: GainGrid) -> [Evidence] {
    switch self {
    case .languageGains: grid.overall
    case .peakAtEight:
      [4, 16].map { grid.change(from: $0, to: 8, picked: 2, .above(0)) }
    case .reboundAtSixtyFour:
      grid.picks.map { grid.change(from: 32, to: 64, picked: $0, .above(0)) }
    case .gainFallsWithPicks: [grid.costOfPicks]
    default: []
    }
  }
}

extension GainGrid {
  /// A perplexity's unit.
  private static let unit = "PPL"

  fileprivate var overall: [Evidence] {
    func share(_ gains: [Double]) -> [Double] { gains.map { $0 > 0 ? 100 : 0 } }
    let (ours, published) = (values(\.ours), values(\.published))
    return [
      Evidence(
        "\(name): Δ", unit: Self.unit, .above(0), values: ours, per: "model", of: cells.count,
        published: Statistics.mean(published)),
      Evidence(
        "\(name): models that gain", unit: "%", .above(Claim.nearlyAll), values: share(ours),
        per: "model", of: cells.count, published: Statistics.mean(share(published))),
    ]
  }

  /// Of Δ from one number of experts to another, one value for each width of an expert.
  fileprivate func change(
    from first: Int, to last: Int, picked: Int, _ expectation: Evidence.Expectation
  ) -> Evidence {
    func changes(_ number: (Cell) -> Double?) -> [Double] {
      widths.compactMap { width in
        func gain(_ experts: Int) -> Double? {
          cells[Place(experts: experts, picked: picked, width: width)].flatMap(number)
        }
        return minus(gain(last), gain(first))
      }
    }
    return Evidence(
      "\(name), top-\(picked): Δ at \(last) experts − at \(first)", unit: Self.unit, expectation,
      values: changes(\.ours), per: "width", published: Statistics.mean(changes(\.published)))
  }

  /// Δ with the most picks less the mean of Δ with fewer, for the models that have all of them.
  fileprivate var costOfPicks: Evidence {
    func costs(_ number: (Cell) -> Double?) -> [Double] {
      experts.flatMap { experts in
        widths.compactMap { width -> Double? in
          let gains = picks.compactMap {
            cells[Place(experts: experts, picked: $0, width: width)].flatMap(number)
          }
          guard gains.count == picks.count, gains.count > 1, let most = gains.last else {
            return nil
          }
          return minus(most, Statistics.mean(Array(gains.dropLast())))
        }
      }
    }
    return Evidence(
      "\(name): Δ with top-\(picks.last ?? 0) − with fewer", unit: Self.unit, .below(0),
      values: costs(\.ours), per: "model", published: Statistics.mean(costs(\.published)))
  }
}
