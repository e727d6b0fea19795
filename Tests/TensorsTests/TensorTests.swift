import Tensors
import TestSupport
import Testing

@Suite("Tensor")
struct TensorTests {
  @Test("starts as zeros, with as many elements as its shape has")
  func shapes() {
    for (shape, count, rows, length) in [
      ([2, 3, 4], 24, 2, 12), ([5], 5, 5, 1), ([], 1, 1, 1), ([0, 7], 0, 0, 7),
    ] {
      let tensor = Tensor(shape: shape)
      #expect(tensor.shape == shape)
      #expect(tensor.count == count)
      #expect(tensor.rows == rows)
      #expect(tensor.rowLength == length)
      #expect(tensor.values == [Float](repeating: 0, count: count))
    }
  }

  @Test(
    "memory is aligned for vectors and has room to read behind the end", arguments: [3, 600_000])
  func memory(count: Int) {
    let tensor = Tensor(count)
    #expect(Int(bitPattern: tensor.data) % 64 == 0)
    #expect((0..<Tensor.slack).allSatisfy { tensor.data[count + $0] == 0 })
  }

  @Test("copies are copies, and zeroing is complete")
  func copies() {
    let source = Tensor(shape: [2, 2], values: [1, 2, 3, 4])
    let copy = Tensor(2, 2)
    copy.copy(from: source)
    source.setZero()
    #expect(copy.values == [1, 2, 3, 4])
    #expect(source.values == [0, 0, 0, 0])
  }
}
