"""The policy is replaced while everything runs: all or nothing, by a change of the file, SIGHUP and command."""

import os
import signal
import threading
import unittest

from harness import SANITIZED, WeirTest, also_as_ordinary_user, wait_until


@also_as_ordinary_user
class Reload(WeirTest):

    def setUp(self):
        super().setUp()
        self.api = self.https("api.test.example")
        self.other = self.https("other.test.example")
        self.runtime = self.folder("run")
        self.environment["XDG_RUNTIME_DIR"] = self.runtime

    ONE = """
        rules:
          - {name: one, hosts: [api.test.example]}
        """
    OTHER = """
        rules:
          - {name: other, hosts: [other.test.example]}
        """

    def write_policy(self, body):
        """As editors do: another file, renamed over the old one."""
        path = self.policy_file or os.path.join(self.root, "policy.yaml")
        text = self.policy_text(body)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.chown(path + ".new", self.uid, self.gid)
        os.rename(path + ".new", path)
        self.policy_file = path

    def policy_text(self, body):
        before = self.policy_file
        self.policy(body, resolve={"api.test.example": self.api, "other.test.example": self.other}) if before is None else None
        if before is None:
            with open(self.policy_file, encoding="utf-8") as file:
                return file.read()
        saved = self.read(self.policy_file)
        self.policy(body, resolve={"api.test.example": self.api, "other.test.example": self.other})
        text = self.read(self.policy_file)
        self.overwrite(self.policy_file, saved)
        return text

    @staticmethod
    def read(path):
        with open(path, encoding="utf-8") as file:
            return file.read()

    @staticmethod
    def overwrite(path, text):
        with open(path, "r+", encoding="utf-8") as file:
            file.write(text)
            file.truncate()

    ASKS_IN_TURN = """
        import os
        def status(host):
            wire = Wire(host)
            wire.send(f"GET / HTTP/1.1\\r\\nHost: {host}\\r\\n\\r\\n")
            return wire.answer().status
        found = []
        for step in range(2):
            found.append([status("api.test.example"), status("other.test.example")])
            if step == 0:
                open("asked.reached", "w").close()
                while not os.path.exists("again.go"):
                    time.sleep(0.01)
        report(found=found)
        """

    def in_turn(self, change):
        """Runs the requests before and after `change(running)`."""
        # Names that no rule could allow have no address: both policies know both names.
        running = self.start_python(self.ASKS_IN_TURN)
        running.reached("asked")
        change(running)
        running.go("again")
        done = running.finish()
        self.assertEqual(0, done.status, done)
        return done

    BOTH_KNOWN = """
          - {name: never, hosts: [api.test.example, other.test.example], paths: ["/never"]}
        """

    def loaded(self, running, count=2):
        return wait_until(lambda: len([e for e in running.events() if e["type"] == "policy.loaded"]) >= count, "policy.loaded")

    def change_to(self, body):
        self.write_policy(body.rstrip() + self.BOTH_KNOWN.rstrip() + "\n")

    def test_a_changed_file_takes_effect(self):
        self.change_to(self.ONE)

        def change(running):
            self.assertTrue(self.watches(running, self.root))
            self.change_to(self.OTHER)
            self.loaded(running)

        done = self.in_turn(change)
        self.assertEqual([[200, 403], [403, 200]], done.report["found"], done)

    def test_a_file_written_in_place_takes_effect(self):
        self.change_to(self.ONE)

        def change(running):
            before = self.read(self.policy_file)
            self.change_to(self.OTHER)
            after = self.read(self.policy_file)
            self.overwrite(self.policy_file, before)
            self.overwrite(self.policy_file, after)
            wait_until(lambda: any(e["type"] == "policy.loaded" and e["data"].get("by") for e in running.events()), "a reload")

        done = self.in_turn(change)
        self.assertEqual([403, 200], done.report["found"][1], done)

    def test_sighup_reloads(self):
        self.change_to(self.ONE)
        link = os.path.join(self.project, "policy.yaml")  # where the sandbox could write: not noticed by itself
        os.rename(self.policy_file, link)
        self.policy_file = link

        def change(running):
            self.change_to(self.OTHER)
            os.kill(self.keeper(running), signal.SIGHUP)
            self.loaded(running)

        done = self.in_turn(change)
        self.assertEqual([[200, 403], [403, 200]], done.report["found"], done)
        self.assertEqual("SIGHUP", done.of("policy.loaded")[1]["by"], done)

    def keeper(self, running):
        return running.pid

    def test_the_command_reloads_and_answers_when_the_policy_is_in_force(self):
        self.change_to(self.ONE)
        link = os.path.join(self.project, "policy.yaml")
        os.rename(self.policy_file, link)
        self.policy_file = link

        def change(running):
            self.change_to(self.OTHER)
            done = self.weir("policy", "reload")
            self.assertEqual(0, done.status, done)

        done = self.in_turn(change)
        self.assertEqual([[200, 403], [403, 200]], done.report["found"], done)

    def test_a_file_that_the_sandbox_can_write_is_not_reloaded_by_itself(self):
        self.change_to(self.ONE)
        inside = os.path.join(self.project, "policy.yaml")
        os.rename(self.policy_file, inside)
        self.policy_file = inside

        def change(running):
            self.assertFalse(self.watches(running, self.project), "the folder is watched though the sandbox can write there")
            self.change_to(self.OTHER)

        done = self.in_turn(change)
        self.assertEqual([[200, 403], [200, 403]], done.report["found"], done)

    def watches(self, running, folder):
        """Whether this weir has an inotify watch on the folder (proc(5), /proc/PID/fdinfo)."""
        inode = f"ino:{os.stat(folder).st_ino:x} "
        for entry in os.listdir(f"/proc/{running.pid}/fdinfo"):
            with open(f"/proc/{running.pid}/fdinfo/{entry}", encoding="ascii") as file:
                if any(line.startswith("inotify") and inode in line for line in file):
                    return True
        return False

    def test_a_broken_file_changes_nothing_and_says_so(self):
        self.change_to(self.ONE)

        def change(running):
            good = self.read(self.policy_file)
            self.overwrite(self.policy_file, good.replace("hosts", "hostss"))
            running.wait_for_event("policy.rejected")
            done = self.weir("policy", "reload")
            self.assertEqual(1, done.status, done)
            self.assertIn("hostss", done.err, done)

        done = self.in_turn(change)
        self.assertEqual([[200, 403], [200, 403]], done.report["found"], done)
        self.assertIn("did you mean `hosts`?", done.of("policy.rejected")[0]["errors"], done)
        self.assertIn("the old one stays", done.err, done)

    def test_a_policy_whose_secret_cannot_be_had_changes_nothing(self):
        self.change_to(self.ONE)

        def change(running):
            self.change_to("""
        credentials:
          missing: {from: "env:NOT_SET_ANYWHERE", hosts: [other.test.example], inject: {header: x-key, format: "{secret}"}}
        """ + self.OTHER)
            running.wait_for_event("policy.rejected")

        done = self.in_turn(change)
        self.assertEqual([[200, 403], [200, 403]], done.report["found"], done)

    def test_a_new_credential_is_used_and_an_old_one_is_gone(self):
        self.environment.update(FIRST_KEY="first-secret-value", SECOND_KEY="second-secret-value")

        def credential(variable):
            return f"""
        credentials:
          key: {{from: "env:{variable}", hosts: [api.test.example], inject: {{header: x-key, format: "{{secret}}"}}}}
        """

        self.change_to(credential("FIRST_KEY") + self.ONE)

        def change(running):
            self.change_to(credential("SECOND_KEY") + self.ONE)
            self.loaded(running)

        self.in_turn(change)
        self.assertEqual(["first-secret-value", "second-secret-value"], [request.get("x-key") for request in self.api.requests])

    def test_a_request_in_flight_finishes_under_the_policy_that_admitted_it(self):
        go = threading.Event()

        def slow(request, connection):
            connection.read_body(request, lambda part: None)
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf")
            go.wait(30)
            connection.send(b"done")

        self.api.routes["/slow"] = slow
        self.addCleanup(go.set)
        self.change_to(self.ONE)
        running = self.start_python("""
            wire = Wire()
            wire.send(f"GET /slow HTTP/1.1\\r\\nHost: {API}\\r\\n\\r\\n")
            answer = wire.answer()
            wire.send(f"GET / HTTP/1.1\\r\\nHost: {API}\\r\\n\\r\\n")
            report(body=answer.body.decode(), complete=answer.complete, next=wire.answer().status)
            """)
        wait_until(lambda: any(request.path == "/slow" for request in self.api.requests), "the slow request")
        self.change_to(self.OTHER)
        self.loaded(running)
        go.set()
        done = running.finish()
        self.assertEqual(("halfdone", True, 403), (done.report["body"], done.report["complete"], done.report["next"]), done)

    def test_a_request_that_is_approved_when_the_policy_has_come_to_deny_it_does_not_pass(self):
        rule = """
        rules:
          - {name: careful, hosts: [api.test.example], action: %s}
        """
        self.change_to(rule % "ask")
        running = self.start_inside("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "https://api.test.example/", options=["--approvals=wait"])
        running.wait_for_event("approval.requested")
        self.change_to(rule % "deny")
        self.loaded(running)
        approved = self.weir("approve")
        self.assertEqual(0, approved.status, approved)
        done = running.finish()
        self.assertEqual("403", done.out, done)
        self.assertEqual([], self.api.requests)
        self.assert_recorded_denial(done, "rule_denies")

    def test_a_body_that_is_read_when_the_policy_changes_is_decided_by_the_new_one(self):
        rule = """
        rules:
          - {name: queries, hosts: [api.test.example], graphql: {operations: [query]}, action: %s}
        """
        self.change_to(rule % "allow")
        running = self.start_python("""
            body = '{"query": "{ viewer { name } }"}'
            wire = Wire()
            wire.send(f"POST / HTTP/1.1\\r\\nHost: {API}\\r\\nContent-Type: application/json\\r\\nContent-Length: {len(body)}\\r\\n\\r\\n{body[:5]}")
            open("sent.reached", "w").close()
            while not os.path.exists("rest.go"):
                time.sleep(0.01)
            wire.send(body[5:])
            report(status=wire.answer("POST").status)
            """)
        running.reached("sent")
        running.wait_for_event("dns.query")
        self.change_to(rule % "deny")
        self.loaded(running)
        running.go("rest")
        done = running.finish()
        self.assertEqual(403, done.report["status"], done)

    def test_a_stream_of_events_that_the_new_policy_refuses_is_cut(self):
        go = threading.Event()

        def stream(request, connection):
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
            go.wait(30)

        self.api.routes["/stream"] = stream
        self.addCleanup(go.set)
        self.change_to(self.ONE)
        running = self.start_python("""
            wire = Wire()
            wire.send(f"GET /stream HTTP/1.1\\r\\nHost: {API}\\r\\n\\r\\n")
            answer = wire.answer()
            report(body=answer.body.decode(), complete=answer.complete)
            """)
        wait_until(lambda: self.api.requests, "the stream")
        running.wait_for_event("egress.request")
        self.change_to(self.OTHER)
        self.loaded(running)
        done = running.finish()
        self.assertFalse(done.report["complete"], done)
        self.assertEqual("cut", done.of("egress.response")[0]["end"], done)

    def test_a_stream_to_an_address_that_the_new_policy_does_not_name_is_cut_whatever_its_default(self):
        go = threading.Event()
        self.addCleanup(go.set)

        def stream(request, connection):
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
            go.wait(30)

        plain = self.http(routes={"/stream": stream})
        self.policy("""
        rules:
          - {name: named, hosts: [203.0.113.9]}
        """, resolve={"203.0.113.9": plain})
        running = self.start_python("""
            wire = Wire("203.0.113.9", tls=False)
            wire.send("GET /stream HTTP/1.1\\r\\nHost: 203.0.113.9\\r\\n\\r\\n")
            answer = wire.answer()
            report(body=answer.body.decode(), complete=answer.complete)
            """)
        wait_until(lambda: plain.requests, "the stream")
        self.policy("""
        default: log
        rules:
          - {name: every name, hosts: ["*"]}
        """)
        self.loaded(running)
        done = running.finish()
        self.assertFalse(done.report["complete"], done)
        self.assertEqual("cut", done.of("egress.response")[0]["end"], done)

    def test_while_a_thousand_requests_a_second_pass_none_fails_that_both_allow_and_none_passes_that_the_new_one_denies(self):
        both = """
        rules:
          - {hosts: [api.test.example], paths: ["/both"]}
          - {hosts: [api.test.example], paths: ["/first"], action: %s}
        """
        self.change_to(both % "allow")
        running = self.start_python("""
            import threading
            counts = {"both": 0, "failed": 0}
            lock = threading.Lock()
            stop = threading.Event()
            after = []
            def load(path, good):
                wire = Wire()
                while not stop.is_set():
                    # Told before the request is sent: whoever reloaded had its answer by then.
                    told = os.path.exists("denied.told") and not os.path.exists("changing.told")
                    wire.send(f"GET {path} HTTP/1.1\\r\\nHost: {API}\\r\\n\\r\\n")
                    answer = wire.answer()
                    status = answer.status if answer else 0
                    with lock:
                        if path == "/both":
                            counts["both"] += 1
                            counts["failed"] += status != 200
                        elif told and os.path.exists("denied.told") and not os.path.exists("changing.told"):
                            after.append(status)
                    if answer is None:
                        wire = Wire()
            threads = [threading.Thread(target=load, args=(path, 200)) for path in ("/both", "/both", "/first")]
            for thread in threads: thread.start()
            open("loading.reached", "w").close()
            while not os.path.exists("stop.go"): time.sleep(0.01)
            stop.set()
            for thread in threads: thread.join()
            report(**counts, after=sorted(set(after)), denied=len(after))
            """)
        running.reached("loading")
        rounds = 6 if SANITIZED else 20
        for _ in range(rounds):
            self.write("changing.told", "")
            for action in ("allow", "deny"):
                self.change_to(both % action)
                done = self.weir("policy", "reload")
                self.assertEqual(0, done.status, done)
            self.write("denied.told", "")
            os.unlink(os.path.join(self.project, "changing.told"))
            seen = len(self.api.requests)
            wait_until(lambda before=seen: len(self.api.requests) > before + 50, "requests to go on")
        running.go("stop")
        done = running.finish()
        self.assertEqual(0, done.report["failed"], done)
        self.assertGreater(done.report["denied"], 0, done)
        self.assertEqual([403], done.report["after"], done)
        self.assertGreater(done.report["both"], 50 * rounds, done)


if __name__ == "__main__":
    unittest.main(verbosity=2)
