/// What can go wrong with an event file.
public enum EventFileError: Error, Equatable, CustomStringConvertible {
  /// `reason` is the system's.
  case unwritable(path: String, reason: String)

  public var description: String {
    switch self {
    case .unwritable(let path, let reason): "cannot write the event file \(path): \(reason)"
    }
  }
}
