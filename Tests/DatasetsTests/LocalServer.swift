import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A small HTTP server on 127.0.0.1 that answers, or misbehaves, as a test says.
final class LocalServer: @unchecked Sendable {
  struct Request: Sendable {
    var path: String
    /// Names in lower case.
    var headers: [String: String]

    /// 5 from "Range: bytes=5-".
    var rangeStart: Int? {
      guard let range = headers["range"], range.hasPrefix("bytes="), range.hasSuffix("-") else {
        return nil
      }
      return Int(range.dropFirst(6).dropLast())
    }
  }

  struct Response: Sendable {
    var status = 200
    var headers: [String: String] = [:]
    var body: [UInt8] = []
    /// What Content-Length says, where it is not the body's; "-" leaves it out.
    var contentLength: String?
    /// Close the connection after so many bytes of the body.
    var breakAfter: Int?

    /// A whole file, or the rest of it from where the request says.
    static func file(
      _ content: [UInt8], _ request: Request, ranges: Bool = true, tag: String? = nil
    ) -> Response {
      var response = Response(headers: ["Content-Type": "application/octet-stream"])
      response.headers["ETag"] = tag
      let unchanged = request.headers["if-range"] == nil || request.headers["if-range"] == tag
      guard ranges, unchanged, let start = request.rangeStart else {
        response.body = content
        return response
      }
      response.status = 206
      response.headers["Content-Range"] = "bytes \(start)-\(content.count - 1)/\(content.count)"
      response.body = Array(content[start...])
      return response
    }
  }

  let port: UInt16
  private let listener: Int32
  private let handler: @Sendable (Request, Int) -> Response
  private let lock = NSLock()
  private var seen: [Request] = []

  /// - Parameter handler: the answer to a request, and the request's number from 0.
  init(_ handler: @escaping @Sendable (Request, Int) -> Response) throws {
    self.handler = handler
    #if canImport(Glibc)
      listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #else
      listener = socket(AF_INET, SOCK_STREAM, 0)
    #endif
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listener = listener
    let isUp = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        // Port 0: the system picks a free one.
        bind(listener, address, length) == 0 && listen(listener, 16) == 0
          && getsockname(listener, address, &length) == 0
      }
    }
    guard isUp else { throw POSIXError(.EADDRNOTAVAIL) }
    port = UInt16(bigEndian: address.sin_port)
    Thread.detachNewThread { [self] in acceptConnections() }
  }

  func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

  /// The folder's address, with a slash at its end.
  var address: String { "http://127.0.0.1:\(port)/" }

  var requests: [Request] { lock.withLock { seen } }

  private func acceptConnections() {
    while true {
      let connection = accept(listener, nil, nil)
      guard connection >= 0 else { break }
      Thread.detachNewThread { [self] in
        answer(connection)
        shutdown(connection, Int32(SHUT_RDWR))
        close(connection)
      }
    }
    close(listener)
  }

  private func answer(_ connection: Int32) {
    var text = [UInt8]()
    var buffer = [UInt8](repeating: 0, count: 4096)
    while !String(decoding: text, as: UTF8.self).contains("\r\n\r\n") {
      let count = recv(connection, &buffer, buffer.count, 0)
      guard count > 0 else { return }
      text += buffer[..<count]
    }
    let lines = String(decoding: text, as: UTF8.self).components(separatedBy: "\r\n")
    let words = lines[0].split(separator: " ")
    guard words.count == 3 else { return }
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      headers[line[..<colon].lowercased()] = line[line.index(after: colon)...]
        .trimmingCharacters(in: .whitespaces)
    }
    let request = Request(path: String(words[1]), headers: headers)
    let number = lock.withLock {
      seen.append(request)
      return seen.count - 1
    }
    let response = handler(request, number)
    var head = "HTTP/1.1 \(response.status) Answer\r\nConnection: close\r\n"
    let declared = response.contentLength ?? String(response.body.count)
    if declared != "-" { head += "Content-Length: \(declared)\r\n" }
    for (name, value) in response.headers { head += "\(name): \(value)\r\n" }
    let body = response.body.prefix(response.breakAfter ?? response.body.count)
    send(connection, Array((head + "\r\n").utf8) + body)
  }

  private func send(_ connection: Int32, _ bytes: [UInt8]) {
    #if canImport(Glibc)
      let flags = Int32(MSG_NOSIGNAL)
    #else
      var on: Int32 = 1
      setsockopt(connection, SOL_SOCKET, SO_NOSIGPIPE, &on, socklen_t(MemoryLayout<Int32>.size))
      let flags: Int32 = 0
    #endif
    bytes.withUnsafeBytes { buffer in
      var done = 0
      while done < buffer.count {
        #if canImport(Glibc)
          let count = Glibc.send(connection, buffer.baseAddress! + done, buffer.count - done, flags)
        #else
          let count = Darwin.send(
            connection, buffer.baseAddress! + done, buffer.count - done, flags)
        #endif
        guard count > 0 else { return }
        done += count
      }
    }
  }
}
