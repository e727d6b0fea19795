import Datasets

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The ids of a text in order, in memory or in a file that is mapped into it. Never changes.
public final class TokenBuffer: @unchecked Sendable {
  public let count: Int
  /// Bytes per id: 1, 2 or 4, little-endian in the file as in memory.
  let idBytes: Int
  private let ids: UnsafeRawPointer
  private let memory: Memory

  private enum Memory {
    case allocated(UnsafeMutableRawPointer)
    case mapped(UnsafeMutableRawPointer, count: Int)
  }

  /// Bytes that an id of a vocabulary of that size needs.
  static func idBytes(vocabularySize: Int) -> Int {
    vocabularySize <= 1 << 8 ? 1 : vocabularySize <= 1 << 16 ? 2 : 4
  }

  /// Copies ids that are there in parts, of a type of `idBytes`.
  init<ID: FixedWidthInteger>(_ parts: [[ID]]) {
    idBytes = MemoryLayout<ID>.size
    count = parts.reduce(0) { $0 + $1.count }
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: max(1, count) * idBytes, alignment: 64)
    var offset = 0
    for part in parts {
      part.withUnsafeBytes { bytes in
        guard let base = bytes.baseAddress else { return }
        (memory + offset).copyMemory(from: base, byteCount: bytes.count)
      }
      offset += part.count * idBytes
    }
    self.memory = .allocated(memory)
    ids = UnsafeRawPointer(memory)
  }

  /// Maps a file whose ids begin at `offset`.
  /// - Throws: `.unreadable`.
  init(_ file: InputFile, from offset: Int, count: Int, idBytes: Int) throws(DatasetError) {
    precondition(offset + count * idBytes <= file.size, "ids beyond the file's end")
    guard let memory = mmap(nil, file.size, PROT_READ, MAP_PRIVATE, file.descriptor, 0),
      memory != MAP_FAILED
    else { throw .unreadable(path: file.path, reason: String(cString: strerror(errno))) }
    self.memory = .mapped(memory, count: file.size)
    self.idBytes = idBytes
    self.count = count
    ids = UnsafeRawPointer(memory) + offset
  }

  deinit {
    switch memory {
    case .allocated(let memory): memory.deallocate()
    case .mapped(let memory, let count): munmap(memory, count)
    }
  }

  var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: ids, count: count * idBytes)
  }

  /// The id at a place from 0 to below `count`.
  public subscript(place: Int) -> Int {
    precondition(place >= 0 && place < count, "token \(place) of \(count)")
    return switch idBytes {
    case 1: Int(ids.load(fromByteOffset: place, as: UInt8.self))
    case 2: Int(ids.load(fromByteOffset: 2 * place, as: UInt16.self))
    default: Int(ids.load(fromByteOffset: 4 * place, as: UInt32.self))
    }
  }

  /// Copies `output.count` ids from `start` on, which must all be there.
  public func copy(from start: Int, into output: UnsafeMutableBufferPointer<Int32>) {
    precondition(
      start >= 0 && start <= count - output.count,
      "tokens \(start) ..< \(start + output.count) of \(count)")
    switch idBytes {
    case 1: copy(UInt8.self, start, output)
    case 2: copy(UInt16.self, start, output)
    default: copy(UInt32.self, start, output)
    }
  }

  /// The greatest id; nil where there is none.
  func greatest() -> Int? {
    switch idBytes {
    case 1: greatest(UInt8.self)
    case 2: greatest(UInt16.self)
    default: greatest(UInt32.self)
    }
  }

  @inline(__always)
  private func copy<ID: FixedWidthInteger>(
    _ type: ID.Type, _ start: Int, _ output: UnsafeMutableBufferPointer<Int32>
  ) {
    let source = (ids + start * MemoryLayout<ID>.size).assumingMemoryBound(to: ID.self)
    for i in 0..<output.count { output[i] = Int32(truncatingIfNeeded: source[i]) }
  }

  @inline(__always)
  private func greatest<ID: FixedWidthInteger>(_ type: ID.Type) -> Int? {
    let source = UnsafeBufferPointer(start: ids.assumingMemoryBound(to: ID.self), count: count)
    return source.max().map { Int($0) }
  }
}
