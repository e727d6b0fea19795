import Excitation
import Testing

@Suite("θ ← θ + Φ·δ on arrays")
struct ExcitedUpdateTests {
  /// E = 3, n = 2, by hand; all numbers are exact in binary.
  @Test func rowsGetTheirOwnFactor() {
    var parameters: [Float] = [1, 2, 3, 4, 5, 6]
    let delta: [Float] = [8, 16, 8, 16, 8, 16]
    applyUpdate(delta, to: &parameters, modulation: [0.5, 0, 2])
    // 1 + 8/2, 2 + 16/2, as they were, 5 + 2·8, 6 + 2·16.
    #expect(parameters == [5, 10, 3, 4, 21, 38])
  }

  @Test func vanillaIsTheOptimizersOwnUpdate() {
    let start: [Double] = [0.1, -0.2, 0.3, 0.4]
    let delta: [Double] = [1e-3, 2e-3, -3e-3, 4e-3]
    var parameters = start
    applyUpdate(delta, to: &parameters, modulation: phi([0.9, 0.1], variant: .vanilla))
    #expect(parameters == zip(start, delta).map { $0 + $1 })
  }

  /// A bias per expert: rows of one.
  @Test func biases() {
    var biases: [Double] = [0, 0, 0]
    let u: [Double] = utilization(picks: [[0], [0], [2], [0]], experts: 3)
    #expect(u == [0.75, 0, 0.25])
    applyUpdate([1, 1, 1], to: &biases, modulation: phi(u, variant: .zeroSum))
    // u / (1/3); a quarter is exact, a third is not.
    #expect(zip(biases, [2.25, 0, 0.75]).allSatisfy { abs($0 - $1) < 1e-15 })
  }

  /// Any mutable collection will do: slices, and memory that others own.
  @Test func otherCollections() {
    var values: [Float] = [0, 1, 1, 0]
    applyUpdate([1, 1] as [Float], to: &values[1..<3], modulation: [2, 3] as [Float])
    #expect(values == [0, 3, 4, 0])
    values.withUnsafeMutableBufferPointer { buffer in
      var buffer = buffer
      applyUpdate([1, 1, 1, 1] as ContiguousArray<Float>, to: &buffer, modulation: [1, -1])
    }
    #expect(values == [1, 4, 3, -1])
    var none: [Float] = []
    applyUpdate([] as [Float], to: &none, modulation: [] as [Float])
    #expect(none.isEmpty)
  }

  @Test func utilizationOfPicks() {
    // Two of four experts per sample: shares sum to K = 2.
    let u: [Float] = utilization(picks: [[0, 1], [1, 2], [1, 0], [1, 2]], experts: 4)
    #expect(u == [0.5, 1, 0.5, 0])
    let none: [Float] = utilization(picks: [[Int]](), experts: 2)
    #expect(none == [0, 0])
    #expect(phi(none, variant: .zeroSum) == [1, 1])
  }

  /// γ is 1 and ε 1e-6 unless said.
  @Test(arguments: ExcitationVariant.allCases.filter { $0 != .randomBoost })
  func defaults(variant: ExcitationVariant) {
    let u: [Double] = [0.5, 0, 0.25, 0.25]
    #expect(phi(u, variant: variant) == phi(u, variant: variant, gamma: 1, epsilon: 1e-6))
  }
}
