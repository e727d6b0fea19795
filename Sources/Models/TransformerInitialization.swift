import Foundation
import Layers
import Tensors

/// Draws the weights of a transformer: normal with deviation 0.02, the residual projections
/// (`proj`, `w2`) divided by √(2·layers); biases 0, the norms' gains 1. Every tensor draws from a
/// stream of its own.
func initializeTransformer(
  _ parameters: [Parameter], layers: Int, seed: UInt64, workers: Workers
) {
  let tensors = parameters.map { ($0.name, $0.value) }
  workers.run(tensors.count) { index, _ in
    initialize(
      tensors[index].1, name: tensors[index].0, layers: layers,
      RandomStream(seed: seed, purpose: .initialization, index: UInt64(index)))
  }
}

private func initialize(_ tensor: Tensor, name: String, layers: Int, _ stream: RandomStream) {
  let isBias =
    tensor.shape.count == 1 || name.hasSuffix(".b1") || name.hasSuffix(".b2")
  guard !isBias else {
    if name.contains("norm"), name.hasSuffix("weight") {
      tensor.data.update(repeating: 1, count: tensor.count)
    }
    return
  }
  let scaled = name.hasSuffix("proj.weight") || name.hasSuffix("moe.w2")
  let deviation: Float = scaled ? 0.02 / Float(2 * layers).squareRoot() : 0.02
  var stream = stream
  for i in 0..<tensor.count { tensor.data[i] = stream.normal() * deviation }
}
