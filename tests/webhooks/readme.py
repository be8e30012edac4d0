"""A webhook as the README of Powerstrip 2015 describes one: it changes nothing.

Usage: readme.py ADDRESS PORT
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Adapter(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        print("connected", flush=True)

    def do_POST(self):
        call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        print("called", self.path, call["Type"], flush=True)
        if call["Type"] == "pre-hook":
            request = call["ClientRequest"]
            reply = {
                "PowerstripProtocolVersion": 1,
                "ModifiedClientRequest": {
                    "Method": request["Method"],
                    "Request": request["Request"],
                    "Body": request["Body"],
                },
            }
        else:
            response = call["ServerResponse"]
            reply = {
                "PowerstripProtocolVersion": 1,
                "ModifiedServerResponse": {
                    "ContentType": response["ContentType"],
                    "Body": response["Body"],
                    "Code": response["Code"],
                },
            }
        self.answer(json.dumps(reply).encode())

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-type", "application/json")
        self.send_header("Content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def main(adapter=Adapter):
    server = ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), adapter)
    print("listening on", server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
