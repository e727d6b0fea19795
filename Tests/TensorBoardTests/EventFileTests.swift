import Foundation
import TensorBoard
import Testing

@Suite struct EventFileTests {
  /// A fresh folder for the body, removed afterwards.
  static func inFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "excite-events-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.path)
  }

  static func hex(_ path: String) throws -> String {
    try Data(contentsOf: URL(fileURLWithPath: path)).map { byte in
      (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
  }

  // Written by the RecordWriter of TensorBoard 2.21: Event(wall_time=1,
  // file_version="brain.Event:2"), then Event(wall_time=1, step=2,
  // summary=Summary(value=[Value(tag="acc", simple_value=0.5)])).
  static let version =
    "1800000000000000a37f4b2209000000000000f03f1a0d627261696e2e4576656e743a3286bf577a"
  static let half =
    "19000000000000008bf1082809000000000000f03f10022a0c0a0a0a03616363150000003f4d6ed80d"
  static let event = ScalarEvent(wallTime: 1, step: 2, scalars: [Scalar("acc", 0.5)])

  @Test func versionIsFirst() throws {
    try Self.inFolder { folder in
      let file = try EventFile(in: folder, wallTime: 1)
      #expect(file.path == "\(folder)/\(EventFile.name)")
      #expect(file.path.contains("tfevents"))
      #expect(try Self.hex(file.path) == Self.version)
    }
  }

  @Test func historyAndLaterEventsHaveTheSameBytes() throws {
    try Self.inFolder { folder in
      var file = try EventFile(in: folder, wallTime: 1)
      try file.append(Self.event)
      #expect(try Self.hex(file.path) == Self.version + Self.half)
      file = try EventFile(in: folder, wallTime: 1, history: [Self.event])
      #expect(try Self.hex(file.path) == Self.version + Self.half)
    }
  }

  @Test func severalScalarsAndLongNumbers() throws {
    // 300 = 0b10_0101100 takes two bytes of varint: AC 02. The summary has two values of
    // 2 + 2 + 1 + 5 = 10 bytes each with their tags "a" and "b": 0A 08 0A 01 61 15 …; together
    // 20 = 0x14 bytes. Without frame: 9 + 3 + 2 + 20 = 34 = 0x22 bytes.
    try Self.inFolder { folder in
      let event = ScalarEvent(
        wallTime: 2, step: 300, scalars: [Scalar("a", 1), Scalar("b", -2)])
      let file = try EventFile(in: folder, wallTime: 1, history: [event])
      let data = [
        "09", "0000000000000040", "10ac02", "2a14",  // wall time 2, step 300, the summary
        "0a080a016115", "0000803f", "0a080a016215", "000000c0",
      ]
      let text = try Self.hex(file.path).dropFirst(Self.version.count)
      #expect(text.prefix(16) == "2200000000000000")
      #expect(text.dropFirst(24).dropLast(8) == data.joined())
    }
  }

  @Test func writingAnewDropsWhatCameAfterTheHistory() throws {
    try Self.inFolder { folder in
      var file = try EventFile(in: folder, wallTime: 1, history: [Self.event])
      try file.append(ScalarEvent(wallTime: 3, step: 3, scalars: [Scalar("acc", 1)]))
      _ = try EventFile(in: folder, wallTime: 1, history: [Self.event])
      #expect(try Self.hex(file.path) == Self.version + Self.half)
    }
  }

  @Test func damagedFileIsWrittenAnew() throws {
    try Self.inFolder { folder in
      let path = "\(folder)/\(EventFile.name)"
      try Data(repeating: 0xFF, count: 1000).write(to: URL(fileURLWithPath: path))
      _ = try EventFile(in: folder, wallTime: 1)
      #expect(try Self.hex(path) == Self.version)
    }
  }

  @Test func numbersThatAreNone() throws {
    try Self.inFolder { folder in
      let event = ScalarEvent(
        wallTime: 1, step: -1, scalars: [Scalar("", .nan), Scalar("γ", .infinity)])
      let file = try EventFile(in: folder, wallTime: 1, history: [event])
      // A negative int64 takes ten bytes: nine of 7 ones, then its highest bit.
      let minusOne = String(repeating: "ff", count: 9) + "01"
      #expect(try Self.hex(file.path).contains("10\(minusOne)"))
      // The tag has two bytes of UTF-8; infinity is 0x7F800000.
      #expect(try Self.hex(file.path).contains("0a02ceb3150000807f"))
    }
  }

  @Test func failuresNamePathAndReason() throws {
    let missing = "/nonexistent/folder"
    let path = "\(missing)/\(EventFile.name)"
    let error = EventFileError.unwritable(path: path, reason: "No such file or directory")
    #expect(throws: error) { _ = try EventFile(in: missing, wallTime: 1) }
    #expect(
      error.description == "cannot write the event file \(path): No such file or directory")
    try Self.inFolder { folder in
      var file = try EventFile(in: folder, wallTime: 1)
      try FileManager.default.removeItem(atPath: file.path)
      #expect(
        throws: EventFileError.unwritable(path: file.path, reason: "No such file or directory")
      ) { try file.append(Self.event) }
    }
  }
}
