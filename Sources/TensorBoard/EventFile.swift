import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A run's event file, which TensorBoard shows while it grows: its folder is the run.
///
/// A resumed run writes it anew from its history, so that each step is there once; TensorBoard
/// would show both halves of files that overlap.
public struct EventFile: Sendable {
  /// TensorBoard reads every file with `tfevents` in its name; one name for all starts of a run
  /// leaves one file in its folder.
  public static let name = "events.out.tfevents.excite"

  public let path: String
  /// Bytes that are whole events.
  private var size = 0

  /// Writes the version and the history, over what was there.
  ///
  /// - Parameters:
  ///   - folder: an existing folder.
  ///   - wallTime: seconds since 1970, of the version.
  /// - Throws: `EventFileError.unwritable`.
  public init(
    in folder: String, wallTime: Double, history: [ScalarEvent] = []
  ) throws(EventFileError) {
    path = "\(folder)/\(Self.name)"
    // In place, and cut only afterwards: a TensorBoard that has the file open and has read some
    // of the same history goes on where it is.
    try write(
      EventRecord.version(wallTime: wallTime) + history.flatMap(EventRecord.scalars),
      flags: O_CREAT)
  }

  /// Adds an event, which TensorBoard finds at its next reload.
  ///
  /// - Throws: `EventFileError.unwritable`; the next event then takes the place of what was left
  ///   unfinished.
  public mutating func append(_ event: ScalarEvent) throws(EventFileError) {
    try write(EventRecord.scalars(event), flags: 0)
  }

  /// Writes at the end of the whole events, where the file then ends.
  private mutating func write(_ bytes: [UInt8], flags: Int32) throws(EventFileError) {
    let descriptor = open(path, O_WRONLY | O_CLOEXEC | flags, 0o644)
    guard descriptor >= 0 else { throw .unwritable(path: path, reason: systemReason()) }
    var failure: String?
    if lseek(descriptor, off_t(size), SEEK_SET) < 0 { failure = systemReason() }
    if failure == nil { failure = bytes.withUnsafeBytes { writeAll($0, to: descriptor) } }
    if failure == nil, ftruncate(descriptor, off_t(size + bytes.count)) != 0 {
      failure = systemReason()
    }
    if close(descriptor) != 0, failure == nil { failure = systemReason() }
    if let failure { throw .unwritable(path: path, reason: failure) }
    size += bytes.count
  }
}
