import Foundation
import Tensors

/// Reads the weights that runs are to start from.
///
/// - Throws: `.unreadable` where a folder is given, naming the files that may have been meant;
///   `.training(.checkpoint)` for a file that is none of weights.
public func weightsFile(_ path: String) throws(RunnerError) -> SafetensorsFile {
  var isFolder: ObjCBool = false
  if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
    throw .unreadable(path: path, reason: "a folder; " + hint(weights(in: path)))
  }
  do { return try SafetensorsFile(path: path) } catch { throw .training(.checkpoint(error)) }
}

/// Files of weights in a folder and in those inside it, as `--save` leaves them.
private func weights(in folder: String) -> [String] {
  func names(_ folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
  }
  let inside = names(folder)
  let deeper = inside.flatMap { inner in names("\(folder)/\(inner)").map { "\(inner)/\($0)" } }
  return (inside + deeper).filter { $0.hasSuffix(".safetensors") }
    .map { folder.hasSuffix("/") ? folder + $0 : "\(folder)/\($0)" }
}

private func hint(_ files: [String]) -> String {
  guard let first = files.first else { return "give a file of weights, RUN/final.safetensors" }
  guard files.count > 1 else { return "give the file in it: \(first)" }
  return "give one of the \(files.count) files in it, such as \(first)"
}
