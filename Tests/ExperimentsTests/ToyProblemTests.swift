import Experiments
import Foundation
import Testing

@Suite struct ToyProblemTests {
  /// SGD: w_k ← w_k·(1 − η·u_k); excited: with Φ = (1.5, 0.5) beside u, so 1.125 and 0.125.
  @Test func pathsByTheFormulas() throws {
    for (method, shares) in [
      (ToyProblem.Method.sgd, [0.75, 0.25]), (.excited, [1.125, 0.125]),
    ] {
      let path = ToyProblem.path(method)
      #expect(path.count == 21)
      for (step, weights) in path.enumerated() {
        for k in 0..<2 {
          let exact = [-3, 0.7][k] * pow(1 - 0.1 * shares[k], Double(step))
          #expect((weights[k] - exact).magnitude < 1e-12)
        }
      }
    }
    // Momentum: v = 0.75·w = −2.25; w = −2.775; v = 0.9·−2.25 − 0.75·2.775 = −4.10625.
    let path = ToyProblem.path(.momentum)
    #expect((path[1][0] + 2.775).magnitude < 1e-12)
    #expect((path[2][0] - (-2.775 + 0.410625)).magnitude < 1e-12)
  }

  /// What the figure is there to show.
  @Test func excitedEndsLowest() throws {
    let ends = ToyProblem.Method.allCases.map { method in
      ToyProblem.loss(ToyProblem.path(method).last ?? [])
    }
    #expect(ends[2] < ends[0] && ends[2] < ends[1])
    // (0.75·9 + 0.25·0.49)/2.
    #expect((ToyProblem.loss(ToyProblem.start) - 3.43625).magnitude < 1e-12)
  }

  @Test func figureNamesItsPaths() {
    let svg = ToyProblem.figure(title: "a toy").svg()
    for word in ["a toy", ">SGD<", ">SGD with momentum<", ">excited SGD<", ">start<", ">loss<"] {
      #expect(svg.contains(word), "\(word)")
    }
  }
}
