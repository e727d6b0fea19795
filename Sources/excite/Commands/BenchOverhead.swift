import ArgumentParser
import Experiments
import Foundation
import Reports

extension BenchCommand {
  /// The paper's Table 8.
  struct Overhead: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "How much longer a training step takes with Φ (Table 8).",
      discussion: """
        Steps without and with Φ are timed in turn (vanilla, excited, excited, vanilla) on one set of \
        weights and one batch in memory. χ of a session is the median over such blocks of the ratio of \
        their times, less 1; told are mean ± standard deviation over the sessions and an interval that \
        holds the median of all blocks with 95 %. The same follows for the CPU's time, all threads \
        together, for a machine on which other programs take the CPU away, and for the update alone: \
        forward and backward are the same code with Φ and without, so that all Φ adds is there, and \
        little noise is. Memory is what the allocator \
        has given out after a step, and the most that was resident during one.

        The models are those of Table 8: \(Self.names.joined(separator: ", ")). A config or \
        a flag that describes a model takes their place. Where the trials asked for take longer than \
        --budget, there are fewer, and the row says how many.

        Examples:
          excite bench overhead
          excite bench overhead --only mlp-2048x2,vit-512x6x8 --budget 20
          excite bench overhead --model moe_vit --optimizer adam --batch-size 64 --json
        """)

    private static let names = PaperArchitecture.all.map(\.name)

    @OptionGroup var model: BenchModel
    @Option(
      help: ArgumentHelp("Of Table 8's models, these alone.", valueName: "list"),
      completion: .list(Self.names))
    var only: String?
    @Option(help: ArgumentHelp("Sessions.", valueName: "n"))
    var sessions = OverheadPlan.paper.sessions
    @Option(help: ArgumentHelp("Untimed pairs of steps before a session.", valueName: "n"))
    var burnIn = OverheadPlan.paper.burnIn
    @Option(help: ArgumentHelp("Timed pairs of steps of a session, 2 or more.", valueName: "n"))
    var trials = OverheadPlan.paper.trials
    @Option(help: ArgumentHelp("Minutes for the steps of a model.", valueName: "minutes"))
    var budget = 5.0
    @Option(help: ArgumentHelp("Threads.", valueName: "n")) var threads = 1
    @Flag(help: "Print JSON.") var json = false

    mutating func validate() throws {
      for (flag, value, least) in [
        ("--sessions", sessions, 1), ("--burn-in", burnIn, 0), ("--trials", trials, 2),
      ] where value < least {
        throw ValidationError("\(flag) \(value): give \(least) or more")
      }
      try checkThreads(threads)
      guard budget > 0 else { throw ValidationError("--budget \(budget): give more than 0") }
      if only != nil, model.isGiven {
        throw ValidationError(
          "--only picks models of Table 8; leave it out with a model of your own")
      }
      _ = try architectures
    }

    private var architectures: [PaperArchitecture] {
      get throws {
        guard let only else { return PaperArchitecture.all }
        let wanted = only.split(separator: ",").map(String.init)
        if let unknown = wanted.first(where: { !Self.names.contains($0) })
          ?? (wanted.isEmpty ? only : nil)
        {
          throw ValidationError(
            "--only \(unknown): not one of \(Self.names.joined(separator: ", "))")
        }
        return PaperArchitecture.all.filter { wanted.contains($0.name) }
      }
    }

    private var models: [OverheadModel] {
      get throws {
        if model.isGiven {
          let config = try model.experiment().runs[0].config
          return [OverheadModel(name: config.model.name.rawValue, config: config)]
        }
        return try architectures.map { architecture in
          OverheadModel(
            name: architecture.name,
            config: try model.experiment(standard: architecture.settings).runs[0].config,
            inputs: architecture.inputs)
        }
      }
    }

    func run() throws {
      var rows: [OverheadRow] = []
      var refusal: RunnerError?
      let models = try models
      for model in models {
        do throws(RunnerError) {
          let measured = try measureOverhead(
            model, plan: OverheadPlan(sessions: sessions, burnIn: burnIn, trials: trials),
            seconds: budget * 60, threads: threads)
          rows.append(OverheadRow(measured, published: try model.published()))
          if models.count > 1 { writeToStandardError("\(model.name) done\n") }
        } catch {
          // The others may fit.
          guard case .noRoom = error else { throw Failure.exit(error) }
          refusal = error
          if models.count > 1 { writeToStandardError("note: left out: \(error.description)\n") }
        }
      }
      if rows.isEmpty, let refusal { throw Failure.exit(refusal) }
      let machine: EnvironmentRecord
      do { machine = try .current(jobs: 1) } catch { throw Failure.exit(error) }
      let report = OverheadReport(machine: MachineFacts(machine, threads: threads), rows: rows)
      let asked = OverheadPlan(sessions: sessions, burnIn: burnIn, trials: trials)
      if let code = writeToStandardOutput(json ? encoded(report) : report.text(asked: asked)) {
        throw code
      }
    }
  }
}

