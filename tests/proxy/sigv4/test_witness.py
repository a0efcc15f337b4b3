"""Requests that a client signed with keys A, signed anew by weir with keys B, must be what an independent signer makes of them with B: botocore
for heads and presigned addresses, tests/e2e/standins/sigv4.py for chunks, which botocore does not sign."""

import datetime
import hashlib
import json
import os
import random
import subprocess
import sys
import unittest
import urllib.parse

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../e2e"))
from standins import sigv4  # noqa: E402

PROGRAM = os.environ["WEIR_SIGV4_RESIGN"]
NOW = datetime.datetime(2026, 1, 5, 10, 11, 12)
UNIX = int(NOW.replace(tzinfo=datetime.timezone.utc).timestamp())
STAMP = NOW.strftime("%Y%m%dT%H%M%SZ")
SEED = int(os.environ.get("WEIR_TEST_SEED", "20260105"))
HOSTS = {"s3": ["bucket.s3.eu-central-1.amazonaws.com", "s3.eu-central-1.amazonaws.com", "minio.example:9000"],
         "dynamodb": ["dynamodb.eu-central-1.amazonaws.com"], "execute-api": ["abc123.execute-api.us-east-1.amazonaws.com"],
         "sts": ["sts.amazonaws.com", "sts.eu-west-1.amazonaws.com:8443"]}
REGIONS = ["eu-central-1", "us-east-1", "us-gov-west-1", "auto"]
CLEAN = "azAZ09-_.~"
ODD = " !$&'()*+,;=:@%/?#\"<>[]^`{|}\\äß€\u3042\x01"


class FixedTime(datetime.datetime):
    @classmethod
    def utcnow(cls):
        return NOW


class FixedModule:
    datetime = FixedTime


botocore.auth.datetime = FixedModule


