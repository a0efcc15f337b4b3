"""TLS that is carried unopened (`tls: passthrough`): clients that pin certificates work, and the name inside is the name that was dialled."""

import shutil
import unittest

from harness import WeirTest, also_as_ordinary_user, main
from standins.server import echo
from test_upstream import ConnectProxy

PASS = "rules:\n  - name: pinned\n    hosts: [pin.test.example]\n    tls: passthrough\n"

# For the inside: a TLS client without a socket, so that its messages can be cut up or changed on their way.
BY_HAND = '''
class Tls:
    def __init__(self, name, ca="authority.pem", alpn=()):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = ssl.create_default_context(cafile=ca)
        if alpn:
            context.set_alpn_protocols(alpn)
        if name is None:
            context.check_hostname = False
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=name)

    def step(self, answer=b""):
        """What the client sends next, given the server's answer; None when the handshake is over."""
        if answer:
            self.incoming.write(answer)
        try:
            self.tls.do_handshake()
            done = True
        except ssl.SSLWantReadError:
            done = False
        return self.outgoing.read(), done

def records(message, size):
    """The handshake message of `message` (one record) in records of `size` octets."""
    body = message[5:]
    return b"".join(message[:3] + struct.pack(">H", len(body[at:at + size])) + body[at:at + size] for at in range(0, len(body), size))

def with_extension(hello, number, content):
    """A ClientHello (one record) with one more extension at its end."""
    extra = struct.pack(">HH", number, len(content)) + content
    at = 5 + 4 + 2 + 32
    at += 1 + hello[at]
    at += 2 + struct.unpack(">H", hello[at:at + 2])[0]
    at += 1 + hello[at]
    size = struct.unpack(">H", hello[at:at + 2])[0] + len(extra)
    message = hello[9:at] + struct.pack(">H", size) + hello[at + 2:] + extra
    return hello[:3] + struct.pack(">H", len(message) + 4) + b"\\x01" + struct.pack(">I", len(message))[1:] + message

def connect(name="pin.test.example", port=443):
    return socket.create_connection((name, port), timeout=60)

def answer_to(data, name="pin.test.example"):
    """What goes wrong when these octets are sent; None when the server answers."""
    with connect(name) as sock:
        sock.sendall(data)
        def read():
            if not sock.recv(5):
                raise ConnectionAbortedError
        return failure(read)

def shake_hands(sock, tls, change=lambda hello: hello):
    flight, done = tls.step()
    rounds = 0
    while True:
        if flight:
            sock.sendall(change(flight))
            rounds += 1
        if done:
            return rounds
        answer = sock.recv(1 << 16)
        if not answer:
            raise ConnectionAbortedError
        flight, done = tls.step(answer)
'''


