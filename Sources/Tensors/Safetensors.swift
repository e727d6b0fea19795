import Foundation

/// What is wrong with a safetensors file, or with writing one.
public enum SafetensorsError: Error, CustomStringConvertible {
  case unreadable(file: String, reason: String)
  case unwritable(file: String, reason: String)
  /// The bytes do not follow the format; `problem` says where and how.
  case malformed(file: String, problem: String)
  case missingTensor(file: String, name: String, present: [String])
  case wrongShape(file: String, name: String, found: [Int], expected: [Int])
  case wrongType(file: String, name: String, found: String, expected: String)

  public var description: String {
    switch self {
    case .unreadable(let file, let reason): "\(file): cannot be read: \(reason)"
    case .unwritable(let file, let reason): "\(file): cannot be written: \(reason)"
    case .malformed(let file, let problem):
      "\(file): not a valid safetensors file: \(printable(problem))"
    case .missingTensor(let file, let name, let present):
      "\(file): has no tensor \(printable(name)); it has "
        + (present.isEmpty ? "none" : printable(present.prefix(12).joined(separator: ", ")))
        + (present.count > 12 ? ", …" : "")
    case .wrongShape(let file, let name, let found, let expected):
      "\(file): tensor \(printable(name)) has shape \(found), expected \(expected)"
    case .wrongType(let file, let name, let found, let expected):
      "\(file): tensor \(printable(name)) holds \(printable(found)), expected \(expected)"
    }
  }
}

/// A safetensors file in memory: named tensors and text metadata.
///
/// Format: github.com/huggingface/safetensors (8-byte header length, JSON header, then the data).
public struct SafetensorsFile: Sendable {
  private struct Entry {
    let type: String
    let shape: [Int]
    let range: Range<Int>
  }

  /// The format's own limit on the header.
  private static let largestHeader = 100_000_000
  private static let elementSizes = [
    "BOOL": 1, "U8": 1, "I8": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2, "I32": 4, "U32": 4,
    "F32": 4, "F64": 8, "I64": 8, "U64": 8,
  ]

  public let file: String
  public let metadata: [String: String]
  private let entries: [String: Entry]
  private let bytes: Data

  public var names: [String] { entries.keys.sorted() }
  public func shape(of name: String) -> [Int]? { entries[name]?.shape }

  /// A hash of the whole file.
  public var fingerprint: String {
    var hash = ContentHash()
    bytes.withUnsafeBytes { hash.add($0) }
    return hash.hexadecimal
  }

