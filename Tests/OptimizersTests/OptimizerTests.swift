import Optimizers
import Tensors
import TestSupport
import Testing

@Suite("Optimizers with Φ")
struct OptimizerTests {
  /// Two expert layers, with weight and bias, and a head; gradients from a stream.
  final class Model {
    let parameters: [Parameter]
    private var random = RandomStream(test: 31)

    init() {
      func parameter(_ name: String, _ shape: [Int], layer: Int?) -> Parameter {
        Parameter(
          name: name, value: Tensor(shape: shape), gradient: Tensor(shape: shape),
          expertLayer: layer)
      }
      // Rows of 19 floats: more than a vector, and not a multiple of one.
      parameters = [
        parameter("layers.0.weight", [5, 19], layer: 0), parameter("layers.0.bias", [5], layer: 0),
        parameter("layers.1.weight", [3, 5], layer: 1), parameter("layers.1.bias", [3], layer: 1),
        parameter("head.weight", [4, 3], layer: nil), parameter("head.bias", [4], layer: nil),
      ]
      for parameter in parameters {
        for i in 0..<parameter.value.count { parameter.value.data[i] = random.normal() }
      }
    }

    func drawGradients() {
      for parameter in parameters {
        for i in 0..<parameter.gradient.count { parameter.gradient.data[i] = random.normal() }
      }
    }

    var values: [[Float]] { parameters.map(\.value.values) }
  }

  static let modulation: [[Float]] = [[0, 0.5, 1, 2, 3.75], [1.5, 0, 1]]

  static func config(_ name: OptimizerName, decay: Double = 0) -> OptimizerConfig {
    var config = OptimizerConfig(name, lr: 0.01)
    config.weightDecay = decay
    return config
  }

  struct Run {
    let start: [[Float]]
    let end: [[Float]]
    let state: [[[Float]]]
  }

