import Foundation

/// A small SVHN as MATLAB v5 files, little-endian ("MAT-File Format", MathWorks, chapter 1).
public enum SVHNFiles {
  /// Writes `svhn/train_32x32.mat` and `svhn/test_32x32.mat` of so many images each.
  public static func write(train: Int, test: Int, to folder: URL) throws {
    let place = folder.appendingPathComponent("svhn", isDirectory: true)
    try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    try Data(file(train)).write(to: place.appendingPathComponent("train_32x32.mat"))
    try Data(file(test)).write(to: place.appendingPathComponent("test_32x32.mat"))
  }

  /// Labels 1 to 10 in turn; every byte of an image is its number times 20.
  private static func file(_ count: Int) -> [UInt8] {
    let text = Array("MATLAB 5.0 MAT-file, made by a test".utf8)
    let header = text + [UInt8](repeating: 0x20, count: 124 - text.count) + [0, 1, 0x49, 0x4D]
    let pixels = (0..<count).flatMap {
      [UInt8](repeating: UInt8(truncatingIfNeeded: $0 * 20), count: 3 * 32 * 32)
    }
    let labels = (0..<count).map { UInt8($0 % 10 + 1) }
    return header + matrix("X", [32, 32, 3, count], pixels) + matrix("y", [count, 1], labels)
  }

  /// A matrix of bytes: flags (class 9 is uint8), dimensions, name, data.
  private static func matrix(_ name: String, _ dimensions: [Int], _ data: [UInt8]) -> [UInt8] {
    element(
      14,
      element(6, word(9) + word(0)) + element(5, dimensions.flatMap(word))
        + element(1, Array(name.utf8)) + element(2, data))
  }

  /// A type, a length, and data padded to 8 bytes.
  private static func element(_ type: Int, _ data: [UInt8]) -> [UInt8] {
    word(type) + word(data.count) + data + [UInt8](repeating: 0, count: (8 - data.count % 8) % 8)
  }

  private static func word(_ value: Int) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}
