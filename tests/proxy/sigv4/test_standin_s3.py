"""The stand-ins for S3 and DynamoDB (tests/e2e/standin_s3.py), with boto3 straight at them: they take what is signed rightly, and nothing else."""

import hashlib
import http.client
import io
import os
import ssl
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../e2e"))
from standin_s3 import S3, Account, JsonTable  # noqa: E402
from standins import sigv4  # noqa: E402
from standins.authority import Authority  # noqa: E402
from standins.server import Server  # noqa: E402

ACCOUNTS = {"plain": Account("AKPLAIN", "secret/plain+"), "session": Account("AKSESSION", "secret/session", "to/ken+==")}
ONCE = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, signature_version="s3v4")


class StandIn(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.authority = Authority(folder.name)
        self.s3, self.table = S3(*ACCOUNTS.values()), JsonTable(*ACCOUNTS.values())

    def client(self, service, account, tls=True, secret=None, token=None):
        server = Server(self.authority.server_context("localhost") if tls else None, {"/": self.s3 if service == "s3" else self.table})
        self.addCleanup(server.close)
        self.server = server
        client = boto3.client(service, region_name="eu-central-1", aws_access_key_id=account.key_id, aws_secret_access_key=secret or account.secret,
                              aws_session_token=token or account.token, config=ONCE if service == "s3" else Config(retries={"total_max_attempts": 1}),
                              endpoint_url=f"{'https' if tls else 'http'}://localhost:{server.port}", verify=self.authority.certificate_file if tls else None)
        self.addCleanup(client.close)
        return client

    def test_objects(self):
        for name, account in ACCOUNTS.items():
            for tls in (True, False):
                with self.subTest(account=name, tls=tls):
                    client, key = self.client("s3", account, tls), "a folder/ä+(b)~'c'=d&.txt"
                    client.put_object(Bucket="b", Key=key, Body=b"hello", Metadata={"note": "a  b"}, ContentType="text/x")
                    got = client.get_object(Bucket="b", Key=key)
                    self.assertEqual((got["Body"].read(), got["Metadata"], got["ContentType"]), (b"hello", {"note": "a  b"}, "text/x"))
                    self.assertEqual(client.get_object(Bucket="b", Key=key, Range="bytes=1-2")["Body"].read(), b"el")
                    self.assertEqual(client.head_object(Bucket="b", Key=key)["ContentLength"], 5)
                    self.assertEqual([one["Key"] for one in client.list_objects_v2(Bucket="b", Prefix="a folder/")["Contents"]], [key])
                    client.delete_object(Bucket="b", Key=key)
                    self.assertEqual(self.s3.objects, {})
        self.assertEqual(self.s3.refused, [])

    def test_parts(self):
        client, data = self.client("s3", ACCOUNTS["plain"]), os.urandom(9 << 20)
        client.upload_fileobj(io.BytesIO(data), "b", "big")
        self.assertEqual(self.s3.objects["b", "big"][0], data)
        self.assertEqual(self.s3.uploads, {})

    def test_checksums_behind_unsigned_chunks(self):
        self.client("s3", ACCOUNTS["session"]).put_object(Bucket="b", Key="k", Body=io.BytesIO(b"hello"), ChecksumAlgorithm="CRC32")
        self.assertEqual(self.s3.objects["b", "k"][0], b"hello")
        self.assertEqual(self.s3.calls[-1][3], "STREAMING-UNSIGNED-PAYLOAD-TRAILER")

    def test_presigned(self):
        for account in ACCOUNTS.values():
            client, context = self.client("s3", account), ssl.create_default_context(cafile=self.authority.certificate_file)
            put = client.generate_presigned_url("put_object", {"Bucket": "b", "Key": "k k"}, ExpiresIn=60)
            urllib.request.urlopen(urllib.request.Request(put, b"hello", method="PUT"), context=context).close()
            get = client.generate_presigned_url("get_object", {"Bucket": "b", "Key": "k k"}, ExpiresIn=60)
            with urllib.request.urlopen(get, context=context) as answer:
                self.assertEqual(answer.read(), b"hello")
            with self.assertRaises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(get.replace("k%20k", "other"), context=context)
            self.assertEqual(refused.exception.code, 403)
            refused.exception.close()

    def test_what_is_wrong_is_refused(self):
        plain, session = ACCOUNTS["plain"], ACCOUNTS["session"]
        for account, secret, token, code in ((plain, "other", None, "SignatureDoesNotMatch"), (Account("NOBODY", "x"), None, None, "InvalidAccessKeyId"),
                                             (session, None, "other", "InvalidToken"), (plain, None, "more", "InvalidToken")):
            with self.assertRaises(ClientError) as refused:
                self.client("s3", account, True, secret, token).put_object(Bucket="b", Key="k", Body=b"x")
            self.assertEqual(refused.exception.response["Error"]["Code"], code)
        self.s3.now = time.time() + 3600
        with self.assertRaises(ClientError) as refused:
            self.client("s3", plain).put_object(Bucket="b", Key="k", Body=b"x")
        self.assertEqual(refused.exception.response["Error"]["Code"], "RequestTimeTooSkewed")
        self.assertEqual(self.s3.objects, {})

    def chunked(self, trailers, spoil=False):
        account, stamp = ACCOUNTS["session"], time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        self.client("s3", account)
        data, host, scope = b"hello, world", f"localhost:{self.server.port}", f"{stamp[:8]}/eu-central-1/s3/aws4_request"
        kind = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" + ("-TRAILER" if trailers else "")
        headers = {"Host": host, "X-Amz-Content-Sha256": kind, "X-Amz-Date": stamp, "X-Amz-Security-Token": account.token, "X-Amz-Decoded-Content-Length": str(len(data))}
        names = ";".join(sorted(name.lower() for name in headers))
        headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={account.key_id}/{scope}, SignedHeaders={names}, Signature={'0' * 64}"
        seed = sigv4.Signed("PUT", "/b/k", list(headers.items())).expected(account.secret, kind)
        headers["Authorization"] = headers["Authorization"].replace("0" * 64, seed)
        body = sigv4.chunked(data, [8, 4], sigv4.signing_key(account.secret, stamp[:8], "eu-central-1", "s3"), stamp, scope, seed, trailers)
        connection = http.client.HTTPSConnection("localhost", self.server.port, context=ssl.create_default_context(cafile=self.authority.certificate_file))
        self.addCleanup(connection.close)
        connection.request("PUT", "/b/k", body.replace(b"hello", b"Hello") if spoil else body, headers)
        return connection.getresponse().status

    def test_signed_chunks(self):
        for trailers in (None, [("x-amz-checksum-crc32", "/3Q7kg==")]):
            self.s3.objects.clear()
            self.assertEqual(self.chunked(trailers, spoil=True), 403)
            self.assertEqual(self.s3.objects, {})
            self.assertEqual(self.chunked(trailers), 200)
            self.assertEqual(self.s3.objects["b", "k"][0], b"hello, world")

    def test_json(self):
        for account in ACCOUNTS.values():
            client = self.client("dynamodb", account)
            client.put_item(TableName="table", Item={"id": {"S": "1"}, "text": {"S": "hello"}})
            self.assertEqual(client.get_item(TableName="table", Key={"id": {"S": "1"}})["Item"]["text"]["S"], "hello")
        with self.assertRaises(ClientError) as refused:
            self.client("dynamodb", ACCOUNTS["plain"], secret="other").get_item(TableName="table", Key={"id": {"S": "1"}})
        self.assertEqual(refused.exception.response["Error"]["Code"], "InvalidSignatureException")

    def test_rubbish_is_refused(self):
        self.client("s3", ACCOUNTS["plain"], tls=False)
        for headers in ({}, {"Authorization": "x"}, {"Authorization": "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b, Signature=" + "0" * 64},
                        {"Authorization": "AWS4-HMAC-SHA256 Credential=a/b/c/s3/aws4_request, SignedHeaders=b, Signature=" + "0" * 64, "X-Amz-Date": "b"}):
            with self.assertRaises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(urllib.request.Request(f"http://localhost:{self.server.port}/b/k", headers=headers))
            self.assertIn(refused.exception.code, (400, 403))
            refused.exception.close()


if __name__ == "__main__":
    unittest.main()
