# SPDX-License-Identifier: MIT
"""A web server on loopback for files and git repositories, and repositories to serve.

    with WebServer(folder) as web:
        web.put("a.txt", b"hello", last_modified="Sun, 06 Nov 1994 08:49:37 GMT")
        … web.url("a.txt") …
        repository = Repository(folder / "r"); repository.commit({"f": "x"})
        repository.publish(web, "r.git")
        … web.url("r.git") …
"""

import base64
import contextlib
import http.server
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import threading
import time

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
TIME = 784111777
COMMIT_TIME = 1577934245


def make_certificate(folder):
    """A certificate for 127.0.0.1 and localhost that only who has it trusts: (certificate, key)."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    if not certificate.exists():
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=localhost",
                   "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                   "-addext", "basicConstraints=critical,CA:TRUE", "-keyout", str(key), "-out", str(certificate)]
        subprocess.run(command, check=True, capture_output=True)
    return certificate, key


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def log_message(self, *_):
        pass

    def do_GET(self):
        web = self.server.web
        path, _, query = self.path.partition("?")
        web.requests.append((self.command, self.path, dict(self.headers)))
        if web.password and self.headers.get("Authorization", "").split(" ")[-1] != web.password:
            self.answer(401, b"who are you?", {"WWW-Authenticate": 'Basic realm="here"'})
        elif path in web.redirects:
            self.answer(302, b"", {"Location": web.redirects[path]})
        elif path in web.stalled:
            self.stall()
        elif path in web.files:
            data, headers = web.files[path]
            self.answer(200, data, headers)
        elif any(path.startswith(f"/{name}/") for name in web.repositories):
            self.run_git(path, query)
        else:
            self.answer(404, b"nothing here", {})

    do_POST = do_GET

    def answer(self, status, data, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def stall(self):
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        self.wfile.write(b"x" * 1000)
        self.server.web.is_stalled.set()
        self.server.web.end.wait(120)

    def run_git(self, path, query):
        length = int(self.headers.get("Content-Length") or 0)
        env = {
            "PATH": os.environ["PATH"], "HOME": str(self.server.web.folder), "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROJECT_ROOT": str(self.server.web.folder), "PATH_INFO": path, "QUERY_STRING": query,
            "REQUEST_METHOD": self.command, "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(length), "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""), "REMOTE_ADDR": "127.0.0.1",
            "REMOTE_USER": "somebody",
        }
        if self.headers.get("Transfer-Encoding") == "chunked":
            raise NotImplementedError("chunked requests")
        done = subprocess.run(["git", "http-backend"], input=self.rfile.read(length), env=env,
                              capture_output=True, check=False)
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
        self.answer(int(headers.pop("Status", "200").split(" ")[0]), body, headers)


class WebServer:
    """Starts on entry, stops on exit. With a certificate it speaks https."""

    def __init__(self, folder, certificate=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(exist_ok=True)
        self.files, self.redirects, self.stalled, self.repositories = {}, {}, set(), set()
        self.requests = []
        self.password = None
        self.end, self.is_stalled = threading.Event(), threading.Event()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.web = self
        self.scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            self.scheme = "https"
        self.server.handle_error = lambda *_: None
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        self.server.shutdown()
        self.server.server_close()

    @property
    def port(self):
        return self.server.server_address[1]

    @property
    def host(self):
        return f"127.0.0.1:{self.port}"

    def url(self, path, user=""):
        return f"{self.scheme}://{user}{self.host}/{path}"

    def put(self, path, data, last_modified=None, **headers):
        if last_modified:
            headers["Last-Modified"] = last_modified
        self.files["/" + path] = (data if isinstance(data, bytes) else data.encode(), headers)
        return self.url(path)

    def want(self, user, password):
        self.password = base64.b64encode(f"{user}:{password}".encode()).decode()

    def seen(self, text):
        """True if a request had this anywhere."""
        return any(text in str(request) for request in self.requests)


@contextlib.contextmanager
def git_daemon(folder):
    """git's own protocol: gives "git://127.0.0.1:PORT" for the repositories below the folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # The program itself: "git daemon" would leave it behind when it is ended.
    program = pathlib.Path(git("--exec-path", cwd=folder).strip()) / "git-daemon"
    command = [program, "--reuseaddr", "--export-all", "--listen=127.0.0.1", f"--port={port}", f"--base-path={folder}"]
    process = subprocess.Popen([*command, str(folder)], stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.02)
        yield f"git://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def git(*words, cwd, **more):
    env = {
        "PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "c",
        "GIT_COMMITTER_EMAIL": "c@d", "GIT_AUTHOR_DATE": f"{COMMIT_TIME} +0000",
        "GIT_COMMITTER_DATE": f"{COMMIT_TIME} +0000", "GIT_ALLOW_PROTOCOL": "file:http:https",
    }
    command = ["git", "-c", "init.defaultBranch=main", *map(str, words)]
    done = subprocess.run(command, cwd=cwd, env={**env, **more.pop("env", {})}, capture_output=True, text=True,
                          check=False, **more)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Repository:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        git("init", "--quiet", ".", cwd=self.folder)

    def commit(self, files, message="a commit"):
        """Adds these files (name -> text; '@target' is a link; '+text' is executable); gives the commit's hash."""
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            if text.startswith("@"):
                path.symlink_to(text[1:])
            else:
                path.write_text(text.removeprefix("+"), encoding="utf-8")
                path.chmod(0o755 if text.startswith("+") else 0o644)
        git("add", "--all", cwd=self.folder)
        git("commit", "--quiet", "-m", message, cwd=self.folder)
        return self.head()

    def head(self, ref="HEAD"):
        return git("rev-parse", ref, cwd=self.folder).strip()

    def __call__(self, *words, **more):
        return git(*words, cwd=self.folder, **more)

    def publish(self, web, name):
        """A bare copy with all its refs, which the server serves under this name; gives its URL."""
        target = web.folder / name
        if target.exists():
            shutil.rmtree(target)
        git("clone", "--quiet", "--mirror", self.folder, target, cwd=self.folder)
        web.repositories.add(name)
        return web.url(name)
