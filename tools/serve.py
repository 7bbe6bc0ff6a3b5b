"""The built book on http://127.0.0.1, until Ctrl-C.

python tools/serve.py [PORT]
"""

import functools
import sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HTML = Path(__file__).parents[1] / "_build" / "html"


class OwnPort(ThreadingHTTPServer):
    allow_reuse_address = sys.platform != "win32"  # there it would share a port that is in use


def serve(port):
    """None, or why not."""
    if not (HTML / "index.html").is_file():
        return "the book is not built yet: make book"
    try:
        server = OwnPort(
            ("127.0.0.1", port), functools.partial(SimpleHTTPRequestHandler, directory=HTML)
        )
    except OSError as error:
        return f"port {port} cannot be had ({error.strerror}): make serve PORT={port + 1}"
    print(f"http://127.0.0.1:{port}/book/intro.html (Ctrl-C ends it)", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()
    return None


if __name__ == "__main__":
    sys.exit(serve(int(sys.argv[1]) if sys.argv[1:] else 8000))
