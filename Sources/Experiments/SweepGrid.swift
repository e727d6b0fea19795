import Datasets
import Layers
import Models
import Optimizers
import Text
import Training

/// From axes to the points of their grid.
extension ExperimentReader {
  /// An axis whose values are checked.
  struct GridAxis {
    struct Value {
      var node: ConfigNode
      /// As YAML.
      var text: String
      /// On the axis of optimizers: the optimizer, and where its constants were given.
      var optimizer: OptimizerConfig?
      var origins: [String: ConfigOrigin] = [:]
    }
    var path: String
    var values: [Value]
  }

  /// More is a mistake in the file rather than a plan.
  private static var mostPoints: Int { 10_000 }
  private static var mostRuns: Int { 100_000 }

  // MARK: Axes

  /// The draft's axes, checked; an axis with an error is left out.
  mutating func readAxes() -> [GridAxis] {
    var axes: [GridAxis] = []
    let drafts = filledAxes()
    for axis in drafts where axis.path != ConfigKey.gamma {
      let before = problems.count
      if axis.values.isEmpty {
        problems.append(.emptyList(at: axis.origin, path: axis.path, expected: "values to try"))
      }
      var values: [GridAxis.Value] = []
      for node in axis.values {
        if let value = readValue(node, axis: axis.path, among: drafts) { values.append(value) }
      }
      checkOwners(of: axis)
      guard problems.count == before else { continue }
      for (i, value) in values.enumerated()
      where values[..<i].contains(where: { $0.text == value.text }) {
        problems.append(.repeated(at: value.node.origin, path: axis.path, value: value.text))
      }
      axes.append(GridAxis(path: axis.path, values: values))
    }
    return axes
  }

  /// The draft's axes with the paper's grids filled in. The paper's learning rates differ between
  /// optimizers: over a grid of optimizers they make one axis of optimizers with rates.
  private func filledAxes() -> [ExperimentDraft.Axis] {
    var axes = draft.axes
    for i in axes.indices where axes[i].isPaperGrid {
      guard let axis = PaperGrid.Axis(keyPath: axes[i].path) else { continue }
      axes[i].values = PaperGrid.values(forAxis: axis, optimizer: config.optimizer.name).map {
        ConfigNode(content: .scalar($0, quoted: false), origin: axes[i].origin)
      }
    }
    guard let rates = axes.firstIndex(where: { $0.path == "optimizer.lr" && $0.isPaperGrid }),
      let optimizers = axes.firstIndex(where: { $0.path == "optimizer" })
    else { return axes }
    axes[optimizers].values = axes[optimizers].values.flatMap { item in
      let map = ExperimentDraft.asMap(item)
      let name = map["name"]?.text.flatMap(OptimizerName.init) ?? config.optimizer.name
      return PaperGrid.values(forAxis: .lr, optimizer: name).map { rate in
        var optimizer = map
        optimizer["lr"] = ConfigNode(
          content: .scalar(rate, quoted: false), origin: axes[rates].origin)
        return optimizer
      }
    }
    axes.remove(at: rates)
    return axes
  }

  private mutating func readValue(
    _ node: ConfigNode, axis: String, among axes: [ExperimentDraft.Axis]
  ) -> GridAxis.Value? {
    if axis == "optimizer" {
      let swept = axes.map(\.path)
      return readOptimizer(node, without: swept)
    }
    guard let key = ConfigKey.named(axis) else { return nil }
    var trial = config
    do {
      try key.read(node, &trial)
    } catch {
      problems.append(error)
      return nil
    }
    // In the shortest form, so that 0.10 and 0.1 are seen to be one.
    let text = node.number.map(yaml) ?? node.text ?? "null"
    return .init(node: node, text: text)
  }

  private mutating func readOptimizer(
    _ node: ConfigNode, without swept: [String]
  ) -> GridAxis.Value? {
    switch node.content {
    case .scalar, .map: break
    case .nothing, .list:
      problems.append(
        .wrongType(
          at: node.origin, path: "optimizer", expected: "an optimizer's name or a map",
          found: node.found))
      return nil
    }
    let outer = (config, origins)
    origins = [:]
    readSection("optimizer", node)
    defer { (config, origins) = outer }
    return .init(
      node: node, text: yamlMap([config], section: "optimizer", without: swept),
      optimizer: config.optimizer, origins: origins)
  }

  /// A swept constant must belong to at least one of the optimizers; the others go without.
  private mutating func checkOwners(of axis: ExperimentDraft.Axis) {
    guard let key = ConfigKey.named(axis.path), key.section == "optimizer" else { return }
    let grid = draft.axes.first { $0.path == "optimizer" }?.values
    let names =
      grid?.compactMap { ExperimentDraft.asMap($0)["name"]?.text.flatMap(OptimizerName.init) }
      ?? [config.optimizer.name]
    let isUsed = names.contains { OptimizerConfig.keys(of: $0).contains(key.key) }
    if !isUsed, let first = names.first {
      problems.append(.foreignKey(at: axis.origin, path: axis.path, optimizer: first))
    }
  }

