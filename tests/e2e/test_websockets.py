"""WebSockets: real clients and servers, a credential that the sandbox never sees, and every way to break the protocol."""

import json
import os
import shutil
import subprocess
import unittest

from harness import SANITIZED, WeirTest, also_as_ordinary_user, main, memory_kib, wait_until
from standins.programs import Stream
from standins.websocket_server import WebSocketServer
from test_upstream import ConnectProxy

SECRET = "sk-test-0123456789abcdef"
RULE = "rules:\n  - name: chat\n    hosts: [api.test.example]\n    websocket: true\n"
CREDENTIAL = """credentials:
  token:
    from: env:CHAT_TOKEN
    hosts: [api.test.example]
    inject: {header: Authorization, format: "Bearer {secret}"}
"""

# For the inside.
CLIENT = '''
import asyncio, websockets
async def talk(path="/chat", scheme="wss", **more):
    return await websockets.connect(f"{scheme}://{API}{path}", max_size=1 << 26, **more)
def run(main):
    return asyncio.new_event_loop().run_until_complete(main())
HANDSHAKE = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "AQIDBAUGBwgJCgsMDQ4PEA==")]
def frame(first, payload, mask=b"\\1\\2\\3\\4"):
    size = len(payload)
    head = bytes([first, (0x80 if mask else 0) | (size if size < 126 else 126)]) + (struct.pack(">H", size) if size >= 126 else b"")
    return head + (mask + bytes(c ^ mask[i % 4] for i, c in enumerate(payload)) if mask else payload)
'''


