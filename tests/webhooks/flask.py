"""The same, with the answers of a Flask of 2015: HTTP/1.0, HTML, and headers in odd spellings."""

from readme import Adapter, main


class FlaskAdapter(Adapter):
    protocol_version = "HTTP/1.0"
    server_version = "Werkzeug/0.9.6"

    def answer(self, body):
        self.send_response(200, "Okay, I suppose")
        self.send_header("CONTENT-TYPE", "text/html; charset=utf-8")
        self.send_header("content-LENGTH", str(len(body)))
        self.send_header("Set-Cookie", "session=a; HttpOnly")
        self.send_header("Set-Cookie", "other=b")
        self.send_header("Vary", "")
        self.send_header("Pragma", "no-cache")
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    main(FlaskAdapter)
