import Foundation

/// The release.
public let exciteVersion = "0.1.0"

/// The Swift release that this program was compiled with, as far as a program can tell.
let swiftVersion: String = {
  #if compiler(>=6.5)
    "6.5 or newer"
  #elseif compiler(>=6.4)
    "6.4"
  #elseif compiler(>=6.3)
    "6.3"
  #elseif compiler(>=6.2)
    "6.2"
  #else
    "6.1"
  #endif
}()

/// The commit of the checkout that the running program was built in, 12 digits; nil elsewhere.
///
/// The checkout may have moved on since: the one that was there when the program was linked counts.
public func sourceCommit() -> String? {
  var program = URL(fileURLWithPath: CommandLine.arguments.first ?? "").resolvingSymlinksInPath()
  if let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") {
    program = URL(fileURLWithPath: target)
  }
  var folder = program
  while folder.path != "/" {
    folder.deleteLastPathComponent()
    guard folder.path.hasSuffix("/.build") else { continue }
    let git = GitFolder(url: folder.deletingLastPathComponent().appendingPathComponent(".git"))
    let facts = try? FileManager.default.attributesOfItem(atPath: program.path)
    let linked = facts?[.modificationDate] as? Date
    let commit = linked.flatMap(git.commit(at:)) ?? git.head
    return commit.map { String($0.prefix(12)) }
  }
  return nil
}

/// What stands in a `.git` folder, read without git, which need not be installed.
private struct GitFolder {
  let url: URL

  private func text(_ path: String) -> String? {
    (try? String(contentsOf: url.appendingPathComponent(path), encoding: .utf8))?
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// The commit that is checked out now.
  var head: String? {
    guard let head = text("HEAD") else { return nil }
    guard head.hasPrefix("ref: ") else { return head }
    let reference = String(head.dropFirst(5))
    if let commit = text(reference) { return commit }
    let packed = text("packed-refs")?.split(separator: "\n").first { $0.hasSuffix(" " + reference) }
    return packed.map { String($0.prefix { $0 != " " }) }
  }

  /// The commit that was checked out at a time, where the log goes back so far. Its lines are
  /// "old new Name <address> seconds zone", a tab and a message, the latest last.
  func commit(at time: Date) -> String? {
    guard let log = text("logs/HEAD") else { return nil }
    for line in log.split(separator: "\n").reversed() {
      let words = line.prefix { $0 != "\t" }.split(separator: " ")
      guard words.count >= 5, let seconds = Double(words[words.count - 2]) else { continue }
      if seconds <= time.timeIntervalSince1970 { return String(words[1]) }
    }
    return nil
  }
}
