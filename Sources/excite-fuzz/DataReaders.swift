import Datasets
import Foundation

/// Two records of a CIFAR file.
struct CIFARReader: Reader {
  private let sandbox: Sandbox
  private let layout: CIFARLayout

  init(_ sandbox: Sandbox, labelBytes: Int) {
    self.sandbox = sandbox
    layout = CIFARLayout(
      name: labelBytes == 1 ? .cifar10 : .cifar100, classes: labelBytes == 1 ? 10 : 100,
      labelBytes: labelBytes, labelByte: labelBytes - 1, trainFiles: ["input"], testFile: "input",
      recordsPerTrainFile: 2, testRecords: 2)
  }

  var seeds: [[UInt8]] {
    let record = [UInt8](repeating: 7, count: layout.labelBytes + ImageSplit.imageBytes)
    return [record + record]
  }

  func read(_ input: [UInt8]) throws {
    try sandbox.write(input, to: "input")
    do {
      let images = try loadCIFAR(layout, directory: sandbox.url)
      guard images.train.labels.allSatisfy({ $0 < layout.classes }) else {
        throw Violation(what: "a label beyond the classes")
      }
    } catch let error as DatasetError {
      try check(error)
    }
  }
}

/// One split of SVHN: MATLAB v5, with and without zlib inside.
struct SVHNReader: Reader {
  let sandbox: Sandbox

  init(_ sandbox: Sandbox) { self.sandbox = sandbox }

  var seeds: [[UInt8]] {
    let text = Array("MATLAB 5.0 MAT-file".utf8)
    let header = text + [UInt8](repeating: 0x20, count: 124 - text.count) + [0, 1, 0x49, 0x4D]
    let images = matrix("X", [32, 32, 3, 2], [UInt8](repeating: 9, count: 2 * 3 * 32 * 32))
    let labels = matrix("y", [2, 1], [10, 3])
    let packed = [images, labels].flatMap { content -> [UInt8] in
      let stream = deflated(content, .zlib)
      return word(15) + word(stream.count) + stream
    }
    return [header + images + labels, header + packed]
  }

  func read(_ input: [UInt8]) throws {
    try sandbox.write(input, to: "input.mat")
    for limit in [nil, 1] {
      do {
        let split = try readSVHN("input.mat", directory: sandbox.url, limit: limit)
        guard split.images.count == split.labels.count * ImageSplit.imageBytes,
          split.labels.allSatisfy({ $0 < 10 })
        else { throw Violation(what: "images and labels that do not agree") }
      } catch let error as DatasetError {
        try check(error)
      }
    }
  }

  /// A matrix of bytes ("MAT-File Format", MathWorks, chapter 1).
  private func matrix(_ name: String, _ dimensions: [Int], _ data: [UInt8]) -> [UInt8] {
    element(
      14,
      element(6, word(9) + word(0)) + element(5, dimensions.flatMap(word))
        + element(1, Array(name.utf8)) + element(2, data))
  }

  private func element(_ type: Int, _ data: [UInt8]) -> [UInt8] {
    word(type) + word(data.count) + data + [UInt8](repeating: 0, count: (8 - data.count % 8) % 8)
  }

  private func word(_ value: Int) -> [UInt8] { littleEndian(value, 4) }
}

/// An archive that a download may turn out to be.
struct ArchiveReader: Reader {
  enum Form {
    /// What is inside a tar.gz; checksums of headers are mended, or nearly no input would go on.
    case tar
    case tarGzip, zip
  }

  private static let mostBytes = 1 << 20
  private let sandbox: Sandbox
  private let form: Form

  init(_ sandbox: Sandbox, _ form: Form) {
    self.sandbox = sandbox
    self.form = form
  }

  let words = [
    "set/", "../", "/../", "/./", "/etc/passwd", "set/../", "set/..\u{338}/", "/\u{338}x", "\0",
    "path=set/a", " path=../x\n", "ustar\0", "00000000000", "77777777777", "PK\u{1}\u{2}",
    "PK\u{3}\u{4}", "PK\u{5}\u{6}",
  ]

  var seeds: [[UInt8]] {
    let tar =
      entry("set/", "", type: "5") + entry("set/a", "hello") + entry("x", "set/long", type: "L")
      + entry("set/b", "more") + entry("y", "14 path=set/c\n", type: "x") + entry("set/d", "last")
      + [UInt8](repeating: 0, count: 1024)
    switch form {
    case .tar: return [tar]
    case .tarGzip: return [deflated(tar, .gzip)]
    case .zip: return [zip([("set/a", "hello", true), ("set/b", "stored", false)])]
    }
  }

