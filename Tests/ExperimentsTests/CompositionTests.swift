import Excitation
import Experiments
import Foundation
import Optimizers
import Testing
import Training

/// A folder of experiment files, removed in the end.
private final class ConfigFolder {
  let path: String

  init(_ files: [String: String]) throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("excite-composition-\(UUID().uuidString)", isDirectory: true)
    path = folder.path
    for (name, text) in files {
      let file = folder.appendingPathComponent(name)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func load(
    _ name: String, _ overrides: ConfigOverrides = ConfigOverrides()
  ) throws -> ExperimentConfig {
    try ExperimentConfig.load(path: "\(path)/\(name)", overrides: overrides)
  }

  /// The message with which a file is refused, paths without the folder's.
  func refusal(_ name: String, _ overrides: ConfigOverrides = ConfigOverrides()) -> String {
    do throws(ConfigError) {
      _ = try ExperimentConfig.load(path: "\(path)/\(name)", overrides: overrides)
      return "accepted"
    } catch {
      return error.description.replacingOccurrences(of: path + "/", with: "")
    }
  }
}

/// `extends`: one file laid over another.
@Suite struct CompositionTests {
  static let base = """
    # source: the base
    dataset: {name: synthetic, augmentation: crop, crop_padding: 2}
    model: {hidden_layers: 4, width: 64}
    optimizer: {name: momentum, lr: 0.05, momentum: 0.8}
    excitation: {variants: [vanilla, zero-sum], gamma: 2}
    epochs: 9
    seeds: [0, 1, 2]

    """

  @Test func mapsMergeAndListsAndScalarsReplace() throws {
    let folder = try ConfigFolder([
      "base.yaml": Self.base,
      "over.yaml": """
      # source: this file
      extends: base.yaml
      model: {width: 32}
      optimizer: {momentum: 0.7}
      excitation: {variants: [inverted]}
      epochs: 3
      seeds: [5]
      """,
    ])
    // What the two files say together, written as one.
    let whole = try ExperimentConfig.parse(
      yaml: """
        # source: this file
        dataset: {name: synthetic, augmentation: crop, crop_padding: 2}
        model: {hidden_layers: 4, width: 32}
        optimizer: {name: momentum, lr: 0.05, momentum: 0.7}
        excitation: {variants: [inverted], gamma: 2}
        epochs: 3
        seeds: [5]
        """, file: "over.yaml")
    let experiment = try folder.load("over.yaml")
    #expect(experiment.runs == whole.runs)
    #expect(experiment.name == "over")
    #expect(experiment.header == ["source: this file"])
    #expect(experiment.resolvedYAML == whole.resolvedYAML)
    #expect(!experiment.resolvedYAML.contains("extends"))
  }

  /// Relative to the file that names it, through folders and several files.
  @Test func aBaseMayExtendAnother() throws {
    let folder = try ConfigFolder([
      "a.yaml": Self.base,
      "deep/b.yaml": "extends: ../a.yaml\nepochs: 4\nbatch_size: 20\n",
      "deep/er/c.yaml": "extends: ../b.yaml\nbatch_size: 30\n",
    ])
    let run = try #require(try folder.load("deep/er/c.yaml").runs.first)
    #expect(run.config.epochs == 4)
    #expect(run.config.batchSize == 30)
    #expect(run.config.optimizer.lr == 0.05)
    let absolute = try ConfigFolder(["d.yaml": "extends: \(folder.path)/a.yaml"])
    #expect(try absolute.load("d.yaml").runs == folder.load("a.yaml").runs)
  }

  /// Two files may both extend a third.
  @Test func theSameBaseTwiceIsNoCircle() throws {
    let folder = try ConfigFolder([
      "a.yaml": Self.base, "b.yaml": "extends: a.yaml", "c.yaml": "extends: ./a.yaml\nepochs: 2",
    ])
    #expect(try folder.load("b.yaml").runs == folder.load("a.yaml").runs)
    #expect(try folder.load("c.yaml").runs.first?.config.epochs == 2)
  }

