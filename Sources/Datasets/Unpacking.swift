import Foundation
import Tensors

/// Where an archive's entry goes. Nothing leads out of the folder that all entries must lie in.
///
/// - Parameters:
///   - archive: the archive's path, for errors.
///   - target: the folder to unpack into.
/// - Throws: `.badArchive`.
func placeOfEntry(
  _ name: String, of archive: String, folder: String, in target: URL
) throws(DatasetError) -> URL {
  func bad(_ problem: String) -> DatasetError { .badArchive(path: archive, problem: problem) }
  guard !name.hasPrefix("/") else { throw bad("\(name) has an absolute path") }
  let parts = name.split(separator: "/").filter { $0 != "." }
  guard !parts.contains("..") else { throw bad("\(name) leads out of the folder") }
  guard !name.contains("\0"), parts.first.map({ $0 == folder }) ?? true else {
    throw bad("\(name) lies outside \(folder)/")
  }
  return parts.reduce(target) { $0.appendingPathComponent(String($1)) }
}

/// Makes a folder and those above it, where they are missing.
package func makeFolder(_ folder: URL) throws(DatasetError) {
  do {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  } catch {
    throw .unwritable(path: folder.path, reason: foundationReason(error))
  }
}

/// What Foundation's error says; the system's own words where it passes them on.
func foundationReason(_ error: any Error) -> String {
  let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
  if let underlying, underlying.domain == NSPOSIXErrorDomain {
    return systemReason(Int32(underlying.code))
  }
  return (error as NSError).localizedDescription
}
