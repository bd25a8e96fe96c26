# SPDX-License-Identifier: MIT
"""A token server for Debian's docker-registry, with users, identity tokens and tokens that run out.

    with TokenServer(folder, users={"ann": "secret"}) as tokens:
        RegistryServer(token_server=tokens)
        … tokens.asked …                       # what it was asked for: dicts
"""

import base64
import json
import subprocess
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SERVICE = "the test's registry"
ISSUER = "the test"


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class TokenServer:
    def __init__(self, folder, users=None, identity_tokens=None, life_s=300, anonymous_pull=False):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.users = users or {}
        self.identity_tokens = identity_tokens or {}  # token -> user
        self.life_s = life_s
        self.anonymous_pull = anonymous_pull
        self.asked = []
        self.issued = []
        self._server = None
        self._thread = None
        self._openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=tokens",
                      "-keyout", "token.key", "-out", "token.crt")
        self._x5c = "".join((self.folder / "token.crt").read_text().splitlines()[1:-1])

    def _openssl(self, *args, data=None):
        return subprocess.run(["openssl", *args], cwd=self.folder, check=True, capture_output=True, input=data).stdout

    def __enter__(self):
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.tokens = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def realm(self):
        return f"http://127.0.0.1:{self._server.server_address[1]}/token"

    def registry_settings(self):
        return {"realm": self.realm, "service": SERVICE, "issuer": ISSUER,
                "rootcertbundle": str(self.folder / "token.crt")}

    def access(self, user, scopes):
        """What a user may do of what is asked: all; nobody in particular may at most pull."""
        granted = []
        for scope in scopes:
            kind, name, actions = scope.split(":", 2)
            may = actions.split(",") if user else ["pull"] if self.anonymous_pull else []
            actions = [action for action in actions.split(",") if action in may]
            granted.append({"type": kind, "name": name, "actions": actions})
        return granted

    def issue(self, user, scopes):
        now = int(time.time())
        header = {"typ": "JWT", "alg": "RS256", "x5c": [self._x5c]}
        claims = {"iss": ISSUER, "sub": user or "", "aud": SERVICE, "exp": now + self.life_s, "nbf": now - 60,
                  "iat": now, "jti": f"{time.monotonic_ns()}", "access": self.access(user, scopes)}
        text = ".".join(encode(json.dumps(part).encode()) for part in (header, claims))
        signature = self._openssl("dgst", "-sha256", "-sign", "token.key", data=text.encode())
        token = f"{text}.{encode(signature)}"
        self.issued.append(token)
        return token


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def log_message(self, *_):
        pass

    def _answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _grant(self, user, scopes, name):
        tokens = self.server.tokens
        self._answer(200, {name: tokens.issue(user, scopes), "expires_in": tokens.life_s})

    def do_GET(self):
        tokens = self.server.tokens
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        scopes = [scope for value in query.get("scope", []) for scope in value.split()]
        authorization = self.headers.get("Authorization", "")
        user = None
        if authorization:
            user, _, password = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
            if tokens.users.get(user) != password:
                return self._answer(401, {"details": "incorrect username or password"})
        tokens.asked.append({"user": user, "scopes": scopes, "how": "GET"})
        return self._grant(user, scopes, "token")

    def do_POST(self):
        tokens = self.server.tokens
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        user = tokens.identity_tokens.get(form.get("refresh_token", [""])[0])
        if form.get("grant_type") != ["refresh_token"] or user is None:
            return self._answer(400, {"error": "invalid_grant"})
        scopes = form.get("scope", [""])[0].split()
        tokens.asked.append({"user": user, "scopes": scopes, "how": "POST", "service": form.get("service")})
        return self._grant(user, scopes, "access_token")
