import Foundation
import Tensors
import TestSupport
import Testing

/// A folder for a test's files, removed with the value.
final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }
}

@Suite("Safetensors")
struct SafetensorsTests {
  /// Writes header and data as a file and reads it; the length field as given, or right.
  static func open(
    _ header: String, data: Int = 0, length: UInt64? = nil
  ) throws -> SafetensorsFile {
    let folder = try TemporaryFolder()
    var bytes = Data()
    let text = Data(header.utf8)
    withUnsafeBytes(of: (length ?? UInt64(text.count)).littleEndian) {
      bytes.append(contentsOf: $0)
    }
    bytes += text
    bytes += Data(repeating: 0, count: data)
    let path = folder.path("t.safetensors")
    try bytes.write(to: URL(fileURLWithPath: path))
    defer { withExtendedLifetime(folder) {} }
    return try SafetensorsFile(path: path)
  }

  static func problem(_ body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch SafetensorsError.malformed(_, let problem) {
      return problem
    } catch {
      return "\(error)"
    }
  }

  @Test("what is written is read: names, shapes, values to the bit, metadata")
  func roundTrip() throws {
    let folder = try TemporaryFolder()
    let special: [Float] = [
      0, -0.0, 1, -1.5, .infinity, -.infinity, .greatestFiniteMagnitude, .leastNonzeroMagnitude,
      Float(bitPattern: 0x7fc0_1234), 0.1, 0x1p-130, 7,
    ]
    let tensors = [
      ("layers.1.weight", Tensor(shape: [3, 4], values: special)),
      ("a \"quoted\" näme\\\n", Tensor(shape: [2], values: [1, 2])),
      ("scalar", Tensor(shape: [], values: [42])),
      ("empty", Tensor(0, 5)),
      ("cube", Tensor(shape: [1, 2, 2], values: [1, 2, 3, 4])),
    ]
    let metadata = ["commit": "abc", "näme \"x\"": "line 1\nline 2\t\u{1}\\"]
    try writeSafetensors(tensors, metadata: metadata, path: folder.path("t.safetensors"))

    let file = try SafetensorsFile(path: folder.path("t.safetensors"))
    #expect(file.metadata == metadata)
    #expect(file.names == tensors.map(\.0).sorted())
    for (name, tensor) in tensors {
      #expect(file.shape(of: name) == tensor.shape)
      let found = try file.tensor(name, shape: tensor.shape)
      #expect(found.shape == tensor.shape)
      #expect(found.values.map(\.bitPattern) == tensor.values.map(\.bitPattern), "\(name)")
    }
    #expect(file.shape(of: "other") == nil)
  }

  @Test("the bytes are the format's: length, header in order of names, data")
  func bytes() throws {
    let folder = try TemporaryFolder()
    try writeSafetensors(
      [("b", Tensor(shape: [1], values: [2])), ("a", Tensor(shape: [1, 2], values: [1, -1]))],
      metadata: ["k": "v"], path: folder.path("t.safetensors"))
    // a's 2 floats are bytes 0–8 of the data, b's one is 8–12.
    let header =
      #"{"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"#
      + #""b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"#
    // Spaces behind the header align the data to 8 bytes.
    let padded = header.count + (8 - header.count % 8) % 8
    var expected = Data([UInt8(padded), 0, 0, 0, 0, 0, 0, 0])
    expected += Data(header.utf8) + Data(repeating: UInt8(ascii: " "), count: padded - header.count)
    // 1, −1 and 2 as little-endian IEEE 754.
    expected += Data([0, 0, 0x80, 0x3f, 0, 0, 0x80, 0xbf, 0, 0, 0, 0x40])
    #expect(try Data(contentsOf: URL(fileURLWithPath: folder.path("t.safetensors"))) == expected)
  }

  @Test("equal content gives equal bytes, in whatever order it is given")
  func deterministic() throws {
    let folder = try TemporaryFolder()
    let tensors = (0..<20).map { ("t\($0)", Tensor(shape: [1], values: [Float($0)])) }
    let metadata = Dictionary(uniqueKeysWithValues: (0..<20).map { ("k\($0)", "v\($0)") })
    let other = Dictionary(uniqueKeysWithValues: (0..<20).reversed().map { ("k\($0)", "v\($0)") })
    try writeSafetensors(tensors, metadata: metadata, path: folder.path("a"))
    try writeSafetensors(tensors.reversed(), metadata: other, path: folder.path("b"))
    let first = try Data(contentsOf: URL(fileURLWithPath: folder.path("a")))
    #expect(try Data(contentsOf: URL(fileURLWithPath: folder.path("b"))) == first)
  }

