import Foundation
import Tensors

/// What a fetch is doing, for a progress display.
public enum FetchEvent: Hashable, Sendable {
  /// Another fetch of the same set is under way; this one goes on after it.
  case waitingForOtherFetch
  /// A transfer starts; `receivedBytes` of the file are there from before.
  case started(file: String, source: String, receivedBytes: Int, totalBytes: Int)
  /// About ten times a second.
  case progress(file: String, receivedBytes: Int, totalBytes: Int, bytesPerSecond: Double)
  /// The same source is asked again after a wait.
  case retrying(failure: SourceFailure, seconds: Double)
  /// What was there could not be gone on with.
  case startedOver(file: String, reason: String)
  /// The source is given up; nil where none is left.
  case failedOver(failure: SourceFailure, next: String?)
  case checking(file: String)
  case unpacking(file: String)
}

/// How a fetch ended.
public enum FetchResult: Hashable, Sendable {
  /// Nothing was fetched: a copy is there and has the right lengths, or its records can be read.
  case alreadyPresent
  /// Bytes that came over the network this time.
  case fetched(receivedBytes: Int)
}

/// Downloads sets into a data directory.
///
/// A transfer goes to `<file>.part` and on from there when it broke off, in this process or an
/// earlier one. Only a file of the right length and checksum is put in place, by renaming; a
/// failure leaves the directory as it was, but for the part of a broken transfer and a note of
/// where it came from, `<file>.part.json`.
public struct DataFetcher {
  public static let userAgent = "excite/1 (data fetch)"
  /// Waits between tries at one source, in seconds.
  public static let defaultDelays: [Double] = [0.5, 1, 2, 4]
  static let partSuffix = ".part"
  /// A try that brings this much is progress, and the waits begin anew.
  private static let progressBytes = 1 << 20
  /// Beside the known files an archive holds a few pages of description.
  private static let descriptionBytes = 16 << 20
  /// A file of unknown length may have so many times its archive's bytes; text has about three.
  private static let greatestExpansion = 16

  public let directory: URL
  private let sources: [String]?
  private let delays: [Double]
  private let sleep: (Double) -> Void
  private let onEvent: (FetchEvent) -> Void

  /// - Parameters:
  ///   - directory: the data directory; made where it is missing.
  ///   - sources: addresses in place of the catalog's, of a file, or of a folder when they end in
  ///     "/". Lengths and checksums stay the catalog's.
  ///   - delays: waits between tries at one source that bring next to nothing, in seconds; one more
  ///     try than waits is made.
  ///   - sleep: waits so many seconds.
  ///   - onEvent: called on the thread that called `fetch`.
  public init(
    directory: URL, sources: [String]? = nil, delays: [Double] = defaultDelays,
    sleep: @escaping (Double) -> Void = { Thread.sleep(forTimeInterval: $0) },
    onEvent: @escaping (FetchEvent) -> Void = { _ in }
  ) {
    self.directory = directory
    self.sources = sources
    self.delays = delays
    self.sleep = sleep
    self.onEvent = onEvent
  }

  /// Fetches what a set lacks.
  ///
  /// - Parameter force: also where a copy is there.
  /// - Throws: `.nothingToFetch`, `.sourceNotAURL`, `.sourceMustBeAFolder`, `.allSourcesFailed`,
  ///   `.badArchive`, `.unwritable`, `.lockFailed`.
  public func fetch(_ entry: DataEntry, force: Bool = false) throws(DatasetError) -> FetchResult {
    guard !entry.archives.isEmpty else {
      throw .nothingToFetch(
        name: entry.name.rawValue,
        fetchable: DataCatalog.entries.filter { !$0.archives.isEmpty }.map(\.name.rawValue))
    }
    let addresses = try entry.archives.map { archive throws(DatasetError) in
      try self.addresses(of: archive, in: entry)
    }
    // Before the lock too: a shared directory may be read-only.
    if !force, isPresent(entry) { return .alreadyPresent }
    try makeFolder(directory)
    let lock = try FileLock(path(".\(entry.name.rawValue).lock")) {
      onEvent(.waitingForOtherFetch)
    }
    defer { lock.release() }
    if !force, isPresent(entry) { return .alreadyPresent }
    var received = 0
    for (archive, sources) in zip(entry.archives, addresses) {
      if !force, try isInPlace(archive) { continue }
      received += try download(archive, of: entry, from: sources)
      switch archive.content {
      case .file(let target):
        let file = directory.appendingPathComponent(target, isDirectory: false)
        try makeFolder(file.deletingLastPathComponent())
        try move(path(archive.fileName + Self.partSuffix), to: file.path)
      case .tarGzip(let folder), .zip(let folder):
        try unpack(archive, folder: folder, of: entry)
      }
    }
    return .fetched(receivedBytes: received)
  }

