import ArgumentParser
import Datasets
import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

extension DataName: ExpressibleByArgument {}

struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "List, fetch and verify the data sets.",
    discussion: """
      Examples:
        excite data list
        excite data fetch cifar10
        excite data fetch wikitext2
        excite data verify cifar10
      """,
    subcommands: [List.self, Fetch.self, Verify.self])

  struct Location: ParsableArguments {
    @Option(
      help: ArgumentHelp(
        "The data directory; else EXCITE_DATA, else the cache folder.", valueName: "dir"),
      completion: .directory)
    var dataDir: String?

    var directory: URL {
      DataDirectory.resolve(flag: dataDir, environment: ProcessInfo.processInfo.environment)
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "What there is, and what is here.",
      discussion: """
        Example:
          excite data list --data-dir /mnt/data
        """)
    @OptionGroup var location: Location

    func run() {
      print("data directory: \(location.directory.path)")
      for listing in DataCatalog.list(directory: location.directory) {
        let name = listing.entry.name.rawValue.padding(toLength: 12, withPad: " ", startingAt: 0)
        print("\(name) \(describe(listing)); \(listing.summary)")
      }
    }

    private func describe(_ listing: DataListing) -> String {
      switch listing.state {
      case .embedded: "embedded"
      case .present, .otherForm, .other(.readable), .other(.text):
        "here, \(megabytes(listing.bytesOnDisk))"
      case .other(.unusable): "damaged"
      case .partial(let missing): "incomplete, without \(missing.joined(separator: ", "))"
      case .resumable(let received):
        "broken transfer, \(megabytes(received)) of \(megabytes(listing.entry.downloadBytes))"
      case .absent: "not here, a download of \(megabytes(listing.entry.downloadBytes))"
      }
    }
  }

  struct Fetch: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Download a data set, check it and unpack it.",
      discussion: """
        A transfer that broke off goes on where it stopped when the command is given again.

        Examples:
          excite data fetch cifar10
          excite data fetch svhn --source https://mirror.example.org/svhn/
        """)

    @Argument(
      help: ArgumentHelp(
        "cifar10, cifar100, svhn, wikitext2, wikitext103 or gpt2, a vocabulary.",
        valueName: "name"))
    var name: DataName

    @OptionGroup var location: Location

    @Option(
      help: ArgumentHelp(
        "Take it from here instead: a file's address, or a folder's ending in /; may be repeated.",
        valueName: "url"))
    var source: [String] = []

    @Flag(help: "Fetch again what is already here.")
    var force = false

    @Flag(help: "No progress on standard error.")
    var quiet = false

    func run() throws {
      let printer = FetchPrinter(isQuiet: quiet)
      let fetcher = DataFetcher(
        directory: location.directory, sources: source.isEmpty ? nil : source,
        onEvent: printer.show)
      do {
        switch try fetcher.fetch(DataCatalog.entry(name), force: force) {
        case .alreadyPresent:
          print("\(name.rawValue) is already in \(location.directory.path)")
        case .fetched(let bytes):
          print("\(name.rawValue) is in \(location.directory.path) (\(megabytes(bytes)) fetched)")
        }
      } catch {
        printer.clear()
        printError(error.description)
        throw Failure.failedRun
      }
    }
  }

  struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Read every file of a data set: checksums, records, labels, text.",
      discussion: """
        Exits with 1 where a file is missing, damaged or known not to be the official one. Sets that \
        are not the official ones can be trained on all the same.

        Example:
          excite data verify cifar10
        """)

    @Argument(help: ArgumentHelp("What `excite data list` lists.", valueName: "name"))
    var name: DataName

    @OptionGroup var location: Location

    func run() throws {
      let status = DataCatalog.verify(DataCatalog.entry(name), directory: location.directory)
      // The summary says what is looked for where.
      if !status.isAbsent {
        for file in status.files { print("\(file.file.path): \(describe(file.match))") }
      }
      print("\(name.rawValue): \(status.summary)")
      if status.differsFromOfficial { throw Failure.failedRun }
      if case .unusable = status.content { throw Failure.failedRun }
    }

    private func describe(_ match: DataStatus.Match) -> String {
      switch match {
      case .missing: "missing"
      case .identical: "identical to the official file"
      case .differs(let found): "differs from the official file (SHA-256 \(found))"
      case .unknown(let found): "SHA-256 \(found); the official one is not known"
      case .unreadable(let error): error.description
      }
    }
  }
}

/// Progress of a transfer: one rewritten line on a terminal, a line per tenth elsewhere.
private final class FetchPrinter {
  private let isQuiet: Bool
  private let isTerminal = isatty(STDERR_FILENO) != 0
  private var tenthsShown = 0

  init(isQuiet: Bool) { self.isQuiet = isQuiet }

  func show(_ event: FetchEvent) {
    guard !isQuiet else { return }
    switch event {
    case .waitingForOtherFetch: say("waiting for another fetch of the same set")
    case .started(let file, let source, let received, let total):
      tenthsShown = received * 10 / max(1, total)
      let from = received > 0 ? ", going on at \(megabytes(received))" : ""
      say("\(file) from \(source)\(from)")
    case .progress(let file, let received, let total, let rate):
      let tenths = received * 10 / max(1, total)
      let text =
        "\(file): \(megabytes(received)) of \(megabytes(total)), \(megabytes(Int(rate)))/s"
      if isTerminal {
        writeToStandardError("\r\(text)\u{1B}[K")
      } else if tenths > tenthsShown {
        tenthsShown = tenths
        say(text)
      }
    case .retrying(let failure, let seconds): say("\(failure); trying again in \(seconds) s")
    case .startedOver(let file, let reason): say("\(file): starting over: \(reason)")
    case .failedOver(let failure, let next):
      say("\(failure)" + (next.map { "; going on with \($0)" } ?? ""))
    case .checking(let file): say("checking \(file)")
    case .unpacking(let file): say("unpacking \(file)")
    }
  }

  func clear() { if isTerminal, !isQuiet { writeToStandardError("\r\u{1B}[K") } }

  private func say(_ text: String) {
    clear()
    writeToStandardError(text + "\n")
  }
}

private func megabytes(_ bytes: Int) -> String {
  String(format: "%.1f MB", Double(bytes) / 1e6)
}