  @Test("nothing to write is a file too")
  func empty() throws {
    let folder = try TemporaryFolder()
    try writeSafetensors([], path: folder.path("t"))
    let file = try SafetensorsFile(path: folder.path("t"))
    #expect(file.names.isEmpty)
    #expect(file.metadata.isEmpty)
  }

  @Test("an older file is replaced, and nothing else is left in the folder")
  func replaces() throws {
    let folder = try TemporaryFolder()
    try writeSafetensors([("a", Tensor(100))], path: folder.path("t"))
    try writeSafetensors([("b", Tensor(1))], path: folder.path("t"))
    #expect(try SafetensorsFile(path: folder.path("t")).names == ["b"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["t"])
  }

  struct Malformed: CustomTestStringConvertible {
    let header: String
    var data = 0
    var length: UInt64?
    let problem: String

    var testDescription: String { problem }
  }

  static let malformed: [Malformed] = [
    // 2 bytes of a header that claims 3, and lengths beyond any file.
    Malformed(header: "{}", length: 3, problem: "the header claims 3 bytes of a file of 10"),
    Malformed(
      header: "{}", length: 1 << 40,
      problem: "the header claims 1099511627776 bytes of a file of 10"),
    Malformed(
      header: "{}", length: .max,
      problem: "the header claims 18446744073709551615 bytes of a file of 10"),
    Malformed(header: "{}", length: 0, problem: "the header is not a JSON object"),
    Malformed(header: "{}", length: 1, problem: "the header is not a JSON object"),
    Malformed(header: "[1]", problem: "the header is not a JSON object"),
    Malformed(header: "<html>", problem: "the header is not a JSON object"),
    Malformed(header: #"{"x":1}"#, problem: "entry x lacks dtype, shape or data_offsets"),
    Malformed(
      header: #"{"x":{"dtype":"F32","shape":[1]}}"#, data: 4,
      problem: "entry x lacks dtype, shape or data_offsets"),
    Malformed(
      header: #"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#, data: 4,
      problem: "entry x lacks dtype, shape or data_offsets"),
    Malformed(
      header: #"{"x":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#, data: 4,
      problem: "entry x lacks dtype, shape or data_offsets"),
    Malformed(
      header: #"{"x":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}}"#, data: 4,
      problem: "entry x lacks dtype, shape or data_offsets"),
    Malformed(
      header: #"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,18446744073709551616]}}"#,
      data: 4, problem: "entry x lacks dtype, shape or data_offsets"),
    Malformed(
      header: #"{"x":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}"#, data: 4,
      problem: "x: unknown type F31"),
    Malformed(
      header: #"{"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, data: 4,
      problem: "x: impossible shape [-1]"),
    // (−1)·(−1) = 1 element.
    Malformed(
      header: #"{"x":{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}}"#, data: 4,
      problem: "x: impossible shape [-1, -1]"),
    // 2³²·2³² elements wrap to 0 in 64 bits, and 2⁶²·4 bytes to 0 too.
    Malformed(
      header: #"{"x":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#,
      problem: "x: impossible shape [4294967296, 4294967296]"),
    Malformed(
      header: #"{"x":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}}"#,
      problem: "x: impossible shape [4611686018427387904]"),
    Malformed(
      header: #"{"x":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}"#, data: 4,
      problem: "x: offsets -4–0 do not fit shape [1] of F32"),
    Malformed(
      header: #"{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, data: 4,
      problem: "x: offsets 4–0 do not fit shape [1] of F32"),
    Malformed(
      header: #"{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, data: 4,
      problem: "x: offsets 4–8 do not fit shape [1] of F32"),
    Malformed(
      header: #"{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, data: 4,
      problem: "x: offsets 0–4 do not fit shape [2] of F32"),
    // 8 bytes are one I64, not two.
    Malformed(
      header: #"{"x":{"dtype":"I64","shape":[2],"data_offsets":[0,8]}}"#, data: 8,
      problem: "x: offsets 0–8 do not fit shape [2] of I64"),
    Malformed(
      header: """
        {"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},\
        "y":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}
        """, data: 4, problem: "holes or overlaps in the data"),
    Malformed(
      header: """
        {"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},\
        "y":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}
        """, data: 12, problem: "holes or overlaps in the data"),
    Malformed(
      header: """
        {"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},\
        "y":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}
        """, data: 12, problem: "holes or overlaps in the data"),
    Malformed(
      header: #"{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, data: 8,
      problem: "holes or overlaps in the data"),
  ]

  @Test("bytes that do not follow the format are refused, and why", arguments: malformed)
  func refuses(file: Malformed) {
    #expect(
      Self.problem { _ = try Self.open(file.header, data: file.data, length: file.length) }
        == file.problem)
  }

