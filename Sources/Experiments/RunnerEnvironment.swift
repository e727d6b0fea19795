import Foundation
import Reports
import Tensors

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
      os: system.operatingSystemVersionString, swift: nil, build: build, commit: sourceCommit(),
      version: exciteVersion, jobs: jobs)
  }

  private static func cpuName() -> String {
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

/// The release.
public let exciteVersion = "0.1.0"

/// The commit of the checkout that the running program was built in, 12 digits; nil elsewhere.
public func sourceCommit() -> String? {
  var folder = URL(fileURLWithPath: CommandLine.arguments.first ?? "").resolvingSymlinksInPath()
  if let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") {
    folder = URL(fileURLWithPath: target)
  }
  while folder.path != "/" {
    folder.deleteLastPathComponent()
    guard folder.path.hasSuffix("/.build") else { continue }
    let git = folder.deletingLastPathComponent().appendingPathComponent(".git")
    func text(_ path: String) -> String? {
      (try? String(contentsOf: git.appendingPathComponent(path), encoding: .utf8))?
        .trimmingCharacters(in: .whitespacesAndNewlines)
    }
    guard let head = text("HEAD") else { return nil }
    guard head.hasPrefix("ref: ") else { return String(head.prefix(12)) }
    let reference = String(head.dropFirst(5))
    if let commit = text(reference) { return String(commit.prefix(12)) }
    let packed = text("packed-refs")?.split(separator: "\n").first { $0.hasSuffix(" " + reference) }
    return packed.map { String($0.prefix(12)) }
  }
  return nil
}
