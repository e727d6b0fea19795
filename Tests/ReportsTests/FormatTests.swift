import Foundation
import Reports
import Testing

@Suite struct FormatTests {
  static let style = TerminalStyle(color: true, width: 40)

  /// Names with every character that some format reads as its own.
  static func nasty() throws -> AccuracyTable {
    let recipe = setting(
      optimizer: "a|b_c", varying: [SettingAxis("model.k", "[5%&#${}~^\\]")], comparable: false)
    let other = setting(
      optimizer: "a|b_c", varying: [SettingAxis("model.k", "_x_, \"y\" *z* <i>")],
      comparable: false)
    let outcomes =
      runs(recipe, "vanilla", gamma: nil, [40])
      + [run(other, "zero-sum", seed: 1, status: .failed(reason: "50% | of \\it_, `x`\nbad"))]
    return try table(
      outcomes,
      experiment: experiment("a_b | 100%", seeds: [1], command: "excite run `x`.yaml"))
  }

  /// As computed numbers are printed.
  private func nine(_ value: Double) -> Double { (value * 1e9).rounded() / 1e9 }

  /// Against the paper: vanilla (|41 − 41.01| + |49 − 48.47|) / 2, zero-sum (|47 − 46.58| +
  /// |49.1667 − 49.81|) / 2.
  @Test func markdown() throws {
    let text = render(try table(twoOptimizers()), format: .markdown, style: Self.style)
    #expect(
      text == """
        ### cifar10_topk

        - command: `excite run configs/cifar10_topk.yaml`
        - config: topk_mlp, cifar10, lr 0.01 (sgd), lr 0.0001 (adam), batch 512, sparsity 0.9, \
        cosine, 3 hidden layers, width 128, 300 epochs, γ 1
        - seeds: 0, 1, 2
        - machine: Example CPU 3000, 2 cores, 1 run at once
        - BLAS: OpenBLAS 0.3.21, SkylakeX core, 1 thread per run
        - kernels: avx512
        - build: excite 0.1.0, commit abc1234, Swift 6.3.1, release, Linux

        | optimizer | variant      |   n |     accuracy [%] |   Δ [points] |  95 % interval | paper \
        | paper Δ |  sign | time/epoch |
        |:----------|:-------------|----:|-----------------:|-------------:|---------------:|------:\
        |--------:|------:|-----------:|
        | sgd       | vanilla      |   3 |     41.00 ± 1.00 |            – |              – | 41.01 \
        |       – |     – |     0.42 s |
        | sgd       | zero-sum     |   3 | **47.00 ± 2.00** | +6.00 ± 1.00 | [+3.52, +8.48] | 46.58 \
        |   +5.57 |  same |     0.50 s |
        | adam      | vanilla      |   2 |     49.00 ± 1.41 |            – |              – | 48.47 \
        |       – |     – |     0.42 s |
        | adam      | zero-sum     |   3 | **49.17 ± 1.76** | -0.75 ± 0.35 | [-3.93, +2.43] | 49.81 \
        |   +1.34 | other |     0.50 s |
        | adam      | positive-sum |   0 |                – |            – |              – | 50.55 \
        |   +2.08 |     – |          – |

        accuracy: test set, last epoch; mean ± sample std over seeds; n = 2–3

        Δ: mean over seeds of excited − vanilla, paired by seed; n = 2–3

        95 % interval: of that mean, by Student's t

        no p with 2–3 seeds: a sign-flip test cannot go below 0.25 there; the interval is the only \
        test, and takes the differences as normal

        paper: published mean over 3 seeds, arXiv:2602.21798

        mean \\|ours − paper\\|: 0.27 points (vanilla, n = 2), 0.53 points (excited, n = 2); sign of Δ \
        as published: 1 of 2, not adam zero-sum

        Not finished:

        - adam vanilla seed 2: loss is not finite at step 120 stopped
        - adam positive-sum seed 0: interrupted after 12 of 300 epochs

        """)
  }

  @Test func markdownEscapes() throws {
    let text = render(try Self.nasty(), format: .markdown, style: Self.style)
    let lines = text.split(separator: "\n").map(String.init)
    #expect(lines.first == #"### a_b \| 100%"#)
    #expect(lines.contains("- command: `` excite run `x`.yaml ``"))
    #expect(
      lines.contains(#"|       [5%\&#${}\~^\\] | vanilla  |   1 |    40.00 ± – |"#))
    #expect(lines.contains(#"| \_x\_, "y" \*z\* \<i> | zero-sum |   0 |            – |"#))
    #expect(lines.last == #"- a\|b_c zero-sum seed 1: 50% \| of \\it\_, \`x\` bad"#)
  }

  @Test func csv() throws {
    let text = render(try table(twoOptimizers()), format: .csv, style: Self.style)
    let header =
      "optimizer,variant,gamma,lr,batch_size,sparsity,schedule,hidden_layers,width,model,dataset,"
      + "epochs,momentum,axes,seeds,accuracies,accuracy_mean,accuracy_std,delta_seeds,deltas,"
      + "delta_mean,delta_std,delta_ci95_t,delta_ci95_bootstrap,sign_flip_p,published_mean,published_std,"
      + "published_delta,sign_agrees,seconds_per_epoch,failures"
    let recipe = "512,0.9,cosine,3,128,topk_mlp,cifar10,300,,optimizer.name="
    // To nine decimals: √2 = 1.414213562, √0.125 = 0.353553391, 147.5/3 = 49.166666667. The variance
    // of 47.5, 49, 51 is ((−5/3)² + (−1/6)² + (11/6)²) / 2 = 37/12, whose root is 1.7559422921…
    // 6 ± t(2)/√3 and −0.75 ± t(1)·√0.125/√2: the values of t are checked in StatisticsTests.
    let sgd = try #require(Statistics.tInterval([5, 6, 7]))
    let adam = try #require(Statistics.tInterval([-0.5, -1]))
    #expect(
      text.components(separatedBy: "\r\n") == [
        header,
        "sgd,vanilla,,0.01,\(recipe)sgd,0;1;2,40;41;42,41,1,,,,,,,,41.01,0.33,,,0.42,",
        "sgd,zero-sum,1,0.01,\(recipe)sgd,0;1;2,45;47;49,47,2,0;1;2,5;6;7,6,1,"
          + "\(nine(sgd.low));\(nine(sgd.high)),5;7,,46.58,0.32,5.57,true,0.5,",
        "adam,vanilla,,0.0001,\(recipe)adam,0;1,48;50,49,1.414213562,,,,,,,,48.47,0.23,,,0.42,"
          + "seed 2: loss is not finite at step 120 stopped",
        "adam,zero-sum,1,0.0001,\(recipe)adam,0;1;2,47.5;49;51,49.166666667,1.755942292,0;1,"
          + "-0.5;-1,-0.75,0.353553391,\(nine(adam.low));\(nine(adam.high)),-1;-0.5,,49.81,0.29,1.34,false,0.5,",
        "adam,positive-sum,1,0.0001,\(recipe)adam,,,,,,,,,,,,50.55,0.24,2.08,,,"
          + "seed 0: interrupted after 12 of 300 epochs",
        "",
      ])
    #expect(render(try table([]), format: .csv, style: Self.style) == header + "\r\n")
  }

  @Test func csvEscapes() throws {
    let lines = render(try Self.nasty(), format: .csv, style: Self.style)
      .components(separatedBy: "\r\n")
    #expect(
      lines[1] == "a|b_c,vanilla,,0.01,512,0.9,cosine,3,128,topk_mlp,cifar10,300,,"
        + #"model.k=[5%&#${}~^\],0,40,40,,,,,,,,,,,,,,"#)
    #expect(
      lines[2] == "a|b_c,zero-sum,1,0.01,512,0.9,cosine,3,128,topk_mlp,cifar10,300,,"
        + #""model.k=_x_, ""y"" *z* <i>",,,,,,,,,,,,,,,,,"seed 1: 50% | of \it_, `x` bad""#)
  }

  @Test func json() throws {
    let recipe = setting(varying: [SettingAxis("optimizer.lr", "0.01")])
    let outcomes =
      runs(recipe, "vanilla", gamma: nil, [40, 41, 42], seconds: 0.42)
      + [
        run(recipe, "zero-sum", seed: 0, accuracy: 45.1, seconds: .nan),
        run(recipe, "zero-sum", seed: 18_446_744_073_709_551_615, accuracy: .nan),
      ]
    var environment = machine
    environment.commit = nil
    environment.cpu = "\"quoted\"\\ \u{1}\t"
    let text = render(
      try table(outcomes, environment: environment), format: .json, style: Self.style)
    // In binary 45.1 − 40 is 5.100000000000001; nobody measured that.
    let delta = 5.1
    #expect(
      text == """
        {
          "experiment": {
            "name": "cifar10_topk",
            "header": ["source: Table 1", "expected: 41.0"],
            "notes": [],
            "command": "excite run configs/cifar10_topk.yaml",
            "config": "batch_size: 512\\nepochs: 300\\n",
            "seeds": [0, 1, 2],
            "variants": ["vanilla", "zero-sum"]
          },
          "environment": {
            "cpu": "\\"quoted\\"\\\\ \\u0001\\t",
            "cores": 2,
            "blas_library": "OpenBLAS",
            "blas_version": "0.3.21",
            "blas_core": "SkylakeX",
            "blas_threads": 1,
            "kernels": "avx512",
            "os": "Linux",
            "swift": "6.3.1",
            "build": "release",
            "commit": null,
            "version": "0.1.0",
            "jobs": 1
          },
          "rows": [
            {
              "optimizer": "sgd",
              "variant": "vanilla",
              "gamma": null,
              "lr": 0.01,
              "batch_size": 512,
              "sparsity": 0.9,
              "schedule": "cosine",
              "hidden_layers": 3,
              "width": 128,
              "model": "topk_mlp",
              "dataset": "cifar10",
              "epochs": 300,
              "momentum": null,
              "axes": {
                "optimizer.lr": "0.01"
              },
              "seeds": [0, 1, 2],
              "accuracies": [40.0, 41.0, 42.0],
              "accuracy_mean": 41.0,
              "accuracy_std": 1.0,
              "delta_seeds": [],
              "deltas": [],
              "delta_mean": null,
              "delta_std": null,
              "delta_ci95_t": null,
              "delta_ci95_bootstrap": null,
              "sign_flip_p": null,
              "published_mean": 41.01,
              "published_std": 0.33,
              "published_delta": null,
              "sign_agrees": null,
              "seconds_per_epoch": 0.42,
              "failures": []
            },
            {
              "optimizer": "sgd",
              "variant": "zero-sum",
              "gamma": 1.0,
              "lr": 0.01,
              "batch_size": 512,
              "sparsity": 0.9,
              "schedule": "cosine",
              "hidden_layers": 3,
              "width": 128,
              "model": "topk_mlp",
              "dataset": "cifar10",
              "epochs": 300,
              "momentum": null,
              "axes": {
                "optimizer.lr": "0.01"
              },
              "seeds": [0],
              "accuracies": [45.1],
              "accuracy_mean": 45.1,
              "accuracy_std": null,
              "delta_seeds": [0],
              "deltas": [\(delta)],
              "delta_mean": \(delta),
              "delta_std": null,
              "delta_ci95_t": null,
              "delta_ci95_bootstrap": null,
              "sign_flip_p": null,
              "published_mean": 46.58,
              "published_std": 0.32,
              "published_delta": 5.57,
              "sign_agrees": true,
              "seconds_per_epoch": null,
              "failures": [
                {
                  "label": "sgd zero-sum seed 18446744073709551615",
                  "seed": 18446744073709551615,
                  "reason": "finished without an accuracy"
                }
              ]
            }
          ]
        }

        """)
  }

  /// Six pairs: intervals with two ends, a p, and its column.
  @Test func sixSeeds() throws {
    let recipe = setting(comparable: false)
    let outcomes =
      runs(recipe, "vanilla", gamma: nil, [40, 40, 40, 40, 40, 40])
      + runs(recipe, "zero-sum", [39, 40, 41, 42, 43, 44])
    let table = try table(outcomes)
    let json = render(table, format: .json, style: Self.style)
    // Δ = −1, 0, 1, 2, 3, 4: mean 1.5, squares about it 17.5, s = √3.5, and t(5) = 2.5705818…
    // The derivations of the others stand in StatisticsTests.
    let t = try #require(Statistics.tInterval([-1, 0, 1, 2, 3, 4]))
    #expect(abs(t.low - (1.5 - 2.5705818356363155 * (3.5 / 6.0).squareRoot())) < 1e-14)
    for line in [
      "\"deltas\": [-1.0, 0.0, 1.0, 2.0, 3.0, 4.0],",
      "\"delta_ci95_t\": [\(nine(t.low)), \(nine(t.high))],",
      "\"delta_ci95_bootstrap\": [0.166666667, 2.833333333],", "\"sign_flip_p\": 0.1875,",
    ] {
      #expect(json.contains("      \(line)\n"), "\(line)")
    }
    let text = render(table, format: .table, style: TerminalStyle(color: false, width: 80))
    let start = try #require(text.range(of: "variant "))
    // 2.5705818·√(3.5/6) = 1.9633.
    #expect(
      text[start.lowerBound...] == """
        variant   accuracy [%]    Δ [points]   95 % interval      p
        ────────  ────────────  ────────────  ──────────────  ─────
        vanilla   40.00 ± 0.00             –               –      –
        zero-sum  41.50 ± 1.87  +1.50 ± 1.87  [-0.46, +3.46]  0.188

        accuracy: test set, last epoch; mean ± sample std over seeds; n = 6
        Δ: mean over seeds of excited − vanilla, paired by seed; n = 6
        95 % interval: of that mean, by Student's t
        p: sign-flip test of Δ, two-sided

        """)
  }

  /// Another reader agrees that it is JSON, and reads back what was written.
  @Test func jsonIsReadable() throws {
    let text = render(try Self.nasty(), format: .json, style: Self.style)
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    #expect(object?.keys.sorted() == ["environment", "experiment", "rows"])
    let rows = try #require(object?["rows"] as? [[String: Any]])
    #expect(rows.count == 2)
    #expect(rows[0]["accuracy_std"] is NSNull)
    #expect((rows[1]["axes"] as? [String: String])?["model.k"] == "_x_, \"y\" *z* <i>")
    let failures = try #require(rows[1]["failures"] as? [[String: Any]])
    #expect(failures[0]["reason"] as? String == "50% | of \\it_, `x`\nbad")
  }

  @Test func latex() throws {
    let text = render(try table(twoOptimizers()), format: .latex, style: Self.style)
    #expect(
      text == #"""
        % cifar10_topk; needs \usepackage{booktabs}
        % command: excite run configs/cifar10_topk.yaml
        % config: topk_mlp, cifar10, lr 0.01 (sgd), lr 0.0001 (adam), batch 512, sparsity 0.9, \#
        cosine, 3 hidden layers, width 128, 300 epochs, γ 1
        % seeds: 0, 1, 2
        % machine: Example CPU 3000, 2 cores, 1 run at once
        % BLAS: OpenBLAS 0.3.21, SkylakeX core, 1 thread per run
        % kernels: avx512
        % build: excite 0.1.0, commit abc1234, Swift 6.3.1, release, Linux
        % not finished: adam vanilla seed 2: loss is not finite at step 120 stopped
        % not finished: adam positive-sum seed 0: interrupted after 12 of 300 epochs
        \begin{table}
          \centering
          \caption{cifar10\_topk. topk\_mlp, cifar10, lr 0.01 (sgd), lr 0.0001 (adam), batch 512, \#
        sparsity 0.9, cosine, 3 hidden layers, width 128, 300 epochs, $\gamma$ 1. accuracy: test \#
        set, last epoch; mean $\pm$ sample std over seeds; n = 2--3. $\Delta$: mean over seeds of \#
        excited $-$ vanilla, paired by seed; n = 2--3. 95 \% interval: of that mean, by Student's t. \#
        no p with 2--3 seeds: a sign-flip test cannot go below 0.25 there; the interval is the only \#
        test, and takes the differences as normal. paper: published mean over 3 seeds, arXiv:2602.21798. mean \textbar{}ours $-$ paper\textbar{}: 0.27 points \#
        (vanilla, n = 2), 0.53 points (excited, n = 2); sign of $\Delta$ as published: 1 of 2, not \#
        adam zero-sum.}
          \begin{tabular}{llrrrrrrrr}
            \toprule
            optimizer & variant & n & accuracy [\%] & $\Delta$ [points] & 95 \% interval & paper & \#
        paper $\Delta$ & sign & time/epoch \\
            \midrule
            sgd & vanilla & 3 & $41.00 \pm 1.00$ & -- & -- & $41.01$ & -- & -- & 0.42 s \\
            sgd & zero-sum & 3 & $\mathbf{47.00 \pm 2.00}$ & $+6.00 \pm 1.00$ & \#
        $[+3.52, +8.48]$ & $46.58$ & $+5.57$ & same & 0.50 s \\
            \midrule
            adam & vanilla & 2 & $49.00 \pm 1.41$ & -- & -- & $48.47$ & -- & -- & 0.42 s \\
            adam & zero-sum & 3 & $\mathbf{49.17 \pm 1.76}$ & $-0.75 \pm 0.35$ & \#
        $[-3.93, +2.43]$ & $49.81$ & $+1.34$ & other & 0.50 s \\
            adam & positive-sum & 0 & -- & -- & -- & $50.55$ & $+2.08$ & -- & -- \\
            \bottomrule
          \end{tabular}
        \end{table}

        """#)
  }

  @Test func latexEscapes() throws {
    let text = render(try Self.nasty(), format: .latex, style: Self.style)
    #expect(text.contains(#"\caption{a\_b \textbar{} 100\%. "#))
    // A bracket after \\ would be taken for its argument.
    #expect(
      text.contains(
        "    {}[5\\%\\&\\#\\$\\{\\}\\textasciitilde{}\\textasciicircum{}\\textbackslash{}] & "
          + #"vanilla & 1 & $40.00 \pm \mbox{--}$ \\"#))
    #expect(
      text.contains(#"    \_x\_, "y" *z* \textless{}i\textgreater{} & zero-sum & 0 & -- \\"#))
    #expect(text.contains(#"% not finished: a|b_c zero-sum seed 1: 50% | of \it_, `x` bad"# + "\n"))
  }

  @Test(arguments: ReportFormat.allCases) func everyFormatEndsWithOneLineBreak(
    format: ReportFormat
  ) throws {
    for outcomes in [[], twoOptimizers()] {
      let text = render(try table(outcomes), format: format, style: Self.style)
      #expect(text.hasSuffix("\n") || text.hasSuffix("\r\n"))
      #expect(!text.hasSuffix("\n\n"))
    }
  }

  @Test(arguments: ReportFormat.allCases.filter { $0 != .table })
  func filesLookTheSameOnEveryTerminal(format: ReportFormat) throws {
    let table = try table(twoOptimizers())
    #expect(
      render(table, format: format, style: TerminalStyle(color: true, width: 20))
        == render(table, format: format, style: TerminalStyle(color: false)))
  }
}