/// What `--json` prints.
private struct OverheadReport: Encodable {
  let machine: MachineFacts
  let rows: [OverheadRow]

  func text(asked: OverheadPlan) -> String {
    func number(_ title: String) -> RuledColumn { RuledColumn(title, isNumber: true) }
    let models = [
      RuledColumn("model"), number("parameters"), number("experts"), number("batch"),
      number("step"), number("trials"),
    ]
    let latency = [
      RuledColumn("model"), RuledColumn("time"), number("χ [%]"), number("95 % interval"),
      number("paper χ [%]"),
    ]
    let memory = [
      RuledColumn("model"), number("allocated"), number("more for Φ"), number("peak"),
      number("more for Φ"),
    ]
    let notes =
      [
        "χ: time of an excited step over a vanilla one, less 1; the paper's on an A100-80GB",
        "CPU: all threads' time at work, which other programs lengthen less",
        "update: what Φ adds to the update, as a share of a vanilla step; the rest of a step is the same code",
        "allocated: after a vanilla step; peak: most that was resident during one",
      ]
      + rows.filter { $0.trials < asked.trials }.map {
        "\($0.model): \($0.burnIn) + \($0.trials) pairs of steps a session instead of "
          + "\(asked.burnIn) + \(asked.trials), which would take about \(minutes($0, asked))"
      } + [machine.text]
    return ruledTable(models, rows: rows.map(\.modelCells)) + "\n"
      + ruledTable(latency, rows: rows.flatMap(\.latencyCells)) + "\n"
      + ruledTable(memory, rows: rows.map(\.memoryCells)) + "\n"
      + notes.map { "# \($0)\n" }.joined()
  }

  private func minutes(_ row: OverheadRow, _ asked: OverheadPlan) -> String {
    let steps = Double(asked.sessions * (asked.burnIn + asked.trials))
    let minutes = steps * (row.vanillaMedianSeconds + row.excitedMedianSeconds) / 60
    return minutes < 90
      ? "\(Int(minutes.rounded(.up))) min" : String(format: "%.1f h", minutes / 60)
  }
}

private struct OverheadRow: Encodable {
  let model: String
  let parameters: Int
  let expertComponents: Int
  let batchSize: Int
  let optimizer: String
  let variant: String
  let sessions: Int
  let burnIn: Int
  let trials: Int
  let overheadPercent: Double
  let overheadStd: Double?
  let sessionPercents: [Double]
  let intervalLow: Double?
  let intervalHigh: Double?
  let cpuOverheadPercent: Double
  let cpuOverheadStd: Double?
  let cpuIntervalLow: Double?
  let cpuIntervalHigh: Double?
  let updateOverheadPercent: Double
  let updateOverheadStd: Double?
  let updateIntervalLow: Double?
  let updateIntervalHigh: Double?
  let publishedPercent: Double?
  let publishedStd: Double?
  let vanillaMedianSeconds: Double
  let excitedMedianSeconds: Double
  let vanillaAllocatedBytes: Int?
  let excitedAllocatedBytes: Int?
  let vanillaPeakBytes: Int?
  let excitedPeakBytes: Int?

