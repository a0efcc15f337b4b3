"""A gigabyte each way, with the proxy's memory watched: bodies are never held."""

from harness import SANITIZED, WeirTest, also_as_ordinary_user, main, memory_kib, wait_until
from standins.server import big, big_hash, echo

SIZE = (128 << 20) if SANITIZED else (1 << 30)
GROWTH_KIB = 16 * 1024  # what buffers, TLS and the allocator may take


@also_as_ordinary_user
class Volume(WeirTest):
    def setUp(self):
        super().setUp()
        self.server = self.https("api.test.example", routes={"/": echo, "/big": big})
        self.policy("rules:\n  - hosts: [api.test.example]\n", api=self.server)

    def transfer(self, source):
        running = self.start_python(f"SIZE = {SIZE}\n" + source)
        running.reached("warm")
        proxy = running.proxy()
        before = memory_kib(proxy, "RssAnon"), memory_kib(proxy, "VmHWM")
        running.go("warm")
        running.reached("over", deadline=240)
        after = memory_kib(proxy, "RssAnon"), memory_kib(proxy, "VmHWM")
        running.go("over")
        done = running.finish(120)
        self.assertEqual(done.status, 0, done)
        print(f"proxy: RssAnon {before[0]} -> {after[0]} KiB, peak {before[1]} -> {after[1]} KiB")
        if not SANITIZED:
            self.assertLess(after[0] - before[0], GROWTH_KIB, done)
            self.assertLess(after[1] - before[1], GROWTH_KIB, done)
        return done

    def settle(self, proxy):
        """Waits until the proxy has stopped reading: its count of read octets stands still."""
        seen = []

        def still():
            with open(f"/proc/{proxy}/io", encoding="ascii") as file:
                seen.append(file.readline())
            return len(seen) > 50 and len(set(seen[-50:])) == 1

        wait_until(still, "the proxy to stop reading")

    def test_a_gigabyte_comes_down(self):
        done = self.transfer("""
import hashlib
get("/")
sync("warm")
digest, size = hashlib.sha256(), 0
with urllib.request.urlopen(f"https://{API}/big?{SIZE}", timeout=60) as got:
    while part := got.read(1 << 18):
        digest.update(part)
        size += len(part)
sync("over")
report(size=size, sha256=digest.hexdigest())
""")
        self.assertEqual(done.report, {"size": SIZE, "sha256": big_hash(SIZE)}, done)
        over = [d for d in done.of("egress.response") if d["bytes_in"] >= SIZE]
        self.assertTrue(over, done)

    def test_a_gigabyte_goes_up(self):
        done = self.transfer("""
get("/")
sync("warm")
block = bytes(range(256)) * 1024
wire = Wire(timeout=240)
wire.send(request("POST", "/up", headers=[("Content-Length", str(SIZE))]))
for _ in range(SIZE // len(block)):
    wire.send(block)
got = json.loads(wire.answer().body)
sync("over")
report(size=got["size"], sha256=got["sha256"])
""")
        self.assertEqual(done.report, {"size": SIZE, "sha256": big_hash(SIZE)}, done)

    def test_a_reader_that_stops_stops_the_writer(self):
        """Back-pressure: while nobody reads inside, the proxy's memory does not grow."""
        running = self.start_python(f"""
get("/")
sync("warm")
wire = Wire(timeout=60)
wire.send(request(path="/big?{64 << 20}"))
first = wire.sock.recv(1)
sync("stalled")
left = {64 << 20}
wire.buffer += first
got = wire.answer()
report(size=len(got.body))
""")
        running.reached("warm")
        proxy = running.proxy()
        before = memory_kib(proxy, "RssAnon")
        running.go("warm")
        running.reached("stalled")
        self.settle(proxy)
        grown = memory_kib(proxy, "RssAnon") - before
        running.go("stalled")
        done = running.finish()
        self.assertEqual(done.report, {"size": 64 << 20}, done)
        if not SANITIZED:
            self.assertLess(grown, GROWTH_KIB, done)


if __name__ == "__main__":
    main()
