import Reports
import Testing

@Suite struct ProgressTests {
  typealias ActiveRun = ProgressSnapshot.ActiveRun

  /// Two of ten runs done, one half way, one at a quarter: 2.75 of 10 in 55 seconds, so 20 s per
  /// run and 145 s for the other 7.25.
  static let example = ProgressSnapshot(
    runsDone: 2, runsTotal: 10,
    active: [
      ActiveRun(label: "zero-sum seed 1", epoch: 150, epochs: 300, loss: 1.52349),
      ActiveRun(label: "vanilla seed 2", epoch: 75, epochs: 300, loss: nil),
    ], elapsed: 55)

  @Test func fractionAndRemaining() {
    #expect(Self.example.fraction == 0.275)
    #expect(Self.example.remaining == 145)
    // Two runs were there before: 0.75 of a run took the 55 seconds.
    var reused = Self.example
    reused.earlierWork = 2
    #expect(reused.fraction == 0.275)
    #expect(reused.remaining == 55 / 0.75 * 7.25)
    // And a half of the run that is half way: only the quarter of the other took them.
    reused.earlierWork = 2.5
    #expect(reused.remaining == 55 / 0.25 * 7.25)
    // Nothing of it is this start's work.
    reused.earlierWork = 2.75
    #expect(reused.remaining == nil)
  }

  @Test func nothingDoneYetHasNoEstimate() {
    let start = ProgressSnapshot(
      runsDone: 0, runsTotal: 3, active: [ActiveRun(label: "a", epoch: 0, epochs: 10)],
      elapsed: 1)
    #expect(start.remaining == nil)
    #expect(ProgressLine.status(start, width: 80) == "0/3 runs  0 %  a: epoch 0/10")
    let allReused = ProgressSnapshot(
      runsDone: 3, runsTotal: 3, earlierWork: 3, active: [], elapsed: 0)
    #expect(allReused.remaining == nil)
    #expect(allReused.fraction == 1)
    let none = ProgressSnapshot(runsDone: 0, runsTotal: 0, active: [], elapsed: 0)
    #expect(none.fraction == 1)
  }

  @Test func statusFitsItsWidth() {
    let run = "zero-sum seed 1: epoch 150/300"
    let start = "2/10 runs  27 %  ETA 2m 25s"
    let expected = [
      200: "\(start)  \(run), loss 1.523  vanilla seed 2: epoch 75/300",
      80: "\(start)  \(run), loss 1.523  +1",
      65: "\(start)  \(run)  +1",
      60: start,
      26: "2/10 runs  27 %",
      12: "2/10 runs",
      5: "2/10…",
      1: "…",
    ]
    for (width, text) in expected {
      #expect(ProgressLine.status(Self.example, width: width) == text)
    }
    for width in 1...200 {
      #expect(ProgressLine.status(Self.example, width: width).count <= width)
    }
  }

