import Tensors
import TestSupport
import Testing

@Suite("Kernel sets")
struct KernelsTests {
  @Test("a set is found under its own name")
  func names() throws {
    for name in KernelSets.all { #expect(try #require(Kernels(named: name)).name == name) }
    #expect(Kernels(named: "sse") == nil)
    #expect(Kernels(named: "") == nil)
  }

  @Test("baseline and plain run everywhere; the best is the first that runs")
  func best() {
    #expect(KernelSets.all.contains("baseline"))
    #expect(KernelSets.all.contains("plain"))
    #expect(Kernels.best.name == KernelSets.fast.first)
  }
}
