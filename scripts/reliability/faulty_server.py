"""A slow HTTP server that breaks off, and knows ranges."""

import http.server
import threading
import time
from contextlib import contextmanager


@contextmanager
def serving(folder, chance):
    """The address of a server of `folder`'s files; one answer in ten breaks off half-way."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            path = folder / self.path.rsplit("/", 1)[-1]
            if not path.is_file():
                return self.send_error(404)
            content = path.read_bytes()
            begin = 0
            asked = self.headers.get("Range", "")
            if asked.startswith("bytes=") and asked.endswith("-"):
                begin = int(asked[len("bytes="):-1])
            if begin >= len(content):
                return self.send_error(416)
            self.send_response(206 if begin else 200)
            self.send_header("Content-Length", str(len(content) - begin))
            if begin:
                self.send_header(
                    "Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
            self.end_headers()
            end = len(content)
            if chance.random() < 0.1:
                end = (begin + end) // 2
            step = 1 << 16
            try:
                for at in range(begin, end, step):
                    self.wfile.write(content[at:min(at + step, end)])
                    time.sleep(0.005)
            except OSError:
                pass

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