class Weir:
    def __init__(self):
        self.process = subprocess.Popen([PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, method, url, headers, body, keys, **more):
        parts = urllib.parse.urlsplit(url)
        hexed = lambda value: (value.encode("latin-1") if isinstance(value, str) else value).hex()  # noqa: E731
        asked = {"method": method, "authority": parts.netloc, "path": hexed(parts.path or "/"), "query": hexed(parts.query), "body": hexed(body),
                 "headers": [[hexed(n), hexed(v)] for n, v in headers], "keys": as_value(keys), "now": UNIX, **more}
        self.process.stdin.write(json.dumps(asked).encode() + b"\n")
        self.process.stdin.flush()
        got = json.loads(self.process.stdout.readline())
        if "error" in got:
            raise AssertionError(f"{got}\n{method} {url}\n{headers}")
        plain = lambda value: bytes.fromhex(value).decode("latin-1")  # noqa: E731
        got.update(path=plain(got["path"]), query=plain(got["query"]), body=bytes.fromhex(got["body"]),
                   headers=[(plain(n), plain(v)) for n, v in got["headers"]])
        got["target"] = got["path"] + ("?" + got["query"] if got["has_query"] else "")
        got["url"] = f"{parts.scheme}://{parts.netloc}{got['target']}"
        return got

    def close(self):
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()


def as_value(keys):
    return "\n".join(part for part in (keys.access_key, keys.secret_key, keys.token) if part)


class Requests:
    """Random requests, the same for the same seed."""

    def __init__(self, rng):
        self.rng = rng

    def text(self, alphabet, longest):
        return "".join(self.rng.choice(alphabet) for _ in range(self.rng.randint(0, longest)))

    def quoted(self, longest=12):
        return urllib.parse.quote(self.text(CLEAN * 4 + ODD, longest), safe="-_.~")

    def keys(self, name):
        token = self.rng.choice([None, name + "token/" + "+=" * self.rng.randint(1, 40)])
        return Credentials(f"{name}KID{self.rng.randint(1, 999)}", f"{name}/secret+{self.rng.random()}", token)

    def path(self, service, odd):
        if service in ("dynamodb", "sts"):
            return "/"
        segment = (lambda: self.text("ab%41%2f!$&'()*+,;=:@~", 8)) if odd else self.quoted
        segments = [segment() for _ in range(self.rng.randint(0, 4))]
        # Not what begins like an authority, which urlsplit would take for one.
        path = "/" + "/".join(segments + self.rng.choice([[], [""], ["x", "..", "y"], [".", "z"]]))
        return "/x" + path if path.startswith("//") else path

    def query(self, odd):
        pairs = []
        for _ in range(self.rng.choice([0, 0, 1, 2, 5])):
            name = self.rng.choice(["a", "a", "A", "a-b", "prefix", "list-type", "uploadId", "%C3%A4", self.quoted() or "n"])
            value = self.rng.choice(["", "b", "2", "B", "%20", "%2F%2B", self.quoted()])
            if odd:
                value = self.rng.choice([value, "a+b", "%zz", "%e4", "x/y:z", "a=b=c", "(1)", "%7e"])
            pairs.append(name + "=" + value)
        if odd:
            pairs += self.rng.choice([[], ["acl"], ["", "uploads", ""]])
        self.rng.shuffle(pairs)
        return "&".join(pairs)

    def headers(self, service):
        headers = [("User-Agent", "aws-cli/2.9 Python/3.11")]
        if service == "dynamodb":
            headers += [("X-Amz-Target", "DynamoDB_20120810.GetItem"), ("Content-Type", "application/x-amz-json-1.0")]
        for name, values in (("x-amz-meta-Note", ["a  b   c", "", "plain", "\"two  spaces\""]), ("Range", ["bytes=0-9"]), ("X-Custom", ["a,b", "x   y", "tab\there"]),
                             ("Content-Type", ["text/plain;  charset=utf-8"]), ("Accept", ["*/*"])):
            if self.rng.random() < 0.4 and name not in dict(headers):
                headers.append((name, self.rng.choice(values)))
        if self.rng.random() < 0.3:
            headers += [("X-Repeated", "one"), ("x-repeated", "two   2")]
        self.rng.shuffle(headers)
        return headers

    def request(self, service, odd):
        method = {"dynamodb": "POST", "sts": self.rng.choice(["GET", "POST"])}.get(service) or self.rng.choice(["GET", "PUT", "DELETE", "HEAD", "POST"])
        body = self.rng.randbytes(self.rng.randint(0, 300)) if method in ("PUT", "POST") else b""
        query = self.query(odd)
        url = f"https://{self.rng.choice(HOSTS[service])}{self.path(service, odd)}{'?' + query if query else ''}"
        return method, url, self.headers(service), body


def signed_by_botocore(signer, method, url, headers, body, context):
    request = AWSRequest(method=method, url=url, data=body)
    for name, value in headers:
        request.headers.add_header(name, value)
    request.context.update(context)
    signer.add_auth(request)
    return request


def fields(headers):
    return sorted((name.lower(), value) for name, value in headers)


class Witness(unittest.TestCase):
    def setUp(self):
        self.weir = Weir()
        self.addCleanup(self.weir.close)

    def compare(self, number, odd, presigned):
        rng = random.Random(f"{SEED} {number} {odd} {presigned}")
        make = Requests(rng)
        service = rng.choice(["s3", "s3", "dynamodb", "execute-api", "sts"])
        region, a, b = rng.choice(REGIONS), make.keys("A"), make.keys("B")
        method, url, headers, body = make.request(service, odd)
        context = {}
        if presigned:
            body, expires = b"", rng.choice([1, 60, 3600, 604800])
            kind = botocore.auth.S3SigV4QueryAuth if service == "s3" else botocore.auth.SigV4QueryAuth
            signer = lambda keys: kind(keys, service, region, expires)  # noqa: E731
        else:
            if service == "s3":
                context = rng.choice([{}, {}, {"payload_signing_enabled": False, "has_streaming_input": True},
                                      {"checksum": {"request_algorithm": {"in": "trailer", "name": "x-amz-checksum-crc32"}}}])
                if "payload_signing_enabled" in context:
                    headers.append(("Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg=="))
            kind = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
            signer = lambda keys: kind(keys, service, region)  # noqa: E731
        by_a = signed_by_botocore(signer(a), method, url, headers, body, context)
        pinned = rng.choice([{}, {"region": region}, {"region": region, "service": service}])
        got = self.weir.ask(method, by_a.url, list(by_a.headers.items()), body, b, **pinned)
        if not odd:
            by_b = signed_by_botocore(signer(b), method, url, headers, body, context)
            self.assertEqual(got["url"], by_b.url)
            self.assertEqual(fields(got["headers"]), fields(by_b.headers.items()))
        # What goes out is signed as it stands there. An independent reader finds it right, and botocore, which takes a target as it stands.
        account = sigv4.Account(b.access_key, b.secret_key, b.token)
        host = urllib.parse.urlsplit(got["url"]).netloc
        stated = dict(fields(got["headers"])).get("x-amz-content-sha256", "")
        if not stated.startswith("STREAMING"):
            sigv4.opened(method, got["target"], [("Host", host), *got["headers"]], body, account, UNIX)
        if not presigned:
            own = ("authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256")
            again = signed_by_botocore(signer(b), method, got["url"], [h for h in got["headers"] if h[0].lower() not in own], body, context)
            self.assertEqual(fields(got["headers"]), fields(again.headers.items()))

    def compare_many(self, count, odd, presigned):
        for number in range(count):
            with self.subTest(number=number):
                self.compare(number, odd, presigned)

    def test_headers(self):
        self.compare_many(400, odd=False, presigned=False)

    def test_headers_with_odd_targets(self):
        self.compare_many(400, odd=True, presigned=False)

    def test_presigned(self):
        self.compare_many(300, odd=False, presigned=True)

    def test_presigned_with_odd_targets(self):
        self.compare_many(300, odd=True, presigned=True)

    def chunked(self, number, trailing):
        rng = random.Random(f"{SEED} chunks {number} {trailing}")
        make = Requests(rng)
        a, b = make.keys("A"), make.keys("B")
        data = rng.randbytes(rng.choice([0, 1, 100, 70000]))
        sizes, left = [], len(data)
        while left:
            sizes.append(min(left, rng.choice([1, 17, 8192, 65536])) if len(data) > 100 or left > 3 else left)
            if len(data) > 1000 and sizes[-1] == 1:
                sizes[-1] = min(left, 9000)
            left -= sizes[-1]
        kind = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" + ("-TRAILER" if trailing else "")
        trailers = [("x-amz-checksum-crc32", "wdBDMA=="), ("x-amz-checksum-sha256", "abc=")][:rng.randint(1, 2)] if trailing else None
        headers = [("Host", "b.s3.amazonaws.com"), ("X-Amz-Content-Sha256", kind), ("X-Amz-Date", STAMP), ("X-Amz-Decoded-Content-Length", str(len(data))),
                   ("Content-Encoding", "aws-chunked")]
        if trailing:
            headers.append(("X-Amz-Trailer", ",".join(name for name, _ in trailers)))
        names = ";".join(sorted(name.lower() for name, _ in headers))
        scope = f"{STAMP[:8]}/eu-central-1/s3/aws4_request"
        headers.append(("Authorization", f"AWS4-HMAC-SHA256 Credential={a.access_key}/{scope}, SignedHeaders={names}, Signature={'0' * 64}"))
        body = sigv4.chunked(data, sizes, sigv4.signing_key(a.secret_key, STAMP[:8], "eu-central-1", "s3"), STAMP, scope, "0" * 64, trailers)
        cuts = [rng.choice([1, 2, 3, 80, 5000]) for _ in range(rng.randint(0, 40))]
        got = self.weir.ask("PUT", "https://b.s3.amazonaws.com/key", headers[1:], body, b, cuts=cuts)
        self.assertEqual(len(got["body"]), len(body))
        signed, opened = sigv4.opened("PUT", got["target"], [headers[0], *got["headers"]], got["body"], sigv4.Account(b.access_key, b.secret_key, b.token), UNIX)
        self.assertEqual(opened, data)
        self.assertEqual(signed.trailers, trailers or [])
        # One octet changed on the way is found, so the witness does look.
        at = rng.randrange(len(got["body"]))
        changed = bytearray(got["body"])
        changed[at] ^= 1
        with self.assertRaises(sigv4.Refused):
            sigv4.opened("PUT", got["target"], [headers[0], *got["headers"]], bytes(changed), sigv4.Account(b.access_key, b.secret_key, b.token), UNIX)

    def test_chunks(self):
        for number in range(150):
            with self.subTest(number=number):
                self.chunked(number, trailing=False)

    def test_chunks_with_trailers(self):
        for number in range(150):
            with self.subTest(number=number):
                self.chunked(number, trailing=True)

    def test_the_witness_agrees_with_the_example_in_the_s3_reference(self):
        """The worked example of the S3 API reference: 66560 letters in chunks of 65536 octets."""
        key = sigv4.signing_key("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "20130524", "us-east-1", "s3")
        seed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
        body = sigv4.chunked(b"a" * 66560, [65536, 1024], key, "20130524T000000Z", "20130524/us-east-1/s3/aws4_request", seed)
        for signature in ("ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648", "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
                          "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"):
            self.assertIn(signature.encode(), body)


if __name__ == "__main__":
    unittest.main()
