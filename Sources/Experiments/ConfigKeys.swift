import Datasets
import Excitation
import Models
import Optimizers
import Tensors
import Text
import Training

/// One scalar key of an experiment: how it is checked, stored and written.
///
/// The table `ConfigKey.all` is the single list of what an experiment may say; reading, sweeping,
/// overriding, writing and the messages all go by it.
struct ConfigKey: Sendable {
  /// Section and key, for example `optimizer.lr`.
  let path: String
  /// Checks a value and stores it.
  let read: @Sendable (ConfigNode, inout RunConfig) throws(ConfigError) -> Void
  /// The value as YAML, or nil where it has no effect on the run (a constant of another optimizer,
  /// the padding of a crop that is off, a limit not given).
  let write: @Sendable (RunConfig) -> String?

  var section: String { path.contains(".") ? String(path.prefix { $0 != "." }) : "" }
  var key: String { section.isEmpty ? path : String(path.dropFirst(section.count + 1)) }

  /// Whether its values are a user's own words, which may have any character.
  var isPath: Bool {
    ["dataset.vocabulary", "dataset.train", "dataset.valid", "dataset.test"].contains(path)
  }

  /// A value that `write` gave, so that YAML reads it back.
  func yamlText(_ value: String) -> String {
    let isPlain = value.allSatisfy { $0.isLetter || $0.isNumber || "_-/.+".contains($0) }
    // Without a slash it may be a number or a truth value.
    return !isPath || (isPlain && value.contains("/") && value.first != "-") ? value : quoted(value)
  }

  /// For the head of a column: the key alone, the section for its name, both where the key alone
  /// could be another's.
  var shortName: String {
    switch key {
    case "name": return section
    case "normalization", "epsilon": return path
    default: return key
    }
  }

  /// Sections that are maps, in the order they are written.
  static let sections = ["dataset", "model", "optimizer", "schedule", "excitation"]
  /// Keys that take lists, and so are no `ConfigKey`.
  static let variants = "excitation.variants"
  static let gamma = "excitation.gamma"
  static let window = "excitation.window"
  static let seeds = "seeds"
  static let sweep = "sweep"
  /// The file that this one extends; gone once files are composed.
  static let extends = "extends"

