import Foundation

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// One request for the rest of a file, its bytes written behind those that are there.
///
/// The session calls back on a queue of its own while `run` waits; `lock` guards what both touch.
final class HTTPTransfer: NSObject, URLSessionDataDelegate, @unchecked Sendable {
  enum Outcome {
    case complete
    /// `transient`: another try at the same source may do better.
    case failed(SourceFailure.Reason, transient: Bool)
    /// What is there is of no use with this source.
    case startOver(String)
    case unwritable(DatasetError)
  }

  private static let idleSeconds: Double = 30
  private static let reportSeconds: Double = 0.1
  /// The rate is taken over about so many seconds.
  private static let rateSeconds: Double = 3

  private let source: URL
  private let part: PartFile
  private let output: OutputFile
  private let offset: Int
  private let lock = NSLock()
  private let finished = DispatchSemaphore(value: 0)
  private var outcome: Outcome?
  private var body = 0

  init(source: URL, part: PartFile, output: OutputFile) {
    self.source = source
    self.part = part
    self.output = output
    offset = output.size
  }

  /// Body bytes of this request.
  var received: Int { lock.withLock { body } }

  /// - Parameter onProgress: bytes of the file that are there, bytes per second; on this thread.
  func run(onProgress: (Int, Double) -> Void) -> Outcome {
    let configuration = URLSessionConfiguration.ephemeral
    configuration.timeoutIntervalForRequest = Self.idleSeconds
    configuration.urlCache = nil
    configuration.httpShouldSetCookies = false
    let session = URLSession(configuration: configuration, delegate: self, delegateQueue: nil)
    defer { session.finishTasksAndInvalidate() }
    var request = URLRequest(url: source)
    request.cachePolicy = .reloadIgnoringLocalCacheData
    request.setValue(DataFetcher.userAgent, forHTTPHeaderField: "User-Agent")
    // Compressed on the way, a file would neither have its length nor could be gone on with.
    request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
    if offset > 0 {
      request.setValue("bytes=\(offset)-", forHTTPHeaderField: "Range")
      if let validator = part.validator(for: source) {
        request.setValue(validator, forHTTPHeaderField: "If-Range")
      }
    }
    session.dataTask(with: request).resume()
    var rate = 0.0
    var last = (time: DispatchTime.now().uptimeNanoseconds, bytes: 0)
    while finished.wait(timeout: .now() + Self.reportSeconds) == .timedOut {
      let now = DispatchTime.now().uptimeNanoseconds
      let (bytes, size) = lock.withLock { (body, output.size) }
      let seconds = Double(now - last.time) * 1e-9
      let current = Double(bytes - last.bytes) / seconds
      rate += (current - rate) * min(1, rate == 0 ? 1 : seconds / Self.rateSeconds)
      last = (now, bytes)
      onProgress(size, rate)
    }
    let (result, size) = lock.withLock { (outcome, output.size) }
    onProgress(size, rate)
    return result ?? .complete
  }

  // MARK: - Callbacks

  func urlSession(
    _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
    completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
  ) {
    let refused = lock.withLock {
      if outcome == nil { outcome = judge(response) }
      return outcome != nil
    }
    completionHandler(refused ? .cancel : .allow)
  }

  func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
    lock.withLock {
      guard outcome == nil else { return }
      // Some servers answer a web page with the file's own type.
      if output.size == 0, data.first == UInt8(ascii: "<") {
        outcome = .failed(.webPage(contentType: "it begins with <"), transient: false)
      } else if output.size + data.count > part.expected {
        outcome = .failed(
          .length(expected: part.expected, found: output.size + data.count), transient: false)
        discard()
      } else {
        do throws(DatasetError) {
          var failure: DatasetError?
          data.withUnsafeBytes { bytes in
            do throws(DatasetError) { try output.append(bytes) } catch { failure = error }
          }
          if let failure { throw failure }
          body += data.count
        } catch {
          outcome = .unwritable(error)
        }
      }
      if outcome != nil { dataTask.cancel() }
    }
  }

  func urlSession(
    _ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?
  ) {
    lock.withLock {
      if outcome == nil, output.size < part.expected || error != nil {
        let detail = error.map { ($0 as NSError).localizedDescription } ?? "the connection closed"
        outcome =
          task.response == nil
          ? .failed(.unreachable(detail: detail), transient: true)
          : .failed(
            .brokeOff(received: output.size, expected: part.expected, detail: detail),
            transient: true)
      }
    }
    finished.signal()
  }

  // MARK: - The answer

  /// Whether the answer is the file, or the rest of it that was asked for; nil where it is.
  private func judge(_ response: URLResponse) -> Outcome? {
    guard let answer = response as? HTTPURLResponse else {
      return .failed(.unreachable(detail: "not an HTTP answer"), transient: false)
    }
    let type = answer.value(forHTTPHeaderField: "Content-Type") ?? ""
    switch answer.statusCode {
    case 200, 206:
      if type.lowercased().hasPrefix("text/html") {
        return .failed(.webPage(contentType: type), transient: false)
      }
    case 416:
      return .startOver("the source has no bytes after \(grouped(offset))")
    // Request timeout, too early, too many requests, and the server's own troubles.
    case 408, 425, 429, 500, 502, 503, 504:
      return .failed(.status(answer.statusCode), transient: true)
    default:
      return .failed(.status(answer.statusCode), transient: false)
    }
    if answer.statusCode == 206 {
      let range = answer.value(forHTTPHeaderField: "Content-Range") ?? ""
      guard offset > 0, matches(range) else {
        return .startOver("the source answered with another range (\(range))")
      }
      return nil
    }
    let length = Int(answer.expectedContentLength)
    if length >= 0, length != part.expected {
      return .failed(.length(expected: part.expected, found: length), transient: false)
    }
    do throws(DatasetError) {
      if offset > 0 { try output.removeAllBytes() }
      let tag = answer.value(forHTTPHeaderField: "ETag")
      // A weak ETag does not promise the same bytes (RFC 9110, section 13.1.5).
      let strong = tag.flatMap { $0.hasPrefix("W/") ? nil : $0 }
      try part.writeNote(
        PartFile.Note(
          source: source.absoluteString,
          validator: strong ?? answer.value(forHTTPHeaderField: "Last-Modified")))
    } catch {
      return .unwritable(error)
    }
    return nil
  }

  /// "bytes 100-199/200" for a part of 100 and a file of 200 bytes; the total may be "*".
  private func matches(_ range: String) -> Bool {
    guard range.lowercased().hasPrefix("bytes ") else { return false }
    let parts = range.dropFirst(6).split(whereSeparator: { $0 == "-" || $0 == "/" })
    return parts.count == 3 && Int(parts[0]) == offset && Int(parts[1]) == part.expected - 1
      && (parts[2] == "*" || Int(parts[2]) == part.expected)
  }

  private func discard() {
    try? output.removeAllBytes()
  }
}
