import Datasets
import Foundation
import Training

/// Threads of each run where as many runs as there are share `jobs` threads.
func threadsPerRun(jobs: Int, runs: Int) -> Int { max(1, jobs / max(1, min(jobs, runs))) }

/// Address space that a thread takes beside its tensors: its stack, and what the C library's
/// allocator keeps for each (glibc reserves twice 64 MB to align it).
private let threadAddressSpace = Double((8 + 128) << 20)

/// Refuses an address space so small that Foundation would trap and Dispatch wait for ever for a
/// thread that cannot start, whatever the command.
/// - Throws: `.addressSpace`.
public func checkAddressSpace() throws(RunnerError) {
  let least = Double(512 << 20)
  guard let left = ProcessMemory.addressSpaceLeft, left < least else { return }
  throw .addressSpace(name: "excite", bytes: least, left: left)
}

/// Why the machine's memory cannot hold one of `runs` runs, `jobs` at once; nil where it can.
/// - Parameter classes: of its data; nil where they are not known yet.
public func memoryShortage(
  of run: PlannedRun, classes: Int? = nil, jobs: Int, runs: Int
) -> RunnerError? {
  let needed = run.config.trainingBytes(
    classes: classes, threads: threadsPerRun(jobs: jobs, runs: runs))
  let atOnce = min(jobs, runs)
  if let left = ProcessMemory.addressSpaceLeft {
    let taken = (needed + threadAddressSpace) * Double(atOnce)
    guard taken < left else { return .addressSpace(name: run.label, bytes: taken, left: left) }
  }
  let available = Double(ProcessInfo.processInfo.physicalMemory)
  // The system and the data need some too.
  guard needed * Double(atOnce) > 0.9 * available else { return nil }
  return .tooLarge(run: run.label, bytes: needed, jobs: atOnce, available: available)
}

/// Refuses runs that this machine or a limit of this process cannot hold, `jobs` at once.
/// - Throws: `.tooLarge`, `.addressSpace`.
public func checkMemory(of runs: [PlannedRun], jobs: Int) throws(RunnerError) {
  for run in runs {
    if let shortage = memoryShortage(of: run, jobs: jobs, runs: runs.count) { throw shortage }
  }
}

/// Why the memory that is free, or a limit of this process, cannot hold a model whose steps are to be
/// timed with so many threads; nil where it can.
func memoryShortage(_ model: String, bytes: Double, threads: Int) -> RunnerError? {
  if let left = ProcessMemory.addressSpaceLeft {
    let taken = bytes + threadAddressSpace * Double(threads)
    guard taken < left else { return .addressSpace(name: model, bytes: taken, left: left) }
  }
  // The system needs some too.
  let physical = 0.9 * Double(ProcessInfo.processInfo.physicalMemory)
  let free = min(physical, ProcessMemory.available ?? physical)
  return bytes > free ? .noRoom(model: model, bytes: bytes, free: free) : nil
}

/// Bytes that timing a model's steps takes, about.
/// - Parameter inputs: of a Top-K MLP.
func benchmarkBytes(
  _ config: RunConfig, threads: Int, inputs: Int = ImageSplit.imageBytes
) -> Double {
  config.model.trainingBytes(
    inputs: inputs, classes: StepSample.outcomes(of: config), batchSize: config.batchSize,
    optimizerStates: config.optimizer.stateCount, threads: threads)
}
