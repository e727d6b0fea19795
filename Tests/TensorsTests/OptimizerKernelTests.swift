import CKernels
import Foundation
import Tensors
import TestSupport
import Testing

@Suite("Kernels of the six optimizers")
struct OptimizerKernelTests {
  enum Name: String, CaseIterable, CustomTestStringConvertible {
    case sgd, momentum, adam, adamw, rmsprop, adagrad

    var testDescription: String { rawValue }

    func kernel(_ kernels: Kernels) -> ExciteOptimizerKernel {
      let table = kernels.table.pointee
      switch self {
      case .sgd: return table.sgd
      case .momentum: return table.momentum
      case .adam: return table.adam
      case .adamw: return table.adamw
      case .rmsprop: return table.rmsprop
      case .adagrad: return table.adagrad
      }
    }

    var states: Int {
      switch self {
      case .sgd: 0
      case .momentum, .rmsprop, .adagrad: 1
      case .adam, .adamw: 2
      }
    }
  }

  /// The constants of one step, named for the message of a failure.
  struct Step {
    let name: String
    let constants: ExciteOptimizerStep
    let isFirst: Bool
  }

  static func steps(_ optimizer: Name) -> [Step] {
    var steps: [Step] = []
    for time in [1, 7] {
      for weightDecay in [Float(0), 0.01] {
        // Only `momentum` has more than one of these.
        let momenta: [(Float, Float, Int32)] =
          optimizer == .momentum
          ? [(0.9, 1, 0), (0.9, 0.75, 0), (0.8, 1, 1), (0, 1, 0)] : [(0, 1, 0)]
        for (momentum, keep, nesterov) in momenta {
          let (beta1, beta2) = (0.9, 0.999)
          var step = ExciteOptimizerStep()
          step.rate = 0.05
          step.weight_decay = weightDecay
          step.momentum = momentum
          step.dampening_keep = keep
          step.nesterov = nesterov
          step.first_step = time == 1 ? 1 : 0
          step.beta1 = Float(beta1)
          step.one_minus_beta1 = Float(1 - beta1)
          step.beta2 = Float(beta2)
          step.one_minus_beta2 = Float(1 - beta2)
          step.epsilon = optimizer == .adagrad ? 1e-10 : 1e-8
          step.step_size = Float(0.05 / (1 - pow(beta1, Double(time))))
          step.root_correction = Float((1 - pow(beta2, Double(time))).squareRoot())
          steps.append(
            Step(
              name: "t \(time), decay \(weightDecay), momentum \(momentum), keep \(keep), "
                + "nesterov \(nesterov)", constants: step, isFirst: time == 1))
        }
      }
    }
    return steps
  }

  /// A value with the sum of the magnitudes it was made of: rounding is a share of the second.
  struct Sum {
    var value: Double
    var size: Double

    init(_ value: Float) { (self.value, size) = (Double(value), Double(value).magnitude) }

    static func + (a: Sum, b: Sum) -> Sum {
      var sum = a
      sum.value += b.value
      sum.size += b.size
      return sum
    }

    static func * (factor: Float, a: Sum) -> Sum {
      var product = a
      product.value *= Double(factor)
      product.size *= Double(factor.magnitude)
      return product
    }

    /// Divided by a positive number that is itself nearly exact.
    static func / (a: Sum, divisor: Double) -> Sum {
      var quotient = a
      quotient.value /= divisor
      quotient.size /= divisor
      return quotient
    }
  }

  /// δ and the new states by the formulas of PyTorch's documentation, in Double.
  static func exact(
    _ name: Name, _ step: ExciteOptimizerStep, theta: Float, gradient: Float, first: Float,
    second: Float
  ) -> (delta: Sum, first: Sum?, second: Sum?) {
    let raw = Sum(gradient)
    let decayed = raw + step.weight_decay * Sum(theta)
    func square(_ g: Sum, _ old: Float, keep: Float, share: Float) -> Sum {
      var squared = g
      squared.value *= g.value
      squared.size *= g.size
      return keep * Sum(old) + share * squared
    }
    func adam(_ g: Sum) -> (delta: Sum, first: Sum, second: Sum) {
      let m = Sum(first) + step.one_minus_beta1 * (g + -1 * Sum(first))
      let v = square(g, second, keep: step.beta2, share: step.one_minus_beta2)
      let root = v.value.squareRoot() / Double(step.root_correction) + Double(step.epsilon)
      return ((-step.step_size * m) / root, m, v)
    }
    switch name {
    case .sgd:
      return (-step.rate * decayed, nil, nil)
    case .momentum:
      let buffer =
        step.first_step != 0
        ? decayed : step.momentum * Sum(first) + step.dampening_keep * decayed
      let direction = step.nesterov != 0 ? decayed + step.momentum * buffer : buffer
      return (-step.rate * direction, buffer, nil)
    case .adam:
      return adam(decayed)
    case .adamw:
      let result = adam(raw)
      let decay = -step.rate * (step.weight_decay * Sum(theta))
      return (result.delta + decay, result.first, result.second)
    case .rmsprop, .adagrad:
      let keep = name == .rmsprop ? step.beta2 : 1
      let share = name == .rmsprop ? step.one_minus_beta2 : 1
      let v = square(decayed, first, keep: keep, share: share)
      return ((-step.rate * decayed) / (v.value.squareRoot() + Double(step.epsilon)), v, nil)
    }
  }

