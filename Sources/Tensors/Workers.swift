import Dispatch
import Synchronization

/// Threads that share the work of one model.
///
/// Work is split into tasks by its size alone, never by the number of threads, and each task
/// writes to a place of its own: results are the same bits with any number of threads.
public struct Workers: Sendable {
  /// Threads that work at once, at least 1.
  public let count: Int

  public init(_ count: Int = 1) { self.count = max(1, count) }

  /// Does tasks 0 ..< `tasks`, each once, in any order, and returns when all are done.
  /// - Parameter body: given a task and who does it, from 0 to below `count`: no two tasks that run
  ///   at once have the same worker.
  public func run(_ tasks: Int, _ body: (_ task: Int, _ worker: Int) -> Void) {
    guard count > 1, tasks > 1 else {
      for task in 0..<tasks { body(task, 0) }
      return
    }
    let next = Atomic(0)
    withoutActuallyEscaping(body) { body in
      // Tasks write to places of their own, and this returns only when all are done.
      nonisolated(unsafe) let body = body
      DispatchQueue.concurrentPerform(iterations: min(count, tasks)) { worker in
        while true {
          let task = next.wrappingAdd(1, ordering: .relaxed).oldValue
          if task >= tasks { return }
          body(task, worker)
        }
      }
    }
  }
}