  static let all: [ConfigKey] =
    [
      datasetName,
      images(choice("dataset.labels", \.dataset.labels)),
      images(choice("dataset.normalization", \.dataset.normalization)),
      images(choice("dataset.augmentation", \.dataset.augmentation)),
      // More than an image's side would leave crops of border alone.
      images(whole("dataset.crop_padding", \.dataset.cropPadding, 0...32) { $0.dataset.crops }),
      images(optionalWhole("dataset.limit", \.dataset.limit, 1...mostRecords)),
      images(optionalWhole("dataset.test_limit", \.dataset.testLimit, 1...mostRecords)),
      text(choice("dataset.tokenizer", \.text.tokenizer)),
      text(path("dataset.vocabulary", \.text.vocabulary)),
      text(path("dataset.train", \.text.train)),
      text(path("dataset.valid", \.text.valid)),
      text(path("dataset.test", \.text.test)),

      modelName,
      // Beyond these bounds a typing error is likelier than a wish; memory would run out first.
      model(whole("model.hidden_layers", \.topKMLP.hiddenLayers, 1...1000)),
      model(whole("model.width", \.topKMLP.width, 1...65536)),
      model(number("model.sparsity", \.topKMLP.sparsity, .share)),
      model(whole("model.layers", \.transformer.layers, 1...1000)),
      model(whole("model.d", \.transformer.d, 1...1_000_000)),
      model(whole("model.heads", \.transformer.heads, 1...65536)),
      model(whole("model.experts", \.transformer.experts, 1...1_000_000)),
      modelK,
      model(whole("model.hidden", \.transformer.hidden, 1...1_000_000)),
      model(whole("model.patch", \.moeViT.patch, 1...32)),
      model(whole("model.context", \.gptMoE.context, 1...1_000_000)),
      model(number("model.balance_weight", \.transformer.balanceWeight, .zeroOrMore)),
      model(number("model.z_weight", \.transformer.zWeight, .zeroOrMore)),
      model(choice("model.initialization", \.topKMLP.initialization)),
      model(choice("model.normalization", \.topKMLP.normalization)),

      optimizerName,
      optimizer(number("optimizer.lr", \.optimizer.lr, .positive)),
      optimizer(number("optimizer.weight_decay", \.optimizer.weightDecay, .zeroOrMore)),
      optimizer(number("optimizer.momentum", \.optimizer.momentum, .share)),
      optimizer(number("optimizer.dampening", \.optimizer.dampening, .unit)),
      optimizer(flag("optimizer.nesterov", \.optimizer.nesterov)),
      optimizer(number("optimizer.beta1", \.optimizer.beta1, .share)),
      optimizer(number("optimizer.beta2", \.optimizer.beta2, .share)),
      optimizer(number("optimizer.alpha", \.optimizer.alpha, .share)),
      optimizer(number("optimizer.lr_decay", \.optimizer.lrDecay, .zeroOrMore)),
      optimizer(
        number("optimizer.initial_accumulator", \.optimizer.initialAccumulator, .zeroOrMore)),
      optimizer(number("optimizer.epsilon", \.optimizer.epsilon, .positive)),

      choice("schedule.name", \.schedule.name),
      choice("schedule.per", \.schedule.per) { $0.schedule.moves },
      number("schedule.warmup", \.schedule.warmup, .zeroOrMore),
      number("schedule.floor", \.schedule.floor, .unit) { $0.schedule.name == .cosine },

      ConfigKey(
        path: "excitation.epsilon",
        read: { (node, config) throws(ConfigError) in
          let epsilon = try Limits.positive.number(node, "excitation.epsilon")
          config.excitation = ExcitationConfig(
            variant: config.excitation.variant, gamma: config.excitation.gamma, epsilon: epsilon,
            window: config.excitation.window)
        }, write: { $0.excitation.variant == .inverted ? yaml($0.excitation.epsilon) : nil }),
      // Every batch of the window is kept, and summed anew at each step.
      whole(window, \.excitation.window, 1...10_000),

      whole("batch_size", \.batchSize, 1...mostRecords),
      optionalWhole("micro_batch", \.microBatch, 1...mostRecords),
      optionalNumber("clip_norm", \.clipNorm, .positive),
      whole("epochs", \.epochs, 1...1_000_000),
      optionalWhole("max_steps", \.maxSteps, 1...1_000_000_000),
      choice("order", \.order),
    ]

  static func named(_ path: String) -> ConfigKey? { all.first { $0.path == path } }

  /// The keys that a section may have, by their names in YAML; "" is the top of the file.
  static func names(inSection section: String) -> [String] {
    let scalars = all.filter { $0.section == section }.map(\.key)
    switch section {
    case "": return sections + scalars + [seeds, sweep, extends]
    case "excitation": return ["variants", "gamma"] + scalars
    default: return scalars
    }
  }

  /// A section's name in a message.
  static func owner(_ section: String) -> String { section.isEmpty ? "an experiment" : section }

  /// What other programs call a key of ours whose name is not spelled alike.
  private static let otherNames = [
    "learning_rate": "lr", "layers": "hidden_layers", "depth": "hidden_layers",
    "num_layers": "hidden_layers", "n_layers": "hidden_layers", "hidden_size": "width",
    "betas": "beta1", "eps": "epsilon", "wd": "weight_decay", "top_k": "k",
    "num_experts": "experts",
  ]

  /// The best guess at what an unknown key was meant to be: a key of another section that is
  /// spelled just so, one that others call so, or the nearest of its own.
  static func guess(for key: String, inSection section: String) -> String? {
    let everywhere = (all.map(\.path) + [variants, gamma]).filter { $0.hasSuffix("." + key) }
    let names = names(inSection: section)
    return everywhere.first ?? otherName(of: key, in: names) ?? nearest(to: key, in: names)
  }

  private static func otherName(of key: String, in names: [String]) -> String? {
    otherNames[key.replacing("-", with: "_")].flatMap { names.contains($0) ? $0 : nil }
  }

  static let defaults = RunConfig(
    dataset: DatasetConfig(name: .cifar10), model: .topKMLP(TopKMLPConfig()),
    optimizer: OptimizerConfig(.sgd), schedule: ScheduleConfig(),
    excitation: ExcitationConfig(variant: .vanilla), batchSize: 512, epochs: 150, seed: 0)

  private static let mostRecords = 1_000_000_000

  // MARK: Kinds of keys

