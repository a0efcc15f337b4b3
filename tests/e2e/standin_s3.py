"""Stand-ins for S3 and for a service that speaks JSON as DynamoDB does. They check every signature themselves (standins/sigv4.py): what was not signed
with the right keys gets 403 and changes nothing. Each is a route for standins/server.py:

    s3 = S3(Account("AKID", "secret"))
    server = Server(authority.server_context("s3.example"), {"/": s3})
"""

import hashlib
import json
import re
import urllib.parse
from xml.sax.saxutils import escape

from standins import sigv4
from standins.sigv4 import Account, Refused  # noqa: F401  (for who uses these)

XMLNS = "http://s3.amazonaws.com/doc/2006-03-01/"


class Signed:
    """A service that lets in what is signed with the keys of its accounts; `calls` and `refused` say what happened, for tests."""

    services = ()

    def __init__(self, *accounts, now=None):
        self.accounts = {account.key_id: account for account in accounts}
        self.now = now         # seconds since 1970, for tests with a clock of their own
        self.calls = []        # (method, target, key id, the payload's kind)
        self.refused = []      # Refused

    def __call__(self, request, connection):
        body = bytearray()
        connection.read_body(request, body.extend)
        try:
            signed = sigv4.Signed(request.method, request.target, request.headers)
            if signed.service not in self.services:
                raise Refused("AuthorizationHeaderMalformed", f"signed for {signed.service}", 400)
            signed, data = sigv4.opened(request.method, request.target, request.headers, bytes(body), self.accounts.get(signed.key_id), self.now)
            kind = signed.only("x-amz-content-sha256") or ""
            self.calls.append((request.method, request.target, signed.key_id, kind if not re.fullmatch("[0-9a-f]{64}", kind) else "hash"))
            self.serve(request, connection, signed, data)
        except Refused as error:
            self.refused.append(error)
            self.refuse(request, connection, error)
        except (KeyError, ValueError) as error:  # rubbish in the place of a signature
            self.refused.append(Refused("InvalidRequest", repr(error), 400))
            self.refuse(request, connection, self.refused[-1])


