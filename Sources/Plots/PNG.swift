import CZlib

/// Pictures larger than this are drawn at a smaller scale: 75 MB of pixels in memory.
private let mostPixels = 25e6
private let pointsPerMetre = 72 / 0.0254

extension Drawing {
  /// The picture as a PNG file, eight bits of red, green and blue, in the built-in font; the same
  /// bytes for the same drawing and zlib.
  ///
  /// - Parameter scale: pixels per point; less where the picture would have too many.
  /// - Throws: `PlotsError.compression`.
  public func png(scale: Double = 2) throws(PlotsError) -> [UInt8] {
    let scale = min(scale, (mostPixels / max(width * height, 1)).squareRoot())
    var raster = Raster(
      width: max(1, Int((width * scale).rounded())),
      height: max(1, Int((height * scale).rounded())), scale: scale)
    for shape in shapes { raster.draw(shape) }
    return try pngFile(raster)
  }
}

/// Signature, IHDR, pHYs, IDAT, IEND (PNG, third edition, sections 5 and 11).
private func pngFile(_ raster: Raster) throws(PlotsError) -> [UInt8] {
  let rowBytes = raster.width * 3
  // Each row starts with its filter; flat areas compress best without one.
  var rows: [UInt8] = []
  rows.reserveCapacity((rowBytes + 1) * raster.height)
  for row in 0..<raster.height {
    rows.append(0)
    rows += raster.pixels[(row * rowBytes)..<((row + 1) * rowBytes)]
  }
  let density = UInt32((raster.scale * pointsPerMetre).rounded())
  let bitDepth: UInt8 = 8
  let trueColor: UInt8 = 2
  let perMetre: UInt8 = 1
  var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
  file += chunk(
    "IHDR",
    bigEndian(UInt32(raster.width)) + bigEndian(UInt32(raster.height))
      + [bitDepth, trueColor, 0, 0, 0])
  file += chunk("pHYs", bigEndian(density) + bigEndian(density) + [perMetre])
  file += chunk("IDAT", try deflated(rows))
  file += chunk("IEND", [])
  return file
}

private func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
  let checked = Array(type.utf8) + data
  let sum = checked.withUnsafeBufferPointer { crc32_z(0, $0.baseAddress, $0.count) }
  return bigEndian(UInt32(data.count)) + checked + bigEndian(UInt32(truncatingIfNeeded: sum))
}

private func bigEndian(_ value: UInt32) -> [UInt8] {
  [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
}

private func deflated(_ bytes: [UInt8]) throws(PlotsError) -> [UInt8] {
  var length = compressBound(uLong(bytes.count))
  var code: Int32 = 0
  let result = [UInt8](unsafeUninitializedCapacity: Int(length)) { buffer, count in
    code = compress2(
      buffer.baseAddress, &length, bytes, uLong(bytes.count), Z_BEST_COMPRESSION)
    count = code == Z_OK ? Int(length) : 0
  }
  guard code == Z_OK else { throw .compression(bytes: bytes.count, code: code) }
  return result
}
