import Layers
import Tensors
import TestSupport
import Testing

@Suite("Gradients against finite differences in Double")
struct GradientTests {
  struct Case: CustomTestStringConvertible {
    let name: String
    /// K of each layer, of 37 neurons: 4 make the sparse path, 33 the dense one.
    let winners: [Int]
    let normalized: Bool

    var testDescription: String { name }
  }

  static let cases = [
    Case(name: "one layer, sparse", winners: [4], normalized: false),
    Case(name: "one layer, dense", winners: [33], normalized: false),
    Case(name: "one layer, sparse, LayerNorm", winners: [4], normalized: true),
    Case(name: "one layer, dense, LayerNorm", winners: [33], normalized: true),
    Case(name: "three layers, sparse", winners: [4, 4, 4], normalized: false),
    Case(name: "three layers, dense", winners: [33, 33, 33], normalized: false),
    Case(name: "three layers, sparse, LayerNorm", winners: [4, 4, 4], normalized: true),
    Case(name: "three layers, dense, LayerNorm", winners: [33, 33, 33], normalized: true),
    Case(name: "sparse below dense below sparse", winners: [4, 33, 4], normalized: false),
    Case(name: "every neuron wins", winners: [37, 37], normalized: false),
    Case(name: "one neuron wins", winners: [1, 1, 1], normalized: false),
  ]

  static let (batch, inputs, width, classes) = (5, 19, 37, 5)
  /// h. With h = 1e-6 the differences are good to about 2⁻⁵³·2/h = 2e-10 by rounding and h²/6 of a
  /// third derivative of order 1 to 100 by truncation: exact, beside float32.
  static let step = 1e-6
  /// No ReLU of a winner may turn between x − h and x + h: pre-activations move by up to about ten
  /// times h.
  static let margin = 1e-4

  /// The engine's gradients are float32 sums of up to 37 products, through three layers, of up to 2
  /// in all: each rounding is 2⁻²⁴ of what it rounds, at most 1.2e-7 here, and the largest difference
  /// seen is two of them, 2.4e-7. A wrong term shows at 1e-3 and more.
  static let atol: Float = 1e-6

  @Test("every parameter of the stack, with the winners held fixed", arguments: cases)
  func agrees(facts: Case) throws {
    var seed: UInt64 = 1
    var found: (exact: [[Float]], winners: [[[Int]]])?
    // The first seed whose winners are all clear of the kink.
    while found == nil, seed < 50 {
      found = try differences(facts, seed: seed)
      if found == nil { seed += 1 }
    }
    let (exact, winners) = try #require(found)
    for name in KernelSets.all {
      let kernels = try #require(Kernels(named: name))
      let (stack, x, labels) = try make(facts, seed: seed, kernels: kernels)
      stack.forward(x, rows: Self.batch)
      #expect(stack.winners(rows: Self.batch) == winners)
      _ = stack.head.loss(targets: labels, rows: Self.batch, forTraining: true)
      stack.backward(x, rows: Self.batch)
      for (parameter, gradient) in zip(stack.parameters, exact) {
        // The gradient must be large enough to tell a wrong one.
        #expect(
          (gradient.map(\.magnitude).max() ?? 0) > 1e3 * Self.atol, "\(name): \(parameter.name)")
        expectClose(
          parameter.gradient, Tensor(shape: parameter.value.shape, values: gradient),
          atol: Self.atol, name: "\(name): gradient of \(parameter.name)")
      }
    }
  }

  private func make(
    _ facts: Case, seed: UInt64, kernels: Kernels
  ) throws -> (stack: Stack, x: Tensor, labels: [Int32]) {
    let stack = try Stack(
      inputs: Self.inputs, width: Self.width, winners: facts.winners, classes: Self.classes,
      capacity: Self.batch + 2, normalized: facts.normalized, kernels: kernels, seed: seed)
    var random = RandomStream(test: seed + 1000)
    let x = Tensor(
      shape: [Self.batch, Self.inputs], values: random.normals(Self.batch * Self.inputs))
    let labels = (0..<Self.batch).map { _ in Int32(random.below(UInt32(Self.classes))) }
    return (stack, x, labels)
  }

  /// The gradient of every parameter by central differences; nil where a kink is near.
  private func differences(
    _ facts: Case, seed: UInt64
  ) throws -> (exact: [[Float]], winners: [[[Int]]])? {
    let plain = try #require(Kernels(named: KernelSets.plain))
    let (stack, x, labels) = try make(facts, seed: seed, kernels: plain)
    stack.forward(x, rows: Self.batch)
    let winners = stack.winners(rows: Self.batch)
    let reference = ReferenceStack(
      x: (0..<Self.batch).map { row in
        (0..<Self.inputs).map { Double(x.data[row * Self.inputs + $0]) }
      }, labels: labels, winners: winners, width: Self.width, normalized: facts.normalized)
    let parameters = stack.parameters.map { $0.value.values.map { Double($0) } }
    let (mean, margin) = reference.loss(parameters)
    guard margin > Self.margin else { return nil }
    // The reference is the engine's network: float32 logits of order 1 are good to 1e-6.
    let loss = stack.head.loss(targets: labels, rows: Self.batch, forTraining: false)
    #expect((loss.mean - mean).magnitude < 1e-6)
    let exact = parameters.indices.map { index in
      centralDifferences(at: parameters[index], step: Self.step) { moved in
        var all = parameters
        all[index] = moved
        return reference.loss(all).mean
      }.map { Float($0) }
    }
    return (exact, winners)
  }
}
