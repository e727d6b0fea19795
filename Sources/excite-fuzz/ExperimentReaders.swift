import Experiments
import Foundation
import Plots
import Reports
import Training

private let noEnvironment = EnvironmentRecord(
  cpu: "none", cores: 1, blasLibrary: "none", blasVersion: nil, blasCore: nil, blasThreads: 1,
  kernels: "plain", os: "none", commit: nil, version: "0", jobs: 1)

/// An experiment file, which may extend `base.yaml` or itself.
struct ConfigReader: Reader {
  private let sandbox: Sandbox

  init(_ sandbox: Sandbox) throws {
    self.sandbox = sandbox
    try sandbox.write("epochs: 3\nmodel: {width: 32}\n", to: "base.yaml")
  }

  var seeds: [[UInt8]] {
    [
      """
      # source: none
      extends: base.yaml
      dataset: {name: synthetic, limit: 64, normalization: standard, augmentation: flip+crop}
      model: {name: topk_mlp, hidden_layers: 3, width: 128, sparsity: 0.9}
      optimizer: {name: [sgd, adam], lr: 1e-2}
      excitation: {variants: [vanilla, zero-sum], gamma: [1.0, 2]}
      seeds: [0, 1]
      """,
      """
      model: &m {name: moe_vit, layers: 2, d: 64, heads: 4, experts: 8, k: 2, hidden: 64}
      schedule: {name: cosine, warmup: 1, floor: 0.1}
      batch_size: 64
      sweep: {optimizer.lr: [0.01, 0.1], excitation.window: [1, 4]}
      """,
      """
      dataset: {name: synthetic-text, tokenizer: byte}
      model:
        name: gpt_moe
        context: 64
      epochs: 2
      max_steps: 10
      """,
    ].map { Array($0.utf8) }
  }

  let words = [
    "extends: input.yaml", "<<: *m", "*m", "&m ", "? ", "!!binary ", "---\n", "9223372036854775807",
    "1e308", ".nan", ".inf", "-1", "0", "null", "epochs: ", "micro_batch: ", "clip_norm: ",
    "model.width", "sweep: ", "inverted", "adagrad", "\u{FEFF}", "\u{85}", "\t",
  ]

  func read(_ input: [UInt8]) throws {
    try sandbox.write(input, to: "input.yaml")
    do {
      let experiment = try ExperimentConfig.load(path: sandbox.path("input.yaml"))
      for run in experiment.runs.prefix(4) {
        _ = memoryShortage(of: run, jobs: 2, runs: experiment.runs.count)
      }
      let resolved = experiment.stored(
        command: "excite", environment: noEnvironment, initial: nil
      ).experiment.config
      do {
        let again = try ExperimentConfig.parse(
          yaml: resolved, file: sandbox.path("resolved.yaml"))
        guard again.runs.map(\.label) == experiment.runs.map(\.label) else {
          throw Violation(what: "a resolved config that means other runs:\n\(resolved)")
        }
      } catch let error as ConfigError {
        throw Violation(what: "a resolved config that is refused: \(error)\n\(resolved)")
      }
    } catch let error as ConfigError {
      try check(error, lines: .max)
    }
  }
}

/// One file of a store, whose tables, pictures and page are then made.
struct StoreReader: Reader {
  enum File {
    case experiment, result, metrics, experts, classes, timing, claim
  }

  private let sandbox: Sandbox
  private let kind: File
  private let path: String
  let seeds: [[UInt8]]
  let words = [
    "9223372036854775807", "-9223372036854775808", "4294967296", "1e308", "-1e308", "nan", "inf",
    "1e-320", "null", "true", "finished", "\"\"", "\\u0000", "\\u001b[2J", "class_0", "\r\n",
  ]

  init(_ sandbox: Sandbox, _ kind: File) throws {
    self.sandbox = sandbox
    self.kind = kind
    let experiment = try ExperimentConfig.parse(
      yaml: "dataset: {name: synthetic}\nmodel: {width: 8}\nepochs: 2\nseeds: [0, 1]\n",
      file: "fuzz.yaml")
    let stored = experiment.stored(command: "excite", environment: noEnvironment, initial: nil)
    try RunStore(sandbox.path("store")).keep(stored, as: "fuzz")
    let folder = "store/runs/\(stored.runs[0].label)"
    let files = [
      "metrics.csv": """
      epoch,step,learning_rate,train_loss,train_accuracy,test_loss,test_accuracy
      1,8,0.01,2.3,11.5,2.2,12.5
      2,16,0.005,2.1,20.5,2.0,22.5

      """,
      "experts.csv": """
      epoch,layer,specialization,routing_entropy,dead_share,load_max,phi_std
      1,1,0.5,1.2,0.1,0.9,0.3
      1,2,0.6,1.1,0,0.8,0.2
      2,1,0.5,1.2,0.1,0.9,0.3

      """,
      "expert_classes.csv": """
      layer,expert,utilization,class_0,class_1
      1,0,0.5,10,20
      1,1,0.25,0,3
      2,0,1,7,7

      """,
      "timing.csv": "epoch,train_seconds,test_seconds\n1,0.5,0.1\n2,0.4,0.1\n",
    ]
    for (name, text) in files { try sandbox.write(text, to: "\(folder)/\(name)") }
    try sandbox.write("epochs: 2\n", to: "\(folder)/config.yaml")
    switch kind {
    case .experiment: path = "store/experiments/fuzz/experiment.json"
    case .result: path = "\(folder)/result.json"
    case .metrics: path = "\(folder)/metrics.csv"
    case .experts: path = "\(folder)/experts.csv"
    case .classes: path = "\(folder)/expert_classes.csv"
    case .timing: path = "\(folder)/timing.csv"
    case .claim: path = "\(folder)/claim.1"
    }
    let content: Data
    switch kind {
    case .result: content = try JSONEncoder().encode(stored.runs[0])
    case .claim:
      content = Data(
        #"{"host":"h","process":1,"began":"1","system":"s","job":"17_3"}"#.utf8)
    default: content = try Data(contentsOf: sandbox.url.appendingPathComponent(path))
    }
    seeds = [[UInt8](content)]
  }

  func read(_ input: [UInt8]) throws {
    try sandbox.write(input, to: path)
    let store = sandbox.path("store")
    do {
      for line in try StoreStatus(folder: store).text.split(separator: "\n") { try check(line) }
      var notes: [String] = []
      let kept = try KeptExperiment.all(in: store) { notes.append($0) }
      for note in notes { try check(note) }
      let tables = try kept.map { try $0.table() }
      // What the others do not read, they would only repeat.
      if kind == .experiment {
        for format in ReportFormat.allCases {
          _ = render(tables, format: format, style: TerminalStyle(color: false))
        }
        for one in kept {
          for figure in [FigureKind.bars, .heatmap] { _ = try one.draw(figure) }
        }
      }
      if kind == .experts {
        let curves = kept.flatMap(\.expertCurves)
        _ = expertDepthFigure(curves, title: "").svg()
        _ = expertCourseFigure(curves, title: "").svg()
      }
      if kind == .metrics { for one in kept { _ = try one.draw(.curves) } }
      try writeHTML(kept, to: sandbox.path("page.html"))
    } catch let error as RunnerError {
      try check(error)
    }
  }
}
