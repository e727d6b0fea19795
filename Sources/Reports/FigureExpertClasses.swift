import Plots

/// Which classes the experts of one run served: one setting, one variant, one seed.
public struct ExpertClassMap: Hashable, Sendable {
  public struct Expert: Hashable, Sendable {
    /// Share of the last epoch's training rows that used it.
    public let utilization: Double
    /// How often it was used for each class of the test split.
    public let counts: [Int]

    public init(utilization: Double, counts: [Int]) {
      self.utilization = utilization
      self.counts = counts
    }
  }

  public struct Layer: Hashable, Sendable {
    /// From 1, next to the input.
    public let layer: Int
    public var experts: [Expert]

    public init(layer: Int, experts: [Expert] = []) {
      self.layer = layer
      self.experts = experts
    }

    fileprivate var cells: Int { experts.reduce(0) { $0 + $1.counts.count } }
  }

  public let setting: SettingRecord
  public let variant: String
  /// γ; without meaning for `vanilla`.
  public let gamma: Double?
  public let seed: UInt64
  public let layers: [Layer]

  public init(
    setting: SettingRecord, variant: String, gamma: Double?, seed: UInt64, layers: [Layer]
  ) {
    self.setting = setting
    self.variant = variant
    self.gamma = gamma
    self.seed = seed
    self.layers = layers
  }

  /// Text has none.
  fileprivate var hasClasses: Bool { layers.contains { ($0.experts.first?.counts.count ?? 0) > 1 } }
}

/// Cells on a page: more would make it slow to open.
private let mostCells = 40_000

/// A picture for each setting: of every variant's first seed, a map of each layer with the classes
/// below each other and the experts beside each other. Where these are too many for a page, only the
/// last layers of each run, then only the first settings.
/// - Returns: what tells the setting from the others, behind ": ", with its picture.
func expertClassFigures(
  _ maps: [ExpertClassMap], of content: FigureContent
) -> [(label: String, drawing: Drawing)] {
  var room = mostCells
  var figures: [(label: String, drawing: Drawing)] = []
  for (index, setting) in content.settings.enumerated() {
    let own = maps.filter { $0.setting.group == setting && $0.hasClasses }
    let shown = content.series.compactMap { series in
      own.filter { FigureContent.Series($0.variant, $0.gamma) == series }.min { $0.seed < $1.seed }
    }
    guard let layers = shown.map(\.layers.count).max() else { continue }
    let counts = (0..<layers).reversed().map { layer in
      shown.reduce(0) { $0 + ($1.layers.count > layer ? $1.layers[layer].cells : 0) }
    }
    var kept = 0
    for count in counts {
      guard count <= room else { break }
      room -= count
      kept += 1
    }
    guard kept > 0 else { break }
    let panels = (layers - kept..<layers).flatMap { layer in
      shown.map { map in
        let name = content.name(FigureContent.Series(map.variant, map.gamma))
        let empty = ExpertClassMap.Layer(layer: layer + 1)
        let own = map.layers.count > layer ? map.layers[layer] : empty
        return own.chart(title: "\(name), layer \(own.layer)").drawing()
      }
    }
    let label = content.label(setting: index)
    figures.append(
      (label.isEmpty ? "" : ": \(label)", .beside(panels, columns: shown.count)))
  }
  return figures
}

extension ExpertClassMap.Layer {
  /// Its map: the experts beside each other, by the class that each served most.
  fileprivate func chart(title: String) -> ShareMapChart {
    let used = experts.filter { $0.counts.contains { $0 > 0 } }
    let columns = used.map { expert in
      let total = Double(expert.counts.reduce(0, +))
      let shares = expert.counts.map { Double($0) / total }
      let top = shares.indices.max { shares[$0] < shares[$1] } ?? 0
      return (
        place: (top, -shares[top]), weight: expert.utilization, uses: total, shares: shares
      )
    }.sorted { $0.place < $1.place }
    // One that was used a few times is all of one class by chance.
    let enough = columns.reduce(0) { $0 + $1.uses } / Double(max(columns.count, 1)) / 10
    let darkest = columns.filter { $0.uses >= enough }.flatMap(\.shares).max() ?? 0
    let busiest = columns.map(\.weight).max() ?? 0
    let idle = experts.count - used.count
    return ShareMapChart(
      title: title, weightTitle: "use", weights: columns.map(\.weight),
      shares: columns.map(\.shares), darkest: darkest,
      notes: [
        "\(counted(used.count, "expert"))\(idle > 0 ? " and \(idle) without a use" : ""), side by "
          + "side; white: 0, darkest: \(fixed(100 * darkest, 0)) % or more of an expert's uses on "
          + "the test split. Bars: its share of the training rows, up to \(fixed(100 * busiest, 1)) %."
      ])
  }
}
