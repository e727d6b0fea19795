import ArgumentParser
import Experiments
import Foundation
import Models
import Reports

extension ScaleAxis: ExpressibleByArgument {}

extension BenchCommand {
  /// How the cost of a step grows.
  struct Scale: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "How time and memory of a training step grow along an axis.",
      discussion: """
        Steps at all places of the axis are timed in turn, on a batch in memory. The slope is the \
        exponent of the power of the axis that fits best by least squares; of sparsity, the power of \
        the share of neurons at work. Along experts the batch grows with their number, so that each \
        gets as many tokens; --batch-size leaves it as it is. Memory is what model, optimizer and \
        batches take of the allocator. The picture is drawn as SVG and PNG.

        experts and threads are measured on the vision transformer of 17 million parameters, the \
        other axes on a Top-K MLP; a config or --model takes its place.

        Examples:
          excite bench scale --axis experts
          excite bench scale --axis width --model gpt_moe --values 128,256,512 --batch-size 1
          excite bench scale --axis batch --optimizer adam --json
        """)

    @Option(help: "What grows.") var axis: ScaleAxis
    @Option(help: ArgumentHelp("Its values.", valueName: "list")) var values: String?
    @Option(help: ArgumentHelp("Tokens of each expert, along experts.", valueName: "n"))
    var tokensPerExpert = 32
    @Option(
      help: ArgumentHelp("Where the picture goes.", valueName: "dir"), completion: .directory)
    var out = "results/bench"
    @OptionGroup var model: BenchModel
    @OptionGroup var timed: BenchRepetitions

    mutating func validate() throws {
      guard 1...1_000_000 ~= tokensPerExpert else {
        throw ValidationError("--tokens-per-expert \(tokensPerExpert): give 1 to 1000000")
      }
      _ = try givenValues
    }

    private var givenValues: [Double]? {
      get throws {
        guard let values else { return nil }
        let numbers = try values.split(separator: ",", omittingEmptySubsequences: false).map {
          text in
          guard let number = Double(text), axis.allows(number) else {
            throw ValidationError("--values \(text): not a value of \(axis.rawValue)")
          }
          return number
        }
        guard Set(numbers).count == numbers.count else {
          throw ValidationError("--values \(values): a value is given twice")
        }
        return numbers.sorted()
      }
    }

    /// An experiment at a place of the axis.
    private func experiment(_ varied: [String]) throws -> ExperimentConfig {
      let isOwn = model.config != nil || model.model != nil
      let standard =
        isOwn ? [] : ["model.name=\(axis.standardModel.rawValue)"] + axis.standardSettings
      return try model.experiment(standard: standard, varied: varied)
    }

    private var points: [ScalePoint] {
      get throws {
        let base = try experiment([]).runs[0].config
        guard axis.applies(to: base.model.name) else {
          throw ValidationError(
            "--axis \(axis.rawValue): \(base.model.name.rawValue) has no such axis")
        }
        let tokens = model.batchSize == nil ? tokensPerExpert : nil
        return try (try givenValues ?? axis.standardValues(for: base.model.name)).map { value in
          let settings = axis.settings(value, base: base, tokensPerExpert: tokens)
          return ScalePoint(
            value: value, config: try experiment(settings).runs[0].config,
            threads: axis == .threads ? Int(value) : timed.threads)
        }
      }
    }

    func run() throws {
      let points = try points
      do throws(RunnerError) {
        let study = try ScaleStudy(axis, points: points, repetitions: timed.repetitions)
        let machine = MachineFacts(
          try EnvironmentRecord.current(jobs: 1), threads: points.map(\.threads).max() ?? 1)
        print(timed.json ? encoded(ScaleReport(study, machine)) : text(study, machine))
        for path in try study.draw(in: out, note: machine.text) {
          writeToStandardError("wrote \(path)\n")
        }
      } catch {
        throw Failure.exit(error)
      }
    }

    private func text(_ study: ScaleStudy, _ machine: MachineFacts) -> String {
      let columns = [
        RuledColumn(axis.rawValue, isNumber: true), RuledColumn("parameters", isNumber: true),
        RuledColumn("batch", isNumber: true), RuledColumn("step", isNumber: true),
        RuledColumn("per sample", isNumber: true), RuledColumn("per token", isNumber: true),
        RuledColumn("memory", isNumber: true),
      ]
      let hasTokens = study.unit == "token"
      let rows = study.measures.map { measure in
        [
          String(format: "%g", measure.point.value),
          String(format: "%.2f M", Double(measure.parameters) / 1e6),
          "\(measure.point.config.batchSize)", duration(measure.step.median),
          duration(measure.secondsPerSample),
          hasTokens ? duration(measure.secondsPerToken) : "–",
          measure.bytes.map { bytes(Double($0)) } ?? "–",
        ]
      }
      var lines: [String] = []
      let measure = axis == .sparsity ? "(1 − sparsity)" : axis.rawValue
      if let law = study.timeLaw {
        let times = study.measures.map(\.secondsPerToken)
        let spread = (times.max() ?? 1) / (times.min() ?? 1)
        lines.append(
          String(
            format: "time per %@ grows as %@^%.2f, largest over smallest %.2f", study.unit, measure,
            law.exponent, spread))
      }
      if let law = study.memoryLaw {
        lines.append(String(format: "memory grows as %@^%.2f", measure, law.exponent))
      }
      lines.append(machine.text)
      return ruledTable(columns, rows: rows) + "\n"
        + lines.map { "# \($0)" }.joined(separator: "\n")
    }
  }
}

/// What `--json` prints.
private struct ScaleReport: Encodable {
  struct Place: Encodable {
    let value: Double
    let parameters: Int
    let batchSize: Int
    let threads: Int
    let stepSeconds: Double
    let secondsPerSample: Double
    let secondsPerToken: Double
    let memoryBytes: Int?
  }

  let axis: String
  let model: String
  let optimizer: String
  let variant: String
  let timeExponent: Double?
  let memoryExponent: Double?
  let points: [Place]
  let machine: MachineFacts

  init(_ study: ScaleStudy, _ machine: MachineFacts) {
    let config = study.measures[0].point.config
    axis = study.axis.rawValue
    model = config.model.name.rawValue
    optimizer = config.optimizer.name.rawValue
    variant = config.excitation.variant.rawValue
    timeExponent = study.timeLaw?.exponent
    memoryExponent = study.memoryLaw?.exponent
    points = study.measures.map { measure in
      Place(
        value: measure.point.value, parameters: measure.parameters,
        batchSize: measure.point.config.batchSize, threads: measure.point.threads,
        stepSeconds: measure.step.median, secondsPerSample: measure.secondsPerSample,
        secondsPerToken: measure.secondsPerToken, memoryBytes: measure.bytes)
    }
    self.machine = machine
  }
}
