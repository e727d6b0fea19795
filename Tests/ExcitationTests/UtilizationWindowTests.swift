import Excitation
import Foundation
import Testing

@Suite("Utilization over a window of batches")
struct UtilizationWindowTests {
  @Test("the mean of the last W, of fewer at the start")
  func average() {
    var window = UtilizationWindow(3)
    // Sums of eighths: exact.
    #expect(window.average(adding: [1, 0]) == [1, 0])
    #expect(window.average(adding: [0.5, 0.25]) == [0.75, 0.125])
    #expect(window.average(adding: [0, 0.5]) == [0.5, 0.25])
    // The first is forgotten: (0.5 + 0 + 1)/3, (0.25 + 0.5 + 0)/3.
    #expect(window.average(adding: [1, 0]) == [0.5, 0.25])
    #expect(window.average(adding: [2, 1]) == [1, 0.5])
  }

  @Test("W = 1 gives back the same bits", arguments: [1, 0, -3])
  func one(length: Int) {
    var window = UtilizationWindow(length)
    #expect(window.length == 1)
    for u in [[0.1, 0.7, 1.0 / 3], [0, 1, 2e-308]] {
      #expect(window.average(adding: u).map(\.bitPattern) == u.map(\.bitPattern))
    }
  }

  @Test("kept and read back it goes on the same")
  func coding() throws {
    var window = UtilizationWindow(3)
    for n in 1...4 { _ = window.average(adding: [1.0 / Double(n), Double(n) / 7]) }
    var other = try JSONDecoder().decode(
      UtilizationWindow.self, from: JSONEncoder().encode(window))
    #expect(other == window)
    #expect(other.average(adding: [0.3, 0.4]) == window.average(adding: [0.3, 0.4]))
  }
}
