import Layers

/// The weights and biases of one transformer block, as products to be summed.
func blockParameterTerms(d: Int, hidden: Int, experts: Int) -> [[Int]] {
  // qkv and projection with their biases, two norms; the experts; their biases; the router.
  [[d, d, 4], [d, 8], [experts, hidden, d, 2], [experts, hidden], [experts, d, 2]]
}

/// The sum of products; nil where it is more floats than an `Int` counts bytes of.
func checkedSum(_ terms: [[Int]]) -> Int? {
  var sum = 0
  for factors in terms {
    var product = 1
    for factor in factors {
      let (next, overflow) = product.multipliedReportingOverflow(by: factor)
      guard !overflow else { return nil }
      product = next
    }
    let (next, overflow) = sum.addingReportingOverflow(product)
    guard !overflow else { return nil }
    sum = next
  }
  return sum <= Int.max / 4 ? sum : nil
}

extension BlockSizes {
  /// Floats that a block keeps of a forward pass for the way back.
  var activationFloats: Double {
    // Two norms with what they normalized, qkv, the heads' outputs and what softmax keeps; scores,
    // picks and gates; the slots' outputs, activations and slopes, and their numbers.
    let perRow = Double(8 * width + 2 + heads + experts + 2 * picked + 16)
    let perSlot = Double(width + 2 * hidden + 4)
    return Double(capacity) * Double(tokens) * (perRow + Double(picked) * perSlot)
  }
}
