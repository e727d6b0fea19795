/// One quantity behind a claim of the paper, measured several times.
public struct Evidence: Hashable, Sendable {
  /// What the paper says about the quantity.
  public enum Expectation: Hashable, Sendable {
    case above(Double)
    case below(Double)
    /// No further from 0 than this.
    case within(Double)
  }

  public enum Judgement: String, Hashable, Sendable {
    case supports, contradicts
    /// The interval allows both; or there is none, below two samples.
    case open
    /// No sample has it.
    case unmeasured
    /// From a part of a data set, which says little about the whole.
    case notJudged = "not judged"
  }

  /// What was measured, and where: "sgd, zero-sum − vanilla".
  public let label: String
  public let unit: String
  public let expectation: Expectation
  /// One per sample.
  public let values: [Double]
  /// What a sample is: seeds, or models that were trained.
  public let sample: String
  /// How many samples there are to be; nil where any number will do.
  public let total: Int?
  /// The same quantity from the paper's numbers, where it prints them.
  public let published: Double?
  /// Whether it is of runs that had a part of the official data set.
  public internal(set) var isPart = false

  public init(
    _ label: String, unit: String = "points", _ expectation: Expectation, values: [Double],
    per sample: String = "seed", of total: Int? = nil, published: Double? = nil
  ) {
    self.label = label
    self.unit = unit
    self.expectation = expectation
    self.values = values
    self.sample = sample
    self.total = total
    self.published = published
  }

  public var mean: Double? { Statistics.mean(values) }
  /// 95 %, by Student's t.
  public var interval: Interval? { Statistics.tInterval(values) }

  /// Whether the whole interval lies where the paper says, or where it denies.
  public var judgement: Judgement {
    guard !values.isEmpty else { return .unmeasured }
    guard !isPart else { return .notJudged }
    guard let interval else { return .open }
    switch expectation {
    case .above(let bound):
      return interval.low > bound ? .supports : interval.high <= bound ? .contradicts : .open
    case .below(let bound):
      return interval.high < bound ? .supports : interval.low >= bound ? .contradicts : .open
    case .within(let bound):
      if interval.low > -bound && interval.high < bound { return .supports }
      return interval.low >= bound || interval.high <= -bound ? .contradicts : .open
    }
  }

  /// Whether the mean alone lies where the paper says; nil without one.
  public var pointsTo: Bool? {
    mean.map { mean in
      switch expectation {
      case .above(let bound): mean > bound
      case .below(let bound): mean < bound
      case .within(let bound): abs(mean) < bound
      }
    }
  }
}

/// Whether a claim of the paper holds for what was measured.
public struct Verdict: Hashable, Sendable {
  public enum Outcome: String, Hashable, Sendable {
    case holds
    case doesNotHold = "does not hold"
    case undecided
    /// The runs were stopped before they were trained, or had a part of the data alone.
    case notJudged = "not judged"
    case unmeasured = "not measured"
  }

  public let claim: Claim
  public let evidence: [Evidence]
  /// Whether runs behind it were stopped after so many steps: they say nothing about training.
  public let isCut: Bool

  public init(_ claim: Claim, _ evidence: [Evidence], isCut: Bool = false) {
    self.claim = claim
    self.evidence = evidence
    self.isCut = isCut
  }

  /// A claim holds when all evidence supports it, and does not when some contradicts it. Intervals
  /// are not widened for the number of them. Runs that were stopped short decide nothing.
  public var outcome: Outcome {
    if isCut { return .notJudged }
    var judgements = Set(evidence.map(\.judgement))
    let hasParts = judgements.remove(.notJudged) != nil
    if hasParts, judgements.isSubset(of: [.unmeasured]) { return .notJudged }
    if judgements.contains(.contradicts) { return .doesNotHold }
    if judgements == [.supports] { return .holds }
    return judgements.isSubset(of: [.unmeasured]) ? .unmeasured : .undecided
  }
}