  // MARK: - What is there

  private func isPresent(_ entry: DataEntry) -> Bool {
    let lengthsMatch = entry.files.allSatisfy { file in
      let input = try? InputFile.openIfPresent(path(file.path))
      return file.fits(input?.size)
    }
    if lengthsMatch { return true }
    if case .unusable = DataCatalog.content(of: entry, files: entry.files, directory: directory) {
      return false
    }
    return true
  }

  /// Whether a file that is kept as it came is there already: of a set of several.
  private func isInPlace(_ archive: DataArchive) throws(DatasetError) -> Bool {
    guard case .file(let target) = archive.content,
      let input = try InputFile.openIfPresent(path(target)), input.size == archive.bytes
    else { return false }
    return archive.wrongChecksum(try FileChecksums(of: input)) == nil
  }

  private func addresses(
    of archive: DataArchive, in entry: DataEntry
  ) throws(DatasetError) -> [URL] {
    try (sources ?? archive.sources).map { text throws(DatasetError) in
      var text = text
      if text.hasSuffix("/") {
        text += archive.fileName
      } else if sources != nil, entry.archives.count > 1 {
        throw .sourceMustBeAFolder(source: text, archives: entry.archives.map(\.fileName))
      }
      guard let url = URL(string: text), ["http", "https"].contains(url.scheme?.lowercased()),
        url.host?.isEmpty == false
      else { throw .sourceNotAURL(text: text) }
      return url
    }
  }

  private func path(_ name: String) -> String {
    directory.appendingPathComponent(name, isDirectory: false).path
  }

  // MARK: - Transfer

  /// Brings `<file>.part` to a file of the right length and checksum.
  ///
  /// - Returns: bytes received.
  private func download(
    _ archive: DataArchive, of entry: DataEntry, from sources: [URL]
  ) throws(DatasetError) -> Int {
    var failures: [SourceFailure] = []
    var received = 0
    for (i, source) in sources.enumerated() {
      let (bytes, failure) = try download(archive, from: source)
      received += bytes
      guard let failure else { return received }
      failures.append(failure)
      let next = i + 1 < sources.count ? sources[i + 1].absoluteString : nil
      onEvent(.failedOver(failure: failure, next: next))
    }
    throw .allSourcesFailed(name: entry.name.rawValue, failures: failures)
  }

  /// Tries one source until the file is whole or there is no sense in going on.
  private func download(
    _ archive: DataArchive, from source: URL
  ) throws(DatasetError) -> (received: Int, failure: SourceFailure?) {
    let part = PartFile(path: path(archive.fileName + Self.partSuffix), expected: archive.bytes)
    var tries = 0
    var received = 0
    while true {
      let output = try OutputFile(part.path)
      if output.size > archive.bytes { try part.clear(output) }
      let resumed = output.size
      var reason: SourceFailure.Reason?
      var canRetry = false
      if output.size < archive.bytes {
        onEvent(
          .started(
            file: archive.fileName, source: source.absoluteString, receivedBytes: output.size,
            totalBytes: archive.bytes))
        let transfer = HTTPTransfer(source: source, part: part, output: output)
        let outcome = transfer.run { receivedBytes, rate in
          onEvent(
            .progress(
              file: archive.fileName, receivedBytes: receivedBytes, totalBytes: archive.bytes,
              bytesPerSecond: rate))
        }
        received += transfer.received
        if transfer.received >= Self.progressBytes { tries = 0 }
        switch outcome {
        case .complete: break
        case .unwritable(let error):
          if output.size == 0 { part.remove() }
          throw error
        case .startOver(let why):
          try part.clear(output)
          onEvent(.startedOver(file: archive.fileName, reason: why))
          reason = .brokeOff(received: 0, expected: archive.bytes, detail: why)
          canRetry = true
        case .failed(let why, let transient):
          reason = why
          canRetry = transient
        }
        // An answer that is no part of the file leaves nothing behind.
        if output.size == 0 { part.remove() }
      }
      if reason == nil {
        onEvent(.checking(file: archive.fileName))
        reason = try wrongChecksum(part.path, archive)
        guard reason != nil else {
          part.removeNote()
          return (received, nil)
        }
        part.remove()
        // Pieces of two different files were put together, perhaps.
        canRetry = resumed > 0
        if canRetry {
          onEvent(.startedOver(file: archive.fileName, reason: "the parts do not fit together"))
        }
      }
      guard let reason else { preconditionFailure("a failed transfer without a reason") }
      let failure = SourceFailure(source: source.absoluteString, reason: reason)
      guard canRetry, tries < delays.count else { return (received, failure) }
      onEvent(.retrying(failure: failure, seconds: delays[tries]))
      sleep(delays[tries])
      tries += 1
    }
  }

