import Excitation
import Models
import Optimizers
import Tensors
import TestSupport
import Testing
import Text
import Training

/// Token numbers in memory.
struct Tokens: TokenSource {
  let numbers: [Int]

  var count: Int { numbers.count }
  subscript(place: Int) -> Int { numbers[place] }
}

@Suite("Text in sequences")
struct TextLoaderTests {
  static func loader(
    tokens: Int, context: Int = 4, batchSize: Int = 2, forTraining: Bool, seed: UInt64 = 0
  ) -> TextLoader {
    TextLoader(
      Tokens(numbers: (0..<tokens).map { 100 + $0 }), context: context, batchSize: batchSize,
      forTraining: forTraining, isShuffled: true, seed: seed)
  }

  /// Of each sequence of an epoch, its tokens and targets.
  static func sequences(_ loader: TextLoader, epoch: Int = 0) -> [(tokens: [Int], targets: [Int])] {
    loader.beginEpoch(epoch)
    let length = loader.inputs.rowLength
    return (0..<loader.batchCount).flatMap { batch in
      (0..<loader.load(batch)).map { row in
        let places = row * length..<(row + 1) * length
        return (places.map { Int(loader.inputs.data[$0]) }, places.map { Int(loader.targets[$0]) })
      }
    }
  }

  @Test("every token but the first is asked once, behind those before it")
  func evaluation() {
    // 11 tokens: 10 to ask in sequences of 4, 4 and 2.
    let found = Self.sequences(Self.loader(tokens: 11, forTraining: false))
    #expect(
      found.map(\.tokens) == [[100, 101, 102, 103], [104, 105, 106, 107], [108, 109, 0, 0]])
    #expect(
      found.map(\.targets) == [[101, 102, 103, 104], [105, 106, 107, 108], [109, 110, -1, -1]])
  }

  @Test("whole sequences fill the text", arguments: [1, 5, 9])
  func exactly(tokens: Int) {
    let loader = Self.loader(tokens: tokens, forTraining: false)
    #expect(loader.sampleCount == (tokens - 1) / 4)
    #expect(Self.sequences(loader).allSatisfy { !$0.targets.contains(-1) })
  }

  @Test("training takes whole sequences, each once, in an order of the epoch and seed")
  func training() {
    let loader = Self.loader(tokens: 4 * 20 + 3, forTraining: true)
    #expect(loader.sampleCount == 20 && loader.batchCount == 10)
    let (first, second) = (Self.sequences(loader), Self.sequences(loader, epoch: 1))
    #expect(Set(first.map { $0.tokens[0] }) == Set((0..<20).map { 100 + 4 * $0 }))
    #expect(first.allSatisfy { $0.targets == $0.tokens.map { $0 + 1 } })
    #expect(first.map(\.tokens) != second.map(\.tokens))
    #expect(Set(first.map(\.tokens)) == Set(second.map(\.tokens)))
    let other = Self.sequences(Self.loader(tokens: 83, forTraining: true, seed: 1))
    #expect(first.map(\.tokens) != other.map(\.tokens))
    let again = Self.sequences(Self.loader(tokens: 83, forTraining: true))
    #expect(first.map(\.tokens) == again.map(\.tokens))
  }
}

@Suite("Training a language model")
struct TextTrainingTests {
  /// A text in which each token says the next, but for every fourth.
  static let dataset: TextDataset = {
    func text(_ count: Int, _ start: Int) -> Tokens {
      Tokens(
        numbers: (0..<count).map { place in
          place % 4 == 3 ? (place * place + start) % 5 + 6 : (place / 4 + place % 4) % 6
        })
    }
    return TextDataset(
      vocabulary: 11, train: text(401, 0), test: text(90, 2), testWords: 30, fingerprint: "text")
  }()

  static func config(
    _ variant: ExcitationVariant = .zeroSum, microBatch: Int? = nil, maxSteps: Int? = nil
  ) -> RunConfig {
    var config = Tiny.config(variant, optimizer: .init(.adam, lr: 0.01), epochs: 2)
    config.corpus = CorpusConfig(name: .synthetic)
    config.model = .gptMoE(
      GPTMoEConfig(layers: 1, d: 16, heads: 2, experts: 4, k: 2, hidden: 8, context: 10))
    config.microBatch = microBatch
    config.maxSteps = maxSteps
    return config
  }

