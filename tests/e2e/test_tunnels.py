"""Raw TCP through `tcp` rules: real databases, SSH and Redis, and every way in which such a connection can end."""

import json
import os
import shutil
import socket
import struct
import unittest

from harness import SANITIZED, WeirTest, also_as_ordinary_user, main, memory_kib, wait_until
from standins.programs import PostgreSQL, Redis, Sshd, Stream
from standins.server import echo

SIZE = (128 << 20) if SANITIZED else (1 << 30)
GROWTH_KIB = 8 * 1024


def need(*programs):
    missing = [p for p in programs if not shutil.which(p, path="/usr/sbin:/usr/bin:/sbin:/bin")]
    return unittest.skipIf(missing, f"not installed: {missing}")


def read_all(sock):
    data = b""
    while part := sock.recv(1 << 16):
        data += part
    return data


class TunnelTest(WeirTest):
    def serve(self, function):
        server = Stream(function)
        self.addCleanup(server.close)
        return server

    def program(self, kind, *arguments):
        server = kind(*arguments)
        self.addCleanup(server.close)
        return server

    def tcp_policy(self, server, *, port=5432, more=""):
        self.policy(f"rules:\n  - name: database\n    tcp: [\"db.test.example:{port}\"]\n{more}", db=server)

    def assert_carried(self, done, *, protocol="tcp", end="complete", **data):
        """One connection was recorded, carried and ended so; gives what egress.tunnel says."""
        request = done.of("egress.request", protocol=protocol, **data)
        self.assertEqual(len(request), 1, done)
        tunnel = done.of("egress.tunnel", request=request[0]["request"])
        self.assertEqual(len(tunnel), 1, done)
        self.assertIn(tunnel[0]["end"], (end,) if isinstance(end, str) else end, done)
        self.assertGreaterEqual(tunnel[0]["total_us"], 0)
        return {**request[0], **tunnel[0]}


@also_as_ordinary_user
class RealClients(TunnelTest):
    @need("psql")
    def test_psql_queries_a_database_in_the_clear_and_over_tls(self):
        server = self.program(PostgreSQL, self.authority, "db.test.example")
        self.tcp_policy(server)
        for mode, encrypted in (("disable", "f"), ("require", "t")):
            done = self.run_inside("psql", f"host=db.test.example user=agent password=sesame dbname=postgres sslmode={mode}", "-Atc",
                                   "select 6 * 7, (select ssl from pg_stat_ssl where pid = pg_backend_pid())")
            self.assertEqual((done.status, done.out.strip()), (0, f"42|{encrypted}"), done)
            # Over TLS neither waits for the other's close_notify: who ends first may see a reset.
            end = ("complete", "client_gone", "upstream_reset") if mode == "require" else "complete"
            carried = self.assert_carried(done, end=end, rule="database", verdict="allow", host="db.test.example", port=5432, scheme="tcp")
            self.assertGreater(carried["bytes_out"], 50)
            self.assertGreater(carried["bytes_in"], 50)
            self.assertEqual(carried["upstream"], server.address)

    @need("psql")
    def test_psql_loads_and_unloads_a_table(self):
        self.tcp_policy(self.program(PostgreSQL, self.authority, "db.test.example"))
        done = self.run_inside("psql", "host=db.test.example user=agent password=sesame dbname=postgres sslmode=require", "-Atc",
                               "create table t as select i, repeat('x', 1000) as v from generate_series(1, 20000) i", "-c", "copy t to stdout")
        self.assertEqual((done.status, done.out.count("\n")), (0, 20001), done.err)

    @need("redis-cli")
    def test_redis_cli_talks_to_redis(self):
        self.tcp_policy(self.program(Redis), port=6379)
        done = self.run_inside("sh", "-c", "redis-cli -h db.test.example set greeting hello && redis-cli -h db.test.example get greeting")
        self.assertEqual((done.status, done.out.split()), (0, ["OK", "hello"]), done)
        self.assertEqual(len(done.of("egress.tunnel", end="complete")), 2, done)

    @need("sshd", "ssh", "git")
    def test_git_clones_and_pushes_over_ssh(self):
        server = self.program(Sshd)
        server.run("git", "init", "-q", "--bare", "-b", "main", os.path.join(server.folder, "repo.git"))
        self.policy('rules:\n  - tcp: ["git.test.example:22"]\n', git=server)
        with open(server.key, encoding="ascii") as file:
            self.write("key", file.read(), mode=0o600)
        self.write("known", f"git.test.example {server.host_key()}\n")
        done = self.run_inside("sh", "-ec", f"""
            export GIT_SSH_COMMAND="ssh -F none -o BatchMode=yes -o UserKnownHostsFile=$PWD/known -o IdentitiesOnly=yes -i $PWD/key"
            git clone -q {server.user}@git.test.example:{server.folder}/repo.git work
            cd work
            git -c user.name=a -c user.email=a@test.example commit -q --allow-empty -m first
            git push -q origin HEAD:main
            git ls-remote origin
            """)
        self.assertEqual(done.status, 0, f"{done}\n{server.log()}")
        self.assertIn("refs/heads/main", done.out, done)
        self.assertEqual(len(done.of("egress.tunnel", protocol="tcp", host="git.test.example", port=22, end="complete")), 3, done)