class WebSocketTest(WeirTest):
    def websocket(self, serve=None, tls=True, **settings):
        server = WebSocketServer(self.authority.server_context("api.test.example") if tls else None, serve, **settings)
        self.addCleanup(server.close)
        return server

    def raw(self, frames):
        """A server that shakes hands and then says these octets (a function of the socket)."""
        import base64
        import hashlib
        context = self.authority.server_context("api.test.example")

        def serve(sock):
            with context.wrap_socket(sock, server_side=True) as tls:
                head = b""
                while b"\r\n\r\n" not in head:
                    head += tls.recv(4096)
                key = [line.split(b":")[1].strip() for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key")][0]
                accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()
                frames(tls, accept)

        server = Stream(serve)
        self.addCleanup(server.close)
        return server

    @staticmethod
    def switch(tls, accept, more=""):
        tls.sendall(f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n{more}\r\n".encode())

    def assert_carried(self, done, end="complete"):
        request, = done.of("egress.request", protocol="websocket")
        tunnel, = done.of("egress.tunnel", request=request["request"])
        self.assertEqual((tunnel["end"], tunnel["protocol"]), (end, "websocket"), done)
        self.assertEqual(done.of("egress.response", request=request["request"]), [], done)
        return {**request, **tunnel}


@also_as_ordinary_user
class Clients(WebSocketTest):
    def test_messages_of_all_kinds_go_both_ways(self):
        server = self.websocket()
        self.policy(RULE, api=server)
        done = self.inside(CLIENT + """
async def main():
    socket = await talk("/chat?room=1", subprotocols=["v2.chat", "v1.chat"])
    got = []
    for message in ("hello", b"\\0\\xff", "", "ü" * 40000, b"x" * 70000):
        await socket.send(message)
        got.append(await socket.recv() == message)
    await socket.send(part for part in ("in ", "three ", "parts"))
    got.append(await socket.recv())
    await (await socket.ping())
    await socket.close(4001, "enough")
    report(got=got, code=socket.close_code, reason=socket.close_reason, extensions=len(socket.extensions))
run(main)
""")
        self.assertEqual(done.report, {"got": [True] * 5 + ["in three parts"], "code": 4001, "reason": "enough", "extensions": 0}, done)
        carried = self.assert_carried(done)
        self.assertEqual((carried["scheme"], carried["method"], carried["path"], carried["rule"], carried["verdict"]),
                         ("https", "GET", "/chat", "chat", "allow"))
        self.assertGreaterEqual(carried["frames_out"], 10)
        self.assertGreaterEqual(carried["frames_in"], 8)
        path, headers = server.handshakes[0]
        self.assertEqual(path, "/chat?room=1")
        self.assertNotIn("Sec-WebSocket-Extensions", headers)
        self.assertEqual(headers["Sec-WebSocket-Protocol"], "v2.chat, v1.chat")

    def test_a_subprotocol_that_the_server_chose_reaches_the_client(self):
        server = self.websocket(subprotocols=["v1.chat"])
        self.policy(RULE, api=server)
        done = self.inside(CLIENT + """
async def main():
    socket = await talk(subprotocols=["v2.chat", "v1.chat"])
    report(chosen=socket.subprotocol)
    await socket.close()
run(main)
""")
        self.assertEqual(done.report, {"chosen": "v1.chat"}, done)

    def test_plain_websockets_on_port_80(self):
        self.policy(RULE, api=self.websocket(tls=False))
        done = self.inside(CLIENT + """
async def main():
    socket = await talk(scheme="ws")
    await socket.send("plain")
    report(got=await socket.recv())
    await socket.close()
run(main)
""")
        self.assertEqual(done.report, {"got": "plain"}, done)
        self.assertEqual(self.assert_carried(done)["scheme"], "http")

    @unittest.skipUnless(shutil.which("node"), "node is not installed")
    def test_node_talks_to_it(self):
        self.policy(RULE, api=self.websocket())
        self.write("client.js", """
            const socket = new WebSocket('wss://api.test.example/chat')
            socket.onopen = () => socket.send('from node')
            socket.onmessage = (event) => { console.log(JSON.stringify({got: event.data})); socket.close(1000, 'bye') }
            socket.onclose = (event) => process.exit(event.code === 1000 ? 0 : 1)
            socket.onerror = () => process.exit(2)
            """)
        flags = ["--experimental-websocket"] if "--experimental-websocket" in subprocess.run(
            ["node", "--help"], capture_output=True, text=True, check=False).stdout else []
        done = self.run_inside("node", *flags, "client.js")
        self.assertEqual((done.status, done.report["got"]), (0, "from node"), done)
        self.assert_carried(done)

    def test_both_ends_may_ping(self):
        async def serve(socket):
            await (await socket.ping(b"from the server"))
            await socket.send("ponged")
            await socket.wait_closed()

        self.policy(RULE, api=self.websocket(serve))
        done = self.inside(CLIENT + """
async def main():
    socket = await talk()
    message = await socket.recv()
    await (await socket.ping(b"from the client"))
    await socket.close()
    report(got=message)
run(main)
""")
        self.assertEqual(done.report, {"got": "ponged"}, done)
        self.assert_carried(done)

    def test_the_server_may_close_with_a_code(self):
        async def serve(socket):
            await socket.close(4242, "go away")

        self.policy(RULE, api=self.websocket(serve))
        done = self.inside(CLIENT + """
async def main():
    socket = await talk()
    await socket.wait_closed()
    report(code=socket.close_code, reason=socket.close_reason)
run(main)
""")
        self.assertEqual(done.report, {"code": 4242, "reason": "go away"}, done)
        self.assert_carried(done)

    def test_a_proxy_on_the_way_carries_it_by_connect(self):
        server = self.websocket(tls=False)
        proxy = ConnectProxy(server.address)
        self.addCleanup(proxy.close)
        self.policy_file = self.write("policy.yaml", f"version: 1\n{RULE}upstream:\n  proxy: http://{proxy.address}\n", folder=self.root)
        done = self.inside(CLIENT + """
async def main():
    socket = await talk(scheme="ws")
    await socket.send("through")
    report(got=await socket.recv())
    await socket.close()
run(main)
""")
        self.assertEqual(done.report, {"got": "through"}, done)
        self.assertEqual(proxy.asked[0].splitlines()[0], "CONNECT api.test.example:80 HTTP/1.1")


@also_as_ordinary_user
class Credentials(WebSocketTest):
    def test_a_credential_is_injected_and_masked_when_the_server_echoes_it(self):
        async def serve(socket):
            token = socket.request_headers["Authorization"].removeprefix("Bearer ")
            await socket.send("you are " + token + ", " + token)
            await socket.send(iter(["cut ", token[:7], token[7:20], token[20:], " up"]))
            await socket.send(token.encode())
            await socket.send(token[:10])
            await socket.close(4000, token)

        server = self.websocket(serve)
        self.policy(CREDENTIAL + RULE, api=server)
        done = self.inside(CLIENT + """
async def main():
    socket = await talk(extra_headers={"Authorization": "Bearer placeholder"})
    got = [await socket.recv() for _ in range(4)]
    await socket.wait_closed()
    report(got=[m.decode() if isinstance(m, bytes) else m for m in got], reason=socket.close_reason)
run(main)
""", environment={"CHAT_TOKEN": SECRET})
        stars = "*" * len(SECRET)
        self.assertEqual(done.report, {"got": [f"you are {stars}, {stars}", f"cut {stars} up", stars, SECRET[:10]], "reason": stars}, done)
        self.assertNotIn(SECRET, done.out)
        self.assertEqual(server.handshakes[0][1]["Authorization"], f"Bearer {SECRET}")
        self.assertEqual(self.assert_carried(done)["credential"], "token")
        self.assertTrue(done.of("credential.used", credential="token"), done)
        self.assertEqual(done.of("credential.reflected")[0]["count"], 5, done)


@also_as_ordinary_user
class Refusals(WebSocketTest):
    def test_a_rule_that_does_not_say_websocket_lets_no_handshake_through(self):
        server = self.websocket()
        self.policy("rules:\n  - hosts: [api.test.example]\n", api=server)
        done = self.inside(CLIENT + "report(got=ask(request(path='/chat', headers=HANDSHAKE)))")
        self.assert_verdict(done.report["got"], 403, "no_rule", done)
        self.assertIn("websocket: true", json.loads(done.report["got"]["body"])["weir"]["how_to_allow"], done)
        self.assert_recorded_denial(done, "no_rule", protocol="websocket")
        self.assertEqual(server.handshakes, [])

    def test_a_rule_for_websockets_lets_nothing_else_through(self):
        self.policy(RULE, api=self.https("api.test.example"))
        done = self.inside("report(got=get('/'))")
        self.assert_verdict(done.report["got"], 403, "no_rule", done)

    def test_a_malformed_handshake_is_refused(self):
        server = self.websocket()
        self.policy(RULE, api=server)
        done = self.inside(CLIENT + """
def changed(name, value, method="GET", body=b""):
    headers = [(key, value if key == name else old) for key, old in HANDSHAKE]
    return ask(request(method, "/chat", headers=headers, body=body))
report(version=changed("Sec-WebSocket-Version", "12"), key=changed("Sec-WebSocket-Key", "short"), method=changed("", "", method="POST"),
       protocol=ask(request(path="/chat", headers=HANDSHAKE + [("Sec-WebSocket-Protocol", "a, a")])))
""")
        for name in ("version", "key", "method", "protocol"):
            self.assert_verdict(done.report[name], 400, "websocket_" + name, done)
        self.assertEqual(server.handshakes, [])

    def test_a_refusal_by_the_server_is_an_ordinary_answer(self):
        server = self.https("api.test.example", routes={"/": lambda _, connection: connection.respond(401, "who are you?", reason="Unauthorized"),
                                                        "/after": lambda _, connection: connection.respond(200, "well")})
        self.policy(RULE + "  - hosts: [api.test.example]\n", api=server)
        done = self.inside(CLIENT + """
wire = Wire()
refused = wire.send(request(path="/chat", headers=HANDSHAKE)).answer()
report(status=refused.status, body=refused.body.decode(), after=wire.send(request(path="/after")).answer().body.decode())
""")
        self.assertEqual(done.report, {"status": 401, "body": "who are you?", "after": "well"}, done)
        self.assertEqual(done.of("egress.response")[0]["status"], 401, done)
        self.assertIn("Sec-WebSocket-Key", server.requests[0].raw_head.decode())
        self.assertNotIn("AQIDBAUGBwgJCgsMDQ4PEA==", server.requests[0].raw_head.decode())

    def test_a_wrong_answer_of_the_server_is_not_passed_on(self):
        answers = iter([("A" * 27 + "=", ""), (None, "Sec-WebSocket-Extensions: permessage-deflate\r\n"), (None, "Sec-WebSocket-Protocol: other\r\n")])

        def frames(tls, accept):
            wrong, more = next(answers)
            self.switch(tls, wrong or accept, more)
            tls.recv(1)

        self.policy(RULE, api=self.raw(frames))
        done = self.inside(CLIENT + "report(got=[ask(request(path='/chat', headers=HANDSHAKE)) for _ in range(3)])")
        for got, code in zip(done.report["got"], ("websocket_accept", "websocket_extension", "websocket_protocol")):
            self.assert_verdict(got, 502, code, done)

    def test_a_server_that_switches_unasked_is_not_followed(self):
        def respond(_, connection):
            connection.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")

        self.policy("rules:\n  - hosts: [api.test.example]\n", api=self.https("api.test.example", routes={"/": respond}))
        done = self.inside("report(got=get('/'))")
        self.assert_verdict(done.report["got"], 502, "upstream_protocol", done)


@also_as_ordinary_user
class Protocol(WebSocketTest):
    def test_what_a_client_does_wrong_closes_both_sides_with_1002(self):
        closed = []

        async def serve(socket):
            await socket.wait_closed()
            closed.append(socket.close_code)

        self.policy(RULE, api=self.websocket(serve))
        done = self.inside(CLIENT + """
got = []
for bad in (frame(0x81, b"x", mask=None), frame(0xC1, b"x"), frame(0x83, b"x"), frame(0x09, b"x"), frame(0x89, b"x" * 126), frame(0x80, b"x"), frame(0x88, b"x")):
    wire = Wire()
    assert wire.send(request(path="/chat", headers=HANDSHAKE)).answer().status == 101
    wire.send(bad)
    while wire._fill():
        pass
    got.append(wire.buffer.hex())
    wire.close()
report(got=got)
""")
        self.assertEqual(done.report, {"got": ["880203ea"] * 7}, done)
        tunnels = done.of("egress.tunnel")
        self.assertEqual([t["end"] for t in tunnels], ["client_protocol"] * 7, done)
        self.assertEqual([t["reason"].split(":")[0] for t in tunnels],
                         ["frame_mask", "frame_reserved_bits", "frame_opcode", "frame_control", "frame_control", "frame_continuation", "frame_close"], done)
        self.assertEqual(wait_until(lambda: len(closed) == 7 and closed, "the server to see it"), [1002] * 7)

    def test_what_a_server_does_wrong_closes_both_sides_with_1002(self):
        told = []

        def frames(tls, accept):
            self.switch(tls, accept)
            tls.sendall(b"\x81\x05hello" + b"\x81\x81\0\0\0\0x")  # a good frame, then one that is masked
            data = b""
            while part := tls.recv(100):
                data += part
            told.append((data[0], bytes(c ^ data[2 + i % 4] for i, c in enumerate(data[6:8]))))

        self.policy(RULE, api=self.raw(frames))
        done = self.inside(CLIENT + """
async def main():
    socket = await talk()
    first = await socket.recv()
    await socket.wait_closed()
    report(first=first, code=socket.close_code)
run(main)
""")
        self.assertEqual(done.report, {"first": "hello", "code": 1002}, done)
        self.assert_carried(done, end="upstream_protocol")
        self.assertEqual(wait_until(lambda: told, "the server to be told"), [(0x88, b"\x03\xea")])

    def test_a_server_that_goes_without_a_close_frame_looks_so(self):
        def frames(tls, accept):
            self.switch(tls, accept)
            tls.sendall(b"\x01\x03hal")

        self.policy(RULE, api=self.raw(frames))
        done = self.inside(CLIENT + """
async def main():
    socket = await talk()
    await socket.wait_closed()
    report(code=socket.close_code)
run(main)
""")
        self.assertEqual(done.report, {"code": 1006}, done)
        self.assert_carried(done, end="upstream_reset")

    def test_a_client_that_goes_without_a_close_frame_ends_it(self):
        closed = []

        async def serve(socket):
            await socket.wait_closed()
            closed.append(socket.close_code)

        self.policy(RULE, api=self.websocket(serve))
        done = self.inside(CLIENT + """
wire = Wire()
assert wire.send(request(path="/chat", headers=HANDSHAKE)).answer().status == 101
wire.send(frame(0x01, b"hal"))
""")
        self.assert_carried(done, end="client_gone")
        self.assertEqual(wait_until(lambda: closed, "the server to see it"), [1006])

    def test_frames_that_come_with_the_handshake_are_not_lost(self):
        def frames(tls, accept):
            tls.sendall(f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n".encode() + b"\x81\x05early")
            tls.recv(100)

        self.policy(RULE, api=self.raw(frames))
        done = self.inside(CLIENT + """
wire = Wire()
wire.send(request(path="/chat", headers=HANDSHAKE) + frame(0x81, b"early too"))
head = wire.answer()
while len(wire.buffer) < 7 and wire._fill():
    pass
report(status=head.status, frame=wire.buffer.hex())
""")
        self.assertEqual(done.report, {"status": 101, "frame": "8105" + b"early".hex()}, done)


@also_as_ordinary_user
class WhileItRuns(WebSocketTest):
    def test_a_reload_that_refuses_it_closes_it_with_1008(self):
        self.environment["XDG_RUNTIME_DIR"] = self.folder("run")
        self.policy(RULE, api=self.websocket())
        running = self.start_python(CLIENT + """
async def main():
    socket = await talk()
    sync("open")
    await socket.wait_closed()
    report(code=socket.close_code, reason=socket.close_reason)
run(main)
""")
        running.reached("open")
        with open(self.policy_file, encoding="utf-8") as file:
            text = file.read()
        new = self.write("policy.yaml.new", text.replace("websocket: true", "websocket: false"), folder=self.root)
        os.rename(new, self.policy_file)
        running.go("open")
        done = running.finish()
        self.assertEqual(done.report["code"], 1008, done)
        self.assertIn("policy", done.report["reason"], done)
        self.assertEqual(self.assert_carried(done, end="cut")["reason"], done.report["reason"], done)


@also_as_ordinary_user
class Volume(WebSocketTest):
    def watched(self, source):
        running = self.start_python(CLIENT + source)
        running.reached("warm")
        proxy = running.proxy()
        before = memory_kib(proxy, "RssAnon")
        running.go("warm")
        running.reached("over", deadline=120)
        peak = memory_kib(proxy, "VmHWM"), memory_kib(proxy, "RssAnon")
        running.go("over")
        done = running.finish(120)
        self.assertEqual(done.status, 0, done)
        print(f"proxy: RssAnon {before} -> {peak[1]} KiB")
        if not SANITIZED:
            self.assertLess(peak[1] - before, 4096, done)
        return done

    def test_a_message_of_16_mib_is_not_gathered(self):
        self.policy(RULE, api=self.websocket())
        done = self.watched("""
import hashlib
async def main():
    socket = await talk()
    await socket.send("warm")
    await socket.recv()
    sync("warm")
    message = bytes(range(256)) * (1 << 16)
    await socket.send(message)
    back = await socket.recv()
    sync("over")
    await socket.close()
    report(same=back == message)
run(main)
""")
        self.assertEqual(done.report, {"same": True}, done)
        self.assertEqual(self.assert_carried(done)["bytes_out"], (1 << 24) + 4 + 2)

    def test_many_small_messages(self):
        count = 2000 if SANITIZED else 20000
        self.policy(RULE, api=self.websocket())
        done = self.watched(f"COUNT = {count}\n" + """
async def main():
    socket = await talk()
    await socket.send("warm")
    await socket.recv()
    sync("warm")
    async def send():
        for number in range(COUNT):
            await socket.send(str(number))
    sending = asyncio.ensure_future(send())
    right = 0
    for number in range(COUNT):
        right += await socket.recv() == str(number)
    await sending
    sync("over")
    await socket.close()
    report(right=right)
run(main)
""")
        self.assertEqual(done.report, {"right": count}, done)
        self.assertEqual(self.assert_carried(done)["frames_out"], count + 2)


if __name__ == "__main__":
    main()
