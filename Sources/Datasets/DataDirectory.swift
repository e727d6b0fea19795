import Foundation

/// Where the data sets are kept.
public enum DataDirectory {
  /// The environment variable that names the folder.
  public static let variable = "EXCITE_DATA"

  /// The folder named by a flag, else by `EXCITE_DATA`, else the platform's cache folder: on Linux
  /// `$XDG_CACHE_HOME/excite` or `~/.cache/excite`, on macOS `~/Library/Caches/excite`. Empty
  /// texts count as absent. The folder need not exist.
  ///
  /// - Parameters:
  ///   - flag: what `--data-dir` was given.
  ///   - environment: the process's environment variables.
  public static func resolve(flag: String?, environment: [String: String]) -> URL {
    if let flag, !flag.isEmpty { return folder(flag, environment) }
    if let named = environment[variable], !named.isEmpty { return folder(named, environment) }
    let home = home(environment)
    #if os(macOS)
      return home.appendingPathComponent("Library/Caches/excite", isDirectory: true)
    #else
      // The XDG specification says that a relative path here is to be ignored.
      if let cache = environment["XDG_CACHE_HOME"], cache.hasPrefix("/") {
        return URL(fileURLWithPath: cache, isDirectory: true)
          .appendingPathComponent("excite", isDirectory: true)
      }
      return home.appendingPathComponent(".cache/excite", isDirectory: true)
    #endif
  }

  /// The command that fetches a set into `directory`, as one would type it.
  public static func fetchCommand(
    _ name: DataName, directory: URL, environment: [String: String]
  ) -> String {
    let command = "excite data fetch \(name.rawValue)"
    guard directory.path != resolve(flag: nil, environment: environment).path else {
      return command
    }
    return command + " --data-dir " + shellQuoted(directory.path)
  }

  /// A leading `~/` is the shell's to expand, but not in `--data-dir=~/x` nor in a config.
  private static func folder(_ text: String, _ environment: [String: String]) -> URL {
    guard text == "~" || text.hasPrefix("~/") else {
      return URL(fileURLWithPath: text, isDirectory: true)
    }
    return home(environment).appendingPathComponent(String(text.dropFirst(2)), isDirectory: true)
  }

  private static func home(_ environment: [String: String]) -> URL {
    if let home = environment["HOME"], !home.isEmpty {
      return URL(fileURLWithPath: home, isDirectory: true)
    }
    return URL(fileURLWithPath: NSHomeDirectory(), isDirectory: true)
  }

  private static func shellQuoted(_ text: String) -> String {
    let plain = text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."),
        UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "@"):
        true
      default: false
      }
    }
    guard !plain else { return text }
    return "'" + text.replacingOccurrences(of: "'", with: "'\\''") + "'"
  }
}
