"""Stand-ins for services that exchange something for a token: an OAuth2 endpoint, GitHub Apps, Google's, AWS STS. Signatures are
verified for real, by cryptography and botocore."""

import base64
import datetime
import json
import urllib.parse
from unittest import mock

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa


class RsaKey:
    def __init__(self):
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def pem(self, traditional=False):
        form = serialization.PrivateFormat.TraditionalOpenSSL if traditional else serialization.PrivateFormat.PKCS8
        return self.key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()

    def public_pem(self):
        return self.key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()

    def signed(self, claims):
        encode = lambda part: base64.urlsafe_b64encode(part).rstrip(b"=")
        text = encode(b'{"alg":"RS256","typ":"JWT"}') + b"." + encode(json.dumps(claims).encode())
        return (text + b"." + encode(self.key.sign(text, padding.PKCS1v15(), hashes.SHA256()))).decode()

    def claims(self, token):
        """What a JWT says; ValueError when it is not signed with this key by RS256."""
        head, claims, signature = token.split(".")
        decode = lambda part: base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        if json.loads(decode(head))["alg"] != "RS256":
            raise ValueError("alg")
        try:
            self.key.public_key().verify(decode(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            raise ValueError("signature") from None
        return json.loads(decode(claims))


def now():
    return datetime.datetime.now(datetime.timezone.utc)


class TokenService:
    """Routes for a Server. Each token is another and lives `seconds`; `current` and `lived` say which are good."""

    def __init__(self, seconds=3):
        self.seconds, self.asked, self.problems = seconds, 0, []
        self.tokens = {}  # token → when it ends
        self.refresh_token, self.rotates = "rt-0", False
        self.key = RsaKey()
        self.aws = {"AKIDBASE": "base secret/key"}
        self.routes = {"/oauth": self.oauth, "/app/installations/678/access_tokens": self.github, "/google": self.google, "/sts": self.sts}

    def is_good(self, token):
        return token in self.tokens and now() < self.tokens[token]

    def token(self, prefix):
        self.asked += 1
        token = f"{prefix}-{self.asked}"
        self.tokens[token] = now() + datetime.timedelta(seconds=self.seconds)
        return token

    def form(self, request, connection):
        body = []
        connection.read_body(request, body.append)
        request.body = b"".join(body)
        return dict(urllib.parse.parse_qsl(request.body.decode(), strict_parsing=True))

    def problem(self, connection, status, answer, why):
        self.problems.append(why)
        connection.respond_json(answer, status)

    def oauth(self, request, connection):
        form = self.form(request, connection)
        if form.get("grant_type") == "client_credentials":
            if request.get("authorization") != "Basic " + base64.b64encode(b"agent:cl1ent+s3cret").decode():
                return self.problem(connection, 401, {"error": "invalid_client"}, "client")
            return connection.respond_json({"access_token": self.token("at"), "token_type": "Bearer", "expires_in": self.seconds})
        if form.get("refresh_token") != self.refresh_token or form.get("client_id") != "agent":
            return self.problem(connection, 400, {"error": "invalid_grant", "error_description": "used before"}, "grant")
        answer = {"access_token": self.token("at"), "token_type": "Bearer", "expires_in": self.seconds}
        if self.rotates:
            self.refresh_token = answer["refresh_token"] = f"rt-{self.asked}"
        return connection.respond_json(answer)

    def github(self, request, connection):
        body = []
        connection.read_body(request, body.append)
        try:
            claims = self.key.claims(request.get("authorization", "").removeprefix("Bearer "))
            good = claims["iss"] == "12345" and claims["iat"] <= now().timestamp() < claims["exp"] <= now().timestamp() + 600
            good = good and json.loads(b"".join(body)) == {"repositories": ["tools"], "permissions": {"contents": "read"}} and request.get("user-agent")
        except (ValueError, KeyError) as error:
            good = self.problems.append(repr(error))
        if not good:
            return self.problem(connection, 401, {"message": "A JSON web token could not be decoded"}, "jwt")
        ends = now() + datetime.timedelta(seconds=self.seconds)
        return connection.respond_json({"token": self.token("ghs"), "expires_at": ends.strftime("%Y-%m-%dT%H:%M:%SZ")}, 201)

    def google(self, request, connection):
        form = self.form(request, connection)
        try:
            claims = self.key.claims(form["assertion"])
            good = (form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer" and claims["iss"] == "agent@project.example"
                    and claims["scope"] == "https://scope.example/a" and claims["sub"] == "anna@corp.example" and claims["aud"].endswith("/google")
                    and claims["exp"] - claims["iat"] <= 3600)
        except (ValueError, KeyError) as error:
            good = self.problems.append(repr(error))
        if not good:
            return self.problem(connection, 400, {"error": "invalid_grant", "error_description": "Invalid JWT"}, "jwt")
        return connection.respond_json({"access_token": self.token("ya29"), "token_type": "Bearer", "expires_in": self.seconds})

    def sts(self, request, connection):
        form = self.form(request, connection)
        if form["Action"] == "AssumeRole" and not is_signed(request, self.aws, "eu-central-1", "sts"):
            return self.problem(connection, 403, {"Error": {"Code": "SignatureDoesNotMatch", "Message": "no"}}, "signature")
        if form["Action"] == "AssumeRoleWithWebIdentity" and (form["WebIdentityToken"] != "web.identity.token" or request.get("authorization")):
            return self.problem(connection, 400, {"Error": {"Code": "InvalidIdentityToken", "Message": "no"}}, "identity")
        identity = self.token("ASIA").replace("-", "")
        self.aws[identity] = f"secret-of-{identity}"
        ends = now() + datetime.timedelta(seconds=self.seconds)
        keys = {"AccessKeyId": identity, "SecretAccessKey": self.aws[identity], "SessionToken": f"token-of-{identity}"}
        if "xml" in request.path:
            inner = "".join(f"<{name}>{value}</{name}>" for name, value in {**keys, "Expiration": ends.strftime("%Y-%m-%dT%H:%M:%SZ")}.items())
            return connection.respond(200, f"<{form['Action']}Response><{form['Action']}Result><Credentials>{inner}</Credentials>"
                                      f"</{form['Action']}Result></{form['Action']}Response>", content_type="text/xml")
        return connection.respond_json({f"{form['Action']}Response": {f"{form['Action']}Result": {"Credentials": {**keys, "Expiration": ends.timestamp()}}}})


def is_signed(request, secrets, region, service):
    """Whether botocore, with the key that the request names, makes the same signature of it."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    authorization = request.get("authorization", "")
    identity = authorization.partition("Credential=")[2].partition("/")[0]
    signed = authorization.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    when = datetime.datetime.strptime(request.get("x-amz-date"), "%Y%m%dT%H%M%SZ")
    if identity not in secrets or abs((datetime.datetime.utcnow() - when).total_seconds()) > 300:
        return False
    again = AWSRequest(request.method, f"https://{request.get('host')}{request.target}", data=request.body,
                       headers={name: request.get(name) for name in signed if name not in ("host", "x-amz-date", "x-amz-security-token")})
    with mock.patch("botocore.auth.datetime") as clock:
        clock.datetime.utcnow.return_value = when
        SigV4Auth(Credentials(identity, secrets[identity], request.get("x-amz-security-token")), service, region).add_auth(again)
    return again.headers["Authorization"] == authorization
