import CKernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The engine's C kernels for one instruction set.
public struct Kernels: @unchecked Sendable {
  /// A table in constant memory.
  public let table: UnsafePointer<ExciteKernels>

  public var name: String { String(cString: table.pointee.name) }

  /// The fastest set this CPU runs.
  public static let best = Kernels(table: excite_kernels_best())

  private init(table: UnsafePointer<ExciteKernels>) { self.table = table }

  /// "avx512", "avx2", "baseline" or "plain"; nil when this CPU cannot run it.
  public init?(named name: String) {
    guard let table = excite_kernels_named(name) else { return nil }
    self.table = table
  }

  /// Floats of slack behind each row of winners: kernels store whole vectors.
  public static func winnerStride(_ winners: Int) -> Int { (winners + 16 + 15) / 16 * 16 }
  public static let panelColumns = Int(excite_panel_columns)
  public static let largestShift = Int(excite_largest_shift)

  /// Floats of scratch that `scatter_outer` needs.
  public static func scatterScratch(rows: Int, winners: Int, width: Int) -> Int {
    excite_scatter_scratch(rows, winners, width)
  }

  /// Floats of scratch that `multiply` needs.
  public static let multiplyScratch = Int(excite_multiply_scratch)

  /// Floats that `pack_transposed` writes for a matrix [rows, columns].
  public static func packedCount(rows: Int, columns: Int) -> Int {
    (rows + panelColumns - 1) / panelColumns * panelColumns * columns
  }
}