  // MARK: Points

  /// The cross product, the last axis moving fastest, without points equal to an earlier one.
  func grid(of axes: [GridAxis], runsPerPoint: Int) throws(ConfigError) -> [Point] {
    var count = 1
    for axis in axes {
      count *= axis.values.count
      guard count <= Self.mostPoints else {
        throw .conflict(
          at: axis.values[0].node.origin, path: axis.path,
          reason: "the grid has over \(Self.mostPoints) settings")
      }
    }
    guard count * runsPerPoint <= Self.mostRuns else {
      throw .conflict(
        at: draft.root[ConfigKey.seeds]?.origin ?? .standard, path: ConfigKey.seeds,
        reason: "\(count * runsPerPoint) runs in all; \(Self.mostRuns) is the most")
    }
    var points: [Point] = []
    var seen: Set<RunConfig> = []
    for index in 0..<count {
      var rest = index
      var coordinates = [Int](repeating: 0, count: axes.count)
      for i in axes.indices.reversed() {
        coordinates[i] = rest % axes[i].values.count
        rest /= axes[i].values.count
      }
      let point = point(at: coordinates, of: axes)
      if seen.insert(point.config).inserted { points.append(point) }
    }
    return points
  }

  private func point(at coordinates: [Int], of axes: [GridAxis]) -> Point {
    var point = Point(config: config, origins: origins, varying: [])
    // An optimizer brings all its constants, so it comes before what changes one of them.
    let optimizers = axes.indices.filter { axes[$0].path == "optimizer" }
    let others = axes.indices.filter { axes[$0].path != "optimizer" }
    for i in optimizers + others {
      let value = axes[i].values[coordinates[i]]
      if let optimizer = value.optimizer {
        point.config.optimizer = optimizer
        point.origins = point.origins.filter { !$0.key.hasPrefix("optimizer.") }
        point.origins.merge(value.origins) { _, new in new }
      } else if let key = ConfigKey.named(axes[i].path) {
        let names = OptimizerConfig.keys(of: point.config.optimizer.name)
        guard key.section != "optimizer" || names.contains(key.key) else { continue }
        // The value was read before without an error.
        do { try key.read(value.node, &point.config) } catch { continue }
        point.origins[key.path] = value.node.origin
      }
    }
    for axis in axes where axis.values.count > 1 {
      point.varying += varying(of: axis, at: point.config, among: axes)
    }
    // The variants come later; to vanilla, which stands in for them, the window means nothing.
    let window = point.config.excitation.window
    point.config = point.config.canonical
    point.config.excitation.window = window
    return point
  }

  /// What a table shows of a point for one axis. Optimizers show their name, and the constants in
  /// which two of one name differ.
  private func varying(
    of axis: GridAxis, at config: RunConfig, among axes: [GridAxis]
  ) -> [Setting.Varying] {
    func shown(_ key: ConfigKey) -> Setting.Varying {
      Setting.Varying(key: key.shortName, value: key.write(config) ?? "–")
    }
    guard axis.path == "optimizer" else {
      return ConfigKey.named(axis.path).map { [shown($0)] } ?? []
    }
    let optimizers = axis.values.compactMap(\.optimizer)
    return ConfigKey.all.filter { key in
      guard key.section == "optimizer", !axes.contains(where: { $0.path == key.path }) else {
        return false
      }
      if key.path == "optimizer.name" { return Set(optimizers.map(\.name)).count > 1 }
      return OptimizerName.allCases.contains { name in
        let values = optimizers.filter { $0.name == name }.map { optimizer in
          var config = config
          config.optimizer = optimizer
          return key.write(config)
        }
        return Set(values).count > 1
      }
    }.map(shown)
  }

  // MARK: Values that do not fit together