@also_as_ordinary_user
class Carrying(TunnelTest):
    def test_the_end_of_one_direction_is_passed_on_while_the_other_goes_on(self):
        def serve(sock):
            data = read_all(sock)
            sock.sendall(b"got %d" % len(data))

        self.tcp_policy(self.serve(serve))
        done = self.inside("""
sock = socket.create_connection(("db.test.example", 5432), timeout=30)
sock.sendall(b"x" * 100000)
sock.shutdown(socket.SHUT_WR)
report(answer=b"".join(iter(lambda: sock.recv(4096), b"")).decode())
""")
        self.assertEqual(done.report, {"answer": "got 100000"}, done)
        carried = self.assert_carried(done)
        self.assertEqual((carried["bytes_out"], carried["bytes_in"]), (100000, 10))

    def test_a_server_that_ends_first_still_hears_the_client(self):
        heard = []

        def serve(sock):
            sock.sendall(b"220 ready\r\n")
            sock.shutdown(socket.SHUT_WR)
            heard.append(read_all(sock))

        self.tcp_policy(self.serve(serve))
        done = self.inside("""
sock = socket.create_connection(("db.test.example", 5432), timeout=30)
greeting = b"".join(iter(lambda: sock.recv(4096), b""))
sock.sendall(b"late")
sock.close()
report(greeting=greeting.decode())
""")
        self.assertEqual(done.report, {"greeting": "220 ready\r\n"}, done)
        self.assert_carried(done)
        self.assertEqual(heard, [b"late"])

    def test_a_server_that_breaks_off_is_seen_as_broken_off(self):
        def serve(sock):
            sock.recv(1)
            sock.sendall(b"half an ans")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        self.tcp_policy(self.serve(serve))
        done = self.inside("""
sock = socket.create_connection(("db.test.example", 5432), timeout=30)
sock.sendall(b"?")
def read():
    while sock.recv(100):
        pass
report(failure=failure(read))
""")
        self.assertEqual(done.report, {"failure": "ECONNRESET"}, done)
        self.assert_carried(done, end="upstream_reset")

    def test_a_client_that_breaks_off_is_seen_as_broken_off(self):
        seen = []

        def serve(sock):
            sock.sendall(b"!")
            try:
                read_all(sock)
                seen.append("end")
            except ConnectionResetError:
                seen.append("reset")

        self.tcp_policy(self.serve(serve))
        done = self.inside("""
sock = socket.create_connection(("db.test.example", 5432), timeout=30)
sock.recv(1)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
sock.close()
""")
        self.assert_carried(done, end="client_gone")
        self.assertEqual(wait_until(lambda: seen, "the server to notice"), ["reset"])

    @need("redis-cli")
    def test_a_server_that_is_killed_ends_the_connection(self):
        server = self.program(Redis)
        self.tcp_policy(server, port=6379)
        running = self.start_python("""
sock = socket.create_connection(("db.test.example", 6379), timeout=60)
sock.sendall(b"PING\\r\\n")
answer = sock.recv(100).decode()
sync("connected")
try:
    rest = sock.recv(100).decode()
except ConnectionResetError:
    rest = ""
report(answer=answer, rest=rest, again=failure(lambda: socket.create_connection(("db.test.example", 6379), timeout=30).recv(1)))
""")
        running.reached("connected")
        server.kill()
        running.go("connected")
        done = running.finish()
        self.assertEqual(done.report, {"answer": "+PONG\r\n", "rest": "", "again": "ECONNRESET"}, done)
        self.assertEqual(len(done.of("egress.tunnel", protocol="tcp")), 1, done)
        self.assert_recorded_denial(done, "upstream_refused", protocol="tcp", verdict="error")

    def test_many_connections_at_once(self):
        def serve(sock):
            while data := sock.recv(4096):
                sock.sendall(data)

        self.tcp_policy(self.serve(serve))
        done = self.inside("""
socks = [socket.create_connection(("db.test.example", 5432), timeout=60) for _ in range(100)]
for round in range(20):
    for number, sock in enumerate(socks):
        sock.sendall(b"%d %d" % (round, number))
    for number, sock in enumerate(socks):
        assert sock.recv(100) == b"%d %d" % (round, number)
for sock in socks:
    sock.close()
""")
        self.assertEqual(len(done.of("egress.tunnel", end="complete")), 100, done)

    def test_what_a_command_sent_last_arrives_though_the_sandbox_ends(self):
        heard = []
        self.tcp_policy(self.serve(lambda sock: heard.append(read_all(sock))))
        done = self.inside("""
sock = socket.create_connection(("db.test.example", 5432), timeout=60)
sock.sendall(b"x" * (1 << 20))
""")
        self.assert_carried(done)
        self.assertEqual(wait_until(lambda: [len(part) for part in heard], "the end"), [1 << 20])


