/// What can go wrong while a picture is written.
public enum PlotsError: Error, Equatable, CustomStringConvertible {
  /// zlib refused to compress a picture of this many bytes; `code` is its own.
  case compression(bytes: Int, code: Int32)

  public var description: String {
    switch self {
    case .compression(let bytes, let code):
      "cannot compress a picture of \(bytes) bytes: zlib says \(code)"
    }
  }
}
