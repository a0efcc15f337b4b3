"""AWS Signature Version 4 as a service checks it: header, presigned query, and signed chunks. Written from AWS's general reference and
the S3 API reference, and from nothing of weir's: it is the witness."""

import calendar
import hashlib
import hmac
import re
import time
import urllib.parse

S3_LIKE = ("s3", "s3express", "s3-outposts", "s3-object-lambda")
EMPTY = hashlib.sha256(b"").hexdigest()
SKEW = 900


class Refused(Exception):
    def __init__(self, code, message, status=403):
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


class Account:
    """Keys as a service knows them."""

    def __init__(self, key_id, secret, token=None):
        self.key_id, self.secret, self.token = key_id, secret, token


def encode(octets):
    return urllib.parse.quote(octets, safe="-_.~")


def signing_key(secret, date, region, service):
    key = ("AWS4" + secret).encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def hex_hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def query_pairs(query):
    """Names and values, decoded, in their order."""
    return [tuple(urllib.parse.unquote_to_bytes(part.replace("+", " ")) for part in piece.partition("=")[::2])
            for piece in query.split("&") if piece]


def canonical_query(pairs):
    return "&".join(f"{name}={value}" for name, value in sorted((encode(n), encode(v)) for n, v in pairs))


def canonical_path(path, service):
    if service in S3_LIKE:  # an encoded slash counts as it stands, as it does for botocore
        return "%2F".join(urllib.parse.quote(urllib.parse.unquote_to_bytes(piece), safe="/-_.~") for piece in re.split("%2[Ff]", path))
    kept = []
    for segment in path.split("/"):
        if segment == "..":
            kept[-1:] = []
        elif segment not in ("", "."):
            kept.append(segment)
    return urllib.parse.quote("/" + "/".join(kept) + ("/" if kept and path.endswith("/") else ""), safe="/-_.~")


def canonical_headers(headers, names):
    values = {name: [] for name in names}
    for name, value in headers:
        if name.lower() in values:
            values[name.lower()].append(" ".join(value.split()))
    missing = [name for name, found in values.items() if not found]
    if missing:
        raise Refused("SignatureDoesNotMatch", f"signed headers that are not there: {missing}")
    return "".join(f"{name}:{','.join(found)}\n" for name, found in sorted(values.items()))


class Signed:
    """One request's signature, taken apart. `target` and `headers` as they stood on the wire (headers: pairs, with Host)."""

    def __init__(self, method, target, headers):
        self.method, self.headers = method, headers
        self.path, _, query = target.partition("?")
        self.pairs = query_pairs(query)
        authorization = self.all("authorization")
        in_query = {name.decode(): value.decode() for name, value in self.pairs if name.lower().startswith(b"x-amz-")}
        self.presigned = "X-Amz-Signature" in in_query
        if len(authorization) + self.presigned != 1:
            raise Refused("AccessDenied", f"signatures: {len(authorization)} in headers, {int(self.presigned)} in the query")
        if self.presigned:
            self.credential, self.signature = in_query["X-Amz-Credential"], in_query["X-Amz-Signature"]
            self.names, self.date = in_query["X-Amz-SignedHeaders"].split(";"), in_query["X-Amz-Date"]
            self.expires, self.token = int(in_query["X-Amz-Expires"]), in_query.get("X-Amz-Security-Token")
            algorithm = in_query["X-Amz-Algorithm"]
        else:
            found = re.fullmatch(r"(\S+) Credential=(\S+), SignedHeaders=(\S+), Signature=([0-9a-f]{64})", authorization[0])
            if not found:
                raise Refused("AuthorizationHeaderMalformed", authorization[0], 400)
            algorithm, self.credential, names, self.signature = found.groups()
            self.names, self.date, self.expires = names.split(";"), self.only("x-amz-date"), None
            self.token = self.only("x-amz-security-token")
        if algorithm != "AWS4-HMAC-SHA256":
            raise Refused("AuthorizationHeaderMalformed", algorithm, 400)
        self.key_id, self.day, self.region, self.service, end = self.credential.split("/")
        if end != "aws4_request" or not self.date or self.day != self.date[:8]:
            raise Refused("AuthorizationHeaderMalformed", self.credential, 400)
        self.scope = self.credential.partition("/")[2]

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name]

    def only(self, name):
        values = self.all(name)
        if len(values) > 1:
            raise Refused("InvalidRequest", f"{name} stands {len(values)} times", 400)
        return values[0] if values else None

    def expected(self, secret, payload):
        if self.names != sorted(set(self.names)) or "host" not in self.names:
            raise Refused("SignatureDoesNotMatch", f"SignedHeaders: {self.names}")
        unsigned = {name.lower() for name, _ in self.headers if name.lower().startswith("x-amz-")} - set(self.names)
        if unsigned:
            raise Refused("AccessDenied", f"headers that were not signed: {unsigned}")
        pairs = [pair for pair in self.pairs if pair[0] != b"X-Amz-Signature"]
        request = "\n".join([self.method, canonical_path(self.path, self.service), canonical_query(pairs),
                             canonical_headers(self.headers, self.names), ";".join(self.names), payload])
        text = "\n".join(["AWS4-HMAC-SHA256", self.date, self.scope, hashlib.sha256(request.encode("latin-1")).hexdigest()])
        return hex_hmac(self.key(secret), text)

    def key(self, secret):
        return signing_key(secret, self.day, self.region, self.service)

    def check(self, account, payload, now=None):
        if account is None or self.key_id != account.key_id:
            raise Refused("InvalidAccessKeyId", self.key_id)
        if (self.token or None) != (account.token or None):
            raise Refused("InvalidToken", "the session token is not the one of these keys", 400)
        if self.expected(account.secret, payload) != self.signature:
            raise Refused("SignatureDoesNotMatch", "the signature is not the one that is calculated here")
        now = time.time() if now is None else now
        age = now - calendar.timegm(time.strptime(self.date, "%Y%m%dT%H%M%SZ"))
        if age < -SKEW or age > (self.expires if self.presigned else SKEW):
            raise Refused("RequestTimeTooSkewed" if not self.presigned else "AccessDenied", f"signed {age:.0f} s ago")


