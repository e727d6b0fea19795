import Tensors

/// Why a run could not go on.
public enum TrainingError: Error, CustomStringConvertible {
  /// Loss that is NaN or infinite, at a step counted from 1.
  case nonFiniteLoss(step: Int, epoch: Int, value: Double)
  /// Asked to stop from outside.
  case interrupted(step: Int)
  case noBLAS(BLASError)
  case checkpoint(SafetensorsError)

  public var description: String {
    switch self {
    case .nonFiniteLoss(let step, let epoch, let value):
      "the loss became \(value.isNaN ? "NaN" : "infinite") at step \(step) (epoch \(epoch)): the run diverged; a lower "
        + "learning rate may help"
    case .interrupted(let step): "interrupted after step \(step)"
    case .noBLAS(let error): error.description
    case .checkpoint(let error): error.description
    }
  }
}
