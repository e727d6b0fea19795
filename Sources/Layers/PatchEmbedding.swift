import Tensors

/// Images to tokens: each square of pixels is projected, a learned class token stands before them,
/// and every token has a learned position added.
///
/// Tensor names are the reference's: `cls` [1, D], `pos_embed` [T, D], `patch_embed.weight` [D, P],
/// `patch_embed.bias` [D] with P = 3·patch².
public final class PatchEmbedding {
  public let classToken: Parameter
  public let positions: Parameter
  private let projection: Linear
  private let sizes: BlockSizes
  private let patch: Int
  /// The squares, channel by channel and row by row, [N, P]; zeros for the class tokens.
  private let patches: Tensor

  /// Of an image.
  public static let side = 32
  public static let channels = 3

  /// T.
  public static func tokens(patch: Int) -> Int { 1 + (side / patch) * (side / patch) }

  public init(patch: Int, sizes: BlockSizes, kernels: Kernels) {
    self.patch = patch
    self.sizes = sizes
    func parameter(_ name: String, _ rows: Int) -> Parameter {
      Parameter(
        name: name, value: Tensor(rows, sizes.width), gradient: Tensor(rows, sizes.width))
    }
    classToken = parameter("cls", 1)
    positions = parameter("pos_embed", sizes.tokens)
    projection = Linear(
      name: "patch_embed", inputs: Self.channels * patch * patch, outputs: sizes.width,
      kernels: kernels)
    patches = Tensor(sizes.rows, Self.channels * patch * patch)
  }

  public var parameters: [Parameter] { [classToken, positions] + projection.parameters }

  /// - Parameters:
  ///   - images: [B, row distance], each row channel after channel of 32×32.
  ///   - x: [N, D].
  public func forward(_ images: Tensor, count: Int, into x: Tensor, memory: BlockMemory) {
    let width = sizes.width
    memory.workers.run(sizes.tasks(images: count)) { task, worker in
      let scratch = memory.scratch[worker]
      scratch.clock?.start()
      let rows = sizes.rows(ofTask: task, images: count)
      for row in stride(from: rows.lowerBound, to: rows.upperBound, by: sizes.tokens) {
        cut(images.data + row / sizes.tokens * images.rowLength, row: row)
      }
      let start = x.data + rows.lowerBound * width
      projection.forward(
        patches.data + rows.lowerBound * patches.rowLength, into: start, rows: rows.count,
        scratch: scratch.packed)
      for row in stride(from: 0, to: rows.count, by: sizes.tokens) {
        let image = start + row * width
        image.update(from: classToken.value.data, count: width)
        add(positions.value.data, to: image, count: positions.value.count)
      }
      scratch.clock?.end(.embedding)
    }
  }

  /// Copies an image's squares behind the class token's row.
  private func cut(_ image: UnsafePointer<Float>, row: Int) {
    let area = Self.side * Self.side
    var target = patches.data + (row + 1) * patches.rowLength
    for top in stride(from: 0, to: Self.side, by: patch) {
      for left in stride(from: 0, to: Self.side, by: patch) {
        for channel in 0..<Self.channels {
          for y in top..<top + patch {
            target.update(from: image + channel * area + y * Self.side + left, count: patch)
            target += patch
          }
        }
      }
    }
  }

  /// Sets all gradients from ∂loss/∂x [N, D].
  public func backward(_ gradient: Tensor, count: Int, memory: BlockMemory) {
    let (width, tokens) = (sizes.width, sizes.tokens)
    positions.gradient.setZero()
    memory.workers.run(tokens + projection.weightParts) { task, worker in
      let clock = memory.scratch[worker].clock
      clock?.start()
      defer { clock?.end(.embedding) }
      guard task < tokens else {
        // Class tokens count for nothing: their rows of `patches` are zeros.
        projection.weightGradient(
          part: task - tokens, gradient.data, patches.data, rows: count * tokens)
        return
      }
      for image in 0..<count {
        add(
          gradient.data + (image * tokens + task) * width,
          to: positions.gradient.data + task * width, count: width)
      }
    }
    classToken.gradient.data.update(from: positions.gradient.data, count: width)
    guard let bias = projection.bias?.gradient else { return }
    bias.setZero()
    addColumns(
      positions.gradient.data + width, rows: tokens - 1, width: width, to: bias.data)
  }
}