  func conflicts(_ point: Point) -> [ConfigError] {
    let config = point.config
    var found: [ConfigError] = []
    func report(_ paths: [String], _ reason: String) {
      let path = paths.first { point.origins[$0] != nil } ?? paths[0]
      found.append(
        .conflict(at: point.origins[path] ?? .standard, path: path, reason: reason))
    }
    switch config.model {
    case .topKMLP(let model): modelConflicts(model, report)
    case .moeViT(let model):
      transformerConflicts(model, weights: model.parameterCount(classes: 1), report)
      if PatchEmbedding.side % model.patch != 0 {
        report(
          ["model.patch"],
          "patches of \(model.patch) do not divide an image's side of \(PatchEmbedding.side) pixels "
            + "evenly; give 1, 2, 4, 8, 16 or 32")
      }
    case .gptMoE(let model):
      transformerConflicts(model, weights: model.parameterCount(vocabulary: 1), report)
    }
    let readsText = config.model.name == .gptMoE
    if readsText != (config.corpus != nil) {
      report(
        ["model.name", "dataset.name"],
        "\(config.model.name.rawValue) learns from \(readsText ? "text" : "images"), and "
          + "\(config.datasetName) is \(readsText ? "images" : "text"); give a dataset.name of "
          + (readsText
          ? CorpusConfig.Name.allCases.map(\.rawValue) : DatasetName.allCases.map(\.rawValue))
          .joined(separator: ", "))
    }
    if let corpus = config.corpus {
      let files = [corpus.train, corpus.valid, corpus.test]
      if corpus.name == .files, corpus.train == nil {
        report(["dataset.train", "dataset.name"], "the name files needs the path of a text")
      } else if corpus.name == .files, (corpus.valid == nil) != (corpus.test == nil) {
        report(
          ["dataset.valid", "dataset.test"],
          "give both, or neither: the last tenth of the training text then takes their place")
      } else if corpus.name != .files, files.contains(where: { $0 != nil }) {
        report(
          ["dataset.train", "dataset.valid", "dataset.test"],
          "paths are for the name files; \(corpus.name.rawValue) has its own")
      }
      if corpus.vocabulary != nil, corpus.tokenizer != .gpt2 {
        report(
          ["dataset.vocabulary"],
          "belongs to the tokenizer gpt2; \(corpus.tokenizer.rawValue) needs none")
      }
    }
    if let part = config.microBatch, config.batchSize % part != 0 {
      report(
        ["micro_batch", "batch_size"],
        "parts of \(part) do not divide a batch of \(config.batchSize) evenly")
    }
    if config.schedule.warmup > Double(config.epochs) {
      report(
        ["schedule.warmup", "epochs"],
        "a warm-up of \(yaml(config.schedule.warmup)) epochs in a run of \(config.epochs)")
    }
    let optimizer = config.optimizer
    if optimizer.nesterov, optimizer.momentum == 0 || optimizer.dampening != 0 {
      report(
        ["optimizer.nesterov"], "needs a momentum above 0 and a dampening of 0, as in PyTorch")
    }
    if config.dataset.labels == .coarse, config.dataset.name != .cifar100 {
      report(
        ["dataset.labels", "dataset.name"],
        "coarse labels belong to cifar100; \(config.dataset.name.rawValue) has only fine")
    }
    if let limit = config.dataset.limit, config.batchSize > limit {
      found.append(Self.batchTooLarge(config, records: limit, origins: point.origins))
    }
    return found
  }

  private func modelConflicts(
    _ model: TopKMLPConfig, _ report: (_ paths: [String], _ reason: String) -> Void
  ) {
    if let k = model.k, k > model.width {
      report(
        ["model.k", "model.width"],
        "\(k) winners of \(model.width) neurons; k must be from 1 to width")
    }
    if model.k != nil, draft.axes.contains(where: { $0.path == "model.sparsity" }) {
      report(["model.k"], "fixes the winners, so sweeping model.sparsity changes nothing; drop one")
    }
  }

  /// - Parameter weights: how many the model has; nil for more than can be counted.
  private func transformerConflicts(
    _ model: any TransformerConfig, weights: Int?,
    _ report: (_ paths: [String], _ reason: String) -> Void
  ) {
    if model.k > model.experts {
      report(
        ["model.k", "model.experts"],
        "\(model.k) picked of \(model.experts) experts; k must be from 1 to experts")
    }
    if model.d % model.heads != 0 {
      report(
        ["model.heads", "model.d"],
        "\(model.heads) heads do not divide a width d of \(model.d) evenly")
    }
    if weights == nil {
      report(
        ["model.experts", "model.d", "model.hidden", "model.layers"],
        "\(model.layers) layers of \(model.experts) experts, \(model.hidden) by \(model.d), are "
          + "more weights than a computer can address")
    }
  }

  static func batchTooLarge(
    _ config: RunConfig, records: Int, origins: [String: ConfigOrigin]
  ) -> ConfigError {
    let name = config.corpus?.name.rawValue ?? config.dataset.name.rawValue
    let source = config.dataset.limit == nil ? "\(name) has" : "dataset.limit leaves"
    let path =
      origins["batch_size"] == nil && origins["dataset.limit"] != nil
      ? "dataset.limit" : "batch_size"
    return .conflict(
      at: origins[path] ?? .standard, path: path,
      reason: "a batch of \(config.batchSize) is more than the \(records) training records that "
        + "\(source); give a batch_size of \(records) or less")
  }
}
