import Tensors

/// Tokens of text to the residual stream: a learned vector for each token, and one for its place.
///
/// Tensor names are the reference's: `tok_embed.weight` [V, D], `pos_embed.weight` [T, D].
public final class TokenEmbedding {
  public let tokens: Parameter
  public let positions: Parameter
  private let sizes: BlockSizes
  private let vocabulary: Int
  /// The tokens of the last forward pass, [N].
  private let numbers: Indices

  /// Floats of a row whose gradient one task sums.
  private static let columnsPerTask = 64

  /// - Parameter vocabulary: V.
  public init(vocabulary: Int, sizes: BlockSizes) {
    self.sizes = sizes
    self.vocabulary = vocabulary
    tokens = Parameter(
      name: "tok_embed.weight", value: Tensor(vocabulary, sizes.width),
      gradient: Tensor(vocabulary, sizes.width), activity: RowActivity(rows: vocabulary))
    positions = Parameter(
      name: "pos_embed.weight", value: Tensor(sizes.tokens, sizes.width),
      gradient: Tensor(sizes.tokens, sizes.width))
    numbers = Indices(sizes.rows)
  }

  public var parameters: [Parameter] { [tokens, positions] }

  /// - Parameters:
  ///   - text: the tokens' numbers, each below V, as floats, [B, T].
  ///   - x: [N, D].
  public func forward(_ text: Tensor, count: Int, into x: Tensor, memory: BlockMemory) {
    let (width, length) = (sizes.width, sizes.tokens)
    memory.workers.run(sizes.tasks(images: count)) { task, worker in
      memory.scratch[worker].clock?.start()
      defer { memory.scratch[worker].clock?.end(.embedding) }
      for row in sizes.rows(ofTask: task, images: count) {
        let (sequence, place) = row.quotientAndRemainder(dividingBy: length)
        let number = Int(text.data[sequence * text.rowLength + place])
        precondition(number < vocabulary, "token \(number) of \(vocabulary)")
        numbers.data[row] = Int32(number)
        let target = x.data + row * width
        target.update(from: tokens.value.data + number * width, count: width)
        add(positions.value.data + place * width, to: target, count: width)
      }
    }
  }

  /// Sets both gradients from ∂loss/∂x [N, D]. Of the tokens' only the rows that are used now, or
  /// were used before, are touched.
  public func backward(_ gradient: Tensor, count: Int, memory: BlockMemory) {
    let (width, length) = (sizes.width, sizes.tokens)
    guard let activity = tokens.activity?.hasGradient else { return }
    for number in 0..<vocabulary where activity[number] {
      (tokens.gradient.data + number * width).update(repeating: 0, count: width)
      activity[number] = false
    }
    for row in 0..<count * length { activity[Int(numbers.data[row])] = true }
    // Rows in their order, so that no bit depends on who adds.
    let parts = (width + Self.columnsPerTask - 1) / Self.columnsPerTask
    memory.workers.run(2 * parts) { task, worker in
      memory.scratch[worker].clock?.start()
      defer { memory.scratch[worker].clock?.end(.embedding) }
      let first = task % parts * Self.columnsPerTask
      let columns = min(Self.columnsPerTask, width - first)
      if task < parts {
        for row in 0..<count * length {
          add(
            gradient.data + row * width + first,
            to: tokens.gradient.data + Int(numbers.data[row]) * width + first, count: columns)
        }
      } else {
        for place in 0..<length {
          let sum = positions.gradient.data + place * width + first
          sum.update(repeating: 0, count: columns)
          for sequence in 0..<count {
            add(
              gradient.data + (sequence * length + place) * width + first, to: sum, count: columns)
          }
        }
      }
    }
  }
}