@also_as_ordinary_user
class Decisions(TunnelTest):
    def greeter(self):
        def serve(sock):
            sock.sendall(b"SSH-2.0-test\r\n")
            read_all(sock)

        return self.serve(serve)

    def test_a_port_that_no_rule_opens_is_reset(self):
        server = self.greeter()
        self.tcp_policy(server)
        done = self.inside("""
def connect(port, say):
    sock = socket.create_connection(("db.test.example", port), timeout=60)
    sock.sendall(say)
    while sock.recv(100):
        pass
report(binary=failure(lambda: connect(5433, b"\\0\\0\\0\\x08")), silent=failure(lambda: connect(5434, b"")), ssh=failure(lambda: connect(22, b"SSH-2.0-x\\r\\n")))
""")
        self.assertEqual(done.report, {"binary": "ECONNRESET", "silent": "ECONNRESET", "ssh": "ECONNRESET"}, done)
        for port in (5433, 5434, 22):
            self.assert_recorded_denial(done, "no_rule", port=port, protocol="tcp", host="db.test.example")
        self.assertEqual(server.connections, 0)

    def test_a_denial_beats_a_tcp_rule(self):
        server = self.greeter()
        self.tcp_policy(server, more='  - name: frozen\n    hosts: ["*.test.example:5432"]\n    action: deny\n')
        done = self.inside('report(got=failure(lambda: socket.create_connection(("db.test.example", 5432), timeout=60).recv(1)))')
        self.assertEqual(done.report, {"got": "ECONNRESET"}, done)
        self.assertEqual(self.assert_recorded_denial(done, "rule_denies", port=5432)["rule"], "frozen")
        self.assertEqual(server.connections, 0)

    def test_the_rate_of_a_rule_counts_connections(self):
        self.tcp_policy(self.greeter(), more="    rate: 2/day\n")
        done = self.inside("""
def connect():
    with socket.create_connection(("db.test.example", 5432), timeout=60) as sock:
        assert sock.recv(100)
report(got=[failure(connect) for _ in range(3)])
""")
        self.assertEqual(done.report, {"got": [None, None, "ECONNRESET"]}, done)
        self.assert_recorded_denial(done, "rate_exceeded", port=5432, rule="database")

    def test_an_address_needs_a_rule_that_names_it(self):
        self.policy('default: log\nrules:\n  - tcp: ["203.0.113.7:5432"]\n')
        done = self.inside("""
def connect(address):
    sock = socket.create_connection((address, 5432), timeout=60)
    sock.sendall(b"\\0")
    sock.recv(1)
report(got=failure(lambda: connect("203.0.113.8")))
""")
        self.assertEqual(done.report, {"got": "ECONNRESET"}, done)
        self.assert_recorded_denial(done, "no_rule", host="203.0.113.8", port=5432)

    def test_a_server_that_speaks_first_is_let_through_where_the_default_logs(self):
        self.policy("default: log\n", db=self.greeter())
        done = self.inside('report(got=socket.create_connection(("db.test.example", 22), timeout=60).recv(100).decode())')
        self.assertEqual(done.report, {"got": "SSH-2.0-test\r\n"}, done)
        carried = self.assert_carried(done, end="complete")
        self.assertEqual((carried["verdict"], carried["rule"]), ("log", "default"))

    def test_octets_of_no_known_protocol_are_let_through_where_the_default_logs(self):
        def serve(sock):
            sock.sendall(sock.recv(100)[::-1])

        self.policy("default: log\n", db=self.serve(serve))
        done = self.inside("""
def ask(data):
    with socket.create_connection(("db.test.example", 5432), timeout=60) as sock:
        sock.sendall(data)
        return sock.recv(100).decode()
report(got=[ask(b"\\0abc"), ask(b"*1\\r\\n"), ask(b"SSH-x")])
""")
        self.assertEqual(done.report, {"got": ["cba\0", "\n\r1*", "x-HSS"]}, done)
        self.assertEqual(len(done.of("egress.request", protocol="tcp", verdict="log")), 3, done)

    def test_a_client_that_waits_is_looked_into_all_the_same(self):
        """Nobody gets past the inspection by being silent first: only a server that speaks first makes a connection raw."""
        server = self.https("db.test.example", routes={"/": echo})
        self.policy("default: log\n", db=server)
        running = self.start_python("""
sock = socket.create_connection(("db.test.example", 443), timeout=60)
sync("waited")
wire = Wire.__new__(Wire)
wire.sock, wire.buffer = ssl.create_default_context().wrap_socket(sock, server_hostname="db.test.example"), bytearray()
report(status=wire.send(request(path="/path", host="db.test.example")).answer().status)
""")
        running.reached("waited")
        running.wait_for_event("egress.request", protocol="tcp")
        running.go("waited")
        done = running.finish()
        self.assertEqual(done.report, {"status": 200}, done)
        self.assert_carried(done, end="client_spoke_first")
        self.assertEqual(done.of("egress.request", protocol="http/1.1")[0]["path"], "/path", done)

    def test_a_tunnel_is_cut_when_its_time_is_over(self):
        import datetime
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=6)
        self.tcp_policy(self.greeter(), more=f'    when: ["2020-01-01T00:00:00Z/{end.strftime("%Y-%m-%dT%H:%M:%SZ")}"]\n')
        done = self.inside("""
sock = socket.create_connection(("db.test.example", 5432), timeout=120)
first = sock.recv(100).decode()
report(first=first, then=failure(lambda: sock.recv(100)), again=failure(lambda: socket.create_connection(("db.test.example", 5432), timeout=60).recv(1)))
""")
        self.assertEqual(done.report, {"first": "SSH-2.0-test\r\n", "then": "ECONNRESET", "again": "ECONNRESET"}, done)
        self.assertTrue(self.assert_carried(done, end="cut")["reason"], done)
        self.assert_recorded_denial(done, "no_rule", port=5432)


