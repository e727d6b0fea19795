import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Writes text so that `path` holds all of it or what it held before.
/// - Throws: `.unwritable` with the system's reason.
func writeFile(_ text: String, to path: String) throws(RunnerError) {
  let bytes = Array(text.utf8)
  if let reason = bytes.withUnsafeBytes({ replaceFile(at: path, with: [$0]) }) {
    throw .unwritable(path: path, reason: reason)
  }
}

/// Makes a folder and those above it, and checks that it can be written to.
/// - Throws: `.unwritable` with the system's reason.
func prepareFolder(_ path: String) throws(RunnerError) {
  guard !path.isEmpty else { throw .unwritable(path: "\"\"", reason: "give a folder's name") }
  var made = path.hasPrefix("/") ? "/" : ""
  for part in path.split(separator: "/") {
    made += part
    guard mkdir(made, 0o777) == 0 || errno == EEXIST else {
      let place = made == path ? "" : "\(made): "
      throw .unwritable(path: path, reason: place + systemReason())
    }
    made += "/"
  }
  var status = stat()
  guard stat(path, &status) == 0 else { throw .unwritable(path: path, reason: systemReason()) }
  guard status.st_mode & S_IFMT == S_IFDIR else {
    throw .unwritable(path: path, reason: "a file stands where a folder should be")
  }
  guard access(path, W_OK) == 0 else { throw .unwritable(path: path, reason: systemReason()) }
}
