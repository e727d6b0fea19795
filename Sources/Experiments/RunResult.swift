import Foundation
import Reports
import Tensors

/// What a run leaves as `result.json`: its outcome, what it is the outcome of, and a checksum.
///
/// The same bytes for the same run on the same kind of machine; times are kept apart.
struct RunResult {
  let outcome: RunOutcome
  let identity: RunIdentity
  let engine: EngineRecord

  /// The part of the environment that can move bits.
  struct EngineRecord: Codable, Hashable {
    let cpu: String
    let kernels: String
    let blas: String
    let core: String
    let commit: String

    init(_ environment: EnvironmentRecord) {
      cpu = environment.cpu
      kernels = environment.kernels
      blas = [environment.blasLibrary, environment.blasVersion].compactMap(\.self)
        .joined(separator: " ")
      core = environment.blasCore ?? "unknown"
      commit = environment.commit ?? "unknown"
    }

    /// "AMD EPYC (OpenBLAS 0.3.21, Zen core, avx2 kernels)".
    var machine: String { "\(cpu) (\(blas), \(core) core, \(kernels) kernels)" }
  }

  /// The outcome with what only its place in a store tells.
  func outcome(in path: String) -> RunOutcome {
    var outcome = RunFolder.timed(outcome, in: path)
    outcome.machine = engine.machine
    return outcome
  }

  enum Found {
    case nothing
    case result(RunResult)
    case damaged(problem: String)
  }

  /// Reads a result, trusting nothing that does not match its checksum.
  static func read(_ path: String) -> Found {
    guard let data = FileManager.default.contents(atPath: path) else { return .nothing }
    guard let file = try? JSONDecoder().decode(File.self, from: data) else {
      return .damaged(problem: "not a result in JSON")
    }
    let result = RunResult(outcome: file.outcome, identity: file.identity, engine: file.engine)
    guard let sum = try? result.checksum(), sum == file.checksum else {
      return .damaged(problem: "its contents do not match its checksum")
    }
    return .result(result)
  }

  func write(to path: String) throws(RunnerError) {
    do {
      let file = File(
        outcome: outcome, identity: identity, engine: engine, checksum: try checksum())
      try writeFile(String(decoding: try Self.encode(file), as: UTF8.self) + "\n", to: path)
    } catch let error as RunnerError {
      throw error
    } catch {
      throw .unwritable(path: path, reason: "\(error)")
    }
  }

  private func checksum() throws -> String {
    let file = File(outcome: outcome, identity: identity, engine: engine, checksum: "")
    var hash = ContentHash()
    hash.add(String(decoding: try Self.encode(file), as: UTF8.self))
    return hash.hexadecimal
  }

  private static func encode(_ file: File) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(file)
  }
}

/// The outcome's own keys, and beside them `checksum`, `engine`, `identity`.
private struct File: Codable {
  private(set) var outcome: RunOutcome
  let identity: RunIdentity
  let engine: RunResult.EngineRecord
  let checksum: String

  enum CodingKeys: String, CodingKey { case identity, engine, checksum }

  init(
    outcome: RunOutcome, identity: RunIdentity, engine: RunResult.EngineRecord, checksum: String
  ) {
    self.outcome = outcome
    // Times never repeat, and which axes vary is the experiment's matter.
    self.outcome.secondsPerEpoch = nil
    self.outcome.setting.varying = []
    self.identity = identity
    self.engine = engine
    self.checksum = checksum
  }

  init(from decoder: any Decoder) throws {
    outcome = try RunOutcome(from: decoder)
    let container = try decoder.container(keyedBy: CodingKeys.self)
    identity = try container.decode(RunIdentity.self, forKey: .identity)
    engine = try container.decode(RunResult.EngineRecord.self, forKey: .engine)
    checksum = try container.decode(String.self, forKey: .checksum)
  }

  func encode(to encoder: any Encoder) throws {
    try outcome.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(identity, forKey: .identity)
    try container.encode(engine, forKey: .engine)
    try container.encode(checksum, forKey: .checksum)
  }
}
