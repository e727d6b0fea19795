import Tensors

/// Which tokens each expert works on. A slot is a token with one of its experts; slots are sorted
/// by expert and within one by token, so that an expert's are neighbours.
public final class Dispatch {
  /// Slots in use, S.
  public private(set) var count = 0
  /// The first slot of each expert, and S behind them, [E + 1].
  public let starts: Indices
  /// The token of each slot, [S].
  public let tokens: Indices
  /// Its weight in the token's output, [S].
  public let gates: Tensor
  /// The slot of each token's pick, −1 where the token is left out, [N, K].
  public let slots: Indices

  /// Tasks of the forward pass: so many slots of one expert.
  private(set) var taskCount = 0
  private let taskExperts: Indices
  private let taskStarts: Indices

  private let sizes: BlockSizes

  init(_ sizes: BlockSizes) {
    self.sizes = sizes
    let most = sizes.rows * sizes.picked
    starts = Indices(sizes.experts + 1)
    tokens = Indices(most)
    gates = Tensor(most)
    slots = Indices(most)
    let tasks = sizes.experts + most / BlockSizes.slotsPerTask
    taskExperts = Indices(tasks)
    taskStarts = Indices(tasks)
  }

  /// Sorts the picks of a router.
  /// - Parameters:
  ///   - rows: N.
  ///   - step: every so many-th token from the first on is worked on, the others are left out.
  func fill(_ router: Router, rows: Int, step: Int) {
    let (experts, picked, distance) = (sizes.experts, sizes.picked, router.pickDistance)
    let (starts, slots, picks) = (starts.data, slots.data, router.picks.data)
    starts.update(repeating: 0, count: experts + 1)
    for row in stride(from: 0, to: rows, by: step) {
      for j in 0..<picked { starts[Int(picks[row * distance + j]) + 1] += 1 }
    }
    for e in 0..<experts { starts[e + 1] += starts[e] }
    count = Int(starts[experts])

    if step > 1 { slots.update(repeating: -1, count: rows * picked) }
    // Each start moves on to the next expert's while its slots are given out.
    for row in stride(from: 0, to: rows, by: step) {
      for j in 0..<picked {
        let expert = Int(picks[row * distance + j])
        let slot = Int(starts[expert])
        starts[expert] += 1
        slots[row * picked + j] = Int32(slot)
        tokens.data[slot] = Int32(row)
        gates.data[slot] = router.gates.data[row * picked + j]
      }
    }
    for e in stride(from: experts, to: 0, by: -1) { starts[e] = starts[e - 1] }
    starts[0] = 0

    taskCount = 0
    for e in 0..<experts {
      for start in stride(
        from: Int(starts[e]), to: Int(starts[e + 1]), by: BlockSizes.slotsPerTask)
      {
        taskExperts.data[taskCount] = Int32(e)
        taskStarts.data[taskCount] = Int32(start)
        taskCount += 1
      }
    }
  }

  /// The expert and the slots of a task.
  func task(_ task: Int) -> (expert: Int, slots: Range<Int>) {
    let expert = Int(taskExperts.data[task])
    let start = Int(taskStarts.data[task])
    return (
      expert, start..<min(start + BlockSizes.slotsPerTask, Int(starts.data[expert + 1]))
    )
  }

  /// The slots of an expert.
  func slots(of expert: Int) -> Range<Int> {
    Int(starts.data[expert])..<Int(starts.data[expert + 1])
  }

  /// Adds to each row of y [N, D] its slots' rows of `values` [S, D], weighted by the gates or as
  /// they are.
  func combine(
    _ values: Tensor, into y: UnsafeMutablePointer<Float>, rows: Range<Int>, weighted: Bool
  ) {
    let (width, picked) = (sizes.width, sizes.picked)
    for row in rows {
      let target = y + (row - rows.lowerBound) * width
      for j in 0..<picked {
        let slot = Int(slots.data[row * picked + j])
        guard slot >= 0 else { continue }
        let value = values.data + slot * width
        if weighted {
          add(gates.data[slot], value, to: target, count: width)
        } else {
          add(value, to: target, count: width)
        }
      }
    }
  }
}
