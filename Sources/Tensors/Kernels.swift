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

  /// The environment variable that names the set to use, as OPENBLAS_CORETYPE does the BLAS's.
  public static let variable = "EXCITE_KERNELS"

  /// What `variable` asks for; nil where it does not.
  public static let asked: String? = {
    guard let value = getenv(variable), value.pointee != 0 else { return nil }
    return String(cString: value)
  }()

  /// The set that is asked for, else the fastest one; that too where this CPU cannot run what is
  /// asked for.
  public static let best =
    asked.flatMap(Kernels.init(named:)) ?? Kernels(table: excite_kernels_best())

  /// The names of those that this CPU runs, the fastest first.
  public static var available: [String] {
    ["avx512", "avx2", "baseline", "plain"].filter { Kernels(named: $0) != nil }
  }

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
