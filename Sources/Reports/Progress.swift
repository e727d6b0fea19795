/// How far an experiment is.
public struct ProgressSnapshot: Hashable, Sendable {
  /// A run at work.
  public struct ActiveRun: Hashable, Sendable {
    public var label: String
    /// Epochs done, of `epochs`.
    public var epoch: Int
    public var epochs: Int
    /// Training loss of the last epoch, nats.
    public var loss: Double?

    public init(label: String, epoch: Int, epochs: Int, loss: Double? = nil) {
      self.label = label
      self.epoch = epoch
      self.epochs = epochs
      self.loss = loss
    }

    /// What so many of its epochs are of the run, in [0, 1].
    public func share(ofEpochs count: Int) -> Double {
      epochs > 0 ? min(1, max(0, Double(count) / Double(epochs))) : 0
    }
  }

  /// Runs that are over: finished, failed, or taken over from an earlier start.
  public var runsDone: Int
  public var runsFailed: Int
  public var runsTotal: Int
  /// What earlier starts had done, in runs and parts of runs: it took none of this one's time.
  public var earlierWork: Double
  public var active: [ActiveRun]
  /// Seconds since the start.
  public var elapsed: Double

  public init(
    runsDone: Int, runsFailed: Int = 0, runsTotal: Int, earlierWork: Double = 0,
    active: [ActiveRun], elapsed: Double
  ) {
    self.runsDone = runsDone
    self.runsFailed = runsFailed
    self.runsTotal = runsTotal
    self.earlierWork = earlierWork
    self.active = active
    self.elapsed = elapsed
  }

  /// Runs done, the parts of the active ones included.
  private var work: Double {
    active.reduce(Double(runsDone)) { $0 + $1.share(ofEpochs: $1.epoch) }
  }

  /// Runs and parts of runs that this start has done.
  private var newWork: Double { work - earlierWork }

  /// Whether this start has done an epoch of each run at work: before that its speed says little.
  var showsSpeed: Bool {
    newWork > 0 && newWork + 1e-9 >= active.reduce(0) { $0 + $1.share(ofEpochs: 1) }
  }

  /// Share of the work done, in [0, 1]. Every run counts the same, whatever its length.
  public var fraction: Double {
    runsTotal > 0 ? min(1, work / Double(runsTotal)) : 1
  }

  /// Seconds left if the rest goes as fast as this start's work so far; nil before any is done.
  public var remaining: Double? {
    // Sums of parts leave a crumb where nothing was done.
    guard newWork > 1e-9, elapsed > 0 else { return nil }
    return elapsed / newWork * max(0, Double(runsTotal) - work)
  }
}

/// What to print while an experiment runs. It makes text; printing it is the caller's.
///
/// On a terminal one line is rewritten (`terminalUpdate`); elsewhere a plain line comes at the start,
/// when there is a first estimate, at each tenth of the work and after ten minutes without one, so that
/// log files stay short (`plainLine`).
public struct ProgressLine: Sendable {
  /// Tenths of the work that have had their plain line; nil before the first line.
  private var tenthsShown: Int?
  private var hasShownEstimate = false
  /// When the last plain line came, seconds from the start.
  private var lastLine = 0.0

  public init() {}

  private static let eraseToEnd = "\u{1B}[K"

  /// Empties the terminal's line, for other output or at the end.
  public static let clear = "\r" + eraseToEnd

  /// The status, over the line before it. It leaves the last column free: terminals wrap there.
  public static func terminalUpdate(_ snapshot: ProgressSnapshot, width: Int) -> String {
    "\r" + status(snapshot, width: max(1, width - 1)) + eraseToEnd
  }

  /// The status in one line of at most `width` characters: runs, percent and time left first,
  /// then as many active runs as fit.
  ///
  ///     3/21 runs  14 %  ETA 2m 10s  zero-sum seed 1: epoch 120/300, loss 1.523  +1
  public static func status(_ snapshot: ProgressSnapshot, width: Int) -> String {
    var parts = ["\(snapshot.runsDone)/\(snapshot.runsTotal) runs", percent(snapshot)]
    if let left = snapshot.remaining { parts.append("ETA \(duration(left))") }
    if snapshot.runsFailed > 0 { parts.append("\(snapshot.runsFailed) failed") }
    var line = parts[0]
    for part in parts.dropFirst() {
      guard line.count + gap.count + part.count <= width else { break }
      line += gap + part
    }
    for (index, run) in snapshot.active.enumerated() {
      let others = snapshot.active.count - index - 1
      let more = others > 0 ? "\(gap)+\(others)" : ""
      let texts = [describe(run, withLoss: true), describe(run, withLoss: false)]
      guard let text = texts.first(where: { (line + gap + $0 + more).count <= width }) else {
        let rest = "\(gap)+\(others + 1)"
        if index > 0, (line + rest).count <= width { line += rest }
        break
      }
      line += gap + text
    }
    return line.count <= width ? line : line.prefix(max(0, width - 1)) + "…"
  }

  /// A line for a log: the first time, at the first estimate, and when another tenth of the work is
  /// done or ten minutes have gone by since the last line; else nil.
  ///
  ///     progress 30 %: 6 of 21 runs done; zero-sum seed 1: epoch 90/300, loss 1.523; 2m 10s, ETA 5m 3s
  public mutating func plainLine(_ snapshot: ProgressSnapshot) -> String? {
    // A tenth summed from thirds must not fall short of itself.
    var tenths = Int(snapshot.fraction * 10 + 1e-9)
    // The last tenth is for the end: a run whose last epoch is done is not over yet.
    if snapshot.runsDone < snapshot.runsTotal { tenths = min(tenths, 9) }
    let isFirstEstimate = !hasShownEstimate && snapshot.showsSpeed
    let isLate = snapshot.elapsed - lastLine >= 600
    if let tenthsShown, tenths <= tenthsShown, !isFirstEstimate, !isLate { return nil }
    tenthsShown = tenths
    lastLine = snapshot.elapsed
    hasShownEstimate = hasShownEstimate || snapshot.showsSpeed
    var parts = ["\(snapshot.runsDone) of \(counted(snapshot.runsTotal, "run")) done"]
    if snapshot.runsFailed > 0 { parts.append("\(snapshot.runsFailed) failed") }
    parts += snapshot.active.map { Self.describe($0, withLoss: true) }
    var time = Self.duration(snapshot.elapsed)
    if snapshot.fraction < 1, let left = snapshot.remaining {
      time += ", ETA \(Self.duration(left))"
    }
    parts.append(time)
    return "progress \(Self.percent(snapshot)): " + parts.joined(separator: "; ")
  }

  private static let gap = "  "

  /// Rounded down, so that 100 % is the end.
  private static func percent(_ snapshot: ProgressSnapshot) -> String {
    "\(Int(snapshot.fraction * 100 + 1e-9)) %"
  }

  private static func describe(_ run: ProgressSnapshot.ActiveRun, withLoss: Bool) -> String {
    let text = "\(oneLine(run.label)): epoch \(run.epoch)/\(run.epochs)"
    guard withLoss, let loss = run.loss, loss.isFinite else { return text }
    return text + ", loss \(fixed(loss, 3))"
  }

  /// 42s, 2m 10s, 1h 5m: the two largest units.
  public static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e9 else { return missing }
    let total = Int(max(0, seconds).rounded())
    if total < 60 { return "\(total)s" }
    if total < 3600 { return "\(total / 60)m \(total % 60)s" }
    return "\(total / 3600)h \(total % 3600 / 60)m"
  }
}