  func read(_ input: [UInt8]) throws {
    var bytes = input
    if form == .tar {
      mendChecksums(&bytes)
      bytes = deflated(bytes, .gzip)
    }
    try sandbox.write(bytes, to: "input")
    let target = sandbox.url.appendingPathComponent("target", isDirectory: true)
    let files = FileManager.default
    try files.createDirectory(at: target, withIntermediateDirectories: true)
    defer { try? files.removeItem(at: target) }
    do {
      guard let file = try InputFile.openIfPresent(sandbox.path("input")) else { return }
      try unpackArchive(
        file, isZip: form == .zip, folder: "set", mostBytes: Self.mostBytes, into: target
      ) { _ in }
    } catch {
      try check(error)
    }
    guard Set(try files.contentsOfDirectory(atPath: sandbox.url.path)) == ["input", "target"],
      Set(try files.contentsOfDirectory(atPath: target.path)).isSubset(of: ["set"])
    else { throw Violation(what: "something was written outside the folder") }
    var total = 0
    for path in try files.subpathsOfDirectory(atPath: target.path) {
      let attributes = try files.attributesOfItem(atPath: target.appendingPathComponent(path).path)
      let type = attributes[.type] as? FileAttributeType
      guard type == .typeRegular || type == .typeDirectory else {
        throw Violation(what: "\(path) is neither a file nor a folder")
      }
      total += type == .typeRegular ? attributes[.size] as? Int ?? 0 : 0
    }
    guard total <= Self.mostBytes else { throw Violation(what: "\(total) bytes were unpacked") }
  }

  // MARK: - Tar

  private func entry(_ name: String, _ content: String, type: Character = "0") -> [UInt8] {
    let octal = String(content.utf8.count, radix: 8)
    var header = [UInt8](repeating: 0, count: 512)
    header.replaceSubrange(0..<name.utf8.count, with: name.utf8)
    header.replaceSubrange(
      124..<135, with: (String(repeating: "0", count: 11 - octal.count) + octal).utf8)
    header[156] = type.asciiValue ?? 0
    header.replaceSubrange(257..<262, with: "ustar".utf8)
    let padding = (512 - content.utf8.count % 512) % 512
    var bytes = header + Array(content.utf8) + [UInt8](repeating: 0, count: padding)
    mendChecksums(&bytes)
    return bytes
  }

  private func mendChecksums(_ bytes: inout [UInt8]) {
    for start in stride(from: 0, to: bytes.count - 511, by: 512)
    where bytes[(start + 257)..<(start + 262)].elementsEqual("ustar".utf8) {
      bytes.replaceSubrange((start + 148)..<(start + 156), with: [UInt8](repeating: 32, count: 8))
      let sum = String(bytes[start..<(start + 512)].reduce(0) { $0 + Int($1) }, radix: 8)
      let field = String(repeating: "0", count: 6 - sum.count) + sum + "\0 "
      bytes.replaceSubrange((start + 148)..<(start + 156), with: field.utf8)
    }
  }

  // MARK: - Zip

  private func zip(_ files: [(name: String, content: String, isDeflated: Bool)]) -> [UInt8] {
    var bytes: [UInt8] = []
    var directory: [UInt8] = []
    for file in files {
      let content = Array(file.content.utf8)
      let packed = file.isDeflated ? deflated(content, .raw) : content
      let common =
        littleEndian(20, 2) + littleEndian(0, 2) + littleEndian(file.isDeflated ? 8 : 0, 2)
        + littleEndian(0, 4) + littleEndian(Int(checksum(content)), 4)
        + littleEndian(packed.count, 4) + littleEndian(content.count, 4)
        + littleEndian(file.name.utf8.count, 2) + littleEndian(0, 2)
      directory += littleEndian(0x0201_4B50, 4) + [20, 3] + common + littleEndian(0, 6)
      directory += littleEndian(0o100644 << 16, 4) + littleEndian(bytes.count, 4) + file.name.utf8
      bytes += littleEndian(0x0403_4B50, 4) + common + file.name.utf8 + packed
    }
    return bytes + directory + littleEndian(0x0605_4B50, 4) + littleEndian(0, 4)
      + littleEndian(files.count, 2) + littleEndian(files.count, 2)
      + littleEndian(directory.count, 4) + littleEndian(bytes.count, 4) + littleEndian(0, 2)
  }
}
