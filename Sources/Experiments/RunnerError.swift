import Datasets
import Plots
import Reports
import TensorBoard
import Tensors
import Text
import Training

/// Why an experiment, or one of its runs, could not be carried out.
public enum RunnerError: Error, CustomStringConvertible {
  case config(ConfigError)
  case dataset(DatasetError)
  case text(TextError)
  case training(TrainingError)
  case blas(BLASError)
  case report(ReportsError)
  case plot(PlotsError)
  case tensorBoard(EventFileError)
  /// A run that, as often as it is to run at once, takes more than the machine's memory, in bytes.
  case tooLarge(run: String, bytes: Double, jobs: Int, available: Double)
  /// Runs that take more address space, in bytes, than this process may.
  case addressSpace(name: String, bytes: Double, left: Double)
  /// EXCITE_KERNELS names no kernel set, or one that this CPU cannot run.
  case noKernels(name: String)
  /// What a benchmark would take of memory, in bytes, is more than is free.
  case noRoom(model: String, bytes: Double, free: Double)
  /// A file or folder of results could not be written; `reason` is the system's.
  case unwritable(path: String, reason: String)
  /// The system began no thread for the runs; `reason` is its own.
  case noThread(reason: String)
  /// A name, path or flag that cannot stand in a script for Slurm.
  case badSlurmOption(String)
  /// A file of the store could not be read.
  case unreadable(path: String, reason: String)

  public var description: String {
    switch self {
    case .config(let error): error.description
    case .dataset(let error): error.description
    case .text(let error): error.description
    case .training(let error): error.description
    case .blas(let error): error.description
    case .report(let error): "\(error)"
    case .plot(let error): error.description
    case .tensorBoard(let error): error.description
    case .tooLarge(let run, let bytes, let jobs, let available):
      "\(run): needs about \(gigabytes(bytes)) of memory, \(jobs) at once; this machine has "
        + "\(gigabytes(available)), of which runs may take nine tenths: a smaller model or batch, or "
        + "fewer --jobs"
    case .addressSpace(let name, let bytes, let left):
      "\(name): needs about \(gigabytes(bytes)) of address space, \(gigabytes(left)) are left to this "
        + "process: raise the limit (ulimit -v), or fewer threads and --jobs"
    case .noKernels(let name):
      "\(Kernels.variable): \(quoted(name)) is none of the kernel sets that this CPU runs: "
        + Kernels.available.joined(separator: ", ")
    case .noThread(let reason): "no thread could be started: \(reason)"
    case .noRoom(let model, let bytes, let free):
      "\(model): needs about \(gigabytes(bytes)) of memory; \(gigabytes(free)) are free: a smaller "
        + "model or batch, or an optimizer with less state"
    case .badSlurmOption(let text):
      "\(printable(text)): has a line break, which no option of Slurm can have"
    case .unwritable(let path, let reason): "\(path): cannot be written: \(reason)"
    case .unreadable(let path, let reason): "\(path): cannot be read: \(reason)"
    }
  }
}

private func gigabytes(_ bytes: Double) -> String {
  if bytes < 1e9 { return "\(Int((bytes / 1e6).rounded())) MB" }
  let tenths = (bytes / 1e8).rounded() / 10
  return "\(tenths) GB"
}
