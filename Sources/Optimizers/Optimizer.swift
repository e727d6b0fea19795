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

  public init(_ config: OptimizerConfig, parameters: [Parameter], kernels: Kernels = .best) {
    self.config = config
    self.parameters = parameters
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

  /// One step on all parameters with their gradients.
  /// - Parameters:
  ///   - rate: η of this step.
  ///   - modulation: Φ per expert layer, [layer][expert]; nil leaves every update as it is.
  public func update(rate: Double, modulation: [[Float]]?) {
    var constants = constants(rate: rate)
    for (index, parameter) in parameters.enumerated() {
      let theta = parameter.value.data
      let gradient = parameter.gradient.data
      let first = state[index].first?.data
      let second = state[index].count > 1 ? state[index][1].data : nil
      guard let modulation, let layer = parameter.expertLayer else {
        kernel(&constants, 1, parameter.value.count, theta, gradient, first, second)
        continue
      }
      let length = parameter.value.rowLength
      precondition(
        modulation[layer].count == parameter.value.rows,
        "\(modulation[layer].count) multipliers for \(parameter.value.rows) rows of \(parameter.name)"
      )
      for (row, phi) in modulation[layer].enumerated() {
        let offset = row * length
        kernel(
          &constants, phi, length, theta + offset, gradient + offset, first.map { $0 + offset },
          second.map { $0 + offset })
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
