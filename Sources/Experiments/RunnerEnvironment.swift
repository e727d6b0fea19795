import Foundation
import Reports
import Tensors

/// Refuses an EXCITE_KERNELS that cannot be obeyed.
/// - Throws: `.noKernels`.
public func checkKernels() throws(RunnerError) {
  guard let asked = Kernels.asked, Kernels(named: asked) == nil else { return }
  throw .noKernels(name: asked)
}

extension EnvironmentRecord {
  /// The machine and program of this process.
  /// - Throws: `.blas` when no BLAS can be loaded.
  public static func current(jobs: Int) throws(RunnerError) -> EnvironmentRecord {
    let blas: BLASDescription
    do { blas = try BLAS.load() } catch { throw .blas(error) }
    let words = blas.version.split(separator: " ").map(String.init)
    let isOpenBLAS = words.first == "OpenBLAS"
    let system = ProcessInfo.processInfo
    #if DEBUG
      let build = "debug"
    #else
      let build = "release"
    #endif
    return EnvironmentRecord(
      cpu: cpuName(), cores: system.activeProcessorCount,
      blasLibrary: isOpenBLAS ? "OpenBLAS" : blas.library,
      blasVersion: isOpenBLAS && words.count > 1 ? words[1] : nil,
      blasCore: blas.core.isEmpty ? nil : blas.core, blasThreads: 1, kernels: Kernels.best.name,
      os: system.operatingSystemVersionString, swift: swiftVersion, build: build,
      commit: sourceCommit(),
      version: exciteVersion, jobs: jobs)
  }

  static func cpuName() -> String {
    let lines = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    for line in lines.split(separator: "\n") where line.hasPrefix("model name") {
      if let colon = line.firstIndex(of: ":") {
        return line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
      }
    }
    #if arch(arm64)
      return "arm64"
    #else
      return "unknown"
    #endif
  }
}
