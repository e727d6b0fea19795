import Foundation
import Tensors
import Testing

/// A fixture written by scripts/golden, with what it says about its cases.
struct GoldenFile<Facts: Decodable> {
  let tensors: SafetensorsFile
  /// From the metadata, by case.
  let cases: [String: Facts]

  init(_ name: String) throws {
    tensors = try openFixture(name)
    cases = try JSONDecoder.snakeCase.decode(
      [String: Facts].self, from: Data(#require(tensors.metadata["cases"]).utf8))
  }

  /// For the arguments of a test. A fixture that cannot be read gives none; the test of the number
  /// of cases then fails and says why.
  static func labels(_ name: String) -> [String] {
    (try? Self(name).cases.keys.sorted()) ?? []
  }
}

func openFixture(_ name: String) throws -> SafetensorsFile {
  let url = try #require(
    Bundle.module.url(forResource: "Fixtures/\(name)", withExtension: "safetensors"))
  return try SafetensorsFile(path: url.path)
}

extension JSONDecoder {
  static var snakeCase: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return decoder
  }
}

/// The kernel sets that this CPU runs: each must agree with PyTorch by itself.
let kernelNames = ["avx512", "avx2", "baseline", "plain"].filter { Kernels(named: $0) != nil }
