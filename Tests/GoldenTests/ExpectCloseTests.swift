import Tensors
import TestSupport
import Testing

@Suite("The comparer of tensors")
struct ExpectCloseTests {
  @Test("close is |a − b| ≤ atol + rtol·|b|, with b the expected value")
  func bound() {
    // Allowed: 0.5 + 0.25·8 = 2.5 around 8.
    #expect(mismatch([10.5], [8.0], atol: 0.5, rtol: 0.25, name: "x") == nil)
    #expect(mismatch([10.75], [8.0], atol: 0.5, rtol: 0.25, name: "x")?.allowed == 2.5)
    // Around −8 it is the same; around 10.75 it would be 3.1875, were the actual value taken.
    #expect(mismatch([-10.75], [-8.0], atol: 0.5, rtol: 0.25, name: "x") != nil)
    #expect(mismatch([8.0], [10.75], atol: 0.5, rtol: 0.25, name: "x") == nil)
  }

  @Test("without an allowance only equal values are close")
  func exact() {
    #expect(mismatch([1.0, 0.0], [1.0, -0.0], atol: 0, name: "x") == nil)
    #expect(mismatch([Float(1)], [Float(1).nextUp], atol: 0, name: "x")?.count == 1)
  }

  @Test("NaN is close to nothing; infinity only to itself")
  func notFinite() {
    let nan = Double.nan
    let infinity = Double.infinity
    #expect(mismatch([nan], [1], atol: 1e9, name: "x")?.count == 1)
    #expect(mismatch([1], [nan], atol: 1e9, name: "x")?.count == 1)
    #expect(mismatch([nan], [nan], atol: 1e9, name: "x")?.count == 1)
    #expect(mismatch([infinity], [infinity], atol: 0, name: "x") == nil)
    #expect(mismatch([infinity], [-infinity], atol: 1e9, rtol: 1, name: "x")?.count == 1)
    #expect(mismatch([1], [infinity], atol: 1e9, rtol: 1, name: "x")?.count == 1)
    #expect(mismatch([infinity], [1], atol: 1e9, rtol: 1, name: "x")?.count == 1)
  }

  @Test("the message names tensor, position, both values and how many differ")
  func message() {
    // Row 1, column 2 of [2, 3] is element 5; it is off by 0.5, element 1 by only 0.25.
    let found = mismatch(
      [1, 2.25, 3, 4, 5, 6.5], [1, 2, 3, 4, 5, 6], atol: 0.125, name: "head.weight", shape: [2, 3])
    #expect(
      found?.description
        == "head.weight[1, 2] is 6.5, expected 6.0: differs by 0.5, allowed 0.125; "
        + "2 of 6 elements differ")
  }

  @Test("the worst element is the one farthest beyond its own allowance")
  func worst() {
    // Off by 2 of 11 allowed, by 0.5 of 0.101 allowed, by 0.5 of 0.11 allowed.
    let found = mismatch([102.0, 0.6, 1.5], [100.0, 0.1, 1], atol: 0.1, rtol: 0.01, name: "x")
    #expect(found?.position == [0])
    let relative = mismatch([102.0, 0.6, 1.5], [100.0, 0.1, 1], atol: 0.1, rtol: 0.1, name: "x")
    #expect(relative?.position == [1])
    // A NaN is the worst of all.
    #expect(mismatch([9, Double.nan], [1, 1], atol: 0, name: "x")?.position == [1])
  }

  @Test("empty arrays are close")
  func empty() {
    #expect(mismatch([Float](), [], atol: 0, name: "x") == nil)
  }

  @Test("expectClose records an issue for values, lengths and shapes that differ")
  func records() {
    withKnownIssue {
      expectClose([1.0], [2.0], atol: 0.5, name: "x")
    } matching: {
      $0.description.contains("x[0] is 1.0, expected 2.0: differs by 1.0")
    }
    withKnownIssue {
      expectClose([1.0], [1.0, 2.0], atol: 0.5, name: "x")
    } matching: {
      $0.description.contains("x has 1 elements, expected 2")
    }
    withKnownIssue {
      expectClose(Tensor(2, 3), Tensor(3, 2), atol: 0.5, name: "x")
    } matching: {
      $0.description.contains("x has shape [2, 3], expected [3, 2]")
    }
    #expect(expectClose(Tensor(2, 3), Tensor(2, 3), atol: 0, name: "x"))
  }
}
