import Foundation
import Testing

@Suite("Language models on the command line")
struct LanguageModelTests {
  let work: Workplace

  init() throws {
    work = try Workplace()
    try work.write(
      """
      dataset: {name: synthetic-text}
      model: {name: gpt_moe, layers: 1, d: 16, heads: 2, experts: 4, k: 2, hidden: 8, context: 16}
      optimizer: {name: adam, lr: 0.01}
      excitation: {variants: [vanilla, zero-sum]}
      batch_size: 8
      epochs: 1
      max_steps: 30
      seeds: [0, 1]
      """, to: "gpt.yaml")
  }

  @Test("a run's table has perplexities, and Δ is what excitation takes off them")
  func table() throws {
    let text = try work.success(["run", "gpt.yaml", "--quiet"]).stdout
    #expect(text.contains("perplexity") && text.contains("Δ PPL"))
    #expect(!text.contains("accuracy"))
    let json = try work.success(["run", "gpt.yaml", "--quiet", "--format", "json"]).stdout
    let report = try #require(
      try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
    let rows = try #require(report["rows"] as? [[String: Any]])
    #expect(rows.count == 2)
    let means = try rows.map { try #require($0["perplexity_mean"] as? Double) }
    // Bytes: 256 would be guessing; the text uses some 30 of them.
    #expect(means.allSatisfy { $0 > 1 && $0 < 60 })
    #expect(rows.allSatisfy { $0["accuracy_mean"] == nil })
    let delta = try #require(rows[1]["delta_mean"] as? Double)
    #expect((delta - (means[0] - means[1])).magnitude < 1e-6)
  }

  /// Two epochs of both variants and seeds.
  @Test("perplexities on the test and the validation text, epoch by epoch and in the end")
  func validation() throws {
    let command = ["run", "gpt.yaml", "--quiet", "--set", "epochs=2", "--set", "max_steps=60"]
    let text = try work.success(command).stdout
    #expect(text.contains("validation"))
    let labels = work.labels(in: "results")
    #expect(labels.count == 4)
    for label in labels {
      let lines = try work.text("results/runs/\(label)/metrics.csv").split(separator: "\n")
      let columns = lines[0].split(separator: ",")
      func value(_ line: Int, _ column: String) throws -> Double {
        let place = try #require(columns.firstIndex { $0 == column })
        let fields = lines[line].split(separator: ",", omittingEmptySubsequences: false)
        return try #require(Double(fields[place]))
      }
      for line in 1..<lines.count {
        for (loss, perplexity) in [
          ("test_loss", "test_perplexity"), ("validation_loss", "validation_perplexity"),
        ] {
          #expect(try value(line, perplexity) == exp(value(line, loss)))
        }
        #expect(try value(line, "test_loss") != value(line, "validation_loss"))
      }
      let result = try #require(
        try JSONSerialization.jsonObject(with: work.read("results/runs/\(label)/result.json"))
          as? [String: Any])
      for name in ["test", "validation"] {
        let kept = try #require(
          result[name == "test" ? "perplexity" : "validation_perplexity"] as? Double)
        #expect(try abs(kept - value(lines.count - 1, "\(name)_perplexity")) < 1e-9 * kept)
      }
    }
    let curves = try work.success(["report", "results", "--plot", "curves"])
    #expect(curves.status == 0)
    let pictures = work.files(in: "results/experiments").filter { $0.hasSuffix(".svg") }
    let picture = try work.text("results/experiments/\(try #require(pictures.first))")
    #expect(picture.contains("test perplexity") && picture.contains("validation perplexity"))
    #expect(!picture.contains("accuracy"))
  }

  @Test("a step is timed without a config and without data")
  func bench() throws {
    let text = try work.success([
      "bench", "step", "--model", "gpt_moe", "--set", "model.layers=1", "--set", "model.d=16",
      "--set", "model.context=8", "--batch-size", "2", "--repetitions", "1", "--json",
    ]).stdout
    let values = try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    #expect(try #require(values["median_seconds"] as? Double) > 0)
    let parts = [
      "embedding", "norms", "attention", "router", "dispatch", "experts", "head", "optimizer",
    ]
    #expect(parts.allSatisfy { (values["\($0)_fraction"] as? Double ?? 0) > 0 })
  }

  @Test("weights that were kept continue a text, the same way each time")
  func sample() throws {
    _ = try work.success(
      ["run", "gpt.yaml", "--quiet", "--seeds", "0", "--variants", "vanilla", "--save", "kept"])
    let run = try #require(
      try FileManager.default.contentsOfDirectory(atPath: work.path("kept")).first)
    let weights = "kept/\(run)/final.safetensors"
    func sample(_ more: [String]) throws -> String {
      try work.success(["sample", weights, "--prompt", "The ", "--tokens", "40"] + more).stdout
    }
    let first = try sample([])
    #expect(first.hasPrefix("The ") && first.utf8.count >= 45)
    #expect(try sample([]) == first)
    #expect(try sample(["--threads", "2"]) == first)
    #expect(try sample(["--seed", "1"]) != first)
    let likeliest = try sample(["--temperature", "0"])
    #expect(try sample(["--top-k", "1"]) == likeliest)
  }

  @Test("the path of a text may have any character; words go on where the prompt ends")
  func awkwardPath() throws {
    let line = String(repeating: "The cat sat on the mat and the dog on the hat . ", count: 20)
    let name = #"a, "b" \ {c}: #d.txt"#
    try work.write(String(repeating: line + "\n", count: 20), to: name)
    let config = try work.text("gpt.yaml").replacing(
      "{name: synthetic-text}", with: "{name: files, tokenizer: word, train: '\(name)'}")
    try work.write(config, to: "awkward.yaml")
    let flags = ["--seeds", "0", "--variants", "vanilla", "--save", "kept", "--out", "o"]
    let csv = try work.success(
      ["run", "awkward.yaml", "--quiet", "--format", "csv"] + flags
    ).stdout
    #expect(csv.contains("word_perplexity_mean"))
    // What the store keeps of it reads back to the same run.
    let label = try #require(work.labels(in: "o").first)
    // Flags changed what the file says, so that a hash stands behind its name.
    let kept = try #require(
      try FileManager.default.contentsOfDirectory(atPath: work.path("o/experiments")).first)
    let again = try work.success(["run", "o/experiments/\(kept)/experiment.yaml", "--dry-run"])
    #expect(again.stdout.contains(label))
    let sample = try work.success(
      ["sample", "kept/\(label)/final.safetensors", "--prompt", "The cat", "--tokens", "3"]
        + ["--temperature", "0"])
    let words = sample.stdout.split(separator: "\n").first?.split(separator: " ") ?? []
    #expect(words.starts(with: ["The", "cat"]) && words.count == 5, "\(sample.stdout)")
  }

  @Test("a batch larger than a text is told with the text's name")
  func batchOfAShortText() throws {
    try work.write(String(repeating: "some words\n", count: 400), to: "short.txt")
    let config = try work.text("gpt.yaml").replacing(
      "{name: synthetic-text}", with: "{name: files, tokenizer: byte, train: short.txt}")
    try work.write(config, to: "short.yaml")
    let output = try work.excite("run", "short.yaml", "--set", "batch_size=4096")
    #expect(output.status == 64)
    #expect(output.stderr.contains(" training records that files has"), "\(output.stderr)")
  }

  @Test(
    "what does not fit is told with its line",
    arguments: [
      ("dataset.name=cifar10", "gpt_moe learns from text"),
      ("model.k=5", "5 picked of 4 experts"),
      ("model.heads=3", "3 heads do not divide"),
      ("dataset.augmentation=flip", "unknown key"),
      ("dataset.train=/x", "paths are for the name files"),
      ("dataset.name=files", "needs the path of a text"),
      ("micro_batch=3", "do not divide a batch of 8"),
    ])
  func conflicts(setting: String, message: String) throws {
    let output = try work.excite(["run", "gpt.yaml", "--set", setting])
    expectRefused(output, status: 64, saying: [message])
  }

  @Test("texts that cannot be read are named, and nothing is left")
  func badTexts() throws {
    try work.write("", to: "empty.txt")
    try Data([0x61, 0xFF, 0x62]).write(to: URL(fileURLWithPath: work.path("latin.txt")))
    try work.write("too short", to: "short.txt")
    for (file, message) in [
      ("empty.txt", "empty"), ("latin.txt", "byte 1"), ("short.txt", "a context of 16 tokens"),
      ("absent.txt", "no such file"),
    ] {
      let output = try work.excite([
        "run", "gpt.yaml", "--set", "dataset.name=files", "--set", "dataset.train=\(file)", "--set",
        "dataset.tokenizer=byte",
      ])
      expectRefused(output, status: 1, saying: [message])
    }
    #expect(!FileManager.default.fileExists(atPath: work.path("results/runs")))
  }
}
