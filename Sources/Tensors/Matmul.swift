import COpenBLAS

/// Where the matrix products come from, as a run records it.
public struct BLASDescription: Codable, Hashable, Sendable {
  /// File or framework that was loaded.
  public let library: String
  /// OpenBLAS's version and build line; empty for other libraries.
  public let version: String
  /// Kernel set in use, "SkylakeX" or "Haswell" for example; empty when unknown.
  public let core: String
  /// Kernel set the library took by itself.
  public let automaticCore: String
  /// The core type is the user's own, from OPENBLAS_CORETYPE.
  public let coreFromUser: Bool
  /// What OPENBLAS_CORETYPE asks for where the library has or runs no such core; else nil.
  public let ignoredCore: String?
}

public enum BLASError: Error, CustomStringConvertible {
  /// No library could be loaded; what was tried and why each failed.
  case notFound(tried: String)

  public var description: String {
    switch self {
    case .notFound(let tried):
      "no BLAS library found (\(tried)); install OpenBLAS: apt-get install libopenblas0, or "
        + "brew install openblas"
    }
  }
}

public enum BLAS {
  /// Loads the library and says what it is. Any matmul needs this to have succeeded.
  /// - Throws: `BLASError.notFound`.
  @discardableResult
  public static func load() throws(BLASError) -> BLASDescription {
    let loaded = excite_blas_load()
    var info = excite_blas_info().pointee
    func text<T>(_ field: inout T) -> String {
      withUnsafeBytes(of: &field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
    guard loaded else { throw .notFound(tried: text(&info.error)) }
    let core = text(&info.core)
    let asked = text(&info.asked_core)
    return BLASDescription(
      library: text(&info.library), version: text(&info.config), core: core,
      automaticCore: text(&info.automatic_core), coreFromUser: info.core_from_user,
      ignoredCore: asked.isEmpty || core.isEmpty || info.core_from_user ? nil : asked)
  }
}

extension BLASDescription {
  /// What a user should know who asked for a core that is not in use.
  public var coreWarning: String? {
    ignoredCore.map {
      "OPENBLAS_CORETYPE: \(quoted($0)) is no core that this library has for this CPU; it took \(core)"
    }
  }
}

/// C = op(A)·op(B) + beta·C on row-major memory; op(A) is [m, k], op(B) is [k, n], C is [m, n];
/// `ld…` are distances between rows in floats.
@inline(__always)
public func matmul(
  _ a: UnsafePointer<Float>, lda: Int, transposeA: Bool = false, _ b: UnsafePointer<Float>,
  ldb: Int, transposeB: Bool = false, into c: UnsafeMutablePointer<Float>, ldc: Int, m: Int,
  n: Int, k: Int, beta: Float = 0
) {
  excite_sgemm(
    transposeA, transposeB, Int32(m), Int32(n), Int32(k), 1, a, Int32(lda), b, Int32(ldb), beta, c,
    Int32(ldc))
}
