import ArgumentParser
import Experiments
import Reports
import Tensors

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Say what this machine offers and which kernels are in use.")

  func run() throws {
    let environment: EnvironmentRecord
    let blas: BLASDescription
    do {
      environment = try EnvironmentRecord.current(jobs: 1)
      blas = try BLAS.load()
    } catch {
      printError("\(error)")
      throw Failure.failedRun
    }
    print("excite    \(environment.version), commit \(environment.commit ?? "unknown")")
    print("CPU       \(environment.cpu), \(environment.cores) cores")
    print("kernels   \(environment.kernels)")
    print("BLAS      \(blas.library)" + (blas.version.isEmpty ? "" : ": \(blas.version)"))
    print("core      \(coreLine(blas))")
  }

  private func coreLine(_ blas: BLASDescription) -> String {
    if blas.core.isEmpty { return "not told by this library" }
    if blas.coreFromUser { return "\(blas.core), as OPENBLAS_CORETYPE asks" }
    if blas.core != blas.automaticCore {
      return "\(blas.core); the library itself chose \(blas.automaticCore), without AVX-512"
    }
    return "\(blas.core), the library's own choice"
  }
}