  /// - Throws: `.unreadable`, or `.malformed` when header, offsets and length do not agree.
  public init(path: String) throws(SafetensorsError) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw .unreadable(file: path, reason: "there is no such file")
    }
    guard !isFolder.boolValue else { throw .unreadable(file: path, reason: "it is a folder") }
    guard let data = try? Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
    else { throw .unreadable(file: path, reason: systemReason()) }
    try self.init(data: data, file: path)
  }

  init(data: Data, file: String) throws(SafetensorsError) {
    self.file = file
    bytes = data
    func bad(_ problem: String) -> SafetensorsError { .malformed(file: file, problem: problem) }
    guard data.count >= 8 else { throw bad("\(data.count) bytes, a header needs at least 8") }
    let length = data.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= UInt64(min(Self.largestHeader, data.count - 8)) else {
      throw bad("the header claims \(length) bytes of a file of \(data.count)")
    }
    let start = 8 + Int(length)
    guard
      let header = try? JSONSerialization.jsonObject(with: data[8..<start]) as? [String: Any]
    else { throw bad("the header is not a JSON object") }

    var entries: [String: Entry] = [:]
    for (name, value) in header where name != "__metadata__" {
      guard let fields = value as? [String: Any], let type = fields["dtype"] as? String,
        let shape = fields["shape"] as? [Int], let offsets = fields["data_offsets"] as? [Int],
        offsets.count == 2
      else { throw bad("entry \(name) lacks dtype, shape or data_offsets") }
      guard let size = Self.elementSizes[type] else { throw bad("\(name): unknown type \(type)") }
      var elements = size
      for side in shape {
        let (product, overflow) = elements.multipliedReportingOverflow(by: side)
        guard side >= 0, !overflow else { throw bad("\(name): impossible shape \(shape)") }
        elements = product
      }
      let (begin, end) = (offsets[0], offsets[1])
      guard begin >= 0, begin <= end, end <= data.count - start, end - begin == elements else {
        throw bad("\(name): offsets \(begin)–\(end) do not fit shape \(shape) of \(type)")
      }
      entries[name] = Entry(type: type, shape: shape, range: start + begin..<start + end)
    }
    // No holes and no overlaps: the ranges in order touch each other and the end.
    var position = start
    for entry in entries.values.sorted(by: {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }) {
      guard entry.range.lowerBound == position else { throw bad("holes or overlaps in the data") }
      position = entry.range.upperBound
    }
    guard position == data.count else {
      throw bad("the data ends at byte \(position) of \(data.count)")
    }
    self.entries = entries
    metadata = (header["__metadata__"] as? [String: String]) ?? [:]
  }

  /// A float tensor by name.
  /// - Throws: `.missingTensor`, `.wrongType`, and `.wrongShape` where a shape is asked for.
  public func tensor(_ name: String, shape: [Int]? = nil) throws(SafetensorsError) -> Tensor {
    let entry = try entry(name, type: "F32")
    if let shape, shape != entry.shape {
      throw .wrongShape(file: file, name: name, found: entry.shape, expected: shape)
    }
    return Tensor(shape: entry.shape, values: read(entry))
  }

  /// A tensor of 32-bit or 64-bit integers by name.
  public func integers(_ name: String) throws(SafetensorsError) -> [Int] {
    if entries[name]?.type == "I64" {
      let values: [Int64] = read(try entry(name, type: "I64"))
      return values.map(Int.init)
    }
    let values: [Int32] = read(try entry(name, type: "I32"))
    return values.map(Int.init)
  }

  private func entry(_ name: String, type: String) throws(SafetensorsError) -> Entry {
    guard let entry = entries[name] else {
      throw .missingTensor(file: file, name: name, present: names)
    }
    guard entry.type == type else {
      throw .wrongType(file: file, name: name, found: entry.type, expected: type)
    }
    return entry
  }

  private func read<T: BitwiseCopyable>(_ entry: Entry) -> [T] {
    let count = entry.range.count / MemoryLayout<T>.stride
    return [T](unsafeUninitializedCapacity: count) { buffer, filled in
      bytes.copyBytes(to: UnsafeMutableRawBufferPointer(buffer), from: entry.range)
      filled = count
    }
  }
}

/// Writes float tensors as safetensors: names sorted, so equal content gives equal bytes; through
/// a temporary file and a rename, so the path holds all of it or what it held before.
/// - Throws: `.unwritable`.
public func writeSafetensors(
  _ tensors: [(name: String, tensor: Tensor)], metadata: [String: String] = [:], path: String
) throws(SafetensorsError) {
  let sorted = tensors.sorted { $0.name < $1.name }
  var offset = 0
  var parts: [String] = []
  if !metadata.isEmpty {
    let pairs = metadata.sorted { $0.key < $1.key }
      .map { "\(quoted($0.key)):\(quoted($0.value))" }
    parts.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
  }
  for (name, tensor) in sorted {
    let end = offset + tensor.count * 4
    let shape = tensor.shape.map(String.init).joined(separator: ",")
    parts.append(
      "\(quoted(name)):{\"dtype\":\"F32\",\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}"
    )
    offset = end
  }
  var header = Data("{\(parts.joined(separator: ","))}".utf8)
  while header.count % 8 != 0 { header.append(UInt8(ascii: " ")) }
  let length = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) }
  let failure = (length + header).withUnsafeBytes { start in
    replaceFile(
      at: path, with: [start] + sorted.map { UnsafeRawBufferPointer($0.tensor.buffer) })
  }
  if let failure { throw .unwritable(file: path, reason: failure) }
}
