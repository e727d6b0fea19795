import Foundation
import Tensors

/// Unpacks an archive of regular files and folders; see `TarArchive` and `ZipArchive`.
///
/// - Parameters:
///   - folder: what every entry must lie in.
///   - mostBytes: that all files may take together.
///   - target: an existing folder.
///   - onFile: called with each file's path inside `target` before it is written.
/// - Throws: `.badArchive`, `.unreadable`, `.unwritable`.
package func unpackArchive(
  _ input: InputFile, isZip: Bool, folder: String, mostBytes: Int, into target: URL,
  onFile: (String) -> Void
) throws(DatasetError) {
  if isZip {
    try ZipArchive(input: input, folder: folder, mostBytes: mostBytes)
      .unpack(into: target, onFile: onFile)
  } else {
    try TarArchive(input: input, folder: folder, mostBytes: mostBytes)
      .unpack(into: target, onFile: onFile)
  }
}

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
  // Byte by byte, as the system reads a path: an accent behind a slash makes it another character.
  guard name.utf8.first != UInt8(ascii: "/") else { throw bad("\(name) has an absolute path") }
  let parts = name.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
    .filter { $0 != "." }
  guard !parts.contains("..") else { throw bad("\(name) leads out of the folder") }
  guard !name.utf8.contains(0), parts.first.map({ $0 == folder }) ?? true else {
    throw bad("\(name) lies outside \(folder)/")
  }
  return URL(fileURLWithPath: ([target.path] + parts).joined(separator: "/"))
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