  private static func number(
    _ path: String, _ place: WritableKeyPath<RunConfig, Double> & Sendable, _ limits: Limits,
    when isUsed: @escaping @Sendable (RunConfig) -> Bool = { _ in true }
  ) -> ConfigKey {
    ConfigKey(
      path: path,
      read: { (node, config) throws(ConfigError) in
        config[keyPath: place] = try limits.number(node, path)
      }, write: { isUsed($0) ? yaml($0[keyPath: place]) : nil })
  }

  private static func whole(
    _ path: String, _ place: WritableKeyPath<RunConfig, Int> & Sendable,
    _ range: ClosedRange<Int>,
    when isUsed: @escaping @Sendable (RunConfig) -> Bool = { _ in true }
  ) -> ConfigKey {
    ConfigKey(
      path: path,
      read: { (node, config) throws(ConfigError) in
        config[keyPath: place] = try wholeNumber(node, path, range)
      }, write: { isUsed($0) ? String($0[keyPath: place]) : nil })
  }

  private static func optionalWhole(
    _ path: String, _ place: WritableKeyPath<RunConfig, Int?> & Sendable,
    _ range: ClosedRange<Int>
  ) -> ConfigKey {
    ConfigKey(
      path: path,
      read: { (node, config) throws(ConfigError) in
        config[keyPath: place] = node.isNothing ? nil : try wholeNumber(node, path, range)
      }, write: { $0[keyPath: place].map(String.init) })
  }

  private static func optionalNumber(
    _ path: String, _ place: WritableKeyPath<RunConfig, Double?> & Sendable, _ limits: Limits
  ) -> ConfigKey {
    ConfigKey(
      path: path,
      read: { (node, config) throws(ConfigError) in
        config[keyPath: place] = node.isNothing ? nil : try limits.number(node, path)
      }, write: { $0[keyPath: place].map(yaml) })
  }

  private static func flag(
    _ path: String, _ place: WritableKeyPath<RunConfig, Bool> & Sendable
  ) -> ConfigKey {
    ConfigKey(
      path: path,
      read: { (node, config) throws(ConfigError) in
        switch node.content {
        case .scalar("true", false), .scalar("True", false), .scalar("TRUE", false):
          config[keyPath: place] = true
        case .scalar("false", false), .scalar("False", false), .scalar("FALSE", false):
          config[keyPath: place] = false
        default:
          throw .wrongType(
            at: node.origin, path: path, expected: "true or false", found: node.found)
        }
      }, write: { String($0[keyPath: place]) })
  }

  private static func choice<Value>(
    _ path: String, _ place: WritableKeyPath<RunConfig, Value> & Sendable,
    when isUsed: @escaping @Sendable (RunConfig) -> Bool = { _ in true }
  ) -> ConfigKey
  where Value: RawRepresentable<String> & CaseIterable & Sendable {
    ConfigKey(
      path: path,
      read: { (node, config) throws(ConfigError) in
        config[keyPath: place] = try name(node, path)
      }, write: { isUsed($0) ? $0[keyPath: place].rawValue : nil })
  }

  private static func path(
    _ path: String, _ place: WritableKeyPath<RunConfig, String?> & Sendable
  ) -> ConfigKey {
    ConfigKey(
      path: path,
      read: { (node, config) throws(ConfigError) in
        config[keyPath: place] =
          node.isNothing ? nil : try word(node, path, expected: "a path")
      }, write: { $0[keyPath: place] })
  }

  /// A set of images, or a text.
  private static let datasetName = ConfigKey(
    path: "dataset.name",
    read: { (node, config) throws(ConfigError) in
      let name: AnyDataset = try name(node, "dataset.name")
      switch name {
      case .images(let set):
        config.dataset.name = set
        config.corpus = nil
      case .text(let corpus):
        if config.corpus?.name != corpus { config.corpus = CorpusConfig(name: corpus) }
      }
    }, write: { $0.datasetName })

  private enum AnyDataset: RawRepresentable, CaseIterable {
    case images(DatasetName)
    case text(CorpusConfig.Name)

    static let allCases =
      DatasetName.allCases.map(images) + CorpusConfig.Name.allCases.map(text)

    var rawValue: String {
      switch self {
      case .images(let name): name.rawValue
      case .text(let name): name.rawValue
      }
    }

    init?(rawValue: String) {
      guard let found = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
      self = found
    }
  }

