import Reports
import Testing

@Suite struct TerminalReportTests {
  static let plain = TerminalStyle(color: false, width: 80)

  /// What stands above every table of these tests, apart from the lines of the experiment.
  static let environment = """
      machine  Example CPU 3000, 2 cores, 1 run at once
      BLAS     OpenBLAS 0.3.21, SkylakeX core, 1 thread per run
      kernels  avx512
      build    excite 0.1.0, commit abc1234, Swift 6.3.1, release, Linux
    """

  /// Table 1's layout without spreads of Δ and time, 80 wide.
  @Test func severalOptimizers() throws {
    let sgd = setting(varying: [SettingAxis("optimizer.name", "sgd")])
    let momentum = setting(
      optimizer: "momentum", momentum: 0.9, varying: [SettingAxis("optimizer.name", "momentum")])
    let adagrad = setting(
      optimizer: "adagrad", lr: 1e-4, varying: [SettingAxis("optimizer.name", "adagrad")])
    // Means and spreads: a, a + 1, a + 2 gives a + 1 ± 1; Δ of 5, 6, 7 is 6 ± 1; of 1, 1, 1 is
    // 1 ± 0; of −1, −1, −2.5 is −1.5 ± √0.75. Against the paper: vanilla (0.01 + 0.35 + 0.83) / 3,
    // positive-sum (0.41 + 0.04 + 3.95) / 3.
    let outcomes =
      runs(sgd, "vanilla", gamma: nil, [40, 41, 42], seconds: 0.42)
      + runs(sgd, "positive-sum", [45, 47, 49], seconds: 0.456)
      + runs(momentum, "vanilla", gamma: nil, [50, 51, 52], seconds: 0.04)
      + runs(momentum, "positive-sum", [51, 52, 53], seconds: 12.5)
      + runs(adagrad, "vanilla", gamma: nil, [32, 33, 34], seconds: 250)
      + runs(adagrad, "positive-sum", [31, 32, 31.5], seconds: 0.42)
    let text = render(try table(outcomes), format: .table, style: Self.plain)
    #expect(
      text == """
        cifar10_topk
          command  excite run configs/cifar10_topk.yaml
          config   topk_mlp, cifar10, lr 0.01 (sgd, momentum), lr 0.0001 (adagrad),
                   μ 0.9 (momentum), batch 512, sparsity 0.9, cosine, 3 hidden layers,
                   width 128, 300 epochs, γ 1
          seeds    0, 1, 2
        \(Self.environment)

        optimizer  variant       accuracy [%]      Δ   95 % interval  paper  paper Δ
        ─────────  ────────────  ────────────  ─────  ──────────────  ─────  ───────
        sgd        vanilla       41.00 ± 1.00      –               –  41.01        –
        sgd        positive-sum  47.00 ± 2.00  +6.00  [+3.52, +8.48]  46.59    +5.58

        momentum   vanilla       51.00 ± 1.00      –               –  50.65        –
        momentum   positive-sum  52.00 ± 1.00  +1.00  [+1.00, +1.00]  51.96    +1.31

        adagrad    vanilla       33.00 ± 1.00      –               –  32.17        –
        adagrad    positive-sum  31.50 ± 0.50  -1.50  [-3.65, +0.65]  35.45    +3.28

        no room for: sign, time/epoch, spreads (±); a wider terminal or --format
          markdown has it
        accuracy: test set, last epoch; mean ± sample std over seeds; n = 3
        Δ: mean over seeds of excited − vanilla, paired by seed; n = 3
        95 % interval: of that mean, by Student's t
        no p with 3 seeds: a sign-flip test cannot go below 0.25 there; the interval is
          the only test, and takes the differences as normal
        paper: published mean over 3 seeds, arXiv:2602.21798
        mean |ours − paper|: 0.40 points (vanilla, n = 3), 1.47 points (excited, n = 3);
          sign of Δ as published: 2 of 3, not adagrad positive-sum

        """)
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 })
  }

  /// What `--max-steps` cut is not held against the paper.
  @Test func cutRunsHaveNoDistance() throws {
    for steps in [nil, 2] {
      var sgd = setting(varying: [SettingAxis("optimizer.name", "sgd")])
      sgd.maxSteps = steps
      let outcomes = runs(sgd, "vanilla", gamma: nil, [41]) + runs(sgd, "positive-sum", [47])
      let text = render(try table(outcomes), format: .table, style: Self.plain)
      #expect(text.contains("sign of Δ as published: 1 of 1") == (steps == nil))
      #expect(text.contains("mean |ours − paper|") == (steps == nil))
    }
  }

  /// Failures add the column n, and then the sign gives way.
  @Test func failedRuns() throws {
    let text = render(try table(twoOptimizers()), format: .table, style: Self.plain)
    #expect(
      text == """
        cifar10_topk
          command  excite run configs/cifar10_topk.yaml
          config   topk_mlp, cifar10, lr 0.01 (sgd), lr 0.0001 (adam), batch 512,
                   sparsity 0.9, cosine, 3 hidden layers, width 128, 300 epochs, γ 1
          seeds    0, 1, 2
        \(Self.environment)

        optimizer  variant       n  accuracy [%]      Δ   95 % interval  paper  paper Δ
        ─────────  ────────────  ─  ────────────  ─────  ──────────────  ─────  ───────
        sgd        vanilla       3  41.00 ± 1.00      –               –  41.01        –
        sgd        zero-sum      3  47.00 ± 2.00  +6.00  [+3.52, +8.48]  46.58    +5.57

        adam       vanilla       2  49.00 ± 1.41      –               –  48.47        –
        adam       zero-sum      3  49.17 ± 1.76  -0.75  [-3.93, +2.43]  49.81    +1.34
        adam       positive-sum  0             –      –               –  50.55    +2.08

        no room for: sign, time/epoch, spreads (±); a wider terminal or --format
          markdown has it
        accuracy: test set, last epoch; mean ± sample std over seeds; n = 2–3
        Δ: mean over seeds of excited − vanilla, paired by seed; n = 2–3
        95 % interval: of that mean, by Student's t
        no p with 2–3 seeds: a sign-flip test cannot go below 0.25 there; the interval
          is the only test, and takes the differences as normal
        paper: published mean over 3 seeds, arXiv:2602.21798
        mean |ours − paper|: 0.27 points (vanilla, n = 2), 0.53 points (excited, n = 2);
          sign of Δ as published: 1 of 2, not adam zero-sum

        Not finished:
          adam vanilla seed 2: loss is not finite at step 120 stopped
          adam positive-sum seed 0: interrupted after 12 of 300 epochs

        """)
  }

  @Test func oneSeed() throws {
    let outcomes = runs(setting(), "vanilla", [40.123]) + runs(setting(), "zero-sum", [45])
    let record = experiment(seeds: [0])
    let text = render(
      try table(outcomes, experiment: record), format: .table, style: Self.plain)
    // 45 − 40.123 = 4.877; 41.01 − 40.123 = 0.887, 46.58 − 45 = 1.58.
    #expect(
      text == """
        cifar10_topk
          command  excite run configs/cifar10_topk.yaml
          config   topk_mlp, cifar10, sgd, lr 0.01, batch 512, sparsity 0.9, cosine,
                   3 hidden layers, width 128, 300 epochs, γ 1
          seeds    0
        \(Self.environment)

        variant   accuracy [%]  Δ [points]  paper  paper Δ  sign
        ────────  ────────────  ──────────  ─────  ───────  ────
        vanilla      40.12 ± –           –  41.01        –     –
        zero-sum     45.00 ± –       +4.88  46.58    +5.57  same

        accuracy: test set, last epoch; one seed, no spread; n = 1
        Δ: mean over seeds of excited − vanilla, paired by seed; n = 1
        one seed has no interval and no test; only more seeds can tell
        paper: published mean over 3 seeds, arXiv:2602.21798
        mean |ours − paper|: 0.89 points (vanilla, n = 1), 1.58 points (excited, n = 1);
          sign of Δ as published: 1 of 1

        """)
  }

  /// No vanilla, hence no Δ; γ is a column; a difference of −0.001 would be shown without sign.
  @Test func gammaWithoutVanilla() throws {
    let outcomes = [1.0, 0.5].flatMap { gamma in
      runs(setting(comparable: false), "zero-sum", gamma: gamma, [45, 46 + gamma])
    }
    let text = render(try table(outcomes), format: .table, style: Self.plain)
    // 45 and 47: 46 ± √2. 45 and 46.5: 45.75 ± 1.5/√2 = 1.06.
    let body = try #require(text.range(of: "variant "))
    #expect(
      text[body.lowerBound...] == """
        variant     γ  accuracy [%]
        ────────  ───  ────────────
        zero-sum    1  46.00 ± 1.41
        zero-sum  0.5  45.75 ± 1.06

        accuracy: test set, last epoch; mean ± sample std over seeds; n = 2
        no Δ: vanilla is not among the variants

        """)
  }

  /// A sweep of one variant: one row per setting, without lines between; one seed less in one.
  @Test func sweepOverOneVariant() throws {
    let outcomes = [("none", 0.1, 2), ("flip", 0.1, 2), ("none", 0.3, 1)].flatMap {
      (augmentation: String, lr: Double, count: Int) in
      runs(
        setting(
          lr: lr,
          varying: [
            SettingAxis("dataset.augmentation", augmentation), SettingAxis("optimizer.lr", "\(lr)"),
            SettingAxis("batch_size", "512"),
          ], comparable: false),
        "vanilla", Array([40, 42].prefix(count)))
    }
    let text = render(try table(outcomes), format: .table, style: Self.plain)
    let start = try #require(text.range(of: " lr  aug"))
    #expect(
      text[start.lowerBound...] == """
         lr  augmentation  variant  n  accuracy [%]
        ───  ────────────  ───────  ─  ────────────
        0.1          none  vanilla  2  41.00 ± 1.41
        0.1          flip  vanilla  2  41.00 ± 1.41
        0.3          none  vanilla  1  40.00 ±    –

        accuracy: test set, last epoch; mean ± sample std over seeds; n = 1–2

        """)
    #expect(text.contains("config   topk_mlp, cifar10, sgd, batch 512, sparsity 0.9,"))
  }

  /// Settings that differ in a field nobody declared still cannot look alike.
  @Test func anUndeclaredDifferenceIsShown() throws {
    let outcomes =
      runs(setting(batchSize: 16), "vanilla", [40]) + runs(setting(batchSize: 32), "vanilla", [41])
    let text = render(try table(outcomes), format: .table, style: Self.plain)
    #expect(text.contains("batch  variant  accuracy [%]"))
    #expect(text.contains("   16  vanilla"))
  }

  @Test func axesThatEndAlikeKeepTheirPaths() throws {
    let outcomes = ["none", "unit"].flatMap { value in
      runs(
        setting(
          varying: [
            SettingAxis("model.normalization", value), SettingAxis("dataset.normalization", value),
          ]), "vanilla", [40])
    }
    let text = render(try table(outcomes), format: .table, style: Self.plain)
    #expect(text.contains("model.normalization  dataset.normalization  variant"))
  }

  @Test func narrowTerminalsLoseIntervalsLast() throws {
    let outcomes = twoOptimizers()
    let report = { (width: Int?) throws -> String in
      let style = TerminalStyle(color: false, width: width)
      return render(try table(outcomes), format: .table, style: style)
    }
    let title = { (width: Int?) throws -> String in
      String(try report(width).split(separator: "\n").first { $0.hasPrefix("optimizer") } ?? "")
    }
    let start = "optimizer  variant       n  accuracy [%]  "
    let withoutTime = start + "  Δ [points]   95 % interval  paper  paper Δ   sign"
    let full = withoutTime + "  time/epoch"
    #expect(try title(nil) == full)
    #expect(try title(105) == full)
    #expect(try title(104) == withoutTime)
    #expect(try title(93) == withoutTime)
    let compact = start + "    Δ   95 % interval  paper  paper Δ   sign"
    #expect(try title(92) == compact)
    #expect(try title(86) == compact)
    let withoutSign = start + "    Δ   95 % interval  paper  paper Δ"
    #expect(try title(85) == withoutSign)
    #expect(try title(79) == withoutSign)
    let lean = "optimizer  variant       n  accuracy [%]      Δ   95 % interval  paper Δ"
    #expect(try title(78) == lean)
    #expect(try title(72) == lean)
    let narrow = start + "    Δ  paper  paper Δ"
    #expect(try title(71) == narrow)
    #expect(try title(20) == narrow)
    #expect(try !report(105).contains("no room for"))
    #expect(
      try report(80).contains(
        """


        no room for: sign, time/epoch, spreads (±); a wider terminal or --format
          markdown has it

        """))
    #expect(
      try report(78).contains(
        """


        no room for: paper, sign, time/epoch, spreads (±); a wider terminal or
          --format markdown has it

        """))
  }

  @Test func withoutVanillaThereIsNoDifference() throws {
    let text = { (outcomes: [RunOutcome]) throws in
      render(try table(outcomes), format: .table, style: Self.plain)
    }
    let excited = runs(setting(), "zero-sum", [40, 42])
    let note = "\nno Δ: vanilla is not among the variants\n"
    #expect(try text(excited).contains(note))
    #expect(try !text(runs(setting(), "vanilla", [40, 42]) + excited).contains(note))
    #expect(try !text(runs(setting(), "vanilla", [40, 42])).contains(note))
  }

  /// Runs that `max_steps` stops show no trained model.
  @Test func signsOfCutRunsAreNotCompared() throws {
    let title = { (maxSteps: Int?) throws -> String in
      var setting = setting()
      setting.maxSteps = maxSteps
      let outcomes = runs(setting, "vanilla", [40, 41]) + runs(setting, "zero-sum", [45, 46])
      let style = TerminalStyle(color: false, width: nil)
      let lines = render(try table(outcomes), format: .table, style: style).split(separator: "\n")
      return String(lines.first { $0.hasPrefix("variant") } ?? "")
    }
    #expect(try title(nil).hasSuffix("  paper  paper Δ  sign"))
    #expect(try title(5).hasSuffix("  paper  paper Δ"))
  }

  /// Best accuracy of each group bold, Δ green or red, all of it around the text alone.
  @Test func colours() throws {
    let style = TerminalStyle(color: true, width: 80)
    let coloured = render(try table(twoOptimizers()), format: .table, style: style)
    let bold = "\u{1B}[1m"
    let green = "\u{1B}[32m"
    let red = "\u{1B}[31m"
    let end = "\u{1B}[0m"
    #expect(coloured.hasPrefix("\(bold)cifar10_topk\(end)\n"))
    #expect(
      coloured.contains(
        "sgd        zero-sum      3  \(bold)47.00 ± 2.00\(end)  \(green)+6.00\(end)  [+3.52"))
    #expect(
      coloured.contains(
        "adam       zero-sum      3  \(bold)49.17 ± 1.76\(end)  \(red)-0.75\(end)  [-3.93"))
    #expect(
      coloured.contains("sgd        vanilla       3  41.00 ± 1.00      –               –  41.01"))
    let stripped = [bold, green, red, end].reduce(coloured) { text, code in
      text.split(separator: code, omittingEmptySubsequences: false).joined()
    }
    #expect(stripped == render(try table(twoOptimizers()), format: .table, style: Self.plain))
  }

  /// Equal means share the emphasis; a single row has nobody to beat; no Δ of zero has a colour.
  @Test func tiesAndZeros() throws {
    let style = TerminalStyle(color: true, width: 80)
    let tie = runs(setting(), "vanilla", [40, 42]) + runs(setting(), "zero-sum", [42, 39.999])
    let text = render(try table(tie), format: .table, style: style)
    // Means 41 and 40.9995, Δ = −0.0005: shown as 0.00.
    #expect(text.contains("\u{1B}[1m41.00 ± 1.41\u{1B}[0m"))
    #expect(text.contains("41.00 ± 1.41  0.00 ± 2.83"))
    let equal = runs(setting(), "vanilla", [40, 42]) + runs(setting(), "zero-sum", [42, 40])
    let both = render(try table(equal), format: .table, style: style)
    #expect(both.split(separator: "\u{1B}[1m41.00").count == 3)
    let single = render(
      try table(runs(setting(), "vanilla", [40])), format: .table, style: style)
    #expect(single.split(separator: "\u{1B}[1m").count == 1)
  }

  /// Text from outside cannot move the cursor or break a line.
  @Test func controlCharactersAreRemoved() throws {
    let outcomes = [
      run(setting(), "vanilla", seed: 0, status: .failed(reason: "a\u{1B}[2Jb\r\nc\td"))
    ]
    let text = render(
      try table(outcomes, experiment: experiment("x\u{7}y")), format: .table, style: Self.plain)
    #expect(text.hasPrefix("xy\n"))
    #expect(text.hasSuffix("Not finished:\n  sgd vanilla seed 0: a[2Jb c d\n"))
    #expect(text.contains("vanilla             –  41.01\n"))
  }

  /// A line for each reason, in the order in which they first come.
  @Test func runsThatFailAlikeAreOneLine() throws {
    let failed = [("x", 0), ("y", 1), ("x", 2), ("x", 3), ("z", 4), ("z", 5)].map { reason, seed in
      run(setting(), "vanilla", seed: UInt64(seed), status: .failed(reason: reason))
    }
    let text = render(
      try table(failed), format: .table, style: TerminalStyle(color: false, width: 80))
    #expect(
      text.hasSuffix(
        """
        Not finished:
          sgd vanilla seed 0 and 2 other runs: x
          sgd vanilla seed 1: y
          sgd vanilla seed 4 and 1 other run: z

        """))
  }

  @Test func noRuns() throws {
    let text = render(try table([]), format: .table, style: Self.plain)
    #expect(
      text == """
        cifar10_topk
          command  excite run configs/cifar10_topk.yaml
          seeds    0, 1, 2

        No runs.

        """)
  }
}