  /// Steps with the same gradients, whatever the parameters become.
  static func run(
    _ config: OptimizerConfig, steps: Int, modulation: [[Float]]?, rate: Double? = nil,
    kernels: String
  ) throws -> Run {
    let model = Model()
    let start = model.values
    let optimizer = Optimizer(
      config, parameters: model.parameters, kernels: try #require(Kernels(named: kernels)))
    for step in 0..<steps {
      #expect(optimizer.step == step)
      model.drawGradients()
      optimizer.update(rate: rate ?? config.lr, modulation: modulation)
    }
    return Run(
      start: start, end: model.values, state: optimizer.state.map { $0.map(\.values) })
  }

  @Test(
    "experts without a gradient: what is passed over is what would have stayed the same",
    arguments: OptimizerName.allCases, [0, 0.1])
  func idleExperts(name: OptimizerName, decay: Double) {
    func run(knowsIdle: Bool) -> (values: [Float], state: [Float]) {
      let activity = RowActivity(rows: 4)
      let parameter = Parameter(
        name: "w1", value: Tensor(4, 3, 7), gradient: Tensor(4, 3, 7), expertLayer: 0,
        activity: knowsIdle ? activity : nil)
      var random = RandomStream(test: 32)
      for i in 0..<parameter.value.count { parameter.value.data[i] = random.normal() }
      let optimizer = Optimizer(
        Self.config(name, decay: decay), parameters: [parameter], workers: Workers(2))
      // Expert 1 has a gradient at first only, expert 3 never.
      for step in 0..<3 {
        parameter.gradient.setZero()
        for expert in 0..<4 {
          activity.hasGradient[expert] = expert != 3 && (expert != 1 || step == 0)
          guard activity.hasGradient[expert] else { continue }
          for i in 0..<21 { parameter.gradient.data[expert * 21 + i] = random.normal() }
        }
        optimizer.update(rate: 0.01, modulation: [[1, 0.5, 2, 3]])
      }
      return (parameter.value.values, optimizer.state.flatMap { $0.flatMap(\.values) })
    }
    let (knowing, unknowing) = (run(knowsIdle: true), run(knowsIdle: false))
    expectSameBits(knowing.values, unknowing.values, name: "\(name) weights")
    expectSameBits(knowing.state, unknowing.state, name: "\(name) state")
  }

  @Test(
    "an expert that lost its tokens stands still where δ is exactly 0, and moves on elsewhere",
    arguments: OptimizerName.allCases, [0, 0.1])
  func idleExpertMoves(name: OptimizerName, decay: Double) {
    let activity = RowActivity(rows: 2)
    let parameter = Parameter(
      name: "w1", value: Tensor(2, 5), gradient: Tensor(2, 5), expertLayer: 0, activity: activity)
    for i in 0..<10 {
      parameter.value.data[i] = 1
      parameter.gradient.data[i] = 1
    }
    let optimizer = Optimizer(Self.config(name, decay: decay), parameters: [parameter])
    for expert in 0..<2 { activity.hasGradient[expert] = true }
    optimizer.update(rate: 0.01, modulation: [[1, 1]])
    let before = parameter.value.values
    for i in 0..<5 { parameter.gradient.data[i] = 0 }
    activity.hasGradient[0] = false
    optimizer.update(rate: 0.01, modulation: [[1, 1]])
    let after = parameter.value.values
    // RMSprop keeps no momentum: without a gradient its δ is 0 too, though its state decays.
    let standsStill = decay == 0 && [.sgd, .adagrad, .rmsprop].contains(name)
    for i in 0..<5 { #expect((after[i] == before[i]) == standsStill, "\(name) \(decay)") }
    for i in 5..<10 { #expect(after[i] != before[i]) }
  }

  @Test(
    "row n moves by Φ of expert n, what is no expert by 1",
    arguments: OptimizerName.allCases, KernelSets.all)
  func scalesRows(name: OptimizerName, kernels: String) throws {
    let steps = 3
    let vanilla = try Self.run(
      Self.config(name), steps: steps, modulation: nil, kernels: kernels)
    let excited = try Self.run(
      Self.config(name), steps: steps, modulation: Self.modulation, kernels: kernels)
    let layers = Model().parameters.map(\.expertLayer)
    for (index, layer) in layers.enumerated() {
      guard let layer else {
        expectSameBits(excited.end[index], vanilla.end[index], name: "parameter \(index)")
        continue
      }
      let start = vanilla.start[index]
      let length = start.count / Self.modulation[layer].count
      var exact: [Double] = []
      var bounds: [Double] = []
      for (i, old) in start.enumerated() {
        let phi = Double(Self.modulation[layer][i / length])
        // Without decay δ does not depend on θ, so all steps scale alike.
        let delta = Double(vanilla.end[index][i]) - Double(old)
        exact.append(Double(old) + phi * delta)
        // Each step rounds θ, which is below 8 and so good to 2⁻²², in both runs.
        bounds.append(phi == 0 ? 0 : Double(steps) * (phi + 1) * 0x1p-22)
      }
      expectWithin(excited.end[index], exact, bounds: bounds, name: "parameter \(index)")
      #expect(excited.end[index] != vanilla.end[index])
    }
  }

  @Test(
    "Φ = 1 is the unmodulated optimizer, to the bit", arguments: OptimizerName.allCases,
    KernelSets.all)
  func ones(name: OptimizerName, kernels: String) throws {
    for decay in [0, 0.1] {
      let config = Self.config(name, decay: decay)
      let ones: [[Float]] = [[1, 1, 1, 1, 1], [1, 1, 1]]
      let vanilla = try Self.run(config, steps: 3, modulation: nil, kernels: kernels)
      let excited = try Self.run(config, steps: 3, modulation: ones, kernels: kernels)
      expectSameBits(
        excited.end.flatMap { $0 }, vanilla.end.flatMap { $0 }, name: "parameters, decay \(decay)")
      expectSameBits(
        excited.state.flatMap { $0.flatMap { $0 } }, vanilla.state.flatMap { $0.flatMap { $0 } },
        name: "state, decay \(decay)")
    }
  }

  @Test(
    "equal gradients leave equal states, whatever Φ", arguments: OptimizerName.allCases,
    KernelSets.all)
  func stateIgnoresPhi(name: OptimizerName, kernels: String) throws {
    // AdamW's decay does not pass through its moments, so it may be on.
    let config = Self.config(name, decay: name == .adamw ? 0.1 : 0)
    let vanilla = try Self.run(config, steps: 4, modulation: nil, kernels: kernels)
    let excited = try Self.run(config, steps: 4, modulation: Self.modulation, kernels: kernels)
    expectSameBits(
      excited.state.flatMap { $0.flatMap { $0 } }, vanilla.state.flatMap { $0.flatMap { $0 } },
      name: "state")
  }

  @Test("the states are the optimizer's own, none for Φ", arguments: OptimizerName.allCases)
  func stateSize(name: OptimizerName) {
    let parameters = Model().parameters
    let optimizer = Optimizer(Self.config(name), parameters: parameters)
    let expected: [OptimizerName: Int] = [
      .sgd: 0, .momentum: 1, .adam: 2, .adamw: 2, .rmsprop: 1, .adagrad: 1,
    ]
    for (parameter, state) in zip(parameters, optimizer.state) {
      #expect(
        state.map(\.shape) == Array(repeating: parameter.value.shape, count: expected[name] ?? -1))
    }
  }

  @Test(
    "a learning rate of 0 moves nothing, decay included, and the state goes on",
    arguments: OptimizerName.allCases, KernelSets.all)
  func rateZero(name: OptimizerName, kernels: String) throws {
    let config = Self.config(name, decay: 0.1)
    for modulation in [nil, Self.modulation] {
      let run = try Self.run(config, steps: 3, modulation: modulation, rate: 0, kernels: kernels)
      expectSameBits(run.end.flatMap { $0 }, run.start.flatMap { $0 }, name: "parameters")
      #expect(run.state.allSatisfy { $0.allSatisfy { $0.contains { $0 != 0 } } })
    }
  }

  // MARK: Worked examples

  /// One parameter θ = 2 through the given gradients.
  static func follow(
    _ config: OptimizerConfig, gradients: [Float], phi: Float? = nil, kernels: String
  ) throws -> (values: [Float], state: [Float]) {
    let parameter = Parameter(
      name: "x", value: Tensor(shape: [1], values: [2]), gradient: Tensor(1), expertLayer: 0)
    let optimizer = Optimizer(
      config, parameters: [parameter], kernels: try #require(Kernels(named: kernels)))
    let values = gradients.map { gradient in
      parameter.gradient.data[0] = gradient
      optimizer.update(rate: config.lr, modulation: phi.map { [[$0]] })
      return parameter.value.data[0]
    }
    return (values, optimizer.state[0].map { $0.data[0] })
  }

  @Test("two steps of each optimizer by hand", arguments: KernelSets.all)
  func byHand(kernels: String) throws {
    func expect(
      _ config: OptimizerConfig, _ values: [Float], state: [Float], phi: Float? = nil,
      sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      let found = try Self.follow(config, gradients: [0.5, -1], phi: phi, kernels: kernels)
      // Each step rounds a θ of about 2 by at most 2⁻²³ = 1.2e-7, and δ far less.
      expectClose(
        found.values, values, atol: 4e-7, name: config.name.rawValue,
        sourceLocation: sourceLocation)
      expectClose(
        found.state, state, atol: 4e-7, name: "\(config.name.rawValue) state",
        sourceLocation: sourceLocation)
    }
    // η = 0.1; g = 0.5, then −1.
    var sgd = OptimizerConfig(.sgd, lr: 0.1)
    try expect(sgd, [1.95, 2.05], state: [])
    // δ = −0.05, 0.1, four times.
    try expect(sgd, [1.8, 2.2], state: [], phi: 4)
    // + 0.1·θ: g = 0.7 → 1.93; −1 + 0.193 = −0.807 → 2.0107.
    sgd.weightDecay = 0.1
    try expect(sgd, [1.93, 2.0107], state: [])

    var momentum = OptimizerConfig(.momentum, lr: 0.1)
    // m = 0.5; 0.9·0.5 − 1 = −0.55.
    try expect(momentum, [1.95, 2.005], state: [-0.55])
    // Dampening skips the first step: m = 0.5; 0.45 − 0.5 = −0.05.
    momentum.dampening = 0.5
    try expect(momentum, [1.95, 1.955], state: [-0.05])
    // Nesterov: δ = −0.1·(g + 0.9·m): 0.5 + 0.45 = 0.95; −1 − 0.495 = −1.495.
    momentum.dampening = 0
    momentum.nesterov = true
    try expect(momentum, [1.905, 2.0545], state: [-0.55])

    // m̂ = 0.5, v̂ = 0.25: δ = −0.1. Then m = 0.9·0.05 − 0.1 = −0.055, m̂ = −0.055/0.19;
    // v = 0.999·0.00025 + 0.001 = 0.00124975, v̂ = v/0.001999: δ = 0.1·0.289473684/0.790685….
    let second: Float = 0.1 * (0.055 / 0.19) / (Float(0.00124975) / 0.001999).squareRoot()
    let adam = OptimizerConfig(.adam, lr: 0.1)
    try expect(adam, [1.9, 1.9 + second], state: [-0.055, 0.00124975])
    // The same, and −η·λ·θ = −0.1·0.5·2 = −0.1, then −0.1·0.5·1.8 = −0.09.
    var adamw = OptimizerConfig(.adamw, lr: 0.1)
    adamw.weightDecay = 0.5
    try expect(adamw, [1.8, 1.71 + second], state: [-0.055, 0.00124975])
    // Decay is part of δ: half of it, half of −0.2; then θ = 1.9: half of second − 0.095.
    try expect(
      adamw, [1.9, 1.9 + 0.5 * (second - 0.095)], state: [-0.055, 0.00124975], phi: 0.5)

    // v = 0.01·0.25 = 0.0025: δ = −0.1·0.5/0.05 = −1. v = 0.99·0.0025 + 0.01 = 0.012475:
    // δ = 0.1/0.111691….
    try expect(
      OptimizerConfig(.rmsprop, lr: 0.1), [1, 1 + 0.1 / Float(0.012475).squareRoot()],
      state: [0.012475])

    // Σg² = 0.25: δ = −0.1. Σg² = 1.25: δ = 0.1/√1.25.
    var adagrad = OptimizerConfig(.adagrad, lr: 0.1)
    try expect(adagrad, [1.9, 1.9 + 0.1 / Float(1.25).squareRoot()], state: [1.25])
    // A sum that starts at 0.75 is 1, then 2; η is halved by the decay of 1 in the second step:
    // δ = −0.05; 0.05/√2.
    adagrad.initialAccumulator = 0.75
    adagrad.lrDecay = 1
    try expect(adagrad, [1.95, 1.95 + 0.05 / Float(2).squareRoot()], state: [2])
  }

  @Test("only Adagrad's state starts from the initial accumulator")
  func initialAccumulator() {
    for name in OptimizerName.allCases {
      var config = Self.config(name)
      config.initialAccumulator = 0.5
      let optimizer = Optimizer(config, parameters: Model().parameters)
      let expected: Float = name == .adagrad ? 0.5 : 0
      #expect(
        optimizer.state.allSatisfy { $0.allSatisfy { $0.values.allSatisfy { $0 == expected } } })
    }
  }

  @Test("defaults are PyTorch's constants and the paper's rates")
  func defaults() {
    // Tables 1, 3 and 6: SGD 0.01, Adam, AdamW and RMSprop 1e-4; ours: momentum 0.01, Adagrad 1e-4.
    #expect(
      OptimizerName.allCases.map { OptimizerConfig($0).lr } == [0.01, 0.01, 1e-4, 1e-4, 1e-4, 1e-4])
    #expect(
      OptimizerName.allCases.map { OptimizerConfig($0).weightDecay } == [0, 0, 0, 0.01, 0, 0])
    #expect(
      OptimizerName.allCases.map { OptimizerConfig($0).epsilon }
        == [1e-8, 1e-8, 1e-8, 1e-8, 1e-8, 1e-10])
    let config = OptimizerConfig(.adam)
    #expect(
      [config.beta1, config.beta2, config.alpha, config.momentum] == [0.9, 0.999, 0.99, 0.9])
    #expect(
      [config.dampening, config.lrDecay, config.initialAccumulator] == [0, 0, 0])
    #expect(!config.nesterov)
  }
}