  /// Roundings of 2⁻²⁴ that a state may be off by, as a share of the magnitudes it was made of: at
  /// most seven operations lead to one.
  static let stateRoundings = 8.0
  /// The same of δ. Its longest chain is Adam's, seven for m, eight for the root of v and its
  /// division; the decayed gradient is at least a third of its two terms here, which multiplies the
  /// relative error of v by up to 9 and of its root by 4.5.
  static let deltaRoundings = 48.0

  @Test(
    "θ + Φ·δ and the states, for every constant, length and Φ",
    arguments: Name.allCases, KernelSets.all)
  func agrees(name: Name, set: String) throws {
    let kernel = name.kernel(try #require(Kernels(named: set)))
    var random = RandomStream(test: 9)
    withEvery("n", in: Array(0...33) + [1000]) { count, place in
      withEvery("Φ", in: [Float(1), 0, 0.5, 7.25], place) { phi, place in
        for step in Self.steps(name) {
          let place = place.adding("step", step.name)
          let theta = random.normals(count)
          // Away from 0, so that the decay term, at most 0.01·6, cancels no gradient.
          let gradient = random.normals(count).map { $0 < 0 ? $0 - 0.12 : $0 + 0.12 }
          let first = step.isFirst ? theta.map { _ in 0 } : random.normals(count)
          let second = step.isFirst ? first : random.normals(count).map(\.magnitude)
          let isSquare = name == .rmsprop || name == .adagrad
          let guardedTheta = GuardedMatrix(theta)
          let guardedGradient = GuardedMatrix(gradient)
          let state1 = GuardedMatrix(isSquare ? first.map(\.magnitude) : first)
          let state2 = GuardedMatrix(second)
          var constants = step.constants
          kernel(
            &constants, phi, count, guardedTheta.data, guardedGradient.data,
            name.states > 0 ? state1.data : nil, name.states > 1 ? state2.data : nil)

          let exact = (0..<count).map { i in
            Self.exact(
              name, constants, theta: theta[i], gradient: gradient[i],
              first: isSquare ? first[i].magnitude : first[i], second: second[i])
          }
          let moved = zip(theta, exact).map { Double($0) + Double(phi) * $1.delta.value }
          expectWithin(
            guardedTheta.values, moved,
            bounds: zip(moved, exact).map { moved, exact in
              // One rounding of the sum, the others of δ; Φ = 0 leaves θ as it is.
              phi == 0
                ? 0
                : floatRounding
                  * (1.001 * moved.magnitude + Self.deltaRoundings * Double(phi) * exact.delta.size)
            }, name: "\(place): θ")
          func check(_ state: GuardedMatrix<Float>, _ exact: [Sum?], _ label: String) {
            expectWithin(
              state.values, exact.map { $0?.value ?? .nan },
              bounds: exact.map { Self.stateRoundings * floatRounding * ($0?.size ?? 0) },
              name: "\(place): \(label)")
          }
          if name.states > 0 { check(state1, exact.map(\.first), "first state") }
          if name.states > 1 { check(state2, exact.map(\.second), "second state") }
          #expect(
            [guardedTheta, guardedGradient, state1, state2].allSatisfy { $0.isIntact },
            "\(place): wrote outside its outputs")
          expectSameBits(guardedGradient.values, gradient, name: "\(place): gradient")
        }
      }
    }
  }

