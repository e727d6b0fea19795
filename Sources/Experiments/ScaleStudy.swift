import COpenBLAS
import Foundation
import Models
import Plots
import Tensors
import Training

/// One place of an axis, before it is measured.
public struct ScalePoint: Sendable {
  public let value: Double
  public let config: RunConfig
  public let threads: Int

  public init(value: Double, config: RunConfig, threads: Int) {
    self.value = value
    self.config = config
    self.threads = threads
  }
}

/// What a step at one place of an axis costs.
public struct ScaleMeasure: Sendable {
  public let point: ScalePoint
  /// Weights and biases.
  public let parameters: Int
  public let step: Timing
  /// What the model, its optimizer and its batches took of the allocator, bytes; nil where the system
  /// does not tell.
  public let bytes: Int?

  public var secondsPerSample: Double { step.median / Double(point.config.batchSize) }
  /// For a Top-K MLP of a sample.
  public var secondsPerToken: Double {
    secondsPerSample / Double(point.config.model.rowsPerSample)
  }
}

/// How the cost of a training step grows along an axis.
public struct ScaleStudy: Sendable {
  public let axis: ScaleAxis
  /// In the order of the axis.
  public let measures: [ScaleMeasure]

  /// Times steps at all places in turn, again and again, so that a drift of the machine falls on all
  /// alike.
  ///
  /// - Parameter points: at least one.
  /// - Throws: `.blas`, `.noRoom` where all models together do not fit, `.training`.
  public init(_ axis: ScaleAxis, points: [ScalePoint], repetitions: Int) throws(RunnerError) {
    do { try BLAS.load() } catch { throw .blas(error) }
    let bytes = points.reduce(0) { $0 + benchmarkBytes($1.config, threads: $1.threads) }
    let threads = points.reduce(0) { $0 + $1.threads }
    if let shortage = memoryShortage("\(points.count) models", bytes: bytes, threads: threads) {
      throw shortage
    }
    do throws(TrainingError) {
      var built: [(sample: StepSample, bytes: Int?)] = []
      for point in points {
        let before = ProcessMemory.allocated
        var config = point.config
        config.optimizer.lr = StepSample.restingRate
        let sample = try StepSample(config, threads: point.threads)
        // Some memory is taken when it is first needed.
        try sample.step()
        let after = ProcessMemory.allocated
        built.append((sample, before.flatMap { before in after.map { $0 - before } }))
      }
      let bodies = zip(points, built).map { point, built in
        { () throws(TrainingError) in
          excite_blas_set_threads(Int32(point.config.model.sharesWork ? 1 : point.threads))
          try built.sample.step()
        }
      }
      let timings = try timeInTurn(repetitions: repetitions, bodies)
      self.axis = axis
      measures = points.indices.map { index in
        ScaleMeasure(
          point: points[index],
          parameters: built[index].sample.trainer.model.parameters.reduce(0) {
            $0 + $1.value.count
          },
          step: timings[index], bytes: built[index].bytes)
      }
    } catch {
      throw .training(error)
    }
  }

  /// Of the time per token against the axis's measure; nil with one place.
  public var timeLaw: PowerLaw? { law { $0.secondsPerToken } }

  /// Of the memory.
  public var memoryLaw: PowerLaw? { law { $0.bytes.map(Double.init) } }

  private func law(_ y: (ScaleMeasure) -> Double?) -> PowerLaw? {
    PowerLaw(
      measures.compactMap { measure in
        y(measure).map { (x: axis.measure(measure.point.value), y: $0) }
      })
  }

  private var model: ModelConfig { measures[0].point.config.model }

  /// What one row of a batch is.
  public var unit: String { model.name == .topKMLP ? "sample" : "token" }

  /// Time and memory against the axis.
  /// - Parameter note: what a reader must know of the machine.
  public func figure(note: String) -> Drawing {
    func panel(
      _ title: String, _ law: PowerLaw?, _ y: (ScaleMeasure) -> Double?
    ) -> PowerChart.Panel {
      PowerChart.Panel(
        yTitle: title,
        points: measures.compactMap { measure in
          y(measure).map { value in
            let x = axis.measure(measure.point.value)
            return PowerChart.Place(x: x, y: value, label: String(format: "%g", x))
          }
        }, line: law.map { PowerChart.Law(factor: $0.factor, exponent: $0.exponent) })
    }
    let (micro, mega) = (1e6, 1e-6)
    func scaled(_ law: PowerLaw?, _ unit: Double) -> PowerLaw? {
      law.map { PowerLaw(factor: $0.factor * unit, exponent: $0.exponent) }
    }
    return PowerChart(
      title: "\(model.name.rawValue): cost of a training step", xTitle: axis.title,
      panels: [
        panel("time per \(unit) [µs]", scaled(timeLaw, micro)) { $0.secondsPerToken * micro },
        panel("memory [MB]", scaled(memoryLaw, mega)) { $0.bytes.map { Double($0) * mega } },
      ],
      notes: [
        "All axes are logarithmic. Dashed: the straight line by least squares.", "\(note).",
      ]
    ).drawing()
  }

  /// Draws the figure into a folder, as SVG and PNG.
  /// - Returns: the paths of the two files.
  /// - Throws: `.unwritable`, `.plot`.
  public func draw(in folder: String, note: String) throws(RunnerError) -> [String] {
    try prepareFolder(folder)
    return try write(figure(note: note), to: "\(folder)/scale-\(axis.rawValue)")
  }
}
