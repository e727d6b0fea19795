import CKernels
import Excitation
import Foundation
import Tensors

/// One of the six optimizers with its state, applying each update with Φ in the same pass over the
/// parameters: θ ← θ + Φ·δ (equations 3-4), no copy of a parameter and no state for Φ.
///
/// Differs from PyTorch's only in rounding: there δ is rounded to a difference of two parameters
/// before it is scaled.
public final class Optimizer {
  public let config: OptimizerConfig
  private let parameters: [Parameter]
  private let kernel: ExciteOptimizerKernel
  /// Per parameter, the optimizer's own tensors: momentum, or first and second moments.
  public let state: [[Tensor]]
  /// Steps taken.
  public var step = 0
  private let workers: Workers
  private let pieces: [Piece]

  /// Rows of a parameter that one task updates.
  private struct Piece {
    let parameter: Int
    let rows: Range<Int>
  }

  /// Floats in a piece, about: some of them fit in the second-level cache with their state.
  private static let pieceSize = 65536

  public init(
    _ config: OptimizerConfig, parameters: [Parameter], workers: Workers = Workers(),
    kernels: Kernels = .best
  ) {
    self.config = config
    self.parameters = parameters
    self.workers = workers
    pieces = parameters.enumerated().flatMap { index, parameter in
      let rows = parameter.value.rows
      let step = max(1, Self.pieceSize / max(1, parameter.value.rowLength))
      return stride(from: 0, to: rows, by: step).map {
        Piece(parameter: index, rows: $0..<min($0 + step, rows))
      }
    }
    let table = kernels.table.pointee
    kernel =
      switch config.name {
      case .sgd: table.sgd
      case .momentum: table.momentum
      case .adam: table.adam
      case .adamw: table.adamw
      case .rmsprop: table.rmsprop
      case .adagrad: table.adagrad
      }
    state = parameters.map { parameter in
      (0..<config.stateCount).map { _ in
        let tensor = Tensor(shape: parameter.value.shape)
        if config.name == .adagrad {
          tensor.data.update(repeating: Float(config.initialAccumulator), count: tensor.count)
        }
        return tensor
      }
    }
  }

  /// One step on all parameters with their gradients. An expert without a gradient is passed over
  /// where its δ is exactly 0; where it is not (Adam's moments, momentum, weight decay) it is
  /// updated as PyTorch updates it.
  /// - Parameters:
  ///   - rate: η of this step.
  ///   - modulation: Φ per expert layer, [layer][expert]; nil leaves every update as it is.
  public func update(rate: Double, modulation: [[Float]]?) {
    let constants = constants(rate: rate)
    for parameter in parameters {
      guard let modulation, let layer = parameter.expertLayer else { continue }
      precondition(
        modulation[layer].count == parameter.value.rows,
        "\(modulation[layer].count) multipliers for \(parameter.value.rows) rows of \(parameter.name)"
      )
    }
    let skipsIdle = config.isStillWithoutGradient
    withUnsafePointer(to: constants) { constants in
      workers.run(pieces.count) { task, _ in
        let piece = pieces[task]
        let parameter = parameters[piece.parameter]
        let rows = OptimizedRows(parameter, state: state[piece.parameter])
        let multipliers = parameter.expertLayer.flatMap { modulation?[$0] }
        let activity = skipsIdle ? parameter.activity : nil
        guard multipliers != nil || activity != nil else {
          return rows.update(piece.rows, phi: 1, constants, kernel)
        }
        for row in piece.rows where activity?.hasGradient[row] ?? true {
          rows.update(row..<row + 1, phi: multipliers?[row] ?? 1, constants, kernel)
        }
      }
    }
    step += 1
  }

  private func constants(rate: Double) -> ExciteOptimizerStep {
    var constants = ExciteOptimizerStep()
    let time = Double(step + 1)
    constants.rate = Float(rate)
    constants.weight_decay = Float(config.weightDecay)
    constants.momentum = Float(config.momentum)
    constants.dampening_keep = Float(1 - config.dampening)
    constants.nesterov = config.nesterov ? 1 : 0
    constants.first_step = step == 0 ? 1 : 0
    constants.epsilon = Float(config.epsilon)
    switch config.name {
    case .sgd, .momentum: break
    case .adam, .adamw:
      constants.beta1 = Float(config.beta1)
      constants.one_minus_beta1 = Float(1 - config.beta1)
      constants.beta2 = Float(config.beta2)
      constants.one_minus_beta2 = Float(1 - config.beta2)
      constants.step_size = Float(rate / (1 - pow(config.beta1, time)))
      constants.root_correction = Float((1 - pow(config.beta2, time)).squareRoot())
    case .rmsprop:
      constants.beta2 = Float(config.alpha)
      constants.one_minus_beta2 = Float(1 - config.alpha)
    case .adagrad:
      constants.rate = Float(rate / (1 + Double(step) * config.lrDecay))
    }
    return constants
  }
}

/// Where the rows of a parameter, its gradient and its state lie. Looked up once for all rows: with one
/// neuron a row that takes longer than its update.
private struct OptimizedRows {
  let length: Int
  let value: UnsafeMutablePointer<Float>
  let gradient: UnsafeMutablePointer<Float>
  let first: UnsafeMutablePointer<Float>?
  let second: UnsafeMutablePointer<Float>?

  init(_ parameter: Parameter, state: [Tensor]) {
    length = parameter.value.rowLength
    value = parameter.value.data
    gradient = parameter.gradient.data
    first = state.first?.data
    second = state.count > 1 ? state[1].data : nil
  }

  func update(
    _ rows: Range<Int>, phi: Float, _ constants: UnsafePointer<ExciteOptimizerStep>,
    _ kernel: ExciteOptimizerKernel
  ) {
    let offset = rows.lowerBound * length
    kernel(
      constants, phi, rows.count * length, value + offset, gradient + offset,
      first.map { $0 + offset }, second.map { $0 + offset })
  }
}
