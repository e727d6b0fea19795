import Foundation
import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A process that holds a run.
public struct RunHolder: Codable, Hashable, Sendable {
  public let host: String
  public let process: Int32
  /// When the process began, by the system's own count: tells it from a later one of its number.
  let began: String
  /// The boot and the process namespace in which `process` means something.
  let system: String
  /// The job of Slurm that the process belongs to, if any: `17`, or `17_3` in an array.
  public let job: String?

  static let own = RunHolder(
    host: hostName(), process: getpid(), began: began(getpid()) ?? "",
    system: ownSystem, job: ownJob)

  private static var ownJob: String? {
    let environment = ProcessInfo.processInfo.environment
    guard let array = environment["SLURM_ARRAY_JOB_ID"],
      let task = environment["SLURM_ARRAY_TASK_ID"]
    else { return environment["SLURM_JOB_ID"] }
    return "\(array)_\(task)"
  }

  private static let ownSystem =
    ((try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? "")
    .trimmingCharacters(in: .whitespacesAndNewlines) + " "
    + ((try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")) ?? "")

  private static func hostName() -> String {
    // Foundation's own asks the network.
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "" }
    return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  private static func began(_ process: Int32) -> String? {
    guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
      let name = text.lastIndex(of: ")")
    else { return nil }
    // The fields behind the name start with the third; the start time is the twenty-second.
    let fields = text[name...].split(separator: " ")
    return fields.count > 20 ? String(fields[20]) : nil
  }

  /// Whether the process lives; nil where this one cannot see it.
  var isAlive: Bool? {
    guard host == Self.own.host, system == Self.own.system else { return nil }
    guard kill(process, 0) == 0 || errno == EPERM else { return false }
    guard let now = Self.began(process), !began.isEmpty else { return true }
    return now == began
  }
}

/// The right to do a run, held by one process at a time, also over a shared file system.
///
/// Claims are files `claim.1`, `claim.2`, … in the run's folder, each made so that only one process
/// can make it; the highest number holds. A dead holder's run is taken over by making the next
/// number, so nothing is ever removed under someone else. A holder shows that it lives by touching
/// its file.
final class RunClaim: Sendable {
  enum Attempt {
    case mine(RunClaim)
    case held(RunHolder?)
  }

  /// Who works on a run.
  enum State {
    case free
    /// By a process that lives; nil where its claim cannot be read.
    case held(RunHolder?)
  }

  /// Seconds between two touches, and without one until a holder on another host counts as dead.
  static let heartbeat = 15.0
  static let patience = 120.0

  private let folder: String
  private let number: Int

  private init(folder: String, number: Int) {
    self.folder = folder
    self.number = number
  }

  static func attempt(in folder: String) throws(RunnerError) -> Attempt {
    let highest = numbers(in: folder).max() ?? 0
    if case .held(let holder) = state(of: highest, in: folder) { return .held(holder) }
    let path = file(highest + 1, in: folder)
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      if errno == EEXIST { return .held(nil) }
      throw .unwritable(path: path, reason: systemReason())
    }
    let text = (try? JSONEncoder().encode(RunHolder.own)) ?? Data()
    let failure = text.withUnsafeBytes { writeAll($0, to: descriptor) }
    close(descriptor)
    if let failure {
      unlink(path)
      throw .unwritable(path: path, reason: failure)
    }
    return .mine(RunClaim(folder: folder, number: highest + 1))
  }

  static func state(in folder: String) -> State {
    state(of: numbers(in: folder).max() ?? 0, in: folder)
  }

  private static func state(of number: Int, in folder: String) -> State {
    let path = file(number, in: folder)
    guard let data = FileManager.default.contents(atPath: path) else { return .free }
    let holder = try? JSONDecoder().decode(RunHolder.self, from: data)
    let isAlive = holder?.isAlive ?? (age(of: path, in: folder) < patience)
    return isAlive ? .held(holder) : .free
  }

  /// Seconds since a file was touched, by the clock of the file system it lies on.
  private static func age(of path: String, in folder: String) -> Double {
    let probe = "\(folder)/.\(UUID().uuidString).tmp"
    defer { unlink(probe) }
    let descriptor = open(probe, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { return 0 }
    close(descriptor)
    guard let now = touched(probe), let then = touched(path) else { return 0 }
    return now - then
  }

  private static func touched(_ path: String) -> Double? {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return (attributes?[.modificationDate] as? Date)?.timeIntervalSince1970
  }

  private static func numbers(in folder: String) -> [Int] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    // Others than ours are no claims, least of all one with no number behind it.
    return names.compactMap { $0.hasPrefix("claim.") ? Int32($0.dropFirst(6)).map(Int.init) : nil }
      .filter { $0 > 0 }
  }

  private static func file(_ number: Int, in folder: String) -> String {
    "\(folder)/claim.\(number)"
  }

  /// Shows that the holder lives.
  func beat() { utimes(Self.file(number, in: folder), nil) }

  /// Whether another process has taken the run over, believing this one dead.
  var isLost: Bool {
    access(Self.file(number + 1, in: folder), F_OK) == 0
      || access(Self.file(number, in: folder), F_OK) != 0
  }

  func release() {
    // The highest last: it is what others look at.
    for number in Self.numbers(in: folder).sorted() where number <= self.number {
      unlink(Self.file(number, in: folder))
    }
  }
}