@also_as_ordinary_user
class WhileItRuns(TunnelTest):
    """Approvals and reloads, from another process."""

    def setUp(self):
        super().setUp()
        self.environment["XDG_RUNTIME_DIR"] = self.folder("run")

        def serve(sock):
            sock.sendall(b"ready")
            read_all(sock)

        self.server = self.serve(serve)

    CONNECT = """
sock = socket.create_connection(("db.test.example", 5432), timeout=120)
first = sock.recv(100).decode()
sync("connected")
report(first=first, then=failure(lambda: sock.recv(100)))
"""

    def replace_policy(self, text):
        path = self.write("policy.yaml.new", text, folder=self.root)
        os.rename(path, self.policy_file)

    def policy_text(self):
        with open(self.policy_file, encoding="utf-8") as file:
            return file.read()

    def decide(self, verb, **wanted):
        def listed():
            return [one for one in json.loads(self.weir("approvals", "--json").out) if all(one.get(k) == v for k, v in wanted.items())]

        one, = wait_until(listed, "a pending approval")
        self.assertEqual(self.weir(verb, one["id"]).status, 0)

    def test_a_tunnel_that_is_asked_about_waits_and_opens_when_it_is_granted(self):
        self.tcp_policy(self.server, more="    action: ask\n")
        running = self.start_python(self.CONNECT.replace("report(first=first, then=failure(lambda: sock.recv(100)))", "report(first=first)"), options=("--approvals=wait",))
        running.wait_for_event("approval.requested", scheme="tcp", host="db.test.example", port=5432)
        self.assertEqual(self.server.connections, 0)
        self.decide("approve", host="db.test.example")
        running.reached("connected")
        running.go("connected")
        done = running.finish()
        self.assertEqual(done.report, {"first": "ready"}, done)
        self.assert_carried(done)

    def test_a_tunnel_that_is_denied_is_reset(self):
        self.tcp_policy(self.server, more="    action: ask\n")
        running = self.start_python('report(got=failure(lambda: socket.create_connection(("db.test.example", 5432), timeout=60).recv(1)))', options=("--approvals=wait",))
        self.decide("deny", host="db.test.example")
        done = running.finish()
        self.assertEqual(done.report, {"got": "ECONNRESET"}, done)
        self.assert_recorded_denial(done, "approval_denied", protocol="tcp")
        self.assertEqual(self.server.connections, 0)

    def test_a_reload_cuts_what_the_new_policy_refuses_and_nothing_else(self):
        for keeps in (True, False):
            self.tcp_policy(self.server)
            running = self.start_python(self.CONNECT if not keeps else self.CONNECT.replace("then=failure(lambda: sock.recv(100))", "then=None"))
            running.reached("connected")
            old = self.policy_text()
            new = old.replace("rules:", "rules:\n  - hosts: [more.test.example]") if keeps else old.replace("db.test.example:5432", "db.test.example:5433")
            self.replace_policy(new)
            wait_until(lambda: len([e for e in running.events() if e["type"] == "policy.loaded"]) == 2, "the new policy")
            running.go("connected")
            done = running.finish()
            self.assertEqual(done.report, {"first": "ready", "then": None if keeps else "ECONNRESET"}, done)
            self.assert_carried(done, end="complete" if keeps else "cut")
            for name in ("connected.go", "connected.reached"):
                os.unlink(os.path.join(self.project, name))


