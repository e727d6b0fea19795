import Foundation
import Testing

/// A folder to run commands in, with a small experiment as `small.yaml`; removed in the end.
final class Workplace {
  /// Synthetic images, 4 batches an epoch, 3 variants × 2 seeds = 6 runs.
  static let small = """
    # source: none
    dataset: {name: synthetic, augmentation: none, limit: 200, test_limit: 100}
    model: {name: topk_mlp, hidden_layers: 2, width: 16, sparsity: 0.75}
    optimizer: {name: sgd, lr: 0.1}
    schedule: {name: cosine}
    excitation: {variants: [vanilla, zero-sum, positive-sum], gamma: 1}
    batch_size: 50
    epochs: 2
    seeds: [0, 1]

    """
  static let variants = [
    "vanilla", "zero-sum", "positive-sum", "exp-diff", "global-exp", "random-boost", "inverted",
  ]

  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("excite-commands-\(UUID().uuidString)", isDirectory: true)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try write(Self.small, to: "small.yaml")
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  // MARK: Commands

  /// Runs `excite` to its end.
  /// - Parameter environment: variables to add.
  func excite(
    _ arguments: [String], environment: [String: String] = [:], input: String? = nil
  ) throws -> Output {
    try start(arguments, environment: environment, input: input).finish()
  }

  func excite(_ arguments: String...) throws -> Output { try excite(arguments) }

  /// Runs `excite`, which must succeed.
  func success(
    _ arguments: [String], environment: [String: String] = [:],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> Output {
    let output = try excite(arguments, environment: environment)
    try #require(
      output.status == 0, "excite \(arguments.joined(separator: " "))\n\(output.stderr)",
      sourceLocation: sourceLocation)
    return output
  }

  func start(
    _ arguments: [String], environment: [String: String] = [:], input: String? = nil,
    stdout: Child.Sink = .captured, stderr: Child.Sink = .captured
  ) throws -> Child {
    try Child(
      Program.path(), arguments, environment: self.environment(adding: environment),
      folder: folder, input: input, stdout: stdout, stderr: stderr)
  }

  /// Runs a line of shell in which `excite` is the program.
  func shell(_ line: String) throws -> Output {
    let path = try Program.path()
    return try Child(
      "/bin/sh", ["-c", "excite() { '\(path)' \"$@\"; }; \(line)"],
      environment: environment(), folder: folder, input: nil
    ).finish()
  }

  /// This process's, without what changes the output or leads to real data.
  private func environment(adding added: [String: String] = [:]) -> [String: String] {
    var variables = ProcessInfo.processInfo.environment
    let disturbing = [
      "EXCITE_DATA", "XDG_CACHE_HOME", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR",
      "COLUMNS", "OPENBLAS_NUM_THREADS", "OPENBLAS_CORETYPE", "EXCITE_KERNELS",
    ]
    for name in disturbing { variables[name] = nil }
    variables["HOME"] = folder.path
    return variables.merging(added) { $1 }
  }

  // MARK: Files

  func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  func write(_ text: String, to name: String) throws { try write(Data(text.utf8), to: name) }

  func write(_ data: Data, to name: String) throws {
    let file = folder.appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try data.write(to: file)
  }

  /// A file that starts with `bytes` and is zero from there on, without taking room on disk.
  func writeSparse(_ bytes: [UInt8] = [], count: Int, to name: String) throws {
    try write(Data(bytes), to: name)
    let handle = try FileHandle(forWritingTo: folder.appendingPathComponent(name))
    try handle.truncate(atOffset: UInt64(count))
    try handle.close()
  }

  func read(_ name: String) throws -> Data {
    try Data(contentsOf: folder.appendingPathComponent(name))
  }

  func text(_ name: String) throws -> String { String(decoding: try read(name), as: UTF8.self) }

  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

  /// Files below a folder, by their paths inside it.
  func files(in name: String = "") -> [String] {
    let top = name.isEmpty ? folder.path : path(name)
    return (FileManager.default.subpaths(atPath: top) ?? []).filter { file in
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: "\(top)/\(file)", isDirectory: &isFolder)
      return !isFolder.boolValue
    }.sorted()
  }

  /// Names of the runs in a store, sorted.
  func labels(in store: String) -> [String] {
    files(in: "\(store)/runs").filter { $0.hasSuffix("/config.yaml") }
      .map { String($0.dropLast(12)) }
  }

  /// The folder of the only experiment in a store.
  func experiment(in store: String) throws -> String {
    let names = files(in: "\(store)/experiments").filter { $0.hasSuffix("/experiment.json") }
    try #require(names.count == 1, "\(names)")
    return "\(store)/experiments/\(names[0].dropLast(16))"
  }
}

