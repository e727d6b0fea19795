import ArgumentParser
import Datasets
import Experiments
import Foundation
import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

struct SampleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample",
    abstract: "Let a trained language model continue a text.",
    discussion: """
      Examples:
        excite run configs/synthetic_gpt.yaml --save weights
        excite sample weights/RUN/final.safetensors --prompt "The "
        excite sample weights/RUN/final.safetensors --prompt "The " --temperature 0 --tokens 20
      """)

  @Argument(
    help: ArgumentHelp(
      "What --save left, or the checkpoint in a run's folder.", valueName: "weights"),
    completion: .file(extensions: ["safetensors"]))
  var weights: String

  @Option(help: ArgumentHelp("The text to go on from.", valueName: "text")) var prompt: String

  @Option(help: ArgumentHelp("How many tokens to add.", valueName: "n")) var tokens = 100

  @Option(
    help: ArgumentHelp(
      "Below 1 likely tokens are likelier; 0 always takes the likeliest.", valueName: "t"))
  var temperature = 0.8

  @Option(help: ArgumentHelp("Draw from so many of the likeliest tokens.", valueName: "k"))
  var topK = 50

  @Option(help: ArgumentHelp("Another seed draws other tokens.", valueName: "n"))
  var seed: UInt64 = 0

  @OptionGroup var location: DataCommand.Location

  @Option(help: ArgumentHelp("Threads; they change no token.", valueName: "n")) var threads = 1

  func validate() throws {
    if prompt.isEmpty { throw ValidationError("--prompt is empty: give some text to go on from") }
    if !(1...1_000_000).contains(tokens) {
      throw ValidationError("--tokens \(tokens): give 1 to 1000000")
    }
    if !temperature.isFinite || temperature < 0 {
      throw ValidationError("--temperature \(temperature): give 0 or more")
    }
    if topK < 1 { throw ValidationError("--top-k \(topK): give 1 or more") }
    try checkThreads(threads)
  }

  func run() throws {
    var options = SamplingOptions()
    options.tokens = tokens
    options.temperature = temperature
    options.topK = topK
    options.seed = seed
    let text: String
    do {
      text = try sampleText(
        try weightsFile(weights), prompt: prompt, options: options,
        dataDirectory: location.directory, threads: threads)
    } catch {
      throw Failure.exit(error)
    }
    // What strangers' weights say must not steer a terminal.
    let isShown = isatty(STDOUT_FILENO) != 0
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let shown = isShown ? lines.map { visible(String($0)) }.joined(separator: "\n") : text
    if let code = writeToStandardOutput(shown + "\n") { throw code }
  }
}
