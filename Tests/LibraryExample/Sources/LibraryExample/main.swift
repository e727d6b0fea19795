import Excitation
import Foundation

let samples = Sample.draw(1000)
let used: [Double] = utilization(picks: samples.map { [$0.expert] }, experts: Mixture.experts)
let multipliers = phi(used, variant: .zeroSum)

print("expert  utilization  Φ zero-sum")
for (expert, (u, factor)) in zip(used, multipliers).enumerated() {
  print(String(format: "%6d  %11.3f  %10.3f", expert, u, factor))
}

// Zero-sum hurries the experts in use, which is most of the error at first, and lets the rare ones
// wait. Positive-sum lets nobody wait.
let steps = [5, 10, 20, 40]
var losses: [ExcitationVariant: [Double]] = [:]
print("\nmean squared error after so many steps of gradient descent")
print("              " + steps.map { String(format: "%8d", $0) }.joined())
for variant in [ExcitationVariant.vanilla, .zeroSum, .positiveSum] {
  let found = steps.map { count in
    var mixture = Mixture()
    mixture.train(samples, variant: variant, steps: count, rate: 0.1)
    return mixture.loss(samples)
  }
  losses[variant] = found
  print(
    variant.rawValue.padding(toLength: 14, withPad: " ", startingAt: 0)
      + found.map { String(format: "%8.4f", $0) }.joined())
}

// The worked example of the documentation.
var weights: [Float] = [1, 1, 1, 1, 1, 1]
let u: [Float] = utilization(picks: [[0], [0], [2], [0]], experts: 3)
applyUpdate(
  [Float](repeating: -0.1, count: 6), to: &weights, modulation: phi(u, variant: .zeroSum))
let expected: [Float] = [0.775, 0.775, 1, 1, 0.925, 0.925]

/// Ends the program with an error unless something is so.
func check(_ isSo: Bool, _ claim: String) {
  if !isSo {
    FileHandle.standardError.write(Data("not so: \(claim)\n".utf8))
    exit(1)
  }
}

check(abs(used.reduce(0, +) - 1) < 1e-12, "one expert a sample, so utilizations sum to 1")
check(abs(multipliers.reduce(0, +) / 6 - 1) < 1e-12, "zero-sum multipliers average to 1")
check(zip(weights, expected).allSatisfy { abs($0 - $1) < 1e-6 }, "the documentation's example")
let vanilla = losses[.vanilla, default: []]
let zeroSum = losses[.zeroSum, default: []]
let positiveSum = losses[.positiveSum, default: []]
check(zeroSum[0] < vanilla[0], "the experts in use learn faster with zero-sum")
check(zip(positiveSum, vanilla).allSatisfy(<), "with positive-sum none learns slower")
