"""A web server on this machine that gives pictures, refusals and silence, for the tests of downloads."""

import threading
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def anywhere(address):
    """In place of the check that lets public hosts through only: the test server lies on this machine."""
    return True


@contextmanager
def pictures(routes):
    """Serve {path: bytes, or a function that is given the handler}; `.asked` counts the requests.

    >>> with pictures({"/1.jpg": plain()}) as server:
    ...     Web(allowed=anywhere).get(server.url + "/1.jpg", file, max_bytes=10**6)
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # keeps connections open, as real servers do

        def do_GET(self):
            path = self.path.split("?")[0]
            with lock:
                server.asked[path] += 1
                server.agents.add(self.headers["User-Agent"])
            answer = routes.get(path)
            if callable(answer):
                return answer(self)
            reply(self, 404 if answer is None else 200, answer or b"<html>")

        def log_message(self, *_):
            pass

    lock = threading.Lock()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.asked, server.agents = Counter(), set()
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.socket.close()


def reply(handler, status, body=b"", **headers):
    handler.send_response(status)
    for name, value in {"Content-Length": len(body), **headers}.items():
        handler.send_header(name.replace("_", "-"), str(value))
    handler.end_headers()
    handler.wfile.write(body)
