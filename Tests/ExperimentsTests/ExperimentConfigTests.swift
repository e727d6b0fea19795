import Datasets
import Excitation
import Experiments
import Foundation
import Models
import Optimizers
import Testing
import Training

private func parse(
  _ yaml: String, _ flags: ConfigOverrides = ConfigOverrides()
) throws -> ExperimentConfig {
  try ExperimentConfig.parse(yaml: yaml, file: "folder/some.name.yaml", overrides: flags)
}

/// The row heads of an experiment: `lr=0.1 batch_size=16`.
private func rows(_ experiment: ExperimentConfig) -> [String] {
  experiment.settings.map {
    $0.varying.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
  }
}

@Suite struct ExperimentConfigTests {
  @Test func defaultsAreThePapersSGDRow() throws {
    let experiment = try ExperimentConfig.standard()
    #expect(experiment.name == "default")
    #expect(experiment.variants == [.vanilla, .zeroSum, .positiveSum])
    #expect(experiment.gammas == [1])
    #expect(experiment.seeds == [0, 1, 2])
    #expect(experiment.axes.isEmpty)
    #expect(experiment.runs.count == 9)
    let expected = RunConfig(
      dataset: DatasetConfig(name: .cifar10), model: .topKMLP(TopKMLPConfig()),
      optimizer: OptimizerConfig(.sgd), schedule: ScheduleConfig(),
      excitation: ExcitationConfig(variant: .vanilla), batchSize: 512, epochs: 150, seed: 0)
    #expect(experiment.base == expected)
    #expect(experiment.runs.first?.config == expected)
    #expect(try parse("model:").runs == experiment.runs)
  }

  @Test func everyKeyIsRead() throws {
    let experiment = try parse(
      """
      # source: nowhere
      #   second line

      dataset: {name: cifar100, labels: coarse, normalization: unit, augmentation: crop,
        crop_padding: 2, limit: 1000, test_limit: 10}
      model: {name: topk_mlp, hidden_layers: 5, width: 64, sparsity: 0.5, k: 7,
        initialization: he, normalization: layer_norm}
      optimizer: {name: momentum, lr: 0.3, weight_decay: 1e-4, momentum: 0.8, dampening: 0,
        nesterov: true}
      schedule: {name: cosine, per: step, warmup: 0.5, floor: 0.1}
      excitation: {variants: [inverted], gamma: 2, epsilon: 1e-3}
      batch_size: 32
      epochs: 4
      max_steps: 9
      order: sequential
      seeds: [5]
      """)
    #expect(experiment.name == "some.name")
    #expect(experiment.header == ["source: nowhere", "  second line"])
    var optimizer = OptimizerConfig(.momentum, lr: 0.3)
    optimizer.weightDecay = 1e-4
    optimizer.momentum = 0.8
    optimizer.nesterov = true
    let model = TopKMLPConfig(
      hiddenLayers: 5, width: 64, sparsity: 0.5, k: 7, initialization: .he,
      normalization: .layerNorm)
    let expected = RunConfig(
      dataset: DatasetConfig(
        name: .cifar100, labels: .coarse, normalization: .unit, augmentation: .crop,
        cropPadding: 2, limit: 1000, testLimit: 10),
      model: .topKMLP(model), optimizer: optimizer,
      schedule: ScheduleConfig(.cosine, per: .step, warmup: 0.5, floor: 0.1),
      excitation: ExcitationConfig(variant: .inverted, gamma: 2, epsilon: 1e-3), batchSize: 32,
      epochs: 4, maxSteps: 9, order: .sequential, seed: 5)
    #expect(experiment.runs.map(\.config) == [expected])
  }

  @Test(arguments: [
    ("{name: adam, beta1: 0.8, beta2: 0.9, epsilon: 1e-7}", "beta1 0.8 beta2 0.9 epsilon 1e-07"),
    ("{name: rmsprop, alpha: 0.9}", "alpha 0.9"),
    ("{name: adagrad, lr_decay: 0.1, initial_accumulator: 0.2}", "lrDecay 0.1 initial 0.2"),
  ])
  func constantsOfOptimizers(yaml: String, changed: String) throws {
    let found = try parse("optimizer: \(yaml)").base.optimizer
    let plain = OptimizerConfig(found.name)
    var words: [String] = []
    if found.beta1 != plain.beta1 { words.append("beta1 \(found.beta1)") }
    if found.beta2 != plain.beta2 { words.append("beta2 \(found.beta2)") }
    if found.alpha != plain.alpha { words.append("alpha \(found.alpha)") }
    if found.lrDecay != plain.lrDecay { words.append("lrDecay \(found.lrDecay)") }
    if found.initialAccumulator != plain.initialAccumulator {
      words.append("initial \(found.initialAccumulator)")
    }
    if found.epsilon != plain.epsilon { words.append("epsilon \(found.epsilon)") }
    #expect(words.joined(separator: " ") == changed)
    #expect(found.lr == plain.lr)
  }

