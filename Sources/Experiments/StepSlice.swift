import Datasets
import Models
import Optimizers
import Training

/// What is timed for a step: the step itself, or of a transformer a part of it that takes less time,
/// one block with its share of the vocabulary, on as few samples and tokens as need be.
struct StepSlice {
  private(set) var run: RunConfig
  /// Classes, or the size of the vocabulary.
  private(set) var outcomes: Int
  private let whole: RunConfig

  /// The step itself.
  init(_ run: RunConfig) {
    self.run = run
    whole = run
    outcomes = StepSample.outcomes(of: run)
  }

  /// A part of a step; nil where there is none so small.
  /// - Parameter most: additions and multiplications of a step of it.
  init?(of run: RunConfig, flop most: Double) {
    self.init(run)
    guard let layers = run.model.transformer?.layers else { return nil }
    self.run.model.transformer?.layers = 1
    if run.model.name == .gptMoE { outcomes = max(1, outcomes / layers) }
    let part = run.microBatch ?? run.batchSize
    self.run.batchSize = part
    self.run.microBatch = nil
    while flop > most {
      if self.run.batchSize > 1 {
        self.run.batchSize /= 2
      } else if case .gptMoE(var gpt) = self.run.model, gpt.context > 16 {
        gpt.context /= 2
        self.run.model = .gptMoE(gpt)
      } else {
        return nil
      }
    }
    // The weights are updated once for a whole batch: the cheapest update then counts least amiss.
    if self.run.batchSize < run.batchSize { self.run.optimizer = OptimizerConfig(.sgd, lr: 1e-9) }
  }

  /// Additions and multiplications of a step of it.
  var flop: Double { run.stepFLOP(outcomes: outcomes) }

  /// How many times the work of a step of it a whole step is.
  var steps: Double { whole.stepFLOP(outcomes: StepSample.outcomes(of: whole)) / flop }

  /// How many times the work of evaluating a record of it that of a whole record is.
  var records: Double { steps * Double(run.batchSize) / Double(whole.batchSize) }

  /// Of memory, about.
  var bytes: Double {
    run.model.trainingBytes(
      inputs: ImageSplit.imageBytes, classes: outcomes, batchSize: run.batchSize,
      optimizerStates: run.optimizer.stateCount)
  }

  /// - Throws: `.noBLAS`.
  func sample() throws(TrainingError) -> StepSample {
    var run = run
    // The same batch over and over: at the run's own rate it might diverge.
    run.optimizer.lr = 1e-9
    return try StepSample(run, outcomes: outcomes)
  }
}

extension RunConfig {
  /// Additions and multiplications of a training step. How many classes images have makes no
  /// difference to speak of.
  func stepFLOP(outcomes: Int) -> Double {
    model.usefulFLOP(inputs: ImageSplit.imageBytes, classes: outcomes, batchSize: batchSize)
  }
}
