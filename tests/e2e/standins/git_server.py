"""Git over HTTP as forges serve it: `git http-backend` behind the test server."""

import os
import subprocess


class GitServer:
    """A bare repository at /org/project.git with one commit; a route for the test server."""

    def __init__(self, directory):
        self.root = directory
        self.repository = os.path.join(directory, "org", "project.git")
        work = os.path.join(directory, "work")
        self._git("init", "-q", "--bare", "-b", "main", self.repository)
        self._git("-C", self.repository, "config", "http.receivepack", "true")
        self._git("init", "-q", "-b", "main", work)
        with open(os.path.join(work, "README"), "w", encoding="utf-8") as file:
            file.write("a project\n")
        self._git("-C", work, "add", "README")
        self._git("-C", work, "commit", "-q", "-m", "Begin")
        self._git("-C", work, "push", "-q", self.repository, "main")

    def _git(self, *arguments):
        environment = {"PATH": os.environ["PATH"], "HOME": self.root, "GIT_CONFIG_NOSYSTEM": "1",
                       "GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@test.example",
                       "GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@test.example"}
        return subprocess.run(["git", *arguments], env=environment, check=True, capture_output=True, text=True).stdout

    def publish(self, name, files):
        """Another bare repository at /NAME, with one commit that holds `files` (path → text); it gives partial clones."""
        repository, work = os.path.join(self.root, name), os.path.join(self.root, "work-" + name.replace("/", "-"))
        self._git("init", "-q", "--bare", "-b", "main", repository)
        self._git("-C", repository, "config", "uploadpack.allowFilter", "true")
        self._git("init", "-q", "-b", "main", work)
        for path, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(work, path)), exist_ok=True)
            with open(os.path.join(work, path), "w", encoding="utf-8") as file:
                file.write(text)
        self._git("-C", work, "add", ".")
        self._git("-C", work, "commit", "-q", "-m", "Begin")
        self._git("-C", work, "push", "-q", repository, "main")

    def branches(self):
        return self._git("-C", self.repository, "branch", "--format", "%(refname:short)").split()

    def __call__(self, request, connection):
        body = bytearray()
        connection.read_body(request, body.extend)
        path, _, query = request.target.partition("?")
        environment = {"PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": self.root, "GIT_HTTP_EXPORT_ALL": "1",
                       "GIT_CONFIG_NOSYSTEM": "1", "HOME": self.root, "GIT_CONFIG_COUNT": "1",
                       "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
                       "REQUEST_METHOD": request.method, "PATH_INFO": path, "QUERY_STRING": query,
                       "CONTENT_TYPE": request.get("content-type") or "", "CONTENT_LENGTH": str(len(body)),
                       "HTTP_CONTENT_ENCODING": request.get("content-encoding") or "",
                       "HTTP_GIT_PROTOCOL": request.get("git-protocol") or "", "REMOTE_ADDR": "127.0.0.1"}
        environment["GIT_PROTOCOL"] = environment["HTTP_GIT_PROTOCOL"]
        done = subprocess.run(["git", "http-backend"], env=environment, input=bytes(body), capture_output=True,
                              check=False)
        head, _, answer = done.stdout.partition(b"\r\n\r\n")
        status, headers = "200 OK", []
        for line in head.decode().split("\r\n"):
            name, _, value = line.partition(": ")
            if name.lower() == "status":
                status = value
            elif name:
                headers.append((name, value))
        headers.append(("Content-Length", str(len(answer))))
        text = f"HTTP/1.1 {status}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n"
        connection.send(text.encode() + answer)
