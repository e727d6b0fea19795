import Excitation
import Foundation
import Tensors
import TestSupport
import Testing

@Suite("Φ against PyTorch")
struct PhiGoldenTests {
  static let gammas = ["0", "0.5", "1", "2", "3"]

  @Test("every variant and γ, in Double and in Float", arguments: ExcitationVariant.allCases)
  func values(variant: ExcitationVariant) throws {
    let fixture = try openFixture("phi")
    let batch = try #require(fixture.metadata["batch"].flatMap(Int.init))
    let names = try JSONDecoder().decode(
      [String].self, from: Data(#require(fixture.metadata["cases"]).utf8))
    // The count guards against an empty loop.
    #expect(names.count == 7)
    for name in names {
      let counts = try fixture.integers("\(name)/counts").map(Int32.init)
      let permutation = try fixture.integers("\(name)/permutation").map(UInt32.init)
      for gamma in Self.gammas {
        let expected = try fixture.integers("\(name)/\(variant.rawValue)/\(gamma)")
          .map { Double(bitPattern: UInt64(bitPattern: Int64($0))) }
        let label = "\(name)/\(variant.rawValue)/γ=\(gamma)"
        // Double: a power, a mean over up to 33 values and a division are each good to 2⁻⁵³ =
        // 1.1e-16, the sum to 33 times that.
        expectClose(
          phi(
            utilization(counts: counts, rows: batch), variant: variant,
            gamma: try #require(Double(gamma)), epsilon: 1e-6, permutation: permutation),
          expected, atol: 0, rtol: 1e-14, name: label)
        // Float: 2⁻²⁴ = 6e-8 each; PyTorch's own float32 is off by up to 1.3e-7 (metadata). ε and
        // hence u^−γ carry a relative error of γ·2⁻²⁴.
        expectClose(
          phi(
            utilization(counts: counts, rows: batch), variant: variant,
            gamma: try #require(Float(gamma)), epsilon: 1e-6, permutation: permutation),
          expected.map { Float($0) }, atol: 0, rtol: 1e-6, name: label)
      }
    }
  }
}
