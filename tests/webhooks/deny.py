"""A webhook that refuses everything, as the README of Powerstrip 2015 allows: with an error code."""

from readme import Adapter, main


class Denial(Adapter):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b"not on a Sunday"
        self.send_response(403)
        self.send_header("Content-type", "text/plain")
        self.send_header("Content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    main(Denial)
