import Foundation
import Reports

/// The machine, as results of benchmarks name it.
struct MachineFacts: Encodable {
  let cpu: String
  let cores: Int
  let kernels: String
  let blasCore: String
  let threads: Int

  init(_ machine: EnvironmentRecord, threads: Int) {
    cpu = machine.cpu
    cores = machine.cores
    kernels = machine.kernels
    blasCore = machine.blasCore ?? "unknown"
    self.threads = threads
  }

  var text: String {
    "\(threads) thread\(threads == 1 ? "" : "s") of \(cores) core\(cores == 1 ? "" : "s"), \(cpu), "
      + "\(kernels) kernels, BLAS for \(blasCore)"
  }
}

/// A value as JSON with keys in snake case.
func encoded(_ value: some Encodable) -> String {
  let encoder = JSONEncoder()
  encoder.keyEncodingStrategy = .convertToSnakeCase
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
}

/// Seconds for people.
func duration(_ seconds: Double) -> String {
  switch seconds {
  case ..<1e-3: String(format: "%.1f µs", seconds * 1e6)
  case ..<1: String(format: "%.1f ms", seconds * 1e3)
  default: String(format: "%.2f s", seconds)
  }
}

/// Bytes for people.
func bytes(_ bytes: Double) -> String {
  bytes < 1e9 ? String(format: "%.1f MB", bytes / 1e6) : String(format: "%.2f GB", bytes / 1e9)
}
