import Foundation
import Testing

/// `--save` and `--from`.
struct WeightsTests {
  let work: Workplace

  init() throws { work = try Workplace() }

  static let oneRun = ["--seeds", "0", "--variants", "zero-sum", "--quiet"]

  /// Trains one run and keeps its weights.
  /// - Returns: the file's path in the workplace.
  private func trained(_ name: String, _ arguments: [String] = []) throws -> String {
    _ = try work.success(
      ["run", "small.yaml", "--out", name, "--save", name] + Self.oneRun + arguments)
    let label = try #require(work.labels(in: name).first)
    return "\(name)/\(label)/final.safetensors"
  }

  /// A safetensors file: 8 bytes of header length, little-endian; the header; the tensors.
  private func parts(_ file: String) throws -> (header: [String: Any], tensors: Data) {
    let data = try work.read(file)
    let length = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    try #require(data.count > 8 + length)
    let header = try JSONSerialization.jsonObject(with: data.dropFirst(8).prefix(length))
    return (try #require(header as? [String: Any]), data.dropFirst(8 + length))
  }

  @Test func savedFileNamesTensorsAsPyTorchDoes() throws {
    let (header, tensors) = try parts(trained("w"))
    // 32 × 32 RGB images are 3,072 inputs; width 16, two Top-K layers, ten classes.
    let shapes = [
      "layers.0.weight": [16, 3072], "layers.0.bias": [16], "layers.1.weight": [16, 16],
      "layers.1.bias": [16], "head.weight": [10, 16], "head.bias": [10],
    ]
    #expect(Set(header.keys) == Set(shapes.keys).union(["__metadata__"]))
    for (name, shape) in shapes {
      let tensor = header[name] as? [String: Any]
      #expect(tensor?["shape"] as? [Int] == shape, "\(name)")
      #expect(tensor?["dtype"] as? String == "F32")
    }
    let elements = shapes.values.reduce(0) { $0 + $1.reduce(1, *) }
    #expect(tensors.count == 4 * elements)
    let metadata = header["__metadata__"] as? [String: String]
    #expect(metadata?["config"]?.contains("\"excitation.variant\":\"zero-sum\"") == true)
  }

  /// A rate of 1e-30 is too small to change a weight, so training ends with the weights that it
  /// began with, and with their loss on the test images.
  @Test func weightsComeBackAsTheyWere() throws {
    let first = try trained("first")
    let second = try trained("second", ["--from", first, "--set", "optimizer.lr=1e-30"])
    #expect(try parts(second).tensors == parts(first).tensors)
    let losses = try ["first", "second"].map { name in
      try work.metrics("\(name)/runs/\(try #require(work.labels(in: name).first))")["test_loss"]
        .last
    }
    #expect(losses[0] != nil && losses[0] == losses[1])
  }

  /// SGD keeps no state, and without a schedule and shuffling every epoch is alike: one epoch and
  /// then another from its weights are two epochs.
  @Test func twoHalvesAreAWhole() throws {
    let alike = ["--order", "sequential", "--set", "schedule=constant"]
    let whole = try trained("whole", alike)
    let half = try trained("half", alike + ["--set", "epochs=1"])
    #expect(try parts(half).tensors != parts(whole).tensors)
    let rest = try trained("rest", alike + ["--set", "epochs=1", "--from", half])
    #expect(try parts(rest).tensors == parts(whole).tensors)
  }

  /// With the weights and the order of records given, nothing of the seed is left in the first step.
  @Test func everyRunStartsFromTheGivenWeights() throws {
    let file = try trained("w")
    _ = try work.success(
      ["run", "small.yaml", "--order", "sequential", "--max-steps", "1", "--from", file]
        + ["--out", "o", "--quiet"])
    let losses = try work.labels(in: "o").flatMap { try work.metrics("o/runs/\($0)")["train_loss"] }
    #expect(losses.count == 6)
    #expect(Set(losses).count == 1)
  }

  /// A file that cannot be used, by its content; the message names the file and says why.
  static let unusable: [(String, Data?, String)] = [
    ("missing.safetensors", nil, "no such file"),
    ("text.safetensors", Data("this is no safetensors file".utf8), "not a valid safetensors file"),
    ("empty.safetensors", Data(), "not a valid safetensors file"),
    // A header of 2 bytes that holds no tensor.
    ("none.safetensors", Data([2, 0, 0, 0, 0, 0, 0, 0]) + Data("{}".utf8), "layers.0.weight"),
  ]

  @Test(arguments: unusable)
  func unusableFileStopsAllBeforeTheStart(name: String, content: Data?, reason: String) throws {
    if let content { try work.write(content, to: name) }
    let output = try work.excite(["run", "small.yaml", "--from", name, "--out", "o"])
    expectRefused(output, status: 1, saying: [name, reason])
    #expect(!work.exists("o"))
  }

  @Test func cutOffFileIsRefused() throws {
    let whole = try work.read(trained("w"))
    try work.write(whole.dropLast(1), to: "cut.safetensors")
    let output = try work.excite("run", "small.yaml", "--from", "cut.safetensors")
    expectRefused(output, status: 1, saying: ["cut.safetensors", "not a valid safetensors file"])
  }

  @Test func weightsOfAnotherShapeAreRefused() throws {
    let file = try trained("w")
    let output = try work.excite(
      "run", "small.yaml", "--from", file, "--set", "model.width=32", "--out", "o")
    #expect(output.status == 1)
    expectNoCrash(output)
    let reason = "tensor layers.0.weight has shape [16, 3072], expected [32, 3072]"
    #expect((output.stdout + output.stderr).contains("\(file): \(reason)"))
    expectRefused(output, status: 1, saying: [reason])
  }

  @Test func folderInPlaceOfWeightsIsRefused() throws {
    let output = try work.excite("run", "small.yaml", "--from", ".")
    #expect(output.status == 1)
    expectRefused(output, status: 1, saying: [".: ", "a folder; give a file"])
  }

  /// The folder that --save was given, and a run's own in it.
  @Test func folderNamesTheFilesInside() throws {
    let file = try trained("w")
    for folder in ["w", "w/", String(file.dropLast("/final.safetensors".count))] {
      let output = try work.excite("run", "small.yaml", "--from", folder)
      expectRefused(output, status: 1, saying: ["give the file in it: \(file)"])
    }
  }
}
