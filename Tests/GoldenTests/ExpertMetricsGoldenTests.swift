import Foundation
import Layers
import Models
import Tensors
import TestSupport
import Testing
import Training

@Suite("Expert metrics against the reference and NumPy")
struct ExpertMetricsGoldenTests {
  struct RoutingCase: Decodable {
    let samples: Int
    let tokens: Int
    let experts: Int
    let picked: Int
    let classes: Int
  }

  static let name = "expert_metrics"

  /// Specialization is a mean of ratios of whole numbers: good to a few roundings of a Double.
  /// Entropy, at most log 128 = 4.9, comes from float32 powers and sums: (17 + 37·4.9 + 2·24)·2⁻²⁴
  /// = 1.5e-5 at most (derived with the kernel's own test), and from float32 scores of a model,
  /// which are off by about 1e-6 (see `TopKMLPGoldenTests`).
  static let bounds = (specialization: 1e-14, entropy: 2e-5)

  private static func doubles(_ file: SafetensorsFile, _ name: String) throws -> [Double] {
    try file.integers(name).map { Double(bitPattern: UInt64(bitPattern: Int64($0))) }
  }

  private static func expect(
    _ use: ExpertUse, _ expected: [Double], _ place: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try #require(expected.count == 2, sourceLocation: sourceLocation)
    #expect(
      (use.specialization - expected[0]).magnitude <= bounds.specialization,
      "\(place): specialization \(use.specialization), expected \(expected[0])",
      sourceLocation: sourceLocation)
    #expect(
      (use.entropy - expected[1]).magnitude <= bounds.entropy,
      "\(place): entropy \(use.entropy), expected \(expected[1])", sourceLocation: sourceLocation)
  }

  @Test("specialization and entropy of given scores and picks", arguments: kernelNames)
  func routing(kernelName: String) throws {
    let kernels = try #require(Kernels(named: kernelName))
    let file = try openFixture(Self.name)
    let cases = try JSONDecoder.snakeCase.decode(
      [String: RoutingCase].self, from: Data(#require(file.metadata["routing"]).utf8))
    #expect(cases.keys.sorted() == ["dead", "even", "one-pick", "peaked", "tokens"])
    for (name, facts) in cases {
      let scores = try file.tensor("\(name)/scores")
      let picks = try file.integers("\(name)/picks").map(Int32.init)
      let labels = try file.integers("\(name)/labels").map(Int32.init)
      var use = ExpertUse(experts: facts.experts, classes: facts.classes)
      // In two parts, as batches come.
      let half = facts.samples / 2
      for part in [0..<half, half..<facts.samples] {
        let row = part.lowerBound * facts.tokens
        picks.withUnsafeBufferPointer { picks in
          labels.withUnsafeBufferPointer { labels in
            guard let pick = picks.baseAddress, let label = labels.baseAddress else { return }
            let routing = Routing(
              scores: UnsafePointer(scores.data + row * facts.experts),
              scoreDistance: facts.experts, picks: pick + row * facts.picked,
              pickDistance: facts.picked, experts: facts.experts, picked: facts.picked,
              rowsPerSample: facts.tokens)
            use.add(
              routing, targets: label + part.lowerBound, samples: part.count, kernels: kernels)
          }
        }
      }
      #expect(try use.counts == file.integers("\(name)/counts"), "\(name)")
      try Self.expect(use, Self.doubles(file, "\(name)/results"), name)
    }
  }

  @Test(
    "each layer of a Top-K MLP, by what Top-K sees",
    arguments: GoldenFile<TopKMLPGoldenTests.Case>.labels(name), kernelNames)
  func model(label: String, kernelName: String) throws {
    let golden = try GoldenFile<TopKMLPGoldenTests.Case>(Self.name)
    let facts = try #require(golden.cases[label])
    let kernels = try #require(Kernels(named: kernelName))
    let model = try facts.sizes.model(
      from: golden.tensors, prefix: "\(label)/", layerNorm: facts.layerNorm, kernels: kernels)
    let inputs = try golden.tensors.tensor("\(label)/inputs", shape: [facts.batch, facts.inputs])
    let labels = try golden.tensors.integers("\(label)/labels").map(Int32.init)
    model.forward(inputs, rows: facts.batch)
    #expect(model.routing.count == facts.hiddenLayers)
    for (layer, routing) in model.routing.enumerated() {
      var use = ExpertUse(experts: facts.width, classes: facts.classes)
      use.add(routing, targets: labels, samples: facts.batch, kernels: kernels)
      let expected = try Self.doubles(golden.tensors, "\(label)/results.\(layer)")
      try Self.expect(use, expected, "\(label) layer \(layer)")
    }
  }

  @Test("the fixture has its models")
  func cases() {
    #expect(
      GoldenFile<TopKMLPGoldenTests.Case>.labels(Self.name) == ["layer-norm", "plain"])
  }

  @Test("percentiles of the load are NumPy's", arguments: [1, 2, 7, 128])
  func load(experts: Int) throws {
    let file = try openFixture(Self.name)
    let load = LoadSpread(try Self.doubles(file, "load-\(experts)/utilization"))
    let found = [
      load.lowest, load.percentile5, load.percentile25, load.median, load.percentile75,
      load.percentile95, load.highest,
    ]
    // Between two values below 1 NumPy rounds in another order: one or two units of 2⁻⁵³.
    let expected = try Self.doubles(file, "load-\(experts)/percentiles")
    #expect(expected.count == found.count)
    for (value, exact) in zip(found, expected) {
      #expect((value - exact).magnitude <= 2.3e-16, "\(value), expected \(exact)")
    }
  }
}
