"""Package registries with one small package each: a simple index for pip, an npm registry."""

import base64
import hashlib
import io
import json
import tarfile
import zipfile


def wheel():
    """The bytes of weir_sample-1.0-py3-none-any.whl."""
    files = {
        "weir_sample.py": "ANSWER = 42\n",
        "weir_sample-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: weir-sample\nVersion: 1.0\n",
        "weir_sample-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n"
                                           "Tag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in files) + "weir_sample-1.0.dist-info/RECORD,,\n"
    files["weir_sample-1.0.dist-info/RECORD"] = record
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


def add_simple_index(server):
    """https://HOST/simple/weir-sample/ on `server`."""
    data = wheel()
    digest = hashlib.sha256(data).hexdigest()
    name = "weir_sample-1.0-py3-none-any.whl"
    server.route("/simple/weir-sample/")(lambda request, connection: connection.respond(
        200, f'<!DOCTYPE html><html><body><a href="/files/{name}#sha256={digest}">{name}</a></body></html>',
        content_type="text/html"))
    server.route(f"/files/{name}")(lambda request, connection: connection.respond(
        200, data, content_type="application/octet-stream"))


def add_npm_registry(server, host):
    """https://HOST/@weir%2fsample on `server`: a scoped package, whose name has an encoded slash on the wire."""
    package = json.dumps({"name": "@weir/sample", "version": "1.0.0", "main": "index.js"}).encode()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, data in {"package/package.json": package, "package/index.js": b"module.exports = 42;\n"}.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    tarball = out.getvalue()
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(tarball).digest()).decode()
    document = {"name": "@weir/sample", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": {
        "name": "@weir/sample", "version": "1.0.0", "main": "index.js",
        "dist": {"tarball": f"https://{host}/@weir/sample/-/sample-1.0.0.tgz", "integrity": integrity,
                 "shasum": hashlib.sha1(tarball).hexdigest()}}}}
    for path in ("/@weir%2fsample", "/@weir%2Fsample"):
        server.route(path)(lambda request, connection: connection.respond_json(document))
    server.route("/@weir/sample/-/sample-1.0.0.tgz")(lambda request, connection: connection.respond(
        200, tarball, content_type="application/octet-stream"))
