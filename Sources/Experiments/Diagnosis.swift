import Datasets
import Foundation
import Reports
import Tensors

/// What this machine offers for runs, and what is wrong with it.
public struct Diagnosis: Sendable {
  /// A fact under a short name.
  public struct Finding: Hashable, Sendable {
    public let label: String
    public let text: String
  }

  public struct Problem: Hashable, Sendable {
    public let text: String
    /// What to do about it.
    public let remedy: String
    /// Whether a run would fail; otherwise it is only slow, or something else is in the way.
    public let stopsRuns: Bool
  }

  public private(set) var findings: [Finding] = []
  public private(set) var problems: [Problem] = []
  /// Whether a data set is here, whole or not, besides the embedded one.
  public private(set) var hasRealData = false

  /// Looks at everything; reads all data sets that are there, which takes seconds.
  /// - Parameter resultsDirectory: where runs would leave their files.
  public init(dataDirectory: URL, resultsDirectory: String) {
    lookAtProgram()
    lookAtMachine()
    lookAtBLAS()
    lookAtResults(resultsDirectory)
    lookAtDataFolder(dataDirectory.path)
    lookAtData(dataDirectory)
  }

  private mutating func found(_ label: String, _ text: String) {
    findings.append(Finding(label: label, text: text))
  }

  private mutating func problem(_ text: String, remedy: String, stopsRuns: Bool = false) {
    problems.append(Problem(text: text, remedy: remedy, stopsRuns: stopsRuns))
  }

  // MARK: Program and machine

  private mutating func lookAtProgram() {
    var build = "release build"
    #if DEBUG
      build = "debug build"
      problem(
        "this is a debug build, many times slower", remedy: "build with: swift build -c release")
    #endif
    found("excite", "\(exciteVersion), commit \(sourceCommit() ?? "unknown"), \(build)")
    found(
      "system", "\(ProcessInfo.processInfo.operatingSystemVersionString), Swift \(swiftVersion)")
  }

  private mutating func lookAtMachine() {
    let system = ProcessInfo.processInfo
    let cores = system.activeProcessorCount
    found(
      "CPU",
      "\(EnvironmentRecord.cpuName()), \(cores) core\(cores == 1 ? "" : "s") for this process")

    let total = Double(system.physicalMemory)
    var memory = "\(gigabytes(total))"
    if let free = ProcessMemory.available {
      memory += ", \(gigabytes(free)) free"
      // CIFAR as bytes, and a model with its optimizer and batch.
      let enough = 0.5e9
      if free < enough {
        problem(
          "only \(gigabytes(free)) of memory are free",
          remedy: "end other programs, or run fewer at once with --jobs")
      }
    }
    found("memory", memory)

    let kernels = Kernels.best.name
    let widths = ["avx512": 16, "avx2": 8, "baseline": 4]
    let asked = Kernels.asked == nil ? "" : ", as \(Kernels.variable) asks"
    found("kernels", kernels + (widths[kernels].map { ", \($0) numbers at once" } ?? "") + asked)
    #if arch(x86_64)
      if kernels == "baseline", Kernels.asked == nil {
        problem(
          "this CPU has no AVX2, or the virtual machine hides it",
          remedy: "expect several times the time; choose a CPU or machine type with AVX2 or AVX-512"
        )
      }
    #endif
  }

  private mutating func lookAtBLAS() {
    do {
      let blas = try BLAS.load()
      let version = blas.version.isEmpty ? "" : ": \(blas.version)"
      found("BLAS", "\(blas.library)\(version), 1 thread per run")
      found("core", coreLine(blas))
      if let warning = blas.coreWarning {
        problem(warning, remedy: "correct it, or unset it for the library's best")
      }
    } catch {
      switch error {
      case .notFound(let tried):
        found("BLAS", "none")
        problem(
          "no BLAS library can be loaded (\(tried))",
          remedy: "apt-get install libopenblas0, or brew install openblas", stopsRuns: true)
      }
    }
  }

  private func coreLine(_ blas: BLASDescription) -> String {
    if blas.core.isEmpty { return "not told by this library" }
    if blas.coreFromUser { return "\(blas.core), as OPENBLAS_CORETYPE asks" }
    if blas.core != blas.automaticCore {
      return "\(blas.core); the library itself chose \(blas.automaticCore), without AVX-512"
    }
    return "\(blas.core), the library's own choice"
  }