@also_as_ordinary_user
class Volume(TunnelTest):
    def watched(self, source, deadline=240):
        running = self.start_python(f"SIZE = {SIZE}\nimport hashlib\n" + source)
        running.reached("warm")
        proxy = running.proxy()
        before = memory_kib(proxy, "RssAnon"), memory_kib(proxy, "VmHWM")
        running.go("warm")
        running.reached("over", deadline=deadline)
        after = memory_kib(proxy, "RssAnon"), memory_kib(proxy, "VmHWM")
        running.go("over")
        done = running.finish(120)
        self.assertEqual(done.status, 0, done)
        print(f"proxy: RssAnon {before[0]} -> {after[0]} KiB, peak {before[1]} -> {after[1]} KiB")
        if not SANITIZED:
            self.assertLess(after[0] - before[0], GROWTH_KIB, done)
            self.assertLess(after[1] - before[1], GROWTH_KIB, done)
        return done

    def test_a_gigabyte_each_way_at_once(self):
        def serve(sock):
            """Gives back what comes."""
            buffer = bytearray(1 << 18)
            while got := sock.recv_into(buffer):
                sock.sendall(memoryview(buffer)[:got])
            sock.shutdown(socket.SHUT_WR)

        self.tcp_policy(self.serve(serve))
        done = self.watched("""
import threading
sock = socket.create_connection(("db.test.example", 5432), timeout=240)
sync("warm")
block = bytes(range(256)) * 1024
def write():
    for _ in range(SIZE // len(block)):
        sock.sendall(block)
    sock.shutdown(socket.SHUT_WR)
threading.Thread(target=write).start()
digest, size = hashlib.sha256(), 0
while part := sock.recv(1 << 18):
    digest.update(part)
    size += len(part)
sync("over")
wanted = hashlib.sha256()
for _ in range(SIZE // len(block)):
    wanted.update(block)
report(size=size, same=digest.digest() == wanted.digest())
""")
        self.assertEqual(done.report, {"size": SIZE, "same": True}, done)
        carried = self.assert_carried(done)
        self.assertEqual((carried["bytes_out"], carried["bytes_in"]), (SIZE, SIZE))

    def test_a_reader_that_stops_stops_the_writer(self):
        sent = []

        def serve(sock):
            sock.recv(1)
            block = bytes(1 << 16)
            for _ in range((64 << 20) // len(block)):
                sock.sendall(block)
                sent.append(len(block))

        self.tcp_policy(self.serve(serve))
        running = self.start_python(f"""
sock = socket.create_connection(("db.test.example", 5432), timeout=120)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
sync("warm")
sock.sendall(b"?")
sync("stalled")
size = 0
while part := sock.recv(1 << 18):
    size += len(part)
report(size=size)
""")
        running.reached("warm")
        proxy = running.proxy()
        before = memory_kib(proxy, "RssAnon")
        running.go("warm")
        running.reached("stalled")
        counts = []

        def still():
            counts.append(len(sent))
            return len(counts) > 50 and counts[-1] > 0 and len(set(counts[-50:])) == 1

        wait_until(still, "the server to be stopped")
        self.assertLess(sum(sent), 64 << 20)
        grown = memory_kib(proxy, "RssAnon") - before
        running.go("stalled")
        done = running.finish()
        self.assertEqual(done.report, {"size": 64 << 20}, done)
        if not SANITIZED:
            self.assertLess(grown, 2048, done)


if __name__ == "__main__":
    main()
