import CZlib
import Foundation
import Plots
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// A PNG file read back: its header, its pixels, and whether its checksums hold.
struct Picture {
  let width: Int
  let height: Int
  /// Red, green, blue per pixel, row by row.
  let pixels: [UInt8]

  struct Damaged: Error {}

  /// Reads eight-bit RGB without filters and interlacing, the only kind `Drawing.png` writes.
  init(_ file: [UInt8]) throws {
    guard file.prefix(8) == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] else {
      throw Damaged()
    }
    func number(_ bytes: some Sequence<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }
    var chunks: [(type: String, data: [UInt8])] = []
    var rest = file.dropFirst(8)
    while rest.count >= 12 {
      let length = number(rest.prefix(4))
      let checked = Array(rest.dropFirst(4).prefix(4 + length))
      let sum = number(rest.dropFirst(8 + length).prefix(4))
      guard Int(crc32(0, checked, UInt32(checked.count))) == sum else { throw Damaged() }
      chunks.append((String(decoding: checked.prefix(4), as: UTF8.self), Array(checked[4...])))
      rest = rest.dropFirst(12 + length)
    }
    guard rest.isEmpty, chunks.map(\.type) == ["IHDR", "pHYs", "IDAT", "IEND"] else {
      throw Damaged()
    }
    width = number(chunks[0].data[0..<4])
    height = number(chunks[0].data[4..<8])
    guard chunks[0].data[8...] == [8, 2, 0, 0, 0] else { throw Damaged() }
    let rowLength = 1 + 3 * width
    var rows = [UInt8](repeating: 1, count: rowLength * height)
    var count = uLong(rows.count)
    let data = chunks[2].data
    guard uncompress(&rows, &count, data, uLong(data.count)) == Z_OK, count == rows.count else {
      throw Damaged()
    }
    var pixels: [UInt8] = []
    for row in 0..<height {
      guard rows[row * rowLength] == 0 else { throw Damaged() }
      pixels += rows[(row * rowLength + 1)..<((row + 1) * rowLength)]
    }
    self.pixels = pixels
  }

  func color(_ x: Int, _ y: Int) -> [UInt8] {
    Array(pixels[((y * width + x) * 3)..<((y * width + x) * 3 + 3)])
  }

  /// Columns and rows that reach from the first to the last pixel of exactly this colour.
  func bounds(of color: [UInt8]) -> (columns: ClosedRange<Int>, rows: ClosedRange<Int>)? {
    var xs: [Int] = []
    var ys: [Int] = []
    for y in 0..<height {
      for x in 0..<width where self.color(x, y) == color {
        xs.append(x)
        ys.append(y)
      }
    }
    guard let left = xs.min(), let right = xs.max(), let top = ys.min(), let bottom = ys.max()
    else { return nil }
    return (left...right, top...bottom)
  }
}

/// An SVG text read by an XML parser: its elements with their attributes and text.
final class Elements: NSObject, XMLParserDelegate {
  struct Element {
    let name: String
    let attributes: [String: String]
    var text = ""
  }

  private(set) var all: [Element] = []
  private var open: [Int] = []

  /// - Throws: the parser's error, where the text is not XML.
  init(_ svg: String) throws {
    super.init()
    let parser = XMLParser(data: Data(svg.utf8))
    parser.delegate = self
    guard parser.parse() else { throw parser.parserError ?? CocoaError(.fileReadCorruptFile) }
  }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
    qualifiedName: String?, attributes: [String: String]
  ) {
    open.append(all.count)
    all.append(Element(name: name, attributes: attributes))
  }

  func parser(_ parser: XMLParser, foundCharacters text: String) {
    if let last = open.last { all[last].text += text }
  }

  func parser(
    _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
  ) {
    open.removeLast()
  }

  /// The words of a drawing in their order.
  var texts: [String] { all.filter { $0.name == "text" }.map(\.text) }

  func named(_ name: String) -> [Element] { all.filter { $0.name == name } }
}

/// Points of a polygon or polyline.
func points(_ element: Elements.Element) -> [[Double]] {
  (element.attributes["points"] ?? "").split(separator: " ").map { point in
    point.split(separator: ",").compactMap { Double($0) }
  }
}