extension Output {
  /// What a dry run printed, without the duration, which is never the same twice.
  var plan: [String] {
    lines.map { line in
      guard line.hasPrefix("# "), let about = line.range(of: ", about ") else { return line }
      return String(line[..<about.lowerBound])
    }
  }
}

/// A run's metrics.csv by column.
struct Metrics {
  static let header = "epoch,step,learning_rate,train_loss,train_accuracy,test_loss,test_accuracy"

  static let expertsHeader =
    "epoch,layer,specialization,routing_entropy,dead_share,load_min,load_p5,load_p25,load_p50,"
    + "load_p75,load_p95,load_max,phi_std,phi_min,phi_max,balance_loss"

  let header: String
  /// One line an epoch.
  let lines: [[String]]

  init(_ text: String) {
    let rows = text.split(separator: "\n").map(String.init)
    header = rows.first ?? ""
    lines = rows.dropFirst().map { $0.components(separatedBy: ",") }
  }

  /// The texts of a column, as written.
  subscript(name: String) -> [String] {
    let names = header.components(separatedBy: ",")
    guard let column = names.firstIndex(of: name) else { return [] }
    return lines.map { column < $0.count ? $0[column] : "" }
  }
}

extension Workplace {
  func metrics(_ run: String) throws -> Metrics { Metrics(try text("\(run)/metrics.csv")) }
}

/// What `--format json` prints, as far as these tests ask.
struct JSONTable: Decodable {
  struct Experiment: Decodable {
    let name: String
    let command: String
    let config: String
    let seeds: [UInt64]
    let variants: [String]
    let notes: [String]
  }
  struct Failure: Decodable {
    let label: String
    let seed: UInt64
    let reason: String
  }
  struct Row: Decodable {
    let optimizer: String
    let variant: String
    let gamma: Double?
    let lr: Double
    let batchSize: Int
    let sparsity: Double
    let schedule: String
    let hiddenLayers: Int
    let width: Int
    let axes: [String: String]
    let seeds: [UInt64]
    let accuracies: [Double]
    let accuracyMean: Double?
    let accuracyStd: Double?
    let deltaSeeds: [UInt64]
    let deltaMean: Double?
    let deltaStd: Double?
    let secondsPerEpoch: Double?
    let failures: [Failure]
  }
  let experiment: Experiment
  let rows: [Row]

  init(_ text: String) throws {
    self = try snakeCaseDecoder().decode(JSONTable.self, from: Data(text.utf8))
  }
}

func snakeCaseDecoder() -> JSONDecoder {
  let decoder = JSONDecoder()
  decoder.keyDecodingStrategy = .convertFromSnakeCase
  return decoder
}

/// What a run's result.json says, as far as these tests ask.
struct ResultFile: Decodable {
  struct Status: Decodable {
    let state: String
    let reason: String?
  }
  let label: String
  let variant: String
  let gamma: Double?
  let seed: UInt64
  let epochs: Int
  let accuracy: Double?
  let trainLoss: Double?
  let status: Status
}

extension Workplace {
  func result(_ run: String) throws -> ResultFile {
    try snakeCaseDecoder().decode(ResultFile.self, from: read("\(run)/result.json"))
  }
}

/// Checks that a command was refused: the exit code, nothing on stdout, no trace of a crash, and
/// that stderr, but for progress, is one line beginning with "error: " and holding `parts`.
func expectRefused(
  _ output: Output, status: Int32, saying parts: [String],
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(output.status == status, "\(output.stderr)", sourceLocation: sourceLocation)
  #expect(output.stdout.isEmpty, sourceLocation: sourceLocation)
  let lines = output.errorLines.filter { !$0.hasPrefix("progress ") }
  #expect(lines.count == 1, "\(output.stderr)", sourceLocation: sourceLocation)
  #expect(
    lines.first?.hasPrefix("error: ") == true, "\(output.stderr)", sourceLocation: sourceLocation)
  for part in parts {
    #expect(output.stderr.contains(part), sourceLocation: sourceLocation)
  }
  expectNoCrash(output, sourceLocation: sourceLocation)
}

/// Checks that nothing looks like a crash or like a cause the system library keeps for itself.
func expectNoCrash(_ output: Output, sourceLocation: SourceLocation = #_sourceLocation) {
  for trace in ["Fatal error", "crashed", "Backtrac", "runtime failure", "NSCocoaErrorDomain"] {
    #expect(!output.stderr.contains(trace), sourceLocation: sourceLocation)
  }
}