@also_as_ordinary_user
class Passthrough(WeirTest):
    def setUp(self):
        super().setUp()
        shutil.copy(self.authority.certificate_file, self.project + "/authority.pem")
        self.own(self.project)

    def pinned(self, **more):
        server = self.https("pin.test.example", "other.test.example")
        self.policy(PASS, resolve={"pin.test.example": server, "other.test.example": server, **more})
        return server

    def assert_no_connection(self, server):
        self.assertEqual(server.connections, 0)

    @unittest.skipUnless(shutil.which("curl"), "curl is not installed")
    def test_curl_that_trusts_nobody_but_the_server_gets_through(self):
        server = self.pinned()
        command = ["curl", "-sS", "--cacert", "authority.pem", "https://pin.test.example/path?a=b"]
        done = self.run_inside(*command)
        self.assertEqual((done.status, done.report["target"]), (0, "/path?a=b"), done)
        request, = done.of("egress.request", protocol="tls-passthrough")
        self.assertEqual((request["host"], request["port"], request["scheme"], request["verdict"], request["rule"]),
                         ("pin.test.example", 443, "tls", "allow", "pinned"), done)
        tunnel, = done.of("egress.tunnel", request=request["request"])
        self.assertEqual((tunnel["end"], tunnel["upstream"]), ("complete", server.address), done)
        self.assertGreater(tunnel["bytes_out"], 500, done)
        self.assertGreater(tunnel["bytes_in"], 500, done)
        # The same client where TLS is opened: it does not know weir's certificate.
        self.policy("rules:\n  - hosts: [pin.test.example]\n", pin=server)
        done = self.run_inside(*command)
        self.assertEqual(done.status, 60, done)

    def test_the_server_name_must_be_the_name_that_was_dialled(self):
        server = self.pinned()
        done = self.inside(BY_HAND + """
report(fronted=answer_to(Tls("other.test.example").step()[0]), unnamed=answer_to(Tls(None).step()[0]), right=answer_to(Tls("pin.test.example").step()[0]))
""")
        self.assertEqual(done.report, {"fronted": "ECONNRESET", "unnamed": "ECONNRESET", "right": None}, done)
        denied = [d for d in done.of("egress.denied", code="sni_mismatch", host="pin.test.example", protocol="tls-passthrough")]
        self.assertEqual([d.get("sni") for d in denied], ["other.test.example", None], done)
        self.assertEqual(server.connections, 1)

    def test_an_encrypted_client_hello_is_refused(self):
        server = self.pinned()
        done = self.inside(BY_HAND + """
hello = Tls("pin.test.example").step()[0]
report(ech=answer_to(with_extension(hello, 0xfe0d, b"\\0" * 40)), unknown=answer_to(with_extension(hello, 0xabcd, b"")))
""")
        self.assertEqual(done.report, {"ech": "ECONNRESET", "unknown": None}, done)
        self.assert_recorded_denial(done, "ech_refused", host="pin.test.example")
        self.assertEqual(server.connections, 1)

    def test_a_hello_may_come_in_any_pieces_but_only_whole_ones_are_sent_on(self):
        server = self.pinned()
        done = self.inside(BY_HAND + """
hello = Tls("pin.test.example").step()[0]
with connect() as sock:
    shake_hands(sock, Tls("pin.test.example"), lambda flight: records(flight, 7) if flight[5] == 1 else flight)
with connect() as sock:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for at in range(len(hello)):
        sock.send(hello[at:at + 1])
    first = sock.recv(5)[0]
with connect() as sock:
    sock.sendall(hello[:100])
    sock.shutdown(socket.SHUT_WR)
    cut = failure(lambda: sock.recv(1))
two_names = with_extension(hello, 0, hello[hello.index(b"pin.test.example") - 5:][:21])
report(first=first, cut=cut, two_names=answer_to(two_names), garbage=answer_to(hello[:5] + b"\\x02" + hello[6:]))
""")
        self.assertEqual(done.report, {"first": 0x16, "cut": "ECONNRESET", "two_names": "ECONNRESET", "garbage": "ECONNRESET"}, done)
        self.assertEqual(len(done.of("egress.denied", code="client_hello_invalid")), 2, done)
        self.assert_recorded_denial(done, "tls_handshake", protocol="tls-passthrough")
        self.assertEqual(server.connections, 2)

    def test_a_hello_after_a_retry_request_must_name_the_same_server(self):
        server = self.pinned()
        server.context.set_ecdh_curve("secp384r1")  # the client has sent a key for another group: the server asks once more
        done = self.inside(BY_HAND + """
def honest():
    with connect() as sock:
        return shake_hands(sock, Tls("pin.test.example"))
def fronting():
    flights = []
    def change(flight):
        flights.append(flight)
        return flight if len(flights) == 1 else flight.replace(b"pin.test.example", b"pan.test.example")
    with connect() as sock:
        shake_hands(sock, Tls("pin.test.example"), change)
report(rounds=honest(), fronting=failure(fronting))
""")
        self.assertEqual(done.report, {"rounds": 3, "fronting": "ECONNRESET"}, done)
        self.assert_recorded_denial(done, "sni_mismatch", sni="pan.test.example")
        self.assertEqual(server.server_names.count("pan.test.example"), 0)

    def test_what_is_not_tls_is_looked_into(self):
        self.pinned()
        done = self.inside('report(plain=get("/", host="pin.test.example", tls=False), raw=failure(lambda: Wire("pin.test.example", tls=False).send(b"\\0\\0").sock.recv(1)))')
        self.assert_verdict(done.report["plain"], 403, "no_rule", done)
        self.assertEqual(done.report["raw"], "ECONNRESET", done)

    def test_a_name_without_a_rule_is_not_carried(self):
        server = self.https("api.test.example")
        self.policy(PASS + "  - hosts: [api.test.example]\n    methods: [GET]\n", api=server, pin=server)
        done = self.inside('report(status=get("/")["status"], post=ask(request("POST"))["status"])')
        self.assertEqual(done.report, {"status": 200, "post": 403}, done)

    def test_a_denial_closes_it(self):
        server = self.https("pin.test.example")
        self.policy(PASS + "  - name: shut\n    hosts: [pin.test.example]\n    action: deny\n", pin=server)
        done = self.inside(BY_HAND + 'report(got=answer_to(Tls("pin.test.example").step()[0]))')
        # DNS may still know the name; the connection is refused either way.
        self.assertIsNotNone(done.report["got"], done)
        self.assertEqual(self.assert_recorded_denial(done, "rule_denies", host="pin.test.example")["rule"], "shut")
        self.assert_no_connection(server)

    def test_it_goes_through_the_corporate_proxy_by_connect(self):
        server = self.https("pin.test.example")
        proxy = ConnectProxy(server.address)
        self.addCleanup(proxy.close)
        self.policy(PASS + f'  - tcp: ["db.test.example:5432"]\nupstream:\n  proxy: http://{proxy.address}\n')
        with open(self.policy_file, encoding="utf-8") as file:
            text = file.read()
        self.write("policy.yaml", text[:text.rindex("upstream:")], folder=self.root)
        done = self.inside(BY_HAND + """
with connect() as sock:
    rounds = shake_hands(sock, Tls("pin.test.example"))
with connect("db.test.example", 5432) as sock:
    rounds += shake_hands(sock, Tls("pin.test.example"))
report(rounds=rounds)
""")
        self.assertEqual(done.report, {"rounds": 4}, done)
        self.assertEqual([head.splitlines()[0] for head in proxy.asked],
                         ["CONNECT pin.test.example:443 HTTP/1.1", "CONNECT db.test.example:5432 HTTP/1.1"])


if __name__ == "__main__":
    main()
