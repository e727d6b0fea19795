import ArgumentParser
import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Tries inputs one after the other, within limits that end the process where one breaks them.
final class Driver {
  private static let mostBytes: rlim_t = 1 << 30
  /// Of processor time, for one input.
  private static let mostSeconds = 10

  private let name: String
  private let reader: any Reader
  private let culprit: String
  private var tried = 0

  init(name: String, reader: any Reader, culprit: String) {
    self.name = name
    self.reader = reader
    self.culprit = culprit
    var limit = rlimit(rlim_cur: Self.mostBytes, rlim_max: Self.mostBytes)
    #if os(Linux)
      setrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &limit)
    #else
      setrlimit(RLIMIT_DATA, &limit)
    #endif
  }

  func tryOut(runs: Int, seconds: Double?, seed: UInt64) throws {
    let seeds = reader.seeds
    for input in seeds { try tryOut(input) }
    var mutator = Mutator(seed: seed, words: reader.words)
    let end = seconds.map { Date(timeIntervalSinceNow: $0) }
    for _ in 0..<runs {
      if let end, Date() > end { break }
      try tryOut(mutator.input(from: seeds))
    }
  }

  func tryOut(_ input: [UInt8]) throws {
    // Before it is read: a trap leaves nothing but this.
    try Data(input).write(to: URL(fileURLWithPath: culprit))
    startClock(Self.mostSeconds)
    do { try reader.read(input) } catch let violation as Violation {
      print("\(name): \(violation.what)\nexcite-fuzz \(name) \(culprit)")
      throw ExitCode.failure
    }
    tried += 1
  }

  func end() {
    startClock(0)
    try? FileManager.default.removeItem(atPath: culprit)
    print("\(name): \(tried) inputs")
  }

  /// A signal ends the process after so much processor time; after none, never.
  private func startClock(_ seconds: Int) {
    var timer = itimerval(
      it_interval: timeval(tv_sec: 0, tv_usec: 0), it_value: timeval(tv_sec: seconds, tv_usec: 0))
    #if os(Linux)
      setitimer(__itimer_which_t(ITIMER_PROF.rawValue), &timer, nil)
    #else
      setitimer(ITIMER_PROF, &timer, nil)
    #endif
  }
}
