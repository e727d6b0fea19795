import Reports

/// The default recipe, with the given differences.
func setting(
  optimizer: String = "sgd", lr: Double = 0.01, momentum: Double? = nil, batchSize: Int = 512,
  sparsity: Double = 0.9, schedule: String = "cosine", hiddenLayers: Int = 3, width: Int = 128,
  model: String = "topk_mlp", dataset: String = "cifar10", epochs: Int = 300,
  varying: [SettingAxis] = [], comparable: Bool = true
) -> SettingRecord {
  SettingRecord(
    model: model, dataset: dataset, optimizer: optimizer, lr: lr, momentum: momentum,
    batchSize: batchSize, sparsity: sparsity, schedule: schedule, hiddenLayers: hiddenLayers,
    width: width, epochs: epochs, varying: varying, comparable: comparable)
}

/// A finished run, unless a status says otherwise.
func run(
  _ setting: SettingRecord, _ variant: String, gamma: Double? = 1, seed: UInt64,
  accuracy: Double? = nil, seconds: Double? = nil, status: RunOutcome.Status = .finished,
  epochs: Int = 300
) -> RunOutcome {
  RunOutcome(
    label: "\(setting.optimizer) \(variant) seed \(seed)", setting: setting, variant: variant,
    gamma: gamma, seed: seed, status: status, accuracy: accuracy, trainLoss: nil,
    secondsPerEpoch: seconds, epochs: epochs)
}

/// One finished run per accuracy, seeds 0, 1, …
func runs(
  _ setting: SettingRecord, _ variant: String, gamma: Double? = 1, _ accuracies: [Double],
  seconds: Double? = nil
) -> [RunOutcome] {
  accuracies.enumerated().map { seed, accuracy in
    run(
      setting, variant, gamma: gamma, seed: UInt64(seed), accuracy: accuracy, seconds: seconds)
  }
}

let machine = EnvironmentRecord(
  cpu: "Example CPU 3000", cores: 2, blasLibrary: "OpenBLAS", blasVersion: "0.3.21",
  blasCore: "SkylakeX", blasThreads: 1, kernels: "avx512", os: "Linux", swift: "6.3.1",
  build: "release", commit: "abc1234", version: "0.1.0", jobs: 1)

func experiment(
  _ name: String = "cifar10_topk", seeds: [UInt64] = [0, 1, 2],
  variants: [String] = ["vanilla", "zero-sum"],
  command: String = "excite run configs/cifar10_topk.yaml"
) -> ExperimentRecord {
  ExperimentRecord(
    name: name, header: ["source: Table 1", "expected: 41.0"], command: command,
    config: "batch_size: 512\nepochs: 300\n", seeds: seeds, variants: variants)
}

func table(
  _ outcomes: [RunOutcome], experiment: ExperimentRecord = experiment(),
  environment: EnvironmentRecord = machine
) throws -> AccuracyTable {
  try AccuracyTable.build(experiment: experiment, environment: environment, outcomes: outcomes)
}

/// Two optimizers as in Table 1, one negative Δ, one failed and one interrupted run.
///
/// sgd:  vanilla 40, 41, 42 → 41 ± 1; zero-sum 45, 47, 49 → 47 ± 2, Δ 5, 6, 7 → 6 ± 1.
/// adam: vanilla 48, 50 (seed 2 fails) → 49 ± √2; zero-sum 47.5, 49, 51 → mean 147.5/3,
/// Δ over seeds 0 and 1: −0.5, −1 → −0.75 ± √0.125.
func twoOptimizers() -> [RunOutcome] {
  let sgd = setting(varying: [SettingAxis("optimizer.name", "sgd")])
  let adam = setting(
    optimizer: "adam", lr: 1e-4, varying: [SettingAxis("optimizer.name", "adam")])
  return runs(sgd, "vanilla", gamma: nil, [40, 41, 42], seconds: 0.42)
    + runs(sgd, "zero-sum", [45, 47, 49], seconds: 0.5)
    + runs(adam, "vanilla", gamma: nil, [48, 50], seconds: 0.42)
    + [
      run(
        adam, "vanilla", gamma: nil, seed: 2,
        status: .failed(reason: "loss is not finite at step 120\nstopped"), epochs: 1)
    ]
    + runs(adam, "zero-sum", [47.5, 49, 51], seconds: 0.5)
    + [run(adam, "positive-sum", seed: 0, status: .interrupted, epochs: 12)]
}