  @Test func failuresAreCounted() {
    var snapshot = Self.example
    snapshot.runsFailed = 1
    snapshot.active = []
    // 2 of 10 in 55 s: 220 s for the other 8.
    #expect(
      ProgressLine.status(snapshot, width: 80) == "2/10 runs  20 %  ETA 3m 40s  1 failed")
  }

  @Test func theTerminalLineReplacesItselfAndLeavesAColumn() {
    #expect(
      ProgressLine.terminalUpdate(Self.example, width: 28)
        == "\r2/10 runs  27 %  ETA 2m 25s\u{1B}[K")
    #expect(ProgressLine.terminalUpdate(Self.example, width: 27) == "\r2/10 runs  27 %\u{1B}[K")
    #expect(ProgressLine.terminalUpdate(Self.example, width: 0) == "\r…\u{1B}[K")
    #expect(ProgressLine.clear == "\r\u{1B}[K")
  }

  @Test func aPlainLineAtTheStartAndPerTenth() {
    var line = ProgressLine()
    var lines: [String] = []
    // Three runs of ten epochs, one after the other, a second per epoch.
    for epoch in 0...30 {
      let done = epoch / 10
      let active =
        done < 3 ? [ActiveRun(label: "run \(done)", epoch: epoch % 10, epochs: 10, loss: 0.5)] : []
      let snapshot = ProgressSnapshot(
        runsDone: done, runsTotal: 3, active: active, elapsed: Double(epoch))
      if let text = line.plainLine(snapshot) { lines.append(text) }
    }
    #expect(
      lines == [
        "progress 0 %: 0 of 3 runs done; run 0: epoch 0/10, loss 0.500; 0s",
        // The first epoch gives the first estimate.
        "progress 3 %: 0 of 3 runs done; run 0: epoch 1/10, loss 0.500; 1s, ETA 29s",
        "progress 10 %: 0 of 3 runs done; run 0: epoch 3/10, loss 0.500; 3s, ETA 27s",
        "progress 20 %: 0 of 3 runs done; run 0: epoch 6/10, loss 0.500; 6s, ETA 24s",
        "progress 30 %: 0 of 3 runs done; run 0: epoch 9/10, loss 0.500; 9s, ETA 21s",
        "progress 40 %: 1 of 3 runs done; run 1: epoch 2/10, loss 0.500; 12s, ETA 18s",
        "progress 50 %: 1 of 3 runs done; run 1: epoch 5/10, loss 0.500; 15s, ETA 15s",
        "progress 60 %: 1 of 3 runs done; run 1: epoch 8/10, loss 0.500; 18s, ETA 12s",
        "progress 70 %: 2 of 3 runs done; run 2: epoch 1/10, loss 0.500; 21s, ETA 9s",
        "progress 80 %: 2 of 3 runs done; run 2: epoch 4/10, loss 0.500; 24s, ETA 6s",
        "progress 90 %: 2 of 3 runs done; run 2: epoch 7/10, loss 0.500; 27s, ETA 3s",
        "progress 100 %: 3 of 3 runs done; 30s",
      ])
  }

  /// Two of four runs at work, each half done by an earlier start, an epoch of each in 10 s. Neither
  /// start nor estimate counts what was done before.
  @Test func aContinuedStartBeginsWithWhatItFinds() {
    var line = ProgressLine()
    func snapshot(_ epochs: [Int], _ elapsed: Double, earlier: Double) -> ProgressSnapshot {
      ProgressSnapshot(
        runsDone: 1, runsTotal: 4, earlierWork: earlier,
        active: epochs.enumerated().map { ActiveRun(label: "\($0)", epoch: $1, epochs: 10) },
        elapsed: elapsed)
    }
    // 1 run and 0.5, then 2 · 0.5 runs of 4.
    #expect(
      line.plainLine(snapshot([5], 0, earlier: 1.5))
        == "progress 37 %: 1 of 4 runs done; 0: epoch 5/10; 0s")
    #expect(
      line.plainLine(snapshot([5, 5], 0, earlier: 2))
        == "progress 50 %: 1 of 4 runs done; 0: epoch 5/10; 1: epoch 5/10; 0s")
    // One of two at work has done an epoch: as yet the speed would look half of what it is.
    #expect(line.plainLine(snapshot([6, 5], 9, earlier: 2)) == nil)
    // 0.2 runs in 10 s; the other 1.8 take 90 s.
    #expect(
      line.plainLine(snapshot([6, 6], 10, earlier: 2))
        == "progress 55 %: 1 of 4 runs done; 0: epoch 6/10; 1: epoch 6/10; 10s, ETA 1m 30s")
    #expect(line.plainLine(snapshot([7, 6], 19, earlier: 2)) == nil)
  }

  @Test func aLongTenthHasALineEveryTenMinutes() {
    var line = ProgressLine()
    // A run of a thousand epochs of four minutes each.
    let epochs = (0...8).filter { epoch in
      line.plainLine(
        ProgressSnapshot(
          runsDone: 0, runsTotal: 1,
          active: [ActiveRun(label: "long", epoch: epoch, epochs: 1000)],
          elapsed: Double(epoch) * 240)) != nil
    }
    #expect(epochs == [0, 1, 4, 7])
  }

  @Test func skippedTenthsHaveOneLine() {
    var line = ProgressLine()
    let half = ProgressSnapshot(
      runsDone: 1, runsFailed: 1, runsTotal: 2, active: [], elapsed: 3700)
    #expect(
      line.plainLine(half) == "progress 50 %: 1 of 2 runs done; 1 failed; 1h 1m, ETA 1h 1m")
    #expect(line.plainLine(half) == nil)
    let end = ProgressSnapshot(runsDone: 2, runsTotal: 2, active: [], elapsed: 7400)
    #expect(line.plainLine(end) == "progress 100 %: 2 of 2 runs done; 2h 3m")
  }
}
