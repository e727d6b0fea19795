import Datasets
import Foundation
import Models
import Optimizers
import Reports
import Tensors
import Training

extension Setting {
  /// The setting as reports know it.
  /// - Parameter isUnchanged: false where runs start from given weights, to which no published
  ///   value belongs.
  func record(isUnchanged: Bool) -> SettingRecord {
    var record = modelRecord(isUnchanged: isUnchanged)
    if corpus == nil {
      record.limit = dataset.limit
      record.testLimit = dataset.testLimit
    }
    record.maxSteps = maxSteps
    if window != 1 { record.window = window }
    return record
  }

  private func modelRecord(isUnchanged: Bool) -> SettingRecord {
    switch model {
    case .topKMLP(let mlp):
      var record = SettingRecord(
        model: model.name.rawValue, dataset: corpus?.name.rawValue ?? dataset.name.rawValue,
        optimizer: optimizer.name.rawValue,
        lr: optimizer.lr, momentum: optimizer.name == .momentum ? optimizer.momentum : nil,
        batchSize: batchSize, sparsity: mlp.k == nil ? mlp.sparsity : nil,
        schedule: schedule.name.rawValue,
        hiddenLayers: mlp.hiddenLayers, width: mlp.width, epochs: epochs,
        varying: varying.map { SettingAxis($0.key, $0.value) },
        comparable: isUnchanged && dataset.limit == nil && dataset.testLimit == nil && mlp.k == nil
          && window == 1)
      record.picked = mlp.k
      return record
    case .moeViT, .gptMoE:
      var record = SettingRecord(
        model: model.name.rawValue, dataset: corpus?.name.rawValue ?? dataset.name.rawValue,
        optimizer: optimizer.name.rawValue, lr: optimizer.lr,
        momentum: optimizer.name == .momentum ? optimizer.momentum : nil, batchSize: batchSize,
        sparsity: nil, schedule: schedule.name.rawValue, hiddenLayers: model.transformer?.layers,
        width: model.transformer?.d, epochs: epochs,
        varying: varying.map { SettingAxis($0.key, $0.value) },
        comparable: isUnchanged && window == 1 && model.isPublishedTransformer)
      record.experts = model.transformer?.experts
      record.picked = model.transformer?.k
      record.heads = model.transformer?.heads
      record.hidden = model.transformer?.hidden
      if case .moeViT(let vit) = model { record.patch = vit.patch }
      if case .gptMoE(let gpt) = model { record.context = gpt.context }
      return record
    }
  }

  /// How the recipe differs from the default one, which published values are compared with; the
  /// paper's own axes (optimizer, rate, sparsity, batch, schedule, depth) aside.
  var deviations: [String] {
    guard case .topKMLP(let mlp) = model else { return [] }
    var standard = DatasetConfig(name: dataset.name)
    standard.limit = dataset.limit
    standard.testLimit = dataset.testLimit
    var list: [String] = []
    if epochs != ConfigKey.defaults.epochs {
      let plural = epochs == 1 ? "" : "s"
      list.append("\(epochs) epoch\(plural) instead of \(ConfigKey.defaults.epochs)")
    }
    let depth = TopKMLPConfig().hiddenLayers
    if mlp.hiddenLayers != depth, PublishedValues.hiddenLayers.contains(mlp.hiddenLayers) {
      list.append("\(mlp.hiddenLayers) Top-K layers instead of \(depth)")
    }
    if let maxSteps { list.append("at most \(maxSteps) step\(maxSteps == 1 ? "" : "s")") }
    if dataset.augmentation != standard.augmentation {
      list.append("augmentation \(dataset.augmentation.rawValue)")
    }
    if dataset.normalization != standard.normalization {
      list.append("normalization \(dataset.normalization.rawValue)")
    }
    if dataset.cropPadding != standard.cropPadding {
      list.append("crop padding \(dataset.cropPadding)")
    }
    if order != .shuffled { list.append("records in file order") }
    if window != 1 { list.append("utilization averaged over \(window) batches") }
    if optimizer != OptimizerConfig(optimizer.name, lr: optimizer.lr) {
      list.append("other optimizer constants than the defaults")
    }
    if schedule != ScheduleConfig(schedule.name) { list.append("another schedule than per epoch") }
    let plain = TopKMLPConfig(
      hiddenLayers: mlp.hiddenLayers, width: mlp.width, sparsity: mlp.sparsity, k: mlp.k)
    if mlp != plain { list.append("another initialization or normalization layer") }
    return list
  }
}

extension ExperimentConfig {
  /// The experiment as reports know it.
  /// - Parameter command: what repeats it.
  public func record(command: String) -> ExperimentRecord {
    // Only where published values may stand beside ours.
    let deviations = settings.map { $0.dataset.name == .cifar10 ? $0.deviations : [] }
    // What all settings share is said once; what only some have is told by the rows themselves.
    let shared = deviations[0].filter { item in deviations.allSatisfy { $0.contains(item) } }
    return ExperimentRecord(
      name: name, header: header, command: command, config: resolvedYAML, seeds: seeds,
      variants: variants.map(\.rawValue),
      notes: (shared.isEmpty
        ? []
        : ["recipe differs from the one fitted to the paper: " + shared.joined(separator: ", ")])
        + transformerNotes)
  }
}