  /// Keys that only images, or only texts, have.
  private static func images(_ inner: ConfigKey) -> ConfigKey { inner.only(forText: false) }
  private static func text(_ inner: ConfigKey) -> ConfigKey { inner.only(forText: true) }

  private func only(forText isText: Bool) -> ConfigKey {
    ConfigKey(
      path: path,
      read: { (node, config) throws(ConfigError) in
        guard (config.corpus != nil) == isText else {
          let own = ConfigKey.datasetKeys(ofText: config.corpus != nil)
          throw .unknownKey(
            at: node.origin, path: path, owner: config.datasetName, allowed: own, nearest: nil)
        }
        try read(node, &config)
      }, write: { ($0.corpus != nil) == isText ? write($0) : nil })
  }

  private static func datasetKeys(ofText isText: Bool) -> [String] {
    isText
      ? ["name", "tokenizer", "vocabulary", "train", "valid", "test"]
      : ["name", "labels", "normalization", "augmentation", "crop_padding", "limit", "test_limit"]
  }

  /// Naming an optimizer starts from its own defaults; the section's other keys are read later.
  private static let optimizerName = ConfigKey(
    path: "optimizer.name",
    read: { (node, config) throws(ConfigError) in
      config.optimizer = OptimizerConfig(try name(node, "optimizer.name"))
    }, write: { $0.optimizer.name.rawValue })

  /// A constant that only some optimizers have.
  private static func optimizer(_ inner: ConfigKey) -> ConfigKey {
    ConfigKey(
      path: inner.path, read: inner.read,
      write: {
        OptimizerConfig.keys(of: $0.optimizer.name).contains(inner.key) ? inner.write($0) : nil
      })
  }

  /// Naming a model starts from its own defaults; the section's other keys are read later.
  private static let modelName = ConfigKey(
    path: "model.name",
    read: { (node, config) throws(ConfigError) in
      let name: ModelName = try name(node, "model.name")
      if name != config.model.name { config.model = ModelConfig(name) }
    }, write: { $0.model.name.rawValue })

  /// A key that only some models have.
  private static func model(_ inner: ConfigKey) -> ConfigKey {
    @Sendable func keys(_ config: RunConfig) -> [String] { ModelConfig.keys(of: config.model.name) }
    return ConfigKey(
      path: inner.path,
      read: { (node, config) throws(ConfigError) in
        guard keys(config).contains(inner.key) else {
          throw .unknownKey(
            at: node.origin, path: inner.path, owner: config.model.name.rawValue,
            allowed: keys(config), nearest: otherName(of: inner.key, in: keys(config)))
        }
        try inner.read(node, &config)
      }, write: { keys($0).contains(inner.key) ? inner.write($0) : nil })
  }

  /// Winners of a Top-K layer, where given, or experts picked per token.
  private static let modelK: ConfigKey = {
    let winners = optionalWhole("model.k", \.topKMLP.k, 1...65536)
    let picked = whole("model.k", \.transformer.k, 1...65536)
    @Sendable func key(_ config: RunConfig) -> ConfigKey {
      switch config.model {
      case .topKMLP: winners
      case .moeViT, .gptMoE: picked
      }
    }
    return ConfigKey(
      path: winners.path,
      read: { (node, config) throws(ConfigError) in try key(config).read(node, &config) },
      write: { key($0).write($0) })
  }()

  // MARK: Values

  static func name<Value>(_ node: ConfigNode, _ path: String) throws(ConfigError) -> Value
  where Value: RawRepresentable<String> & CaseIterable {
    let known = Value.allCases.map(\.rawValue)
    let text = try word(node, path, expected: "one of " + known.joined(separator: ", "))
    guard let value = Value(rawValue: text) else {
      // YAML 1.1 has these for false; here they are meant to switch something off.
      let isOff = ["no", "off", "false"].contains(text.lowercased()) && known.contains("none")
      throw .unknownName(
        at: node.origin, path: path, found: text, allowed: known,
        nearest: isOff ? "none" : nearest(to: text, in: known))
    }
    return value
  }

  private static func word(
    _ node: ConfigNode, _ path: String, expected: String
  ) throws(ConfigError) -> String {
    guard let text = node.text else {
      throw .wrongType(at: node.origin, path: path, expected: expected, found: node.found)
    }
    return text
  }

