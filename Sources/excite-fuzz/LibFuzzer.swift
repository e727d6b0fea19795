#if LIBFUZZER
  import Foundation

  /// LLVM's fuzzer, which is guided by the branches that inputs reach. `scripts/reliability/fuzz.sh`
  /// builds with it.
  @_silgen_name("LLVMFuzzerRunDriver")
  private func runDriver(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
  ) -> Int32

  private nonisolated(unsafe) var reader: (any Reader)?

  /// `EXCITE_FUZZ_READER` names the reader; the arguments are libFuzzer's own.
  func runLibFuzzer() -> Never {
    let name = ProcessInfo.processInfo.environment["EXCITE_FUZZ_READER"] ?? ""
    guard let found = ReaderName(rawValue: name), let sandbox = try? Sandbox(),
      let open = try? found.open(sandbox)
    else {
      print("EXCITE_FUZZ_READER must name a reader")
      exit(64)
    }
    reader = open
    var count = CommandLine.argc
    var arguments = CommandLine.unsafeArgv
    exit(
      runDriver(&count, &arguments) { bytes, count in
        do {
          try reader?.read(Array(UnsafeBufferPointer(start: bytes, count: count)))
        } catch {
          print("\(error)")
          abort()
        }
        return 0
      })
  }
#endif
