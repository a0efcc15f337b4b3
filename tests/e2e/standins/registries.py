"""Package registries with one small package each: a simple index for pip, an npm registry, a Go module proxy, a cargo
registry (sparse index), an apt repository. Each speaks its tool's real protocol, for reading."""

import base64
import functools
import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile
import zipfile

ZIP_TIME = (2020, 1, 1, 0, 0, 0)


def gzipped_tar(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, ZIP_TIME), text)
    return out.getvalue()


def binary(server, path, data):
    server.route(path)(lambda request, connection: connection.respond(
        200, data, content_type="application/octet-stream"))


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
    return zipped(files)


def add_simple_index(server, prefix=""):
    """https://HOST/PREFIX/simple/weir-sample/ on `server`, as HTML or JSON by what the client asks for (PEP 503, PEP 691)."""
    data = wheel()
    digest = hashlib.sha256(data).hexdigest()
    name = "weir_sample-1.0-py3-none-any.whl"
    url = f"{prefix}/files/{name}"
    json_type = "application/vnd.pypi.simple.v1+json"

    @server.route(f"{prefix}/simple/weir-sample/")
    def project(request, connection):
        if json_type in (request.get("accept") or ""):
            connection.respond(200, json.dumps({"meta": {"api-version": "1.0"}, "name": "weir-sample", "files": [
                {"filename": name, "url": url, "hashes": {"sha256": digest}}]}), content_type=json_type)
        else:
            connection.respond(200, f'<!DOCTYPE html><html><body><a href="{url}#sha256={digest}">{name}</a></body></html>',
                               content_type="text/html")

    binary(server, url, data)


def add_npm_registry(server, host, prefix="", scope="weir"):
    """https://HOST/PREFIX/@SCOPE%2fsample on `server`: a scoped package, whose name has an encoded slash on the wire."""
    name = f"@{scope}/sample"
    package = json.dumps({"name": name, "version": "1.0.0", "main": "index.js"}).encode()
    tarball = gzipped_tar({"package/package.json": package, "package/index.js": b"module.exports = 42;\n"})
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(tarball).digest()).decode()
    document = {"name": name, "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": {
        "name": name, "version": "1.0.0", "main": "index.js",
        "dist": {"tarball": f"https://{host}{prefix}/{name}/-/sample-1.0.0.tgz", "integrity": integrity,
                 "shasum": hashlib.sha1(tarball).hexdigest()}}}}
    for path in (f"{prefix}/@{scope}%2fsample", f"{prefix}/@{scope}%2Fsample"):
        server.route(path)(lambda request, connection: connection.respond_json(document))
    binary(server, f"{prefix}/{name}/-/sample-1.0.0.tgz", tarball)


def add_go_proxy(server, prefix="", module="sample.test/weir"):
    """https://HOST/PREFIX on `server`: the module proxy protocol (go help goproxy) with MODULE v1.0.0."""
    mod = f"module {module}\n\ngo 1.16\n"
    start = f"{module}@v1.0.0/"
    archive = zipped({start + "go.mod": mod, start + "weir.go": "package weir\n\nconst Answer = 42\n"})
    base = f"{prefix}/{module}/@v/"
    info = {"Version": "v1.0.0", "Time": "2020-01-01T00:00:00Z"}
    server.route(base + "list")(lambda request, connection: connection.respond(200, "v1.0.0\n"))
    server.route(base + "v1.0.0.info")(lambda request, connection: connection.respond_json(info))
    server.route(base + "v1.0.0.mod")(lambda request, connection: connection.respond(200, mod))
    binary(server, base + "v1.0.0.zip", archive)


CRATE = "weir-sample"


@functools.cache  # its checksum holds for the very bytes
def crate():
    files = {
        f"{CRATE}-1.0.0/Cargo.toml": f'[package]\nname = "{CRATE}"\nversion = "1.0.0"\nedition = "2018"\n'.encode(),
        f"{CRATE}-1.0.0/src/lib.rs": b"pub const ANSWER: u32 = 42;\n",
    }
    return gzipped_tar(files)


def crate_entry():
    """The line of the index that describes the crate."""
    return json.dumps({"name": CRATE, "vers": "1.0.0", "deps": [], "cksum": hashlib.sha256(crate()).hexdigest(),
                       "features": {}, "yanked": False}) + "\n"


def add_cargo_index(server, downloads, prefix="/index", api=None):
    """https://HOST/PREFIX/ on `server`: a sparse index whose crates are below the URL `downloads`."""
    config = {"dl": downloads, **({"api": api} if api else {})}
    server.route(f"{prefix}/config.json")(lambda request, connection: connection.respond_json(config))
    server.route(f"{prefix}/{CRATE[:2]}/{CRATE[2:4]}/{CRATE}")(
        lambda request, connection: connection.respond(200, crate_entry()))


def add_cargo_downloads(server, prefix="/crates"):
    binary(server, f"{prefix}/{CRATE}/1.0.0/download", crate())


def add_apt_repository(server, folder, prefix="/debian"):
    """http://HOST/PREFIX on `server`, suite stable, component main: the package weir-sample, made in `folder`."""
    tree = os.path.join(folder, "package")
    os.makedirs(os.path.join(tree, "DEBIAN"))
    control = ("Package: weir-sample\nVersion: 1.0\nArchitecture: all\nMaintainer: t <t@test.example>\n"
               "Description: a sample\n")
    with open(os.path.join(tree, "DEBIAN/control"), "w", encoding="utf-8") as file:
        file.write(control)
    os.chmod(os.path.join(tree, "DEBIAN"), 0o755)
    path = os.path.join(folder, "weir-sample_1.0_all.deb")
    subprocess.run(["dpkg-deb", "--root-owner-group", "--build", tree, path], check=True, capture_output=True)
    with open(path, "rb") as file:
        package = file.read()
    packages = (control + f"Filename: pool/weir-sample_1.0_all.deb\nSize: {len(package)}\n"
                f"SHA256: {hashlib.sha256(package).hexdigest()}\n\n").encode()
    architecture = subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True).stdout.strip()
    files = {f"main/binary-{architecture}/Packages": packages,
             f"main/binary-{architecture}/Packages.gz": gzip.compress(packages, mtime=0)}
    sums = "".join(f" {hashlib.sha256(data).hexdigest()} {len(data)} {name}\n" for name, data in files.items())
    release = (f"Suite: stable\nCodename: stable\nComponents: main\nArchitectures: {architecture}\n"
               f"Date: Wed, 01 Jan 2020 00:00:00 UTC\nSHA256:\n{sums}").encode()
    for name, data in {"Release": release, **files}.items():
        binary(server, f"{prefix}/dists/stable/{name}", data)
    binary(server, f"{prefix}/pool/weir-sample_1.0_all.deb", package)