  private func wrongChecksum(
    _ path: String, _ archive: DataArchive
  ) throws(DatasetError) -> SourceFailure.Reason? {
    guard let input = try InputFile.openIfPresent(path) else {
      throw .unreadable(path: path, reason: "it was removed during the transfer")
    }
    return archive.wrongChecksum(try FileChecksums(of: input))
  }

  // MARK: - Putting in place

  /// Unpacks into a folder beside the target, which takes the target's place when it is whole.
  private func unpack(
    _ archive: DataArchive, folder: String, of entry: DataEntry
  ) throws(DatasetError) {
    let part = path(archive.fileName + Self.partSuffix)
    // Right by its checksum: unpacked or not, it has no further use.
    defer { try? FileManager.default.removeItem(atPath: part) }
    let staging = directory.appendingPathComponent(
      ".\(entry.name.rawValue).unpacking", isDirectory: true)
    // A killed fetch leaves one behind.
    try? FileManager.default.removeItem(at: staging)
    defer { try? FileManager.default.removeItem(at: staging) }
    try makeFolder(staging)
    guard let input = try InputFile.openIfPresent(part) else {
      throw .unreadable(path: part, reason: "it was removed before it was unpacked")
    }
    let files = entry.files.filter { $0.path.hasPrefix(folder + "/") }
    let most = files.reduce(Self.descriptionBytes) {
      $0 + ($1.bytes ?? archive.bytes * Self.greatestExpansion)
    }
    let isZip = if case .zip = archive.content { true } else { false }
    try unpackArchive(input, isZip: isZip, folder: folder, mostBytes: most, into: staging) {
      onEvent(.unpacking(file: $0))
    }
    for file in files {
      let unpacked = staging.appendingPathComponent(file.path, isDirectory: false).path
      guard let found = try InputFile.openIfPresent(unpacked) else {
        throw .badArchive(path: part, problem: "\(file.path) is not in it")
      }
      guard file.fits(found.size) else {
        throw .badArchive(
          path: part,
          problem: "\(file.path) in it has \(grouped(found.size)) bytes, "
            + "expected \(file.bytes.map(grouped) ?? "some")")
      }
    }
    try merge(
      staging.appendingPathComponent(folder, isDirectory: true),
      into: directory.appendingPathComponent(folder, isDirectory: true))
  }

  /// Renames a folder into place; where there is one, its files one by one, so that those which
  /// are not the archive's stay.
  private func merge(_ source: URL, into target: URL) throws(DatasetError) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: target.path, isDirectory: &isFolder) else {
      return try move(source.path, to: target.path)
    }
    guard isFolder.boolValue else { throw .fileInPlaceOfDirectory(path: target.path) }
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: source.path).sorted()
    } catch {
      throw .unreadable(path: source.path, reason: foundationReason(error))
    }
    for name in names {
      let from = source.appendingPathComponent(name)
      var fromIsFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: from.path, isDirectory: &fromIsFolder)
      let to = target.appendingPathComponent(name)
      if fromIsFolder.boolValue {
        try merge(from, into: to)
      } else {
        try move(from.path, to: to.path)
      }
    }
  }

  /// Renames, over what is there.
  private func move(_ from: String, to target: String) throws(DatasetError) {
    guard rename(from, target) == 0 else {
      throw .unwritable(path: target, reason: systemReason())
    }
  }
}

/// The received part of a file, and a note of which file at which source it is a part of.
struct PartFile: Sendable {
  let path: String
  /// Bytes of the whole file.
  let expected: Int

  /// What `If-Range` needs: a part is gone on with only while the source's file is the same.
  struct Note: Codable {
    var source: String
    /// A strong ETag, else the time of the last change, as the source wrote it.
    var validator: String?
  }

  private var notePath: String { path + ".json" }

  func validator(for source: URL) -> String? {
    guard let data = FileManager.default.contents(atPath: notePath),
      let note = try? JSONDecoder().decode(Note.self, from: data),
      note.source == source.absoluteString
    else { return nil }
    return note.validator
  }

  func writeNote(_ note: Note) throws(DatasetError) {
    do {
      try JSONEncoder().encode(note).write(to: URL(fileURLWithPath: notePath), options: .atomic)
    } catch {
      throw .unwritable(path: notePath, reason: foundationReason(error))
    }
  }

  func removeNote() {
    try? FileManager.default.removeItem(atPath: notePath)
  }

  func remove() {
    removeNote()
    try? FileManager.default.removeItem(atPath: path)
  }

  func clear(_ output: OutputFile) throws(DatasetError) {
    removeNote()
    try output.removeAllBytes()
  }
}
