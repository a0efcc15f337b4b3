"""The stand-ins themselves, without weir: what the other tests rest on."""

import hashlib
import json
import os
import socket
import ssl
import subprocess
import tempfile
import unittest

import inside
from standins.authority import Authority
from standins.git_server import GitServer
from standins.messages_api import MessagesApi
from standins.server import Server, big, big_hash, chunked_with_trailers, echo


class Standins(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.authority = Authority(self.folder)

    def server(self, routes, tls=True, **certificate):
        server = Server(self.authority.server_context("localhost", **certificate) if tls else None, routes)
        self.addCleanup(server.close)
        return server

    def wire(self, server):
        sock = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        wire = inside.Wire.__new__(inside.Wire)
        wire.buffer = bytearray()
        wire.sock = ssl.create_default_context(cafile=self.authority.certificate_file).wrap_socket(
            sock, server_hostname="localhost") if server.context else sock
        self.addCleanup(wire.close)
        return wire

    def test_echo_and_the_raw_head(self):
        server = self.server({"/": echo})
        wire = self.wire(server)
        got = json.loads(wire.send(inside.request("POST", "/x?y", "localhost", body="hello")).answer().body)
        self.assertEqual((got["target"], got["body"]), ("/x?y", "hello"))
        self.assertEqual(server.heads()[0], b"POST /x?y HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n")
        self.assertEqual(server.server_names, ["localhost"])

    def test_chunks_and_trailers_both_ways(self):
        wire = self.wire(self.server({"/": echo, "/chunked": chunked_with_trailers}, tls=False))
        got = wire.send(inside.request(path="/chunked")).answer()
        self.assertEqual((bytes(got.body), got.trailers), (b"hello, world", ["X-Checksum: 42"]))
        wire.send(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: 1\r\n\r\n")
        got = json.loads(wire.answer().body)
        self.assertEqual((got["body"], got["trailers"]), ("abc", [["T", "1"]]))

    def test_big_bodies(self):
        size = 5_000_001
        got = self.wire(self.server({"/big": big})).send(inside.request(path=f"/big?{size}")).answer()
        self.assertEqual(hashlib.sha256(got.body).hexdigest(), big_hash(size))

    def test_bad_certificates_are_bad(self):
        for certificate in ({"expired": True}, {"self_signed": True}):
            with self.assertRaises(ssl.SSLError):
                self.wire(self.server({"/": echo}, **certificate))

    def test_git_clones(self):
        server = self.server({"/": GitServer(self.folder)}, tls=False)
        subprocess.run(["git", "clone", "-q", f"http://{server.address}/org/project.git", self.folder + "/copy"],
                       check=True, env={"PATH": os.environ["PATH"], "HOME": self.folder})
        self.assertTrue(os.path.exists(self.folder + "/copy/README"))

    def test_the_messages_api_asks_for_a_command_and_takes_its_result(self):
        api = MessagesApi("key", "true")
        server = self.server({"/v1/messages": api}, tls=False)
        asked = {"stream": True, "tools": [{"name": "Bash"}], "messages": [{"role": "user", "content": "go"}]}
        got = self.wire(server).send(inside.request("POST", "/v1/messages", headers=[("x-api-key", "key")],
                                                    body=json.dumps(asked))).answer()
        self.assertIn(b'"tool_use"', got.body)
        asked["messages"].append({"role": "user", "content": [{"type": "tool_result", "content": "out"}]})
        got = self.wire(server).send(inside.request("POST", "/v1/messages", headers=[("x-api-key", "key")],
                                                    body=json.dumps(asked))).answer()
        self.assertIn(b'"end_turn"', got.body)
        self.assertEqual(api.results, ["out"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