  @Test("the loss falls well below that of guessing")
  func learns() throws {
    let trainer = try Trainer(Self.config(), dataset: Self.dataset)
    // 40 sequences in batches of 8.
    let records = try trainer.records()
    #expect(records.map(\.step) == [5, 10])
    // log 11 = 2.40; by the frequencies of tokens about 2.2.
    #expect(records[1].testLoss < records[0].testLoss && records[0].testLoss < 2.4)
    #expect(trainer.position.history.allSatisfy { $0.experts.count == 1 })
  }

  /// It is measured beside everything else and moves nothing.
  @Test("a validation text has its own loss, epoch by epoch")
  func validation() throws {
    let plain = Self.dataset
    let other = TextDataset(
      vocabulary: plain.vocabulary, train: plain.train, validation: plain.train, test: plain.test,
      testWords: plain.testWords, fingerprint: plain.fingerprint)
    let trainers = try [plain, other].map { try Trainer(Self.config(), dataset: $0) }
    let records = try trainers.map { try $0.records() }
    #expect(records[0].allSatisfy { $0.validationLoss == nil })
    #expect(records[0].map(\.testLoss) == records[1].map(\.testLoss))
    #expect(records[0].map(\.trainLoss) == records[1].map(\.trainLoss))
    #expect(trainers[0].weights == trainers[1].weights)
    #expect(
      trainers[0].position.history.map(\.experts) == trainers[1].position.history.map(\.experts))
    // The last epoch's is the loss of the weights as they are.
    let swapped = TextDataset(
      vocabulary: plain.vocabulary, train: plain.train, test: plain.train, testWords: 1,
      fingerprint: plain.fingerprint)
    let again = try Trainer(Self.config(), dataset: swapped)
    let expected = try again.records().map(\.testLoss)
    #expect(records[1].map(\.validationLoss) == expected)
  }

  @Test("threads and parts: the same bits, and the same but for rounding")
  func threadsAndParts() throws {
    func trainer(threads: Int, microBatch: Int? = nil) throws -> Trainer {
      var config = Self.config(microBatch: microBatch, maxSteps: 3)
      // Without the balance loss, which parts have of their own, and without Adam, which divides
      // gradients by their size.
      config.optimizer = OptimizerConfig(.sgd, lr: 0.5)
      config.model = .gptMoE(
        GPTMoEConfig(
          layers: 1, d: 16, heads: 2, experts: 4, k: 2, hidden: 8, context: 10, balanceWeight: 0))
      return try Trainer(config, dataset: Self.dataset, threads: threads)
    }
    func weights(_ trainer: Trainer) throws -> [Float] {
      _ = try trainer.records()
      return trainer.weights
    }
    let start = try trainer(threads: 1).weights
    let one = try weights(trainer(threads: 1))
    #expect(try weights(trainer(threads: 3)) == one)
    let parts = try weights(trainer(threads: 1, microBatch: 4))
    // Three steps of half a gradient that is a mean of 80 terms of order 0.1, each rounded at 2⁻²⁴.
    let bound = 1e-6
    expectWithin(
      parts, one.map(Double.init), bounds: one.map { _ in bound }, name: "weights of parts")
    let moved = zip(start, one).map { Double(($0 - $1).magnitude) }.max() ?? 0
    #expect(moved > 1e4 * bound, "\(moved)")
  }

  @Test("a checkpoint in the middle of an epoch goes on to the same bits")
  func resumes() throws {
    let whole = try Trainer(Self.config(), dataset: Self.dataset)
    let expected = try whole.records()
    let folder = try TemporaryFolder()
    let path = folder.url.appendingPathComponent("checkpoint.safetensors").path
    let begun = try Trainer(Self.config(), dataset: Self.dataset)
    var steps = 0
    #expect(throws: TrainingError.self) {
      try begun.run(
        onEpoch: { _, _ in },
        shouldStop: {
          steps += 1
          return steps > 7
        })
    }
    try begun.writeCheckpoint(to: path, identity: "text")
    let resumed = try Trainer(Self.config(), dataset: Self.dataset)
    try resumed.restore(SafetensorsFile(path: path), identity: "text")
    _ = try resumed.records()
    #expect(resumed.weights == whole.weights)
    #expect(resumed.position.history.map(\.record) == expected)
  }
}