  static func wholeNumber(
    _ node: ConfigNode, _ path: String, _ range: ClosedRange<Int>
  ) throws(ConfigError) -> Int {
    let expected =
      range.upperBound == Int.max
      ? "a whole number, \(range.lowerBound) or more"
      : "a whole number from \(range.lowerBound) to \(range.upperBound)"
    guard let number = node.number else {
      throw .wrongType(at: node.origin, path: path, expected: expected, found: node.found)
    }
    guard let value = node.wholeNumber, range.contains(value) else {
      let isWhole = number.isFinite && number == number.rounded()
      let found = printable(node.text ?? "")
      throw isWhole
        ? .outOfRange(at: node.origin, path: path, expected: expected, found: found)
        : .wrongType(at: node.origin, path: path, expected: expected, found: node.found)
    }
    return value
  }
}

/// The numbers a key takes.
struct Limits: Sendable {
  let text: String
  let contains: @Sendable (Double) -> Bool

  static let finite = Limits(text: "a finite number") { _ in true }
  static let positive = Limits(text: "a finite number above 0") { $0 > 0 }
  static let zeroOrMore = Limits(text: "a finite number, 0 or more") { $0 >= 0 }
  /// [0, 1)
  static let share = Limits(text: "a number from 0 to below 1") { (0..<1).contains($0) }
  /// [0, 1]
  static let unit = Limits(text: "a number from 0 to 1") { (0...1).contains($0) }

  func number(_ node: ConfigNode, _ path: String) throws(ConfigError) -> Double {
    guard let number = node.number else {
      throw .wrongType(at: node.origin, path: path, expected: text, found: node.found)
    }
    guard number.isFinite, contains(number) else {
      let found = printable(node.text ?? "")
      throw .outOfRange(at: node.origin, path: path, expected: text, found: found)
    }
    // −0 is 0, and must not make a second name for the same run.
    return number == 0 ? 0 : number
  }
}

/// A number as configs and tables show it: the shortest text that reads back the same, without a
/// trailing ".0".
func yaml(_ number: Double) -> String {
  Int(exactly: number).map(String.init) ?? String(number)
}

extension RunConfig {
  /// For the keys of one family, which are read and written only where it is the run's.
  var topKMLP: TopKMLPConfig {
    get {
      guard case .topKMLP(let config) = model else { return TopKMLPConfig() }
      return config
    }
    set { model = .topKMLP(newValue) }
  }

  var moeViT: MoEViTConfig {
    get {
      guard case .moeViT(let config) = model else { return MoEViTConfig() }
      return config
    }
    set { model = .moeViT(newValue) }
  }

  var gptMoE: GPTMoEConfig {
    get {
      guard case .gptMoE(let config) = model else { return GPTMoEConfig() }
      return config
    }
    set { model = .gptMoE(newValue) }
  }

  /// What all transformers have.
  var transformer: any TransformerConfig {
    get { model.transformer ?? MoEViTConfig() }
    set { model.transformer = newValue }
  }

  /// For the keys of texts, which are read and written only where the run has one.
  var text: CorpusConfig {
    get { corpus ?? CorpusConfig(name: .synthetic) }
    set { corpus = newValue }
  }

  /// Of a set of images or a text.
  var datasetName: String { corpus?.name.rawValue ?? dataset.name.rawValue }

  /// The same run, with everything that has no effect on it at its default: equal numbers, equal
  /// values.
  var canonical: RunConfig {
    var config = self
    let plain = ConfigKey.defaults
    if !dataset.crops { config.dataset.cropPadding = plain.dataset.cropPadding }
    if corpus != nil { config.dataset = plain.dataset }
    if !schedule.moves { config.schedule.per = plain.schedule.per }
    if schedule.name != .cosine { config.schedule.floor = plain.schedule.floor }
    let variant = excitation.variant
    config.excitation = ExcitationConfig(
      variant: variant,
      gamma: variant == .vanilla ? plain.excitation.gamma : excitation.gamma,
      epsilon: variant == .inverted ? excitation.epsilon : plain.excitation.epsilon,
      window: variant == .vanilla ? plain.excitation.window : excitation.window)
    return config
  }
}

extension DatasetConfig {
  var crops: Bool { augmentation == .crop || augmentation == .flipCrop }
}

extension ScheduleConfig {
  /// Whether the rate changes at all, so that it matters when.
  var moves: Bool { name != .constant || warmup > 0 }
}
