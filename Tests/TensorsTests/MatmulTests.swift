import COpenBLAS
import Tensors
import TestSupport
import Testing

@Suite("matmul and the BLAS behind it")
struct MatmulTests {
  @Test("all transpositions and sizes against the sum itself", arguments: [false, true])
  func products(transposeA: Bool) throws {
    try BLAS.load()
    var random = RandomStream(test: 13)
    let sizes = [1, 2, 3, 7, 16, 17, 33, 70]
    withEvery("transpose B", in: [false, true]) { transposeB, place in
      withEvery("m", in: sizes, place) { m, place in
        withEvery("n", in: sizes, place) { n, place in
          withEvery("k", in: sizes, place) { k, place in
            withEvery("beta", in: [Float(0), 1], place) { beta, place in
              // op(A) is [m, k] and op(B) [k, n]; rows lie farther apart than they are long.
              let (rowsA, columnsA) = transposeA ? (k, m) : (m, k)
              let (rowsB, columnsB) = transposeB ? (n, k) : (k, n)
              let (a, b) = (random.normals(m * k), random.normals(k * n))
              let old = random.normals(m * n)
              let guardedA = GuardedMatrix(rowsA, columnsA, distance: columnsA + 3, values: a)
              let guardedB = GuardedMatrix(rowsB, columnsB, distance: columnsB + 1, values: b)
              // With beta 0 the old values, here NaN, must not matter.
              let c =
                beta == 0
                ? GuardedMatrix<Float>(m, n, distance: n + 2)
                : GuardedMatrix(m, n, distance: n + 2, values: old)
              matmul(
                guardedA.data, lda: guardedA.distance, transposeA: transposeA, guardedB.data,
                ldb: guardedB.distance, transposeB: transposeB, into: c.data, ldc: c.distance,
                m: m, n: n, k: k, beta: beta)

              var exact: [Double] = []
              var bounds: [Double] = []
              for row in 0..<m {
                for column in 0..<n {
                  let start = beta == 0 ? 0 : Double(old[row * n + column])
                  var (sum, magnitude) = (start, start.magnitude)
                  for inner in 0..<k {
                    let product =
                      Double(transposeA ? a[inner * m + row] : a[row * k + inner])
                      * Double(transposeB ? b[column * k + inner] : b[inner * n + column])
                    sum += product
                    magnitude += product.magnitude
                  }
                  exact.append(sum)
                  bounds.append(SparseProductTests.bound(terms: k + 1, magnitude: magnitude))
                }
              }
              expectWithin(c.values, exact, bounds: bounds, name: "\(place)")
              #expect(
                c.isIntact && guardedA.isIntact && guardedB.isIntact,
                "\(place): wrote outside its output")
            }
          }
        }
      }
    }
  }

  @Test("loading says what was loaded, and the same each time")
  func description() throws {
    let loaded = try BLAS.load()
    #expect(!loaded.library.isEmpty)
    #expect(try BLAS.load() == loaded)
    if !loaded.coreFromUser, !loaded.core.isEmpty, excite_cpu_has_avx512() {
      // Whatever the library took by itself, no core without AVX-512 is left in use.
      #expect(betterCore(loaded.core, hasAVX512: true) == nil)
    }
  }

  @Test("a library that is not there is named, with how to get one")
  func notFound() {
    #expect(
      BLASError.notFound(tried: "libopenblas.so.0: cannot open").description
        == "no BLAS library found (libopenblas.so.0: cannot open); install OpenBLAS: "
        + "apt-get install libopenblas0, or brew install openblas")
  }

  func betterCore(_ core: String, hasAVX512: Bool) -> String? {
    excite_blas_better_core(core, hasAVX512).map { String(cString: $0) }
  }

  @Test(
    "cores without AVX-512 are changed on CPUs that have it, and there only",
    arguments: [
      "Haswell", "Zen", "Sandybridge", "Nehalem", "Prescott", "Core2", "Penryn", "Dunnington",
      "Atom", "Bulldozer", "Piledriver", "Steamroller", "Excavator", "Barcelona", "Opteron",
      "Bobcat", "Nano", "Generic", "haswell", "ZEN",
    ])
  func narrowCore(name: String) {
    #expect(betterCore(name, hasAVX512: true) == "SkylakeX")
    #expect(betterCore(name, hasAVX512: false) == nil)
  }

  @Test(
    "cores with AVX-512, of other processors, and unknown ones are kept",
    arguments: [
      "SkylakeX", "Cooperlake", "SapphireRapids", "skylakex", "armv8", "neoversen1", "neoversev1",
      "cortexa72", "thunderx2t99", "vortex", "POWER9", "ZARCH_GENERIC", "RISCV64_GENERIC",
      "GraniteRapids", "", "Haswell2", "Zen5",
    ])
  func keptCore(name: String) {
    #expect(betterCore(name, hasAVX512: true) == nil)
    #expect(betterCore(name, hasAVX512: false) == nil)
  }
}