@Suite struct TerminalStyleTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let isTerminal: Bool
    let environment: [String: String]
    let color: Bool
    var testDescription: String { "terminal \(isTerminal) \(environment)" }
  }

  static let cases = [
    Case(isTerminal: true, environment: ["TERM": "xterm"], color: true),
    Case(isTerminal: false, environment: ["TERM": "xterm"], color: false),
    Case(isTerminal: true, environment: ["TERM": "dumb"], color: false),
    Case(isTerminal: true, environment: [:], color: false),
    Case(isTerminal: true, environment: ["TERM": "xterm", "NO_COLOR": "1"], color: false),
    // no-color.org: any value, but not an empty one.
    Case(isTerminal: true, environment: ["TERM": "xterm", "NO_COLOR": "0"], color: false),
    Case(isTerminal: true, environment: ["TERM": "xterm", "NO_COLOR": ""], color: true),
    Case(isTerminal: true, environment: ["TERM": "xterm", "CLICOLOR": "0"], color: false),
    Case(isTerminal: false, environment: ["CLICOLOR_FORCE": "1"], color: true),
    Case(isTerminal: false, environment: ["FORCE_COLOR": "1"], color: true),
    Case(isTerminal: false, environment: ["FORCE_COLOR": "0"], color: false),
    Case(isTerminal: false, environment: ["FORCE_COLOR": ""], color: false),
    Case(isTerminal: true, environment: ["FORCE_COLOR": "1", "NO_COLOR": "1"], color: false),
  ]

  @Test(arguments: cases) func detection(example: Case) {
    let style = TerminalStyle.detect(
      isTerminal: example.isTerminal, environment: example.environment, width: 100)
    #expect(style == TerminalStyle(color: example.color, width: 100))
  }
}
