import Datasets
import Tensors
import Text

/// Text as token numbers.
public protocol TokenSource: Sendable {
  var count: Int { get }
  /// Below the vocabulary's size.
  subscript(place: Int) -> Int { get }
}

extension TokenBuffer: TokenSource {}

/// A text data set with its standard splits.
public struct TextDataset: Sendable {
  /// V: token numbers are below it.
  public let vocabulary: Int
  public let train: any TokenSource
  /// nil where perplexity is measured on the test text alone.
  public let validation: (any TokenSource)?
  public let test: any TokenSource
  /// Of the test text, for perplexity per word.
  public let testWords: Int
  /// A hash of all texts and of how they became tokens.
  public let fingerprint: String

  public init(
    vocabulary: Int, train: any TokenSource, validation: (any TokenSource)? = nil,
    test: any TokenSource, testWords: Int, fingerprint: String
  ) {
    self.vocabulary = vocabulary
    self.train = train
    self.validation = validation
    self.test = test
    self.testWords = testWords
    self.fingerprint = fingerprint
  }

  public init(_ corpus: TextCorpus) {
    self.init(
      vocabulary: corpus.vocabularySize, train: corpus.train.tokens,
      validation: corpus.valid.tokens, test: corpus.test.tokens,
      testWords: corpus.test.counts.wordsAndLines, fingerprint: corpus.fingerprint)
  }
}

/// Cuts a text into sequences of the context's length, one behind the other without overlap, each
/// with the tokens that follow its own as targets: every token but the text's first is asked once.
///
/// The order of sequences is drawn for a whole epoch at once, from a stream keyed by seed and epoch.
public final class TextLoader: BatchSource {
  public let batchSize: Int
  /// Token numbers, [B, T].
  public let inputs: Tensor
  /// [B, T]; −1 behind the text's end.
  public let targets: UnsafeMutablePointer<Int32>
  public let sampleCount: Int

  private let tokens: any TokenSource
  private let context: Int
  private let isShuffled: Bool
  private let seed: UInt64
  private var order: [UInt32]

  /// - Parameters:
  ///   - context: T.
  ///   - forTraining: shuffled as asked, and without the tokens that do not fill a sequence;
  ///     otherwise in order, the last sequence filled up with token 0, of which nothing is asked.
  public init(
    _ tokens: any TokenSource, context: Int, batchSize: Int, forTraining: Bool, isShuffled: Bool,
    seed: UInt64
  ) {
    self.tokens = tokens
    self.context = context
    self.batchSize = batchSize
    self.isShuffled = forTraining && isShuffled
    self.seed = seed
    sampleCount = Self.sampleCount(
      tokens: tokens.count, context: context, forTraining: forTraining)
    inputs = Tensor(batchSize, context)
    targets = .allocate(capacity: batchSize * context)
    targets.initialize(repeating: -1, count: batchSize * context)
    order = (0..<UInt32(sampleCount)).map { $0 }
  }

  deinit { targets.deallocate() }

  /// Sequences that a text makes.
  static func sampleCount(tokens: Int, context: Int, forTraining: Bool) -> Int {
    let asked = max(0, tokens - 1)
    return forTraining ? asked / context : (asked + context - 1) / context
  }

  /// Batches in an epoch; the last may be smaller.
  public var batchCount: Int { (sampleCount + batchSize - 1) / batchSize }

  public func beginEpoch(_ epoch: Int) {
    guard isShuffled else { return }
    var stream = RandomStream(seed: seed, purpose: .shuffle, index: UInt64(epoch))
    order = stream.permutation(sampleCount)
  }

  public func load(_ batch: Int) -> Int {
    let start = batch * batchSize
    let rows = min(batchSize, sampleCount - start)
    for row in 0..<rows {
      let first = Int(order[start + row]) * context
      for t in 0..<context {
        let place = row * context + t
        let isInside = first + t + 1 < tokens.count
        inputs.data[place] = isInside ? Float(tokens[first + t]) : 0
        targets[place] = isInside ? Int32(tokens[first + t + 1]) : -1
      }
    }
    return rows
  }
}
