import Reports
import Testing

@Suite struct StatisticsTests {
  @Test func mean() {
    #expect(Statistics.mean([]) == nil)
    #expect(Statistics.mean([7]) == 7)
    // (1 + 2 + 6) / 3
    #expect(Statistics.mean([1, 2, 6]) == 3)
  }

  @Test func sampleStd() {
    #expect(Statistics.sampleStd([]) == nil)
    #expect(Statistics.sampleStd([7]) == nil)
    // One deviation of −1 and one of +1: (1 + 1) / 1 = 2.
    #expect(Statistics.sampleStd([48, 50]) == 2.0.squareRoot())
    // Mean 5; squares 9 + 1 + 1 + 1 + 0 + 0 + 4 + 16 = 32, over 7.
    #expect(Statistics.sampleStd([2, 4, 4, 4, 5, 5, 7, 9]) == (32.0 / 7).squareRoot())
    #expect(Statistics.sampleStd([3, 3, 3]) == 0)
  }
}