  // MARK: Files

  private mutating func lookAtData(_ directory: URL) {
    for listing in DataCatalog.list(directory: directory) {
      let name = listing.entry.name
      let fetch = DataDirectory.fetchCommand(
        name, directory: directory, environment: ProcessInfo.processInfo.environment)
      switch listing.state {
      case .embedded: found(name.rawValue, "embedded")
      case .absent: found(name.rawValue, "not here; to have it: \(fetch)")
      case .partial(let missing):
        hasRealData = true
        found(name.rawValue, "incomplete")
        problem(
          "\(name.rawValue) is incomplete, without \(missing.joined(separator: ", "))",
          remedy: fetch)
      case .resumable:
        hasRealData = true
        found(name.rawValue, "a broken transfer")
        problem("the transfer of \(name.rawValue) broke off", remedy: "\(fetch) goes on with it")
      case .present, .otherForm, .other:
        hasRealData = true
        let status = DataCatalog.verify(listing.entry, directory: directory)
        guard case .unusable(let error) = status.content else {
          found(name.rawValue, status.summary)
          continue
        }
        found(name.rawValue, "damaged")
        problem(error.description, remedy: "\(fetch) --force", stopsRuns: true)
      }
    }
    guard !hasRealData else { return }
    problem(
      "no data set is here but the embedded images, so the paper's experiments cannot run",
      remedy: DataDirectory.fetchCommand(
        .cifar10, directory: directory, environment: ProcessInfo.processInfo.environment)
        + ", or name the folder that has it with --data-dir or EXCITE_DATA")
  }

  private mutating func lookAtResults(_ results: String) {
    if let reason = reasonNotToWrite(to: results) {
      found("results", "\(results): cannot be written")
      problem(
        "\(results): cannot be written: \(reason)",
        remedy: "make it writable, or name another folder with --out", stopsRuns: true)
    } else {
      found("results", "\(results): \(canBeWritten(results))\(freeSpace(at: results))")
      // Some runs' metrics and weights.
      let enough = 0.1e9
      if let free = freeBytes(at: results), free < enough {
        problem(
          "\(results): only \(gigabytes(free)) are free on its disk",
          remedy: "make room, or name a folder on another disk with --out")
      }
    }
  }

  private mutating func lookAtDataFolder(_ data: String) {
    if let reason = reasonNotToWrite(to: data) {
      found("data", "\(data): cannot be written")
      problem(
        "\(data): cannot be written, so no data set can be fetched: \(reason)",
        remedy: "make it writable, or name another folder with --data-dir or EXCITE_DATA")
    } else {
      found("data", "\(data): \(canBeWritten(data))\(freeSpace(at: data))")
    }
  }

  /// Why a folder, or the nearest one above it that exists, takes no files; nil where it does.
  private func reasonNotToWrite(to path: String) -> String? {
    let (place, isFolder) = nearestExisting(path)
    if !isFolder { return "\(place) is a file" }
    // Only a try tells of a full disk, a quota or a file system that says one thing and does another.
    let probe = "\(place)/.excite-doctor-\(ProcessInfo.processInfo.processIdentifier)"
    defer { try? FileManager.default.removeItem(atPath: probe) }
    return [UInt8](repeating: 0, count: 1).withUnsafeBytes { replaceFile(at: probe, with: [$0]) }
  }

  private func nearestExisting(_ path: String) -> (path: String, isFolder: Bool) {
    var url = URL(fileURLWithPath: path).standardizedFileURL
    var isFolder: ObjCBool = false
    while !FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), url.path != "/"
    {
      url.deleteLastPathComponent()
    }
    return (url.path, isFolder.boolValue)
  }

  private func canBeWritten(_ folder: String) -> String {
    FileManager.default.fileExists(atPath: folder)
      ? "can be written" : "is not there yet, can be made"
  }

  private func freeBytes(at path: String) -> Double? {
    let facts = try? FileManager.default.attributesOfFileSystem(forPath: nearestExisting(path).path)
    return (facts?[.systemFreeSize] as? NSNumber)?.doubleValue
  }

  private func freeSpace(at path: String) -> String {
    freeBytes(at: path).map { ", \(gigabytes($0)) free" } ?? ""
  }
}

private func gigabytes(_ bytes: Double) -> String {
  String(format: "%.1f GB", bytes / 1e9)
}
