import Datasets
import Reports
import Tensors
import Training

/// Why an experiment, or one of its runs, could not be carried out.
public enum RunnerError: Error, CustomStringConvertible {
  case config(ConfigError)
  case dataset(DatasetError)
  case training(TrainingError)
  case blas(BLASError)
  case report(ReportsError)
  /// A file or folder of results could not be written; `reason` is the system's.
  case unwritable(path: String, reason: String)

  public var description: String {
    switch self {
    case .config(let error): error.description
    case .dataset(let error): error.description
    case .training(let error): error.description
    case .blas(let error): error.description
    case .report(let error): "\(error)"
    case .unwritable(let path, let reason): "\(path): cannot be written: \(reason)"
    }
  }
}
