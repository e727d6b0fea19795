/// Tar archives, header by header (POSIX pax, "ustar Interchange Format").
struct TarBytes {
  var bytes: [UInt8] = []

  /// - Parameters:
  ///   - type: "0" file, "5" folder, "1" and "2" links, "L" GNU's long name, "x" pax header.
  ///   - size: what the header says, where it is not the content's.
  mutating func add(
    _ name: String, _ content: [UInt8] = [], type: Character = "0", link: String = "",
    size: Int? = nil
  ) {
    func field(_ text: String, _ width: Int) -> [UInt8] {
      Array(text.utf8.prefix(width)) + [UInt8](repeating: 0, count: max(0, width - text.utf8.count))
    }
    func octal(_ value: Int, _ width: Int) -> String {
      let digits = String(value, radix: 8)
      return String(repeating: "0", count: width - 1 - digits.count) + digits
    }
    var header = field(name, 100) + field("0000644", 8) + field("0000000", 8) + field("0000000", 8)
    header += field(octal(size ?? content.count, 12), 12) + field(octal(0, 12), 12)
    // The checksum's own field counts as eight blanks.
    header += [UInt8](repeating: 32, count: 8) + [type.asciiValue ?? 0] + field(link, 100)
    header += field("ustar", 6) + field("00", 2) + field("", 247)
    let sum = header.reduce(0) { $0 + Int($1) }
    header.replaceSubrange(148..<156, with: field(octal(sum, 7), 8))
    bytes += header + content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
  }

  /// With the two blocks of zeros that end an archive.
  var gzip: [UInt8] { Deflated.gzip(bytes + [UInt8](repeating: 0, count: 1024)) }
}