  /// Base, extending file, the optimizers of the runs.
  static let optimizers: [(String, String, [OptimizerConfig])] = [
    // A section given as its name is a map of its name.
    ("optimizer: adam", "optimizer: {lr: 0.3}", [OptimizerConfig(.adam, lr: 0.3)]),
    // A name alone is a scalar and replaces all of the base's section.
    ("optimizer: {name: sgd, lr: 0.5}", "optimizer: adam", [OptimizerConfig(.adam)]),
    (
      "optimizer: {name: sgd, lr: 0.5}", "optimizer: {name: adam}",
      [OptimizerConfig(.adam, lr: 0.5)]
    ),
    ("optimizer: sgd", "optimizer: [sgd, adam]", [OptimizerConfig(.sgd), OptimizerConfig(.adam)]),
    ("optimizer: [sgd, adam]", "optimizer: {lr: 0.3}", [OptimizerConfig(.sgd, lr: 0.3)]),
    // Nothing replaces too, and means the default.
    ("optimizer: {name: sgd, lr: 0.5}", "optimizer:", [OptimizerConfig(.sgd)]),
  ]

  @Test(arguments: optimizers.indices) func sections(index: Int) throws {
    let (base, over, expected) = Self.optimizers[index]
    let folder = try ConfigFolder(["base.yaml": base, "over.yaml": "extends: base.yaml\n\(over)\n"])
    #expect(try folder.load("over.yaml").settings.map(\.optimizer) == expected)
  }

  @Test func sweepsAndFlagsWorkOnTop() throws {
    let folder = try ConfigFolder([
      "base.yaml": "model: {width: 64}\nsweep: {optimizer.lr: [0.1, 0.2], batch_size: [16, 32]}\n",
      "more.yaml": "extends: base.yaml\nsweep: {optimizer.lr: [0.3], model.width: [8, 9]}\n",
      "fixed.yaml": "extends: base.yaml\noptimizer: {lr: 0.5}\n",
    ])
    // The lists of a sweep replace, its other axes stay.
    let more = try folder.load("more.yaml")
    #expect(
      more.axes.map { "\($0.keyPath) \($0.values)" } == [
        #"optimizer.lr ["0.3"]"#, #"batch_size ["16", "32"]"#, #"model.width ["8", "9"]"#,
      ])
    // A value of the extending file ends the base's sweep over its key.
    let fixed = try folder.load("fixed.yaml")
    #expect(fixed.axes.map(\.keyPath) == ["batch_size"])
    #expect(fixed.settings.allSatisfy { $0.optimizer.lr == 0.5 })
    let flagged = try folder.load(
      "more.yaml", ConfigOverrides(set: ["batch_size=4", "epochs=2"], seeds: "7"))
    #expect(flagged.axes.map(\.keyPath) == ["optimizer.lr", "model.width"])
    #expect(flagged.runs.allSatisfy { $0.config.batchSize == 4 && $0.config.epochs == 2 })
    #expect(flagged.seeds == [7])
  }

  /// The spellings of an axis that a value ends.
  @Test(arguments: [
    ("sweep: {optimizer: {lr: [0.1, 0.2]}}", "optimizer: {lr: 0.5}"),
    ("sweep: {schedule: [constant, cosine]}", "schedule: {name: cosine}"),
    ("sweep: {schedule.name: [constant, cosine]}", "schedule: cosine"),
    ("sweep: {optimizer: [sgd, adam]}", "optimizer: adam"),
    ("sweep: {epochs: [1, 2]}", "epochs: 3"),
  ])
  func aValueEndsASweep(sweep: String, value: String) throws {
    let folder = try ConfigFolder([
      "base.yaml": sweep, "over.yaml": "extends: base.yaml\n\(value)\n",
      "other.yaml": "extends: base.yaml\nbatch_size: 5\n",
    ])
    #expect(try folder.load("over.yaml").settings.count == 1)
    #expect(try folder.load("other.yaml").settings.count == 2)
  }