class S3(Signed):
    """Objects by (bucket, key), addressed by path (/bucket/key), or by host where `bucket` is given. Objects, ranges, listing, parts."""

    services = ("s3",)

    def __init__(self, *accounts, bucket=None, now=None):
        super().__init__(*accounts, now=now)
        self.bucket = bucket
        self.objects = {}  # (bucket, key): (data, {x-amz-meta-* and Content-Type})
        self.uploads = {}  # upload id: (bucket, key, headers, {part number: data})

    def refuse(self, request, connection, error):
        text = f"<?xml version=\"1.0\"?><Error><Code>{error.code}</Code><Message>{escape(error.message)}</Message></Error>"
        answer(request, connection, error.status, text.encode(), content_type="application/xml")

    def serve(self, request, connection, signed, data):
        path = urllib.parse.unquote(signed.path)
        bucket, _, key = (self.bucket + path if self.bucket else path[1:]).partition("/")
        query = {name.decode(): value.decode() for name, value in signed.pairs}
        if not key:
            return self.bucket_call(request, connection, bucket, query)
        operation = getattr(self, "upload_" + request.method.lower()) if "uploads" in query or "uploadId" in query else getattr(self, request.method.lower())
        return operation(request, connection, bucket, key, query, data)

    def bucket_call(self, request, connection, bucket, query):
        if request.method == "GET":
            found = sorted((key, data) for (b, key), (data, _) in self.objects.items() if b == bucket and key.startswith(query.get("prefix", "")))
            items = "".join(f"<Contents><Key>{escape(key)}</Key><Size>{len(data)}</Size></Contents>" for key, data in found)
            text = f"<ListBucketResult xmlns=\"{XMLNS}\"><Name>{bucket}</Name><KeyCount>{len(found)}</KeyCount><IsTruncated>false</IsTruncated>{items}</ListBucketResult>"
            return answer(request, connection, 200, text.encode(), content_type="application/xml")
        return answer(request, connection)

    def keep(self, bucket, key, headers, data):
        kept = {name.lower(): value for name, value in headers if name.lower().startswith("x-amz-meta-") or name.lower() == "content-type"}
        self.objects[bucket, key] = (data, kept)
        return '"' + hashlib.md5(data).hexdigest() + '"'

    def put(self, request, connection, bucket, key, query, data):
        answer(request, connection, headers=[("ETag", self.keep(bucket, key, request.headers, data))])

    def get(self, request, connection, bucket, key, query, data):
        if (bucket, key) not in self.objects:
            raise Refused("NoSuchKey", key, 404)
        data, kept = self.objects[bucket, key]
        headers = [("ETag", '"' + hashlib.md5(data).hexdigest() + '"'), *((n, v) for n, v in kept.items() if n != "content-type")]
        kind = kept.get("content-type", "binary/octet-stream")
        part = re.fullmatch(r"bytes=(\d+)-(\d*)", request.get("range") or "")
        if not part:
            return answer(request, connection, 200, data, headers, kind)
        first, last = int(part[1]), min(int(part[2] or len(data)), len(data) - 1)
        return answer(request, connection, 206, data[first:last + 1], [*headers, ("Content-Range", f"bytes {first}-{last}/{len(data)}")], kind)

    head = get

    def delete(self, request, connection, bucket, key, query, data):
        self.objects.pop((bucket, key), None)
        answer(request, connection, 204)

    def upload_post(self, request, connection, bucket, key, query, data):
        if "uploads" in query:
            upload = f"upload{len(self.uploads) + 1}"
            self.uploads[upload] = (bucket, key, request.headers, {})
            text = f"<InitiateMultipartUploadResult xmlns=\"{XMLNS}\"><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"
        else:
            bucket, key, headers, parts = self.uploads.pop(query["uploadId"])
            tag = self.keep(bucket, key, headers, b"".join(data for _, data in sorted(parts.items())))
            text = f"<CompleteMultipartUploadResult xmlns=\"{XMLNS}\"><ETag>{escape(tag)}</ETag></CompleteMultipartUploadResult>"
        answer(request, connection, 200, text.encode(), content_type="application/xml")

    def upload_put(self, request, connection, bucket, key, query, data):
        self.uploads[query["uploadId"]][3][int(query["partNumber"])] = data
        answer(request, connection, headers=[("ETag", '"' + hashlib.md5(data).hexdigest() + '"')])

    def upload_delete(self, request, connection, bucket, key, query, data):
        self.uploads.pop(query["uploadId"], None)
        answer(request, connection, 204)


class JsonTable(Signed):
    """PutItem and GetItem of one table whose key is "id"."""

    services = ("dynamodb",)

    def __init__(self, *accounts, now=None):
        super().__init__(*accounts, now=now)
        self.items = {}

    def refuse(self, request, connection, error):
        code = {"SignatureDoesNotMatch": "InvalidSignatureException", "InvalidAccessKeyId": "UnrecognizedClientException"}.get(error.code, error.code)
        self.say(request, connection, {"__type": "com.amazon.coral.service#" + code, "message": error.message}, error.status)

    def say(self, request, connection, value, status=200):
        answer(request, connection, status, json.dumps(value).encode(), content_type="application/x-amz-json-1.0")

    def serve(self, request, connection, signed, data):
        asked = json.loads(data)
        operation = (request.get("x-amz-target") or "").partition(".")[2]
        if operation == "PutItem":
            self.items[asked["Item"]["id"]["S"]] = asked["Item"]
            return self.say(request, connection, {})
        if operation == "GetItem":
            item = self.items.get(asked["Key"]["id"]["S"])
            return self.say(request, connection, {"Item": item} if item else {})
        raise Refused("UnknownOperationException", operation, 400)


def answer(request, connection, status=200, body=b"", headers=(), content_type="text/plain"):
    if request.method == "HEAD":
        lines = [f"HTTP/1.1 {status} -", f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *(f"{n}: {v}" for n, v in headers)]
        return connection.send("\r\n".join(lines).encode() + b"\r\n\r\n")
    return connection.respond(status, body, headers, content_type, reason="-")