  /// As a neuron's that is never used do.
  @Test(
    "states that decay below the smallest normal number end, and move nothing",
    arguments: [Name.momentum, .adam, .adamw, .rmsprop], KernelSets.all)
  func statesEnd(name: Name, set: String) throws {
    let kernel = name.kernel(try #require(Kernels(named: set)))
    let steps = Self.steps(name).filter { !$0.isFirst && $0.constants.weight_decay == 0 }
    var random = RandomStream(test: 11)
    let theta = random.normals(37)
    for step in steps {
      var (moved, state1, state2) = (theta, [Float](), [Float]())
      for index in theta.indices {
        // The smallest normal number, and one from which a step leads to another.
        state1.append(index.isMultiple(of: 2) ? 0x1p-126 : 0x1p-120)
        state2.append(state1[index])
      }
      var constants = step.constants
      state1.withUnsafeMutableBufferPointer { state1 in
        state2.withUnsafeMutableBufferPointer { state2 in
          kernel(
            &constants, 1, theta.count, &moved, [Float](repeating: 0, count: theta.count),
            state1.baseAddress, name.states > 1 ? state2.baseAddress : nil)
        }
      }
      expectSameBits(moved, theta, name: step.name)
      let decays = name != .momentum || constants.momentum > 0
      for index in theta.indices {
        let isKept = !index.isMultiple(of: 2) && decays
        #expect((state1[index] > 0) == isKept, "\(step.name): \(state1[index])")
        if name.states > 1 { #expect((state2[index] > 0) == isKept, "\(step.name)") }
      }
    }
  }

  @Test(
    "the states do not depend on Φ, to the bit", arguments: Name.allCases, KernelSets.all)
  func statesIgnorePhi(name: Name, set: String) throws {
    let kernel = name.kernel(try #require(Kernels(named: set)))
    var random = RandomStream(test: 10)
    let (theta, gradient) = (random.normals(37), random.normals(37))
    let (first, second) = (random.normals(37).map(\.magnitude), random.normals(37).map(\.magnitude))
    func states(phi: Float) -> [Float] {
      var (theta, state1, state2) = (theta, first, second)
      var constants = Self.steps(name)[0].constants
      state1.withUnsafeMutableBufferPointer { state1 in
        state2.withUnsafeMutableBufferPointer { state2 in
          kernel(
            &constants, phi, gradient.count, &theta, gradient,
            name.states > 0 ? state1.baseAddress : nil, name.states > 1 ? state2.baseAddress : nil)
        }
      }
      return state1 + state2
    }
    expectSameBits(states(phi: 3.5), states(phi: 1), name: "states")
    expectSameBits(states(phi: 0), states(phi: 1), name: "states")
  }

  @Test(
    "a zero gradient without decay moves nothing in the first step",
    arguments: Name.allCases, KernelSets.all)
  func zeroGradient(name: Name, set: String) throws {
    let kernel = name.kernel(try #require(Kernels(named: set)))
    var random = RandomStream(test: 11)
    let values = random.normals(33)
    var theta = values
    let zeros = [Float](repeating: 0, count: 33)
    let (state1, state2) = (GuardedMatrix(zeros), GuardedMatrix(zeros))
    var constants = Self.steps(name)[0].constants
    // 0/(0 + ε): a division by ε, not by 0.
    kernel(
      &constants, 2, 33, &theta, zeros, name.states > 0 ? state1.data : nil,
      name.states > 1 ? state2.data : nil)
    expectSameBits(theta, values, name: "θ")
    expectSameBits(state1.values + state2.values, zeros + zeros, name: "states")
  }

  @Test(
    "gradients and parameters that are not finite do as in the plain kernel",
    arguments: Name.allCases, KernelSets.fast)
  func notFinite(name: Name, set: String) throws {
    let plain = name.kernel(try #require(Kernels(named: KernelSets.plain)))
    let fast = name.kernel(try #require(Kernels(named: set)))
    let special: [Float] = [.infinity, -.infinity, .nan, 0, 1, 1e38, -1e38]
    let pairs = special.flatMap { theta in special.map { (theta, $0) } }
    withEvery("Φ", in: [Float(1), 0, 2]) { phi, place in
      for step in Self.steps(name) {
        /// −∞, ∞ and NaN, or a stand-in for whatever is finite.
        func kinds(_ kernel: ExciteOptimizerKernel) -> [String] {
          let theta = GuardedMatrix(pairs.map(\.0))
          let states = [
            GuardedMatrix(pairs.map { _ in Float(1) }), GuardedMatrix(pairs.map { _ in 1 }),
          ]
          var constants = step.constants
          kernel(
            &constants, phi, pairs.count, theta.data, pairs.map(\.1),
            name.states > 0 ? states[0].data : nil, name.states > 1 ? states[1].data : nil)
          return (theta.values + states.flatMap(\.values)).map {
            $0.isFinite ? "finite" : $0.isNaN ? "NaN" : "\($0)"
          }
        }
        #expect(kinds(fast) == kinds(plain), "\(place.adding("step", step.name))")
      }
    }
  }
}