  /// The files, all of `a.yaml`'s message.
  static let refusals: [([String: String], String)] = [
    (
      ["a.yaml": "epochs: 1\nextends: base.yaml\n"],
      "a.yaml:2:10: extends: base.yaml: no such file"
    ),
    (
      ["a.yaml": "extends: bose.yaml\n", "base.yaml": ""],
      "a.yaml:1:10: extends: bose.yaml: no such file; did you mean base.yaml?"
    ),
    (["a.yaml": "extends: a.yaml"], "a.yaml:1:10: extends: goes in a circle: a.yaml → a.yaml"),
    (
      ["a.yaml": "extends: b.yaml", "b.yaml": "epochs: 1\nextends: ./a.yaml"],
      "b.yaml:2:10: extends: goes in a circle: a.yaml → b.yaml → ./a.yaml"
    ),
    (
      ["a.yaml": "extends: b.yaml", "b.yaml": "extends: c.yaml", "c.yaml": "- 1"],
      "c.yaml:1:1: expected a map of dataset, model, optimizer, schedule, excitation, batch_size, "
        + "micro_batch, clip_norm, epochs, max_steps, order, seeds, sweep, extends, found a list"
    ),
    (
      ["a.yaml": "extends: b.yaml", "b.yaml": "# nothing"],
      "a.yaml:1:10: extends: b.yaml: is empty; an experiment has keys such as dataset, model and "
        + "optimizer"
    ),
    (
      ["a.yaml": "extends: .\n"],
      "a.yaml:1:10: extends: .: this is a directory; give a YAML file"
    ),
    (
      ["a.yaml": "extends: [b.yaml]"],
      "a.yaml:1:10: extends: expected the name of one YAML file, found a list"
    ),
    (
      ["a.yaml": "extends:\nepochs: 1"],
      "a.yaml:1:9: extends: expected the name of one YAML file, found nothing"
    ),
    (
      ["a.yaml": "extends: b.yaml", "b.yaml": "epochs: {"],
      "b.yaml:1:10: not YAML: did not find expected node content while parsing a flow node"
    ),
    // Values: each in the file it stands in, the files in turn.
    (
      ["a.yaml": "extends: b.yaml\nepochs: 2", "b.yaml": "\nmodel: {width: 0}"],
      "b.yaml:2:16: model.width: 0 is not allowed; give a whole number from 1 to 65536"
    ),
    (
      [
        "a.yaml": "extends: b.yaml\n\n\nepochs: 0\nseeds: []",
        "b.yaml": "optimizer: {lr: 0}\nepochs: 7",
      ],
      """
      a.yaml:4:9: epochs: 0 is not allowed; give a whole number from 1 to 1000000
      a.yaml:5:8: seeds: the list is empty; give a list of seeds such as [0, 1, 2]
      b.yaml:1:17: optimizer.lr: 0 is not allowed; give a finite number above 0
      """
    ),
    // A constant of the base's that the new optimizer does not have.
    (
      ["a.yaml": "extends: b.yaml\noptimizer: {name: sgd}", "b.yaml": "optimizer: {beta1: 0.9}"],
      "b.yaml:1:13: optimizer.beta1: sgd has no beta1, which belongs to adam, adamw; sgd has name, "
        + "lr, weight_decay"
    ),
  ]

  @Test(arguments: refusals.indices) func refusal(index: Int) throws {
    let (files, message) = Self.refusals[index]
    #expect(try ConfigFolder(files).refusal("a.yaml") == message)
  }

  @Test func aLongChainIsRefused() throws {
    var files = ["40.yaml": "epochs: 1"]
    for index in 0..<40 { files["\(index).yaml"] = "extends: \(index + 1).yaml" }
    #expect(
      try ConfigFolder(files).refusal("0.yaml") == "31.yaml:1:10: extends: over 32 files deep")
    #expect(try ConfigFolder(files).load("9.yaml").runs.first?.config.epochs == 1)
  }

  @Test func onlyAFileCanExtend() throws {
    let folder = try ConfigFolder(["a.yaml": "epochs: 1", "b.yaml": "model: {extends: a.yaml}"])
    #expect(
      folder.refusal("a.yaml", ConfigOverrides(set: ["extends=a.yaml"]))
        == "--set extends=a.yaml: cannot be set; write a file that extends another")
    #expect(
      folder.refusal("b.yaml").hasPrefix("b.yaml:1:9: model.extends: unknown key; model has "))
  }
}