  @Test(arguments: [
    ("1e-4", 1e-4), ("1E-4", 1e-4), ("1.5e-4", 1.5e-4), (".5", 0.5), ("5e2", 500), ("+0.1", 0.1),
    ("1_000.5", 1000.5), ("3", 3),
  ])
  func numbersAreReadAsPeopleWriteThem(text: String, value: Double) throws {
    #expect(try parse("optimizer: {lr: \(text)}").base.optimizer.lr == value)
  }

  @Test(arguments: [("5e2", 500), ("512.0", 512), ("1_000", 1000)])
  func wholeNumbersToo(text: String, value: Int) throws {
    #expect(try parse("epochs: \(text)").base.epochs == value)
  }

  @Test func sectionsMayBeANameAlone() throws {
    let base = try parse("dataset: svhn\noptimizer: adam\nschedule: constant\nmodel: topk_mlp").base
    #expect(base.dataset.name == .svhn)
    #expect(base.optimizer == OptimizerConfig(.adam))
    #expect(base.schedule.name == .constant)
  }

  @Test func aliasesAndMergeKeys() throws {
    let experiment = try parse(
      "optimizer: &a {name: adam, lr: 0.1, beta1: 0.5}\n"
        + "sweep: {optimizer: [*a, {<<: *a, lr: 0.2}]}")
    #expect(experiment.settings.map(\.optimizer.lr) == [0.1, 0.2])
    #expect(experiment.settings.allSatisfy { $0.optimizer.beta1 == 0.5 })
  }

  // MARK: Grids

