import Foundation

/// What is there of a set, by names and lengths alone, which is quick; only files of other lengths
/// than the official ones are read.
public struct DataListing: Hashable, Sendable {
  public enum State: Hashable, Sendable {
    /// Drawn when it is asked for; nothing to keep.
    case embedded
    /// Every file is there and as long as the official one.
    case present
    /// Every file is there and none is empty, but not all are as long as the official ones: a cut
    /// set, or a damaged one. What reading them gave.
    case other(DataStatus.Content)
    /// The set's other form is there: `DataEntry.otherFiles`.
    case otherForm
    /// Some files are there.
    case partial(missing: [String])
    /// A transfer broke off and would go on from here.
    case resumable(receivedBytes: Int)
    case absent
  }

  public let entry: DataEntry
  /// The data directory that was looked in.
  public let directory: URL
  public let state: State
  /// Of the set's files, and of a broken transfer.
  public let bytesOnDisk: Int

  /// What is in it, in one line: of a set that is not the official one, what was found.
  public var summary: String {
    let official = "the official set: \(entry.summary)"
    return switch state {
    case .other(.readable(let train, let test)):
      "\(grouped(train)) + \(grouped(test)) records (\(official))"
    case .other(.text(let bytes)): "\(grouped(bytes)) bytes of text (\(official))"
    case .otherForm: "\(entry.summary), in another form"
    case .other(.unusable(let error)): "\(error) (\(official))"
    default: entry.summary
    }
  }
}

/// What a look into a set's files found.
public struct DataStatus: Hashable, Sendable {
  public enum Match: Hashable, Sendable {
    case missing
    /// The official file, by SHA-256.
    case identical
    /// Another length or SHA-256 than the official file's.
    case differs(foundSHA256: String)
    /// No SHA-256 of the official file is known.
    case unknown(foundSHA256: String)
    case unreadable(DatasetError)
  }

  public struct File: Hashable, Sendable {
    public let file: DataFile
    /// nil where there is none.
    public let foundBytes: Int?
    public let match: Match
  }

  public enum Content: Hashable, Sendable {
    /// Every record of both splits was read and every label is one of the set's.
    case readable(train: Int, test: Int)
    /// Every file is UTF-8 text, so long together.
    case text(bytes: Int)
    case unusable(DatasetError)
  }

  public let entry: DataEntry
  public let directory: URL
  public let files: [File]
  public let content: Content

  /// Byte for byte the official files.
  public var isOfficial: Bool { files.allSatisfy { $0.match == .identical } }

  /// Whether nothing of it is there that should be.
  public var isAbsent: Bool { !files.isEmpty && files.allSatisfy { $0.match == .missing } }

  /// The finding in a few words.
  public var summary: String {
    let content: String
    switch self.content {
    case .unusable(let error): return error.description
    case .readable(let train, let test):
      content = "readable, \(grouped(train)) + \(grouped(test)) records"
    case .text(let bytes): content = "readable, \(grouped(bytes)) bytes of text"
    }
    if files.isEmpty { return content + ", drawn by this program" }
    if differsFromOfficial {
      return content + ", but not byte-identical to the official files; it can be used"
    }
    return isOfficial
      ? content + ", byte-identical to the official files"
      : content + "; the official files' checksums are not known"
  }

  /// Whether a file is known not to be the official one.
  public var differsFromOfficial: Bool {
    files.contains { if case .unknown = $0.match { false } else { $0.match != .identical } }
  }
}

extension DataCatalog {
  /// Every set's listing, in the catalog's order.
  public static func list(directory: URL) -> [DataListing] {
    entries.map { listing($0, directory: directory) }
  }

  /// What is in `directory` of one set.
  public static func listing(_ entry: DataEntry, directory: URL) -> DataListing {
    func bytes(_ path: String) -> Int? {
      let file = directory.appendingPathComponent(path, isDirectory: false).path
      return (try? InputFile.openIfPresent(file))?.size
    }
    let files = presentFiles(of: entry, directory: directory)
    let sizes = files.map { bytes($0.path) }
    let parts = entry.archives.reduce(0) { $0 + (bytes($1.fileName + DataFetcher.partSuffix) ?? 0) }
    let missing = zip(files, sizes).filter { ($0.1 ?? 0) == 0 }.map(\.0.path)
    let state: DataListing.State =
      if entry.files.isEmpty {
        .embedded
      } else if files != entry.files {
        .otherForm
      } else if zip(files, sizes).allSatisfy({ $0.0.fits($0.1) }) {
        .present
      } else if missing.isEmpty {
        .other(content(of: entry, directory: directory))
      } else if parts > 0 {
        .resumable(receivedBytes: parts)
      } else if missing.count < entry.files.count {
        .partial(missing: missing)
      } else {
        .absent
      }
    return DataListing(
      entry: entry, directory: directory, state: state,
      bytesOnDisk: sizes.reduce(parts) { $0 + ($1 ?? 0) })
  }

  /// Reads every file of a set: compares its SHA-256 with the official file's and reads all its
  /// records. A copy that differs from the official one and reads well is usable, and said to be.
  public static func verify(_ entry: DataEntry, directory: URL) -> DataStatus {
    let files = presentFiles(of: entry, directory: directory).map { file in
      let path = directory.appendingPathComponent(file.path, isDirectory: false).path
      do throws(DatasetError) {
        guard let input = try InputFile.openIfPresent(path) else {
          return DataStatus.File(file: file, foundBytes: nil, match: .missing)
        }
        let found = try FileChecksums(of: input).sha256
        let match: DataStatus.Match =
          switch file.sha256 {
          case found: .identical
          case .some: .differs(foundSHA256: found)
          case nil:
            file.fits(input.size)
              ? .unknown(foundSHA256: found) : .differs(foundSHA256: found)
          }
        return DataStatus.File(file: file, foundBytes: input.size, match: match)
      } catch {
        return DataStatus.File(file: file, foundBytes: nil, match: .unreadable(error))
      }
    }
    return DataStatus(
      entry: entry, directory: directory, files: files,
      content: content(of: entry, directory: directory))
  }

  /// The set's files, or those of its other form where all of these are there and none of those.
  private static func presentFiles(of entry: DataEntry, directory: URL) -> [DataFile] {
    func isThere(_ file: DataFile) -> Bool {
      let path = directory.appendingPathComponent(file.path, isDirectory: false).path
      return ((try? InputFile.openIfPresent(path))?.size ?? 0) > 0
    }
    guard !entry.otherFiles.isEmpty, entry.otherFiles.allSatisfy(isThere),
      !entry.files.contains(where: isThere)
    else { return entry.files }
    return entry.otherFiles
  }

  /// Whether the set's readers can read it.
  ///
  /// - Parameter files: those that are to be read of a set of texts; nil means those that are there.
  static func content(
    of entry: DataEntry, files: [DataFile]? = nil, directory: URL
  ) -> DataStatus.Content {
    do throws(DatasetError) {
      if let images = DatasetName(rawValue: entry.name.rawValue) {
        let set = try loadDataset(DatasetConfig(name: images), directory: directory)
        return .readable(train: set.train.count, test: set.test.count)
      }
      var bytes = 0
      for file in files ?? presentFiles(of: entry, directory: directory) {
        let input = try openDataFile(file.path, of: entry.name, directory: directory)
        bytes += try readUTF8(input).count
      }
      return .text(bytes: bytes)
    } catch {
      return .unusable(error)
    }
  }
}
