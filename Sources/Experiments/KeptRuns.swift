import Datasets
import Foundation
import Training

/// Which runs a store has of the data that are at hand.
public final class KeptRuns {
  private let store: RunStore?
  private let directory: URL
  /// By data; nil where they cannot be read.
  private var fingerprints: [DataKey: String?] = [:]
  /// Runs that the store has from other data, so that they would be repeated.
  public private(set) var fromOtherData: Set<String> = []

  /// - Parameters:
  ///   - store: nil means that all runs are to be done.
  ///   - directory: of the data.
  public init(_ store: RunStore?, data directory: URL) {
    self.store = store
    self.directory = directory
  }

  /// Those that are to be done.
  public func open(of runs: [PlannedRun]) -> [PlannedRun] { runs.filter { !has($0) } }

  private func has(_ run: PlannedRun) -> Bool {
    guard let store, case .finished(let outcome) = store.state(ofRun: run.label) else {
      return false
    }
    guard let kept = outcome.data, let found = fingerprint(run.config), kept != found else {
      return true
    }
    fromOtherData.insert(run.label)
    return false
  }

  /// Of images alone: making tokens of a text takes too long for a look.
  private func fingerprint(_ config: RunConfig) -> String? {
    guard config.corpus == nil else { return nil }
    let key = config.dataKey
    if let known = fingerprints[key] { return known }
    let found = (try? RunData(key, directory: directory))?.fingerprint
    fingerprints[key] = .some(found)
    return found
  }
}
