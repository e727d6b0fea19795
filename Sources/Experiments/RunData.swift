import Datasets
import Foundation
import Models
import Reports
import Tensors
import Text
import Training

/// Which data runs share: loaded once, whatever reads them.
enum DataKey: Hashable, Sendable {
  case images(DatasetConfig)
  case text(CorpusConfig)
}

extension RunConfig {
  var dataKey: DataKey { corpus.map(DataKey.text) ?? .images(dataset.asStored) }
}

/// The data of runs.
struct RunData: Sendable {
  let data: any TrainingData
  let fingerprint: String
  /// Where it is text.
  private let corpus: TextCorpus?

  /// - Parameters:
  ///   - threads: to make tokens with.
  ///   - note: told what a user should know of kept tokens.
  /// - Throws: `.dataset`, `.text`.
  init(
    _ key: DataKey, directory: URL, threads: Int = 1, note: @escaping (String) -> Void = { _ in }
  ) throws(RunnerError) {
    switch key {
    case .images(let config):
      do { data = try loadDataset(config, directory: directory) } catch { throw .dataset(error) }
      corpus = nil
    case .text(let config):
      do {
        let text = try loadCorpus(
          config, directory: directory, workers: Workers(threads), onNote: note)
        data = TextDataset(text)
        corpus = text
      } catch {
        throw .text(error)
      }
    }
    fingerprint = data.fingerprint
  }

  /// Training samples of a run.
  /// - Throws: `.text` where the text is shorter than the run's context.
  func trainCount(of config: RunConfig) throws(RunnerError) -> Int {
    if let corpus, case .gptMoE(let gpt) = config.model {
      do { try corpus.check(context: gpt.context) } catch { throw .text(error) }
    }
    return data.sampleCount(.train, of: config)
  }
}

extension RunData {
  /// What to say where images are not the official ones.
  func note(on key: DataKey) -> String? {
    guard case .images(let config) = key, let images = data as? ImageDataset else { return nil }
    return ImageCounts(train: images.train.count, test: images.test.count).note(on: config)
  }
}

/// What runs read that a data directory does not have, a sentence each, with how to get it.
public func missingData(for runs: [PlannedRun], in directory: URL) -> [String] {
  distinct(runs.flatMap(\.config.dataNames)).compactMap { name in
    switch DataCatalog.listing(DataCatalog.entry(name), directory: directory).state {
    case .embedded, .present, .otherForm, .other: return nil
    case .partial, .resumable, .absent:
      let fetch = DataDirectory.fetchCommand(
        name, directory: directory, environment: ProcessInfo.processInfo.environment)
      return "\(name.rawValue) is not, or not wholly, in \(directory.path); to have it: \(fetch)"
    }
  }
}

extension RunConfig {
  /// What its data directory must have.
  fileprivate var dataNames: [DataName] {
    guard let corpus else { return [dataset.name.data] }
    let text: DataName? =
      switch corpus.name {
      case .wikitext2: .wikitext2
      case .wikitext103: .wikitext103
      case .synthetic, .files: nil
      }
    let needsVocabulary = corpus.tokenizer == .gpt2 && corpus.vocabulary == nil
    return [text, needsVocabulary ? .gpt2 : nil].compactMap(\.self)
  }
}

extension DatasetConfig {
  /// The same records whatever is done to their pixels later: what a set is loaded by.
  fileprivate var asStored: DatasetConfig {
    DatasetConfig(name: name, labels: labels, limit: limit, testLimit: testLimit)
  }
}
