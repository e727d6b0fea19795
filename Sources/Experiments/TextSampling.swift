import Datasets
import Foundation
import Models
import Tensors
import Text
import Training

/// How a continuation is drawn.
public struct SamplingOptions: Sendable {
  /// How many tokens.
  public var tokens = 100
  /// Logits are divided by it; 0 takes the likeliest token.
  public var temperature = 0.8
  /// Only so many of the likeliest tokens can be drawn.
  public var topK = 50
  public var seed: UInt64 = 0

  public init() {}
}

extension RunConfig {
  /// Of the run that left a file of weights: in the file, as `--save` keeps it, or beside it, as a
  /// run's folder has it.
  /// - Throws: `.unreadable` where there is none; `.config`.
  public init(of weights: SafetensorsFile) throws(RunnerError) {
    do throws(ConfigError) {
      guard let text = weights.metadata["config"] else {
        let folder = URL(fileURLWithPath: weights.file).deletingLastPathComponent()
        let path = folder.appendingPathComponent("config.yaml").path
        guard FileManager.default.fileExists(atPath: path) else {
          throw .unreadable(
            file: weights.file,
            reason: "has no config in it, and there is no config.yaml beside it")
        }
        self = try ExperimentConfig.load(path: path).base
        return
      }
      // Its keys are whole paths, and JSON is YAML.
      let node = try Composition.node(of: text, file: weights.file)
      guard case .map(let entries) = node.content else {
        throw .unreadable(file: weights.file, reason: "has a config that is no map")
      }
      let perRun = ["excitation.variant", ConfigKey.gamma, "seed"]
      let assignments = entries.filter { !perRun.contains($0.key) }.compactMap { entry in
        entry.value.text.map { text in
          let key = ConfigKey.all.first { $0.path == entry.key }
          return "\(entry.key)=\(key?.yamlText(text) ?? text)"
        }
      }
      self = try ExperimentConfig.standard(overrides: ConfigOverrides(set: assignments)).base
    } catch {
      throw .config(error)
    }
  }
}

/// Continues a text with the model that a run left.
///
/// Each token is drawn from what the model makes of the tokens before it, as many as its context
/// holds. Equal weights, text, options and core type give equal text.
///
/// - Parameters:
///   - weights: of a language model, as `--save` or a run's folder keeps them.
///   - prompt: not empty.
/// - Returns: the prompt, as its tokens read, and its continuation.
/// - Throws: `.blas`; `.config` and `.unreadable` where the file tells no language model; `.text`
///   for its tokenizer; `.training(.checkpoint)` where tensors are missing.
public func sampleText(
  _ weights: SafetensorsFile, prompt: String, options: SamplingOptions, dataDirectory: URL,
  threads: Int = 1
) throws(RunnerError) -> String {
  do { try BLAS.load() } catch { throw .blas(error) }
  let config = try RunConfig(of: weights)
  guard case .gptMoE(let gpt) = config.model, let corpus = config.corpus else {
    throw .unreadable(
      path: weights.file, reason: "holds a \(config.model.name.rawValue), not a language model")
  }
  let tokenizer: Tokenizer
  do {
    tokenizer = try loadCorpus(corpus, directory: dataDirectory, workers: Workers(threads))
      .tokenizer
  } catch {
    throw .text(error)
  }
  // A config is a claim: memory for it where the file has about as many numbers. What exactly is
  // missing is told below.
  let held = weights.names.reduce(0) { $0 + (weights.shape(of: $1) ?? []).reduce(1, *) }
  guard let needed = gpt.parameterCount(vocabulary: tokenizer.vocabularySize), needed / 2 <= held
  else {
    throw .unreadable(
      path: weights.file,
      reason: "holds \(held) numbers, far fewer than the model of its config has")
  }
  let loaded: any Model
  do {
    loaded = try config.model.load(
      weights, classes: tokenizer.vocabularySize, workers: Workers(threads))
  } catch {
    throw .training(error)
  }
  guard let model = loaded as? GPTMoE else { return prompt }
  var tokens = tokenizer.encode(prompt)
  // Words end a text's last line; a prompt goes on.
  if case .words = tokenizer, prompt.utf8.last != UInt8(ascii: "\n"), tokens.count > 1 {
    tokens.removeLast()
  }
  var stream = RandomStream(seed: options.seed, purpose: .sampling)
  let inputs = Tensor(1, gpt.context)
  for _ in 0..<options.tokens {
    let seen = tokens.suffix(gpt.context)
    inputs.setZero()
    for (place, token) in seen.enumerated() { inputs.data[place] = Float(token) }
    model.forward(inputs, rows: 1)
    tokens.append(draw(model.logits(row: seen.count - 1), options, &stream))
  }
  do { return String(decoding: try tokenizer.decode(tokens), as: UTF8.self) } catch {
    throw .text(error)
  }
}

/// A token by its logits.
private func draw(
  _ logits: UnsafeBufferPointer<Float>, _ options: SamplingOptions, _ stream: inout RandomStream
) -> Int {
  let likeliest = logits.indices.sorted { (logits[$0], $1) > (logits[$1], $0) }
    .prefix(options.temperature > 0 ? options.topK : 1)
  guard let first = likeliest.first, likeliest.count > 1 else { return likeliest.first ?? 0 }
  let shares = likeliest.map { token in
    exp(Double(logits[token] - logits[first]) / options.temperature)
  }
  var rest = Double(stream.uniform()) * shares.reduce(0, +)
  for (token, share) in zip(likeliest, shares) {
    rest -= share
    if rest < 0 { return token }
  }
  return first
}
