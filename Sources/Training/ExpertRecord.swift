import Foundation

/// What the experts of one layer did in one epoch.
public struct ExpertRecord: Hashable, Sendable {
  /// From 1, next to the input.
  public let layer: Int
  /// S of equation 11, over the test split after the epoch; see ``ExpertUse/specialization``.
  public let specialization: Double
  /// Over the test split after the epoch, nats; see ``ExpertUse/entropy``.
  public let routingEntropy: Double
  /// Share of the experts that no training row of the epoch used.
  public let deadShare: Double
  /// Of the experts' shares of the epoch's training rows.
  public let load: LoadSpread
  /// Of the multipliers that the training steps applied.
  public let modulation: ModulationSpread
  /// Of the router, E·Σ f·P, mean over the epoch's steps: 1 where all experts are used alike. Nil
  /// without a router.
  public let balanceLoss: Double?

  /// The numbers but the layer's, in the order of `columns`; NaN for one that there is not.
  public var values: [Double] {
    [
      specialization, routingEntropy, deadShare, load.lowest, load.percentile5,
      load.percentile25, load.median, load.percentile75, load.percentile95, load.highest,
      modulation.deviation, modulation.lowest, modulation.highest, balanceLoss ?? .nan,
    ]
  }

  /// Names of the values, as files call them.
  public static let columns = [
    "specialization", "routing_entropy", "dead_share", "load_min", "load_p5", "load_p25",
    "load_p50", "load_p75", "load_p95", "load_max", "phi_std", "phi_min", "phi_max",
    "balance_loss",
  ]
}

/// How unevenly u, the share of rows that used an expert, is spread over the experts of a layer.
///
/// Percentiles lie linearly between the neighbouring values, as NumPy's do by default.
public struct LoadSpread: Hashable, Sendable {
  public let lowest: Double
  public let percentile5: Double
  public let percentile25: Double
  public let median: Double
  public let percentile75: Double
  public let percentile95: Double
  public let highest: Double

  /// - Parameter utilization: u [E], not empty.
  public init(_ utilization: [Double]) {
    let sorted = utilization.sorted()
    func value(at share: Double) -> Double {
      let place = share * Double(sorted.count - 1)
      let index = min(Int(place), sorted.count - 1)
      let next = min(index + 1, sorted.count - 1)
      return sorted[index] + (place - Double(index)) * (sorted[next] - sorted[index])
    }
    lowest = value(at: 0)
    percentile5 = value(at: 0.05)
    percentile25 = value(at: 0.25)
    median = value(at: 0.5)
    percentile75 = value(at: 0.75)
    percentile95 = value(at: 0.95)
    highest = value(at: 1)
  }

  fileprivate init(values: ArraySlice<Double>) {
    let values = Array(values)
    (lowest, percentile5, percentile25) = (values[0], values[1], values[2])
    (median, percentile75, percentile95, highest) = (values[3], values[4], values[5], values[6])
  }
}

/// How far Φ told experts apart: per step its standard deviation over the experts, its smallest
/// and its largest value, averaged over the epoch's steps. 0, 1 and 1 for vanilla.
public struct ModulationSpread: Codable, Hashable, Sendable {
  public let deviation: Double
  public let lowest: Double
  public let highest: Double
}

extension ExpertRecord {
  /// The records' bits. A checkpoint holds one for every epoch and layer, which as texts of numbers
  /// would take longer to write than the epoch's last hundredth.
  static func packed(_ records: [ExpertRecord]) -> Data {
    var data = Data(capacity: records.count * (1 + columns.count) * 8)
    for record in records {
      for value in [Double(record.layer)] + record.values {
        withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
      }
    }
    return data
  }

  /// What `packed` was given; nil where it did not make the data.
  /// - Parameter hasBalance: false for data of earlier versions, which had no last column.
  static func unpacked(_ data: Data, hasBalance: Bool = true) -> [ExpertRecord]? {
    let length = 1 + columns.count - (hasBalance ? 0 : 1)
    guard data.count.isMultiple(of: length * MemoryLayout<UInt64>.size) else { return nil }
    let values = data.withUnsafeBytes { raw in
      stride(from: 0, to: raw.count, by: 8).map { offset in
        Double(
          bitPattern: UInt64(
            littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
      }
    }
    return stride(from: 0, to: values.count, by: length).reduce(into: [ExpertRecord]?([])) {
      records, start in
      guard let layer = Int(exactly: values[start]) else {
        records = nil
        return
      }
      let fields = values[start + 1..<start + length]
      let (load, phi) = (fields.startIndex + 3, fields.startIndex + 10)
      let balance = hasBalance ? fields[phi + 3] : .nan
      records?.append(
        ExpertRecord(
          layer: layer, specialization: fields[load - 3], routingEntropy: fields[load - 2],
          deadShare: fields[load - 1], load: LoadSpread(values: fields[load..<phi]),
          modulation: ModulationSpread(
            deviation: fields[phi], lowest: fields[phi + 1], highest: fields[phi + 2]),
          balanceLoss: balance.isNaN ? nil : balance))
    }
  }
}
