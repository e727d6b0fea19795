#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A thread with a stack of its own, since Foundation's does not say when none could be begun.
enum WorkThread {
  /// Begins a thread that does `work` and ends.
  /// - Throws: `.noThread`, with the system's reason.
  static func start(
    stackBytes: Int, _ work: @escaping @Sendable () -> Void
  ) throws(RunnerError) {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    pthread_attr_setstacksize(&attributes, stackBytes)
    #if canImport(Darwin)
      var thread: pthread_t?
    #else
      var thread = pthread_t()
    #endif
    let box = Unmanaged.passRetained(Work(work))
    let status = pthread_create(&thread, &attributes, runWork, box.toOpaque())
    guard status == 0 else {
      box.release()
      throw .noThread(reason: String(cString: strerror(status)))
    }
  }

  fileprivate final class Work {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
}

#if canImport(Darwin)
  private func runWork(_ work: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    Unmanaged<WorkThread.Work>.fromOpaque(work).takeRetainedValue().body()
    return nil
  }
#else
  private func runWork(_ work: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let work else { return nil }
    Unmanaged<WorkThread.Work>.fromOpaque(work).takeRetainedValue().body()
    return nil
  }
#endif
