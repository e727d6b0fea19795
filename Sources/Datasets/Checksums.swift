import Crypto
import Foundation

/// MD5 and SHA-256 of one file, lower-case hexadecimal. MD5 because that is what the sources
/// publish; it tells a damaged transfer, and SHA-256 an altered file.
struct FileChecksums: Hashable {
  var md5: String
  var sha256: String

  init(of file: InputFile) throws(DatasetError) {
    var md5 = Insecure.MD5()
    var sha256 = SHA256()
    let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    defer { chunk.deallocate() }
    var offset = 0
    while true {
      let count = try file.read(into: chunk, at: offset)
      guard count > 0 else { break }
      let read = UnsafeRawBufferPointer(rebasing: chunk[..<count])
      md5.update(bufferPointer: read)
      sha256.update(bufferPointer: read)
      offset += count
    }
    self.md5 = hexadecimal(md5.finalize(), separator: "")
    self.sha256 = hexadecimal(sha256.finalize(), separator: "")
  }
}