  @Test("a name from the file stays on the message's line")
  func plainNames() throws {
    let header = #"{"a\n\u001b[2Jb":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}}"#
    let error = try #require(throws: SafetensorsError.self) {
      _ = try Self.open(header, data: 4)
    }
    #expect(error.description.hasSuffix(#": a\n\u{1b}[2Jb: unknown type F33"#))
  }

  @Test("data behind the last tensor is refused with both lengths")
  func trailing() {
    let header = #"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#
    // 8 of length, the header, 4 of data; 3 bytes more are too many.
    #expect(
      Self.problem { _ = try Self.open(header, data: 7) }
        == "the data ends at byte \(8 + header.utf8.count + 4) of \(8 + header.utf8.count + 7)")
  }

  @Test("a file too short for a length field is refused", arguments: [0, 1, 7])
  func tooShort(count: Int) throws {
    let folder = try TemporaryFolder()
    let path = folder.path("t.safetensors")
    try Data(repeating: 1, count: count).write(to: URL(fileURLWithPath: path))
    let error = try #require(throws: SafetensorsError.self) { try SafetensorsFile(path: path) }
    #expect(
      error.description
        == "\(path): not a valid safetensors file: \(count) bytes, a header needs at least 8")
  }

  @Test("every cut of a good file is refused")
  func truncated() throws {
    let folder = try TemporaryFolder()
    try writeSafetensors(
      [("a", Tensor(shape: [2], values: [1, 2])), ("b", Tensor(shape: [1], values: [3]))],
      path: folder.path("whole"))
    let whole = try Data(contentsOf: URL(fileURLWithPath: folder.path("whole")))
    let path = folder.path("cut")
    for count in 0..<whole.count {
      try whole.prefix(count).write(to: URL(fileURLWithPath: path))
      #expect(Self.problem { _ = try SafetensorsFile(path: path) } != nil, "\(count) bytes")
    }
  }

  @Test("integers of both widths are read, floats are not taken for them")
  func integers() throws {
    let file = try Self.open(
      """
      {"i":{"dtype":"I32","shape":[2],"data_offsets":[0,8]},\
      "l":{"dtype":"I64","shape":[1],"data_offsets":[8,16]},\
      "f":{"dtype":"F32","shape":[1],"data_offsets":[16,20]}}
      """, data: 20)
    #expect(try file.integers("i") == [0, 0])
    #expect(try file.integers("l") == [0])
    let error = try #require(throws: SafetensorsError.self) { try file.integers("f") }
    #expect(error.description == "\(file.file): tensor f holds F32, expected I32")
  }

  @Test("errors name the file, the tensor, what was found and what was expected")
  func messages() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("t.safetensors")
    try writeSafetensors(
      [("head.bias", Tensor(10)), ("head.weight", Tensor(10, 4))], path: path)
    let file = try SafetensorsFile(path: path)
    func text(_ body: () throws -> Void) throws -> String {
      try #require(throws: SafetensorsError.self, performing: body).description
    }
    #expect(
      try text { _ = try file.tensor("tail") }
        == "\(path): has no tensor tail; it has head.bias, head.weight")
    #expect(
      try text { _ = try file.tensor("head.weight", shape: [4, 10]) }
        == "\(path): tensor head.weight has shape [10, 4], expected [4, 10]")
    let other = try Self.open(#"{"x":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}"#, data: 8)
    #expect(
      try text { _ = try other.tensor("x") } == "\(other.file): tensor x holds F64, expected F32")

    let missing = folder.path("missing.safetensors")
    #expect(
      try text { _ = try SafetensorsFile(path: missing) }
        == "\(missing): cannot be read: there is no such file")
    // The reason is the system's own sentence.
    #expect(
      try text { _ = try SafetensorsFile(path: folder.url.path) }
        .hasPrefix("\(folder.url.path): cannot be read: "))
    let nowhere = folder.path("no/such/folder.safetensors")
    #expect(
      try text { try writeSafetensors([], path: nowhere) }
        .hasPrefix("\(nowhere): cannot be written: "))
  }

  @Test("a long list of names is cut short in the message")
  func longList() {
    let error = SafetensorsError.missingTensor(
      file: "f", name: "x", present: (0..<13).map { "t\($0)" })
    #expect(
      error.description
        == "f: has no tensor x; it has t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11, …")
  }
}