  @Test func axesCrossWithTheLastMovingFastest() throws {
    let experiment = try parse(
      "sweep: {optimizer.lr: [0.1, 1e-3], model: {sparsity: [0.9, 0.5]}, epochs: [3]}")
    // One value is no column.
    #expect(
      rows(experiment) == [
        "lr=0.1 sparsity=0.9", "lr=0.1 sparsity=0.5", "lr=0.001 sparsity=0.9",
        "lr=0.001 sparsity=0.5",
      ])
    #expect(experiment.settings.allSatisfy { $0.epochs == 3 })
    #expect(experiment.axes.map(\.keyPath) == ["optimizer.lr", "model.sparsity", "epochs"])
    #expect(experiment.runs.count == 4 * 3 * 3)
  }

  @Test func namedOptimizersHaveTheirOwnDefaults() throws {
    let experiment = try parse(
      "optimizer: {name: sgd, lr: 0.5}\nsweep: {optimizer: [sgd, adam, {name: adagrad, lr: 1}]}")
    #expect(rows(experiment) == ["optimizer=sgd", "optimizer=adam", "optimizer=adagrad"])
    #expect(experiment.settings.map(\.optimizer.lr) == [0.01, 1e-4, 1])
    #expect(try parse("optimizer: [sgd, adam, {name: adagrad, lr: 1}]").runs == experiment.runs)
  }

  @Test func optimizersOfOneNameShowWhatDiffers() throws {
    let experiment = try parse("optimizer: [{name: sgd, lr: 0.1}, {name: sgd, lr: 0.2}, adam]")
    #expect(
      rows(experiment) == [
        "optimizer=sgd lr=0.1", "optimizer=sgd lr=0.2", "optimizer=adam lr=0.0001",
      ])
  }

  @Test func constantsGoToTheOptimizersThatHaveThem() throws {
    let experiment = try parse("optimizer: [sgd, adam]\nsweep: {optimizer.beta1: [0.8, 0.9]}")
    // SGD has no β₁, so its two points are one.
    #expect(
      rows(experiment) == [
        "optimizer=sgd beta1=–", "optimizer=adam beta1=0.8", "optimizer=adam beta1=0.9",
      ])
  }

  @Test func pointsThatDifferInNothingAreOne() throws {
    // A constant rate has no floor.
    let floors = try parse("sweep: {schedule: [constant, cosine], schedule.floor: [0, 0.1]}")
    #expect(
      rows(floors) == [
        "schedule=constant floor=–", "schedule=cosine floor=0", "schedule=cosine floor=0.1",
      ])
  }

  @Test func vanillaRunsOnceWhateverTheGammas() throws {
    let experiment = try parse(
      "excitation: {variants: [zero-sum, vanilla], gamma: [3, 2]}\nseeds: [4, 0]")
    let order = experiment.runs.map { run in
      let excitation = run.config.excitation
      return "\(excitation.variant.rawValue) \(excitation.gamma) \(run.config.seed)"
    }
    #expect(
      order == [
        "zero-sum 3.0 4", "zero-sum 3.0 0", "zero-sum 2.0 4", "zero-sum 2.0 0", "vanilla 1.0 4",
        "vanilla 1.0 0",
      ])
  }

  @Test func tooLargeGridsAreRefused() {
    let values = (1...200).map(String.init).joined(separator: ", ")
    let error = #expect(throws: ConfigError.self) {
      try parse("sweep: {epochs: [\(values)], model.width: [\(values)]}")
    }
    // "sweep: {epochs: [" is 17 long; the list of 1…200 takes 9 + 2·90 + 3·101 digits and 2·199
    // for commas and spaces, 890 in all; "], model.width: [" is 17 more.
    #expect(
      error?.description
        == "folder/some.name.yaml:1:925: model.width: "
        + "the grid has over 10000 settings")

    let runs = #expect(throws: ConfigError.self) {
      // 3 variants · 4 γ · 9,000 seeds; that vanilla needs no γ is not counted.
      try parse(
        "excitation: {gamma: [1, 2, 3, 4]}", ConfigOverrides(seeds: "0-8999"))
    }
    #expect(
      runs?.description == "--seeds 0-8999: 108000 runs in all; 100000 is the most")
  }

  // MARK: Flags

  @Test func setReplacesWhatTheFileSays() throws {
    let yaml = "optimizer: {name: sgd, lr: 0.5}\nsweep: {model.width: [16, 32]}"
    let experiment = try parse(
      yaml,
      ConfigOverrides(
        set: ["model.width=64", "epochs=3", "epochs=4", "schedule=constant", "dataset.limit=900"],
        seeds: "0-2,7", variants: "vanilla,exp-diff", maxSteps: "5", order: "sequential"))
    #expect(experiment.settings.count == 1)
    #expect(experiment.base.topKWidth == 64)
    #expect(experiment.base.epochs == 4)
    #expect(experiment.base.schedule.name == .constant)
    #expect(experiment.base.optimizer.lr == 0.5)
    #expect(experiment.base.dataset.limit == 900)
    #expect(experiment.base.maxSteps == 5)
    #expect(experiment.base.order == .sequential)
    #expect(experiment.seeds == [0, 1, 2, 7])
    #expect(experiment.variants == [.vanilla, .expDiff])
    #expect(
      try parse("max_steps: 3", ConfigOverrides(set: ["max_steps=null"])).base.maxSteps == nil)
  }

  @Test func settingAnOptimizerTakesItsDefaultsButItsNameKeepsTheRest() throws {
    let yaml = "optimizer: {name: sgd, lr: 0.5}"
    #expect(try parse(yaml, ConfigOverrides(set: ["optimizer=adam"])).base.optimizer.lr == 1e-4)
    #expect(
      try parse(yaml, ConfigOverrides(set: ["optimizer.name=adam"])).base.optimizer.lr == 0.5)
  }

  @Test func setReachesAllOptimizersOfAGrid() throws {
    let experiment = try parse(
      "optimizer: [sgd, {name: adam, lr: 1}]",
      ConfigOverrides(set: ["optimizer.lr=0.3", "optimizer.beta1=0.5"]))
    #expect(experiment.settings.map(\.optimizer.lr) == [0.3, 0.3])
    #expect(experiment.settings.map(\.optimizer.beta1) == [0.9, 0.5])
  }

  @Test func axisFlagsReplaceTheFilesAxes() throws {
    let experiment = try parse(
      "sweep: {optimizer.lr: [1, 2], epochs: [3, 4]}",
      ConfigOverrides(axes: [SweepAxis(.lr, list: "5, 6"), try SweepAxis(set: "model.width=8,16")]))
    #expect(
      rows(experiment) == [
        "lr=5 epochs=3 width=8", "lr=5 epochs=3 width=16", "lr=5 epochs=4 width=8",
        "lr=5 epochs=4 width=16", "lr=6 epochs=3 width=8", "lr=6 epochs=3 width=16",
        "lr=6 epochs=4 width=8", "lr=6 epochs=4 width=16",
      ])
    let optimizers = try SweepAxis(set: "optimizer={name: sgd, lr: 1},adam")
    #expect(optimizers.values == ["{name: sgd, lr: 1}", "adam"])
  }

  /// A sweep reads all its `--set` as axes; these keys have none.
  @Test func axisFlagsOverOtherKeysSetThem() throws {
    let texts = [
      "seeds=4,6-7", "excitation.variants=vanilla,inverted", "excitation.epsilon=0.5",
      "model={width: 16, sparsity: 0.5}", "schedule=constant",
    ]
    let experiment = try parse(
      "epochs: 3", ConfigOverrides(axes: try texts.map { try SweepAxis(set: $0) }))
    #expect(experiment.seeds == [4, 6, 7])
    #expect(experiment.variants == [.vanilla, .inverted])
    #expect(experiment.epsilon == 0.5)
    #expect(experiment.base.topKWidth == 16)
    #expect(experiment.base.schedule.name == .constant)
    #expect(experiment.settings.count == 1)
  }

  @Test func axesWithoutValuesAreThePapers() throws {
    // Table 3, SGD.
    let rates = try ExperimentConfig.standard(overrides: ConfigOverrides(axes: [SweepAxis(.lr)]))
    #expect(rates.settings.map(\.optimizer.lr) == [0.01, 0.015, 0.02, 0.05, 0.1, 0.2, 0.3])
    // Table 3 in full: each optimizer with its own rates.
    let both = try ExperimentConfig.standard(
      overrides: ConfigOverrides(axes: [SweepAxis(.lr), SweepAxis(.optimizer, list: "sgd,adam")]))
    #expect(both.settings.count == 14)
    #expect(
      both.settings.suffix(7).map(\.optimizer.lr)
        == [1e-4, 1.5e-4, 2e-4, 5e-4, 0.001, 0.002, 0.003])
    #expect(rows(both).first == "optimizer=sgd lr=0.01")
    // Table 7; γ belongs to the runs, so that all share one vanilla.
    let gammas = try ExperimentConfig.standard(
      overrides: ConfigOverrides(axes: [SweepAxis(.gamma)]))
    #expect(gammas.gammas == [1, 2, 3])
    #expect(gammas.settings.count == 1)
    #expect(gammas.runs.count == (1 + 2 * 3) * 3)
  }

  @Test(arguments: [
    (PaperGrid.Axis.sparsity, 5), (.batchSize, 6), (.optimizer, 6), (.schedule, 2),
    (.hiddenLayers, 4),
  ])
  func paperGridsAreValid(axis: PaperGrid.Axis, count: Int) throws {
    let experiment = try ExperimentConfig.standard(
      overrides: ConfigOverrides(axes: [SweepAxis(axis)]))
    #expect(experiment.settings.count == count)
    #expect(experiment.settings.allSatisfy { $0.varying.count == 1 })
  }

  @Test(arguments: OptimizerName.allCases)
  func paperRatesHoldThePublishedDefault(optimizer: OptimizerName) {
    let rates = PaperGrid.values(forAxis: .lr, optimizer: optimizer).compactMap(Double.init)
    #expect(rates.count == 7)
    #expect(rates.contains(OptimizerConfig(optimizer).lr))
  }

  // MARK: Labels

  @Test func labelsNameTheNumbersAndNothingElse() throws {
    let experiment = try parse("seeds: [3]\nexcitation: {variants: [zero-sum]}")
    let run = try #require(experiment.runs.first)
    #expect(
      run.config.canonicalJSON
        == "{\"batch_size\":512,\"dataset.augmentation\":\"flip+crop\",\"dataset.crop_padding\":4,"
        + "\"dataset.labels\":\"fine\",\"dataset.name\":\"cifar10\","
        + "\"dataset.normalization\":\"standard\",\"epochs\":150,\"excitation.gamma\":1,"
        + "\"excitation.variant\":\"zero-sum\",\"model.hidden_layers\":2,"
        + "\"model.initialization\":\"pytorch\",\"model.name\":\"topk_mlp\","
        + "\"model.normalization\":\"none\",\"model.sparsity\":0.9,\"model.width\":128,"
        + "\"optimizer.lr\":0.01,\"optimizer.name\":\"sgd\",\"optimizer.weight_decay\":0,"
        + "\"order\":\"shuffled\",\"schedule.floor\":0,\"schedule.name\":\"cosine\","
        + "\"schedule.per\":\"epoch\",\"schedule.warmup\":0,\"seed\":3}")
    // The upper half of that text's ContentHash, by a separate Python program.
    #expect(run.label == "sgd-zero-sum-seed3-6115ec2b")

    // Other seeds, variants, settings and what has no effect leave it alone.
    let wider = try parse(
      "seeds: [1, 3]\nexcitation: {variants: [zero-sum, inverted], epsilon: 0.1, gamma: [1, 2]}\n"
        + "sweep: {optimizer.lr: [0.01, 0.1]}")
    #expect(wider.runs.map(\.label).contains(run.label))
    #expect(Set(wider.runs.map(\.label)).count == wider.runs.count)
    // What matters changes it.
    for change in ["epochs=299", "dataset.limit=600", "optimizer.lr=0.02", "max_steps=1"] {
      let other = try parse(
        "seeds: [3]\nexcitation: {variants: [zero-sum]}", ConfigOverrides(set: [change]))
      #expect(other.runs.first?.label != run.label, "\(change)")
    }
  }

  // MARK: Resolved YAML

  /// A comment of its config is no part of what an experiment is.
  @Test func commentsChangeNoName() throws {
    func name(_ header: String, epochs: Int) throws -> String {
      try ExperimentConfig.parse(
        yaml: "\(header)optimizer: adam\n", file: "a.yaml",
        overrides: ConfigOverrides(set: ["epochs=\(epochs)"])
      ).storeName(initial: nil)
    }
    #expect(try name("# one\n", epochs: 3) == name("# another\n# line\n", epochs: 3))
    #expect(try name("", epochs: 3) != name("", epochs: 4))
  }

  @Test func resolvedExperimentInFull() throws {
    let experiment = try parse(
      "# a header\noptimizer: adam\nexcitation: {variants: [vanilla, inverted], gamma: [1, 0.5]}\n"
        + "sweep: {optimizer.lr: [1e-5, 1], dataset.limit: [600, null]}")
    #expect(
      experiment.resolvedYAML == """
        # a header
        dataset: {name: cifar10, labels: fine, normalization: standard, augmentation: flip+crop, \
        crop_padding: 4}
        model: {name: topk_mlp, hidden_layers: 2, width: 128, sparsity: 0.9, \
        initialization: pytorch, normalization: none}
        optimizer: {name: adam, weight_decay: 0, beta1: 0.9, beta2: 0.999, epsilon: 1e-08}
        schedule: {name: cosine, per: epoch, warmup: 0, floor: 0}
        excitation: {variants: [vanilla, inverted], gamma: [1, 0.5], epsilon: 1e-06}
        batch_size: 512
        epochs: 150
        order: shuffled
        seeds: [0, 1, 2]
        sweep:
          optimizer.lr: [1e-05, 1]
          dataset.limit: [600, null]

        """)
  }

  @Test(arguments: [
    "optimizer: adam", "optimizer: [sgd, {name: adam, lr: 1e-3}]\nsweep: {optimizer.lr: [1, 2]}",
    "sweep: {epochs: [1, 2], optimizer: [sgd, adagrad], optimizer.weight_decay: [0, 1e-5]}",
    "sweep: {schedule: [constant, cosine], schedule.floor: [0, 0.1], model.k: [3, null]}",
    "excitation: {variants: [inverted], gamma: [0.1, 1e-7, -2], epsilon: 1e-5}\nseeds: [7]",
    "excitation: {window: 4}", "sweep: {excitation.window: [1, 4, 16], batch_size: [16, 64]}",
    "dataset: {name: svhn, augmentation: flip, test_limit: 3}\nschedule: {name: constant}",
    "optimizer: {name: momentum, nesterov: true, lr: 0.30000000000000004}\nmax_steps: 3",
  ])
  func resolvedExperimentsReadBackTheSame(yaml: String) throws {
    let experiment = try parse(yaml)
    let again = try parse(experiment.resolvedYAML)
    #expect(again.runs == experiment.runs)
    #expect(again.resolvedYAML == experiment.resolvedYAML)
    for run in experiment.runs {
      #expect(try parse(run.config.resolvedYAML).runs.map(\.config) == [run.config])
    }
  }

  @Test func aTransformerIsReadAndWrittenBack() throws {
    let experiment = try parse(
      """
      model: {name: moe_vit, layers: 2, d: 512, heads: 8, experts: 32, k: 8, hidden: 32}
      sweep: {model.k: [4, 8]}
      """)
    guard case .moeViT(let vit) = experiment.settings[1].model else {
      Issue.record("not a transformer")
      return
    }
    #expect(
      vit == MoEViTConfig(layers: 2, d: 512, heads: 8, experts: 32, k: 8, hidden: 32))
    #expect(experiment.settings.map { $0.varying.map(\.value) } == [["4"], ["8"]])
    #expect(try parse(experiment.resolvedYAML).runs == experiment.runs)
    let json = experiment.runs[0].config.canonicalJSON
    #expect(json.contains("\"model.name\":\"moe_vit\"") && json.contains("\"model.k\":4"))
    #expect(!json.contains("model.width") && !json.contains("model.sparsity"))
  }

  /// A window of 1 is what runs were before there was one: their identity must not change.
  @Test func aWindowOfOneLeavesRunsTheirNames() throws {
    let plain = try parse("seeds: [0]")
    let one = try parse("seeds: [0]\nexcitation: {window: 1}")
    #expect(one.runs == plain.runs)
    #expect(one.resolvedYAML == plain.resolvedYAML)
    #expect(plain.runs.allSatisfy { !$0.config.canonicalJSON.contains("window") })
    let four = try parse("seeds: [0]\nexcitation: {window: 4}")
    #expect(
      four.runs.map { $0.config.canonicalJSON.contains("\"excitation.window\":4") } == [
        false, true, true,
      ])
    // Vanilla looks at no utilization.
    #expect(four.runs[0].label == plain.runs[0].label)
    #expect(four.runs[1].label != plain.runs[1].label)
    #expect(four.resolvedYAML.contains("gamma: 1, window: 4}"))
  }

  @Test func windowsAreAnAxis() throws {
    let flags = ConfigOverrides(axes: [try SweepAxis(set: "excitation.window=1,4,16")])
    let experiment = try ExperimentConfig.standard(overrides: flags)
    #expect(rows(experiment) == ["window=1", "window=4", "window=16"])
    #expect(experiment.runs.count == 27)
    // Three seeds of vanilla, and of two variants for each window: 3 + 3·2·3.
    let labels = Set(experiment.runs.map(\.label))
    #expect(labels.count == 21)
  }

  @Test(arguments: ["0", "-1", "1.5", "ten", "10001"])
  func windowsAreWholeNumbers(text: String) throws {
    #expect(throws: ConfigError.self) { try parse("excitation: {window: \(text)}") }
  }

  /// A map leaves out what has one of its values at each of its keys; what flags fix in place of an
  /// axis is looked at too.
  @Test func gridsLeaveOutWhatIsExcluded() throws {
    let yaml = """
      optimizer: [sgd, {name: adam, lr: 1e-4}]
      seeds: [0]
      sweep:
        batch_size: [64, 128, 256]
        exclude:
          - {optimizer: adam, batch_size: [64, 1.28e2]}
          - {model: {width: 8}}
          - batch_size: 256
            optimizer.lr: 0.01
      """
    let experiment = try parse(yaml)
    #expect(
      rows(experiment) == [
        "optimizer=sgd batch_size=64", "optimizer=sgd batch_size=128",
        "optimizer=adam batch_size=256",
      ])
    #expect(try parse(experiment.resolvedYAML).runs == experiment.runs)
    #expect(try parse(experiment.resolvedYAML).resolvedYAML == experiment.resolvedYAML)
    let adam = try parse(yaml, ConfigOverrides(set: ["optimizer=adam"]))
    #expect(adam.settings.map(\.batchSize) == [256])
  }

  @Test func rateGridsOfSeveralOptimizersReadBackToo() throws {
    let experiment = try ExperimentConfig.standard(
      overrides: ConfigOverrides(axes: [SweepAxis(.lr), SweepAxis(.optimizer)]))
    #expect(experiment.settings.count == 42)
    #expect(try parse(experiment.resolvedYAML).runs == experiment.runs)
  }
}

extension RunConfig {
  fileprivate var topKWidth: Int? {
    guard case .topKMLP(let config) = model else { return nil }
    return config.width
  }
}
