import Foundation

/// A folder for one test, removed with the last reference.
final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory
      .appendingPathComponent("excite-tests-\(UUID().uuidString)", isDirectory: true)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }

  func write(_ bytes: [UInt8], to name: String) throws {
    let file = url.appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: file)
  }

  /// A file of `count` bytes that starts with `bytes` and holds zeros from there on, without
  /// taking their room on disk.
  func writeSparse(_ bytes: [UInt8], count: Int, to name: String) throws {
    try write(bytes, to: name)
    let handle = try FileHandle(forWritingTo: url.appendingPathComponent(name))
    try handle.truncate(atOffset: UInt64(count))
    try handle.close()
  }

  func read(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: url.appendingPathComponent(name)))
  }

  func makeFolder(_ name: String) throws {
    try FileManager.default.createDirectory(
      at: url.appendingPathComponent(name), withIntermediateDirectories: true)
  }

  /// Everything in it, folders included, hidden files too; sorted paths.
  var contents: [String] {
    (FileManager.default.subpaths(atPath: url.path) ?? []).sorted()
  }
}
