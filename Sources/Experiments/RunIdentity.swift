import Datasets
import Foundation
import Tensors
import Training

/// All that determines a run's numbers, and nothing else: two runs of one identity leave the same
/// bits on the same kind of machine, so that a finished one need not be repeated.
public struct RunIdentity: Codable, Hashable, Sendable {
  /// `RunConfig.canonicalJSON`.
  public let config: String
  /// `ImageDataset.fingerprint`.
  public let data: String
  /// `numericsVersion` of the engine.
  public let numerics: Int
  /// Of the file that `--from` named.
  public let initialWeights: String?

  init(_ config: RunConfig, data: String, initialWeights: String?) {
    self.config = config.canonicalJSON
    self.data = data
    numerics = numericsVersion
    self.initialWeights = initialWeights
  }

  enum CodingKeys: String, CodingKey {
    case config, data, numerics
    case initialWeights = "initial_weights"
  }

  /// In one line, for a checkpoint.
  var text: String {
    [config, data, "\(numerics)", initialWeights ?? "own"].joined(separator: " ")
  }

  /// What makes this another run than `other`; nil where they are the same.
  func difference(from other: RunIdentity) -> String? {
    if numerics != other.numerics {
      return "made by an engine of numerics version \(other.numerics); this one has \(numerics)"
    }
    if data != other.data { return "made from other data" }
    if initialWeights != other.initialWeights { return "started from other weights" }
    return config == other.config ? nil : "of another configuration"
  }
}
