import Foundation
import Optimizers
import Testing

@Suite("Learning-rate schedules by their values")
struct ScheduleTests {
  static func rates(
    _ config: ScheduleConfig, base: Double = 0.1, epochs: Int, stepsPerEpoch: Int,
    steps: [Int]
  ) -> [Double] {
    let schedule = Schedule(config, base: base, epochs: epochs, stepsPerEpoch: stepsPerEpoch)
    return steps.map { schedule.rate(step: $0) }
  }

  static func expect(
    _ found: [Double], _ expected: [Double], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    // A cosine and a few products, each good to 2⁻⁵³ of values up to 1.
    let isClose =
      found.count == expected.count
      && zip(found, expected).allSatisfy { ($0 - $1).magnitude < 1e-15 }
    #expect(isClose, "\(found), expected \(expected)", sourceLocation: sourceLocation)
  }

  /// (1 + cos(π·t))/2 at t = 0, ¼, ½, ¾: 1, (2 + √2)/4, ½, (2 − √2)/4.
  static let quarters = [1, (2 + 2.0.squareRoot()) / 4, 0.5, (2 - 2.0.squareRoot()) / 4]

  @Test("constant")
  func constant() {
    Self.expect(
      Self.rates(ScheduleConfig(.constant), epochs: 3, stepsPerEpoch: 5, steps: [0, 1, 14, 1000]),
      [0.1, 0.1, 0.1, 0.1])
  }

  @Test("cosine by epoch: every step of an epoch has its rate, 0 is reached after the last")
  func cosinePerEpoch() {
    let config = ScheduleConfig(.cosine)
    for (epoch, share) in Self.quarters.enumerated() {
      Self.expect(
        Self.rates(
          config, epochs: 4, stepsPerEpoch: 10, steps: [10 * epoch, 10 * epoch + 9]),
        [0.1 * share, 0.1 * share])
    }
    Self.expect(Self.rates(config, epochs: 4, stepsPerEpoch: 10, steps: [40, 55]), [0, 0])
    // A single epoch has one rate.
    Self.expect(Self.rates(config, epochs: 1, stepsPerEpoch: 3, steps: [0, 2]), [0.1, 0.1])
  }

  @Test("cosine by step")
  func cosinePerStep() {
    let config = ScheduleConfig(.cosine, per: .step)
    // Two epochs of two steps: t = 0, ¼, ½, ¾.
    Self.expect(
      Self.rates(config, epochs: 2, stepsPerEpoch: 2, steps: [0, 1, 2, 3, 4]),
      Self.quarters.map { 0.1 * $0 } + [0])
  }

  @Test("cosine to a floor")
  func floor() {
    // η·(0.2 + 0.8·share), and the floor itself from the end on.
    Self.expect(
      Self.rates(
        ScheduleConfig(.cosine, per: .step, floor: 0.2), base: 1, epochs: 1, stepsPerEpoch: 4,
        steps: [0, 1, 2, 3, 4, 99]),
      Self.quarters.map { 0.2 + 0.8 * $0 } + [0.2, 0.2])
  }

  @Test("warm-up rises from η/n to η over its n steps, then the schedule begins")
  func warmup() {
    // Half an epoch of ten steps: 5 steps. 3½ epochs remain.
    let perStep = ScheduleConfig(.cosine, per: .step, warmup: 0.5)
    Self.expect(
      Self.rates(perStep, base: 1, epochs: 4, stepsPerEpoch: 10, steps: [0, 1, 2, 3, 4, 5]),
      [0.2, 0.4, 0.6, 0.8, 1, 1])
    // Step 22.5 would be half way; 17.5 steps on, at step 40, all is done. At step 12: 7/35 = ⅕.
    Self.expect(
      Self.rates(perStep, base: 1, epochs: 4, stepsPerEpoch: 10, steps: [12, 40]),
      [(1 + cos(.pi / 5)) / 2, 0])

    // By epoch, the first epoch's other half is not yet past the warm-up; epoch 1 is ½ of 3½ on.
    let perEpoch = ScheduleConfig(.cosine, per: .epoch, warmup: 0.5)
    Self.expect(
      Self.rates(perEpoch, base: 1, epochs: 4, stepsPerEpoch: 10, steps: [4, 5, 9, 10, 19]),
      [1, 1, 1, (1 + cos(.pi / 7)) / 2, (1 + cos(.pi / 7)) / 2])

    // Two whole epochs of two steps, then constant.
    Self.expect(
      Self.rates(
        ScheduleConfig(.constant, warmup: 2), base: 1, epochs: 4, stepsPerEpoch: 2,
        steps: [0, 1, 2, 3, 4, 7]),
      [0.25, 0.5, 0.75, 1, 1, 1])

    // 0.2 of 7 steps is 1.4, so one step at η itself.
    Self.expect(
      Self.rates(
        ScheduleConfig(.constant, warmup: 0.2), base: 1, epochs: 1, stepsPerEpoch: 7,
        steps: [0, 1]), [1, 1])
  }

  @Test("a warm-up as long as the run leaves nothing for the cosine")
  func onlyWarmup() {
    Self.expect(
      Self.rates(
        ScheduleConfig(.cosine, warmup: 2), base: 1, epochs: 2, stepsPerEpoch: 2,
        steps: [0, 1, 2, 3, 4]), [0.25, 0.5, 0.75, 1, 0])
  }

  @Test("the default is a cosine by epoch, without warm-up, to 0")
  func defaults() {
    #expect(ScheduleConfig() == ScheduleConfig(.cosine, per: .epoch, warmup: 0, floor: 0))
  }
}