  init(_ measured: StepOverhead, published: PublishedOverhead?) {
    let (config, estimate) = (measured.model.config, measured.estimate)
    model = measured.model.name
    parameters = measured.parameters
    expertComponents = measured.model.expertComponents
    batchSize = config.batchSize
    optimizer = config.optimizer.name.rawValue
    variant = config.excitation.variant.rawValue
    sessions = measured.plan.sessions
    burnIn = measured.plan.burnIn
    trials = measured.plan.trials
    overheadPercent = estimate.mean
    overheadStd = estimate.std
    sessionPercents = estimate.sessions
    intervalLow = estimate.interval?.low
    intervalHigh = estimate.interval?.high
    cpuOverheadPercent = measured.cpuEstimate.mean
    cpuOverheadStd = measured.cpuEstimate.std
    cpuIntervalLow = measured.cpuEstimate.interval?.low
    cpuIntervalHigh = measured.cpuEstimate.interval?.high
    updateOverheadPercent = measured.updateEstimate.mean
    updateOverheadStd = measured.updateEstimate.std
    updateIntervalLow = measured.updateEstimate.interval?.low
    updateIntervalHigh = measured.updateEstimate.interval?.high
    publishedPercent = published?.mean
    publishedStd = published?.std
    vanillaMedianSeconds = measured.vanilla.median
    excitedMedianSeconds = measured.excited.median
    vanillaAllocatedBytes = measured.vanillaMemory.allocated
    excitedAllocatedBytes = measured.excitedMemory.allocated
    vanillaPeakBytes = measured.vanillaMemory.peak
    excitedPeakBytes = measured.excitedMemory.peak
  }

  var modelCells: [String] {
    [
      model, String(format: "%.1f M", Double(parameters) / 1e6), "\(expertComponents)",
      "\(batchSize)", duration(vanillaMedianSeconds), "\(sessions) × \(trials)",
    ]
  }

  var latencyCells: [[String]] {
    [
      [
        model, "elapsed", spread(overheadPercent, overheadStd, "%+.2f"),
        interval(intervalLow, intervalHigh),
        publishedPercent.map { spread($0, publishedStd, "%+.1f") } ?? "–",
      ],
      [
        "", "CPU", spread(cpuOverheadPercent, cpuOverheadStd, "%+.2f"),
        interval(cpuIntervalLow, cpuIntervalHigh), "",
      ],
      [
        "", "update", spread(updateOverheadPercent, updateOverheadStd, "%+.3f"),
        interval(updateIntervalLow, updateIntervalHigh, "%+.3f"), "",
      ],
    ]
  }

  var memoryCells: [String] {
    func size(_ count: Int?) -> String { count.map { bytes(Double($0)) } ?? "–" }
    func more(_ vanilla: Int?, _ excited: Int?) -> String {
      guard let vanilla, let excited else { return "–" }
      return "\(excited - vanilla) B"
    }
    return [
      model, size(vanillaAllocatedBytes), more(vanillaAllocatedBytes, excitedAllocatedBytes),
      size(vanillaPeakBytes), more(vanillaPeakBytes, excitedPeakBytes),
    ]
  }

  private func interval(_ low: Double?, _ high: Double?, _ format: String = "%+.2f") -> String {
    guard let low, let high else { return "–" }
    return "[\(String(format: format, low)), \(String(format: format, high))]"
  }

  private func spread(_ mean: Double, _ std: Double?, _ format: String) -> String {
    String(format: format, mean)
      + (std.map { " ± " + String(format: format.replacingOccurrences(of: "+", with: ""), $0) }
        ?? "")
  }
}