def payload_of(signed, body):
    """What stands for the payload in the canonical request."""
    stated = signed.only("x-amz-content-sha256")
    if stated is None and signed.presigned and signed.service in S3_LIKE:
        return dict(signed.pairs).get(b"X-Amz-Content-Sha256", b"UNSIGNED-PAYLOAD").decode()
    if stated is None and signed.service in S3_LIKE:
        raise Refused("InvalidRequest", "Missing required header for this request: x-amz-content-sha256", 400)
    actual = hashlib.sha256(body).hexdigest()
    if stated is None:
        return actual
    if re.fullmatch("[0-9a-f]{64}", stated) and stated != actual:
        raise Refused("XAmzContentSHA256Mismatch", f"said {stated}, is {actual}", 400)
    return stated


def open_chunks(body, key, date, scope, seed, trailing, signed_chunks=True):
    """The data and the trailers of an aws-chunked body whose signatures are right."""
    data, at, previous = b"", 0, seed

    def line():
        nonlocal at
        end = body.index(b"\r\n", at)
        found, at = body[at:end], end + 2
        return found

    try:
        while True:
            size, _, signature = line().partition(b";chunk-signature=")
            part, at = body[at:at + int(size, 16)], at + int(size, 16)
            if part and line() != b"":
                raise Refused("IncompleteBody", "a chunk does not end where its size says", 400)
            if signed_chunks:
                text = "\n".join(["AWS4-HMAC-SHA256-PAYLOAD", date, scope, previous, EMPTY, hashlib.sha256(part).hexdigest()])
                previous = hex_hmac(key, text)
                if signature != previous.encode():
                    raise Refused("SignatureDoesNotMatch", f"the chunk after {len(data)} octets")
            data += part
            if not part:
                break
        trailers = []
        while (text := line()) != b"" or (trailers and trailers[-1][1].endswith("\n")):
            name, _, value = text.partition(b":")
            trailers += [(name.decode(), value.decode())] if text else []
    except ValueError:
        raise Refused("IncompleteBody", "the chunks are not whole", 400) from None
    if at != len(body) or bool(trailers) != trailing:
        raise Refused("IncompleteBody", "something follows the last chunk, or a trailer is missing", 400)
    if trailing and signed_chunks:
        name, signature = trailers.pop()
        canonical = "".join(f"{n.lower()}:{v.strip()}\n" for n, v in sorted(trailers))
        text = "\n".join(["AWS4-HMAC-SHA256-TRAILER", date, scope, previous, hashlib.sha256(canonical.encode()).hexdigest()])
        if name.lower() != "x-amz-trailer-signature" or signature.strip() != hex_hmac(key, text):
            raise Refused("SignatureDoesNotMatch", "the trailer")
    return data, [(name, value.strip()) for name, value in trailers]


def opened(method, target, headers, body, account, now=None):
    """What the request carries, when `account` signed it: (Signed, its body without chunks). Else Refused."""
    signed = Signed(method, target, headers)
    payload = payload_of(signed, body)
    signed.check(account, payload, now)
    if not payload.startswith("STREAMING-"):
        return signed, body
    body, trailers = open_chunks(body, signed.key(account.secret), signed.date, signed.scope, signed.signature,
                                 payload.endswith("-TRAILER"), not payload.startswith("STREAMING-UNSIGNED"))
    if str(len(body)) != signed.only("x-amz-decoded-content-length"):
        raise Refused("IncompleteBody", "x-amz-decoded-content-length says something else", 400)
    signed.trailers = trailers
    return signed, body


def chunked(data, sizes, key, date, scope, seed, trailers=None):
    """An aws-chunked body, signed; `trailers`: pairs, for the form that has them."""
    out, at, previous = b"", 0, seed
    for size in [*sizes, 0]:
        part, at = data[at:at + size], at + size
        previous = hex_hmac(key, "\n".join(["AWS4-HMAC-SHA256-PAYLOAD", date, scope, previous, EMPTY, hashlib.sha256(part).hexdigest()]))
        out += b"%x;chunk-signature=%s\r\n%s" % (len(part), previous.encode(), part + b"\r\n" if part else b"")
    if trailers is None:
        return out + b"\r\n"
    canonical = "".join(f"{name}:{value}\n" for name, value in sorted(trailers))
    signature = hex_hmac(key, "\n".join(["AWS4-HMAC-SHA256-TRAILER", date, scope, previous, hashlib.sha256(canonical.encode()).hexdigest()]))
    lines = "".join(f"{name}:{value}\r\n" for name, value in trailers)
    return out + f"{lines}x-amz-trailer-signature:{signature}\r\n\r\n".encode()
