import ArgumentParser
import Foundation

extension ReaderName: ExpressibleByArgument {}

/// Feeds readers of outside bytes with inputs that nobody should have to expect.
struct Fuzz: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "excite-fuzz",
    abstract: "Feed a reader of outside bytes with hostile input.",
    discussion: """
      An input fails where the reader traps, takes 10 seconds of processor time or a GB of memory, \
      writes outside its folder, or reports an error that is not one plain line. The input at hand \
      is always in the culprit file, which is what a failure leaves.
      """)

  @Argument(help: "The reader.")
  var reader: ReaderName

  @Argument(help: "Inputs to read, and no others.")
  var files: [String] = []

  @Option(help: "Inputs to make.")
  var runs = 1000

  @Option(help: "Make inputs for so many seconds instead.")
  var seconds: Double?

  @Option(help: "Other inputs.")
  var seed: UInt64 = 0

  @Option(help: "Where the input at hand is kept.")
  var culprit: String?

  @Option(help: "Write the inputs to begin from into a folder, for another fuzzer.")
  var writeSeeds: String?

  func run() throws {
    // Its threads' stacks would count as the reader's memory.
    setenv("OPENBLAS_NUM_THREADS", "1", 1)
    let sandbox = try Sandbox()
    let open = try reader.open(sandbox)
    if let folder = writeSeeds {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true)
      for (number, seed) in open.seeds.enumerated() {
        try Data(seed).write(to: URL(fileURLWithPath: "\(folder)/seed-\(number)"))
      }
      return
    }
    let driver = Driver(
      name: reader.rawValue, reader: open, culprit: culprit ?? "\(reader.rawValue).culprit")
    if !files.isEmpty {
      for file in files {
        try driver.tryOut([UInt8](try Data(contentsOf: URL(fileURLWithPath: file))))
      }
    } else {
      try driver.tryOut(runs: seconds == nil ? runs : .max, seconds: seconds, seed: seed)
    }
    driver.end()
  }
}

#if LIBFUZZER
  runLibFuzzer()
#else
  Fuzz.main()
#endif
