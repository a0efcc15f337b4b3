"""Requests that a rule asks about: held until somebody decides from another process or in the terminal, recorded, and passed or
denied as decided. With real curl inside."""

import json
import os
import shlex
import signal

from harness import WeirTest, also_as_ordinary_user, main, program_for, read_events, wait_until
import test_terminal

RULES = """
rules:
  - name: reads
    hosts: [api.test.example]
    methods: [GET]
  - name: writes
    hosts: [api.test.example, other.test.example]
    methods: [POST, PUT]
    action: ask
"""
CURL = ["curl", "-sS", "--max-time", "60", "-o", "/dev/null", "-w", "%{http_code}\n"]
LINE = shlex.join([part.replace("\n", "\\n") for part in CURL])


class Asking(WeirTest):
    """A policy that asks about writes; weir's socket in a folder of the test."""

    def setUp(self):
        super().setUp()
        self.environment["XDG_RUNTIME_DIR"] = self.folder("run")
        self.server = self.https("api.test.example", "other.test.example")
        self.policy(RULES, api=self.server, other=self.server)

    def policy_with(self, more):
        self.policy(RULES + more, api=self.server, other=self.server)

    def post(self, path="/v1/x", host="api.test.example", method="POST", options=("--approvals=wait",)):
        return self.start_inside(*CURL, "-X", method, "-d", "x", f"https://{host}{path}", options=options)

    def waiting(self, count=1):
        """What waits for an approval, when there are so many."""
        def listed():
            done = self.weir("approvals", "--json")
            self.assertEqual(done.status, 0, done)
            found = json.loads(done.out)
            return found if len(found) == count else None
        return wait_until(listed, f"{count} pending approvals")

    def decide(self, *arguments, status=0):
        done = self.weir(*arguments)
        self.assertEqual(done.status, status, done)
        return done

    def passes(self, running, code="200"):
        done = running.finish()
        self.assertEqual(done.out.strip(), code, done)
        return done


@also_as_ordinary_user
class FromAnotherProcess(Asking):
    def test_a_held_request_passes_after_approve(self):
        running = self.post()
        one = self.waiting()[0]
        self.assertEqual((one["method"], one["host"], one["path"], one["rule"]), ("POST", "api.test.example", "/v1/x", "writes"))
        table = self.weir("approvals")
        self.assertIn("POST https://api.test.example/v1/x", table.out, table)
        self.assertIn(one["id"][4:], table.out, table)
        said = self.decide("approve", one["id"])
        self.assertIn("approved: POST https://api.test.example/v1/x", said.out, said)
        done = self.passes(running)
        granted = done.of("approval.granted")[0]
        self.assertEqual((granted["approval"], granted["for"], granted["scope"]), (one["id"], "once", "request"), done)
        self.assertRegex(granted["by"], r"^user \S+ pid \d+$")
        kinds = [e["type"] for e in done.events]
        self.assertLess(kinds.index("approval.requested"), kinds.index("approval.granted"), done)
        self.assertLess(kinds.index("approval.granted"), kinds.index("egress.request"), done)

    def test_the_identifier_may_be_left_out_or_begun(self):
        running = self.post()
        self.waiting()
        self.decide("approve")
        self.passes(running)
        running = self.post()
        one = self.waiting()[0]
        self.decide("approve", one["id"][4:20])
        self.passes(running)

    def test_deny_denies(self):
        running = self.post()
        self.waiting()
        self.decide("deny")
        done = self.passes(running, "403")
        self.assert_recorded_denial(done, "approval_denied")
        self.assertEqual(len(done.of("approval.denied")), 1, done)

    def test_what_nobody_decides_expires(self):
        self.policy_with("limits: {approval_wait: 1s}\n")
        done = self.passes(self.post(), "403")
        self.assert_recorded_denial(done, "approval_expired")
        self.assertEqual(done.of("approval.expired")[0]["by"], "time", done)

    def test_what_is_not_asked_about_passes_meanwhile(self):
        running = self.start_inside("sh", "-c", f"{LINE} -d x https://api.test.example/slow & {LINE} "
                                    "https://api.test.example/read; wait", options=["--approvals=wait"])
        self.waiting()
        running.wait_for_event("egress.response", status=200)
        self.decide("approve")
        self.assertEqual(running.finish().out.split(), ["200", "200"])

    def test_a_grant_for_a_time_lets_the_same_request_pass_and_no_other(self):
        running = self.start_inside("sh", "-c", f"for path in a a b; do {LINE} -d x https://api.test.example/$path; done",
                                    options=["--approvals=wait"])
        self.waiting()
        self.decide("approve", "--for", "10m")
        other = wait_until(lambda: [w for w in self.waiting() if w["path"] == "/b"], "the other request")
        self.decide("deny", other[0]["id"])
        done = running.finish()
        self.assertEqual(done.out.split(), ["200", "200", "403"], done)
        self.assertEqual([g["by"] for g in done.of("approval.granted")][1:], ["standing"], done)

    def test_a_grant_for_the_host_covers_the_rule_there_and_nowhere_else(self):
        running = self.start_inside("sh", "-c", f"for to in api.test.example/a api.test.example/b other.test.example/a; do "
                                    f"{LINE} -d x https://$to; done", options=["--approvals=wait"])
        self.waiting()
        self.decide("approve", "--for", "session", "--host")
        other = wait_until(lambda: [w for w in self.waiting() if w["host"] == "other.test.example"], "the other host")
        self.decide("deny", other[0]["id"])
        self.assertEqual(running.finish().out.split(), ["200", "200", "403"])

    def test_a_standing_denial_is_not_asked_about_again(self):
        running = self.start_inside("sh", "-c", f"for path in a a; do {LINE} -d x https://api.test.example/$path; done",
                                    options=["--approvals=wait"])
        self.waiting()
        self.decide("deny", "--for", "session")
        done = running.finish()
        self.assertEqual(done.out.split(), ["403", "403"], done)
        self.assertEqual(len(done.of("approval.requested")), 1, done)

    def test_a_client_that_has_hung_up_finds_the_grant_at_its_next_try(self):
        self.write("give-up.sh", f"{LINE} -d x --max-time 0.5 https://api.test.example/v1/x 2>/dev/null\n"
                   "touch gave-up; while [ ! -e again ]; do sleep 0.05; done\n"
                   f"{LINE} -d x https://api.test.example/v1/x\n")
        running = self.start_inside("sh", "give-up.sh", options=["--approvals=wait"])
        wait_until(lambda: os.path.exists(os.path.join(self.project, "gave-up")), "the client to give up")
        wait_until(lambda: self.waiting()[0]["waiting"] == 0, "nobody to wait")
        self.decide("approve")
        self.write("again", "")
        done = running.finish()
        self.assertEqual(done.out.split()[-1], "200", done)
        self.assertEqual(len(done.of("approval.requested")), 1, done)

    def test_the_policys_default_may_ask(self):
        self.policy("default: ask\nrules: []\n", api=self.server)
        running = self.start_inside(*CURL, "https://api.test.example/", options=["--approvals=wait"])
        self.assertIsNone(self.waiting()[0]["rule"])
        self.decide("approve")
        self.passes(running)

    def test_a_grant_for_a_time_outlives_a_keeper_that_is_killed(self):
        running = self.post()
        self.waiting()
        self.decide("approve", "--for", "10m")
        self.passes(running)
        killed = self.post("/v1/other")
        self.waiting()
        os.kill(killed.pid, signal.SIGKILL)
        killed.process.wait()
        again = self.post()
        self.assertEqual(self.waiting()[0]["path"], "/v1/other", "what waited when the keeper died")
        done = self.passes(again)
        self.assertEqual(done.of("approval.granted")[0]["by"], "standing", done)

    def test_a_session_grant_ends_with_its_session(self):
        running = self.post()
        self.waiting()
        self.decide("approve", "--for", "session")
        self.passes(running)
        running = self.post()
        self.waiting()
        self.decide("deny")
        self.passes(running, "403")

    def test_a_grant_says_nothing_under_another_policy(self):
        running = self.post()
        self.waiting()
        self.decide("approve", "--for", "10m")
        self.passes(running)
        self.policy_with("# changed\n")
        running = self.post()
        self.waiting()
        self.decide("deny")
        self.passes(running, "403")

    def test_nobody_is_asked_with_approvals_deny(self):
        done = self.passes(self.post(options=["--approvals=deny"]), "403")
        self.assert_recorded_denial(done, "approval_denied")

    def test_without_a_terminal_prompt_means_wait(self):
        running = self.post(options=[])
        self.waiting()
        self.decide("approve")
        self.passes(running)

    def test_errors_are_clear(self):
        for arguments, text in ((["approve"], "nothing waits"), (["approve", "apr_X"], "nothing waits"), (["approve", "--for", "soon"], "--for soon"),
                                (["approve", "--for", "99d"], "at most 7d"), (["policy", "reload"], "no weir runs")):
            done = self.decide(*arguments, status=2)
            self.assertIn(text, done.err, done)
        running = self.start_inside("sh", "-c", f"{LINE} -d x https://api.test.example/a & {LINE} -d x "
                                    "https://api.test.example/b & wait", options=["--approvals=wait"])
        two = self.waiting(2)
        done = self.decide("approve", status=2)
        self.assertIn("say which one", done.err, done)
        wrong = two[0]["id"][:-1] + ("0" if two[0]["id"][-1] != "0" else "1")
        done = self.decide("approve", wrong, status=2)
        self.assertIn("did you mean", done.err, done)
        for one in two:
            self.decide("approve", one["id"])
        self.assertEqual(running.finish().out.split(), ["200", "200"])

    def test_text_from_the_sandbox_cannot_drive_the_terminal(self):
        running = self.start_inside(*CURL, "-d", "x", "https://api.test.example/%1b%5b2J%e2%80%ae", options=["--approvals=wait"])
        self.waiting()
        table = self.weir("approvals")
        self.assertNotIn("\x1b", table.out)
        self.assertNotIn("\u202e", table.out)
        self.assertIn("\\x1b", table.out, table)
        self.decide("deny")
        running.finish()

    def test_the_socket_is_gone_after_the_session_and_dead_ones_are_removed(self):
        folder = os.path.join(self.environment["XDG_RUNTIME_DIR"], "weir/sessions")
        running = self.post()
        self.waiting()
        name = [n for n in os.listdir(folder) if n.endswith(".sock")]
        self.assertEqual(len(name), 1)
        self.assertEqual(os.stat(os.path.join(folder, name[0])).st_mode & 0o777, 0o600)
        self.assertEqual(os.stat(folder).st_mode & 0o777, 0o700)
        running.process.kill()
        running.process.wait()
        self.assertEqual(self.weir("approvals", "--json").out.strip(), "[]")
        self.assertEqual(os.listdir(folder), [])


@also_as_ordinary_user
class FromInside(Asking):
    """The sandbox must not decide about itself."""

    def test_a_socket_that_was_put_inside_refuses_the_sandbox(self):
        share = self.folder("share")
        running = self.start_python("""
            import glob, socket
            sync("inside")
            answers = []
            for path in glob.glob("/share/*.sock"):
                with socket.socket(socket.AF_UNIX) as client:
                    client.connect(path)
                    try:
                        client.sendall(b"GET /v1/approvals HTTP/1.1\\r\\nHost: weir\\r\\n\\r\\n")
                    except OSError:
                        pass
                    answers.append(client.recv(65536).decode())
            report(answers=answers)
        """, options=["--mount", f"rw:{share}:/share", "--approvals=wait"])
        running.reached("inside")
        asking = self.post()
        self.waiting()
        # After the start of the sandbox, so that nothing covers it: the same socket by another name.
        sockets = os.path.join(self.environment["XDG_RUNTIME_DIR"], "weir/sessions")
        for name in os.listdir(sockets):
            os.link(os.path.join(sockets, name), os.path.join(share, name))
        running.go("inside")
        done = running.finish()
        self.assertEqual(len(done.report["answers"]), 2, done)
        for answer in done.report["answers"]:
            self.assertTrue(answer.startswith("HTTP/1.1 403"), done)
            self.assertIn("peer_refused", answer)
        self.decide("deny")
        asking.finish()

    def test_neither_journal_nor_socket_is_visible(self):
        running = self.post()
        self.waiting()
        self.decide("approve", "--for", "10m")
        self.passes(running)
        journal = os.path.join(self.state, "weir/approvals")
        self.assertTrue(os.listdir(journal))
        done = self.inside(f"""
            report(journal=failure(lambda: os.listdir("{journal}")), socket=failure(lambda: os.listdir("{self.environment['XDG_RUNTIME_DIR']}/weir")))
        """)
        self.assertTrue(done.report["journal"], done)
        self.assertTrue(done.report["socket"], done)
        # Nor where a folder above it is shown.
        done = self.inside(f"""
            def reached(path):
                try:
                    return os.listdir(path)
                except OSError:
                    return []
            report(journal=reached("{journal}"), socket=reached("{self.environment['XDG_RUNTIME_DIR']}/weir/sessions"))
        """, options=["--mount", f"rw:{self.state}", "--mount", f"rw:{self.environment['XDG_RUNTIME_DIR']}"])
        self.assertEqual(done.report, {"journal": [], "socket": []}, done)


@also_as_ordinary_user
class InTheTerminal(Asking):
    """The question where `weir run` was started. Under a shell with job control, and as the session's leader (an orphaned group)."""

    QUESTION = "[l] later: "

    def terminal(self, *command):
        terminal = test_terminal.Terminal(list(command), self.environment, self.project)
        self.addCleanup(terminal.close)
        return terminal

    def weir_terminal(self, *command, options=()):
        return self.terminal(*self.weir_command(*self.run_arguments(options), "--", *command))

    def curl(self, *paths):
        return ["sh", "-c", "; ".join(f"{LINE} -d x https://api.test.example{path}" for path in paths)]

    def events_of(self, kind):
        return [e["data"] for e in read_events(self.state) if e["type"] == kind]

    def test_y_lets_it_through_once(self):
        terminal = self.weir_terminal(*self.curl("/a", "/a"))
        shown = terminal.expect(self.QUESTION)
        self.assertIn("weir: POST https://api.test.example/a  (rule `writes`) — allow? [y] once", shown)
        terminal.type("y\n")
        terminal.expect("weir: approved")
        terminal.expect("200")
        terminal.expect(self.QUESTION)
        terminal.type("n\n")
        terminal.expect("weir: denied")
        seen, status = terminal.end()
        self.assertIn("403", seen)
        self.assertEqual(status, 0)
        self.assertEqual(self.events_of("approval.granted")[0]["by"], "terminal")

    def test_h_lets_the_host_through_for_the_session(self):
        terminal = self.weir_terminal(*self.curl("/a", "/b"))
        terminal.expect(self.QUESTION)
        terminal.type("h\n")
        seen, _ = terminal.end()
        self.assertEqual(seen.count("200"), 2, seen)
        self.assertNotIn(self.QUESTION, seen)

    def test_s_lets_this_through_for_the_session(self):
        terminal = self.weir_terminal(*self.curl("/a", "/a", "/b"))
        terminal.expect(self.QUESTION)
        terminal.type("S\n")
        shown = terminal.expect(self.QUESTION)
        self.assertEqual(shown.count("200"), 2, shown)
        self.assertIn("/b", shown)
        terminal.type("n\n")
        terminal.end()

    def test_anything_else_is_asked_again_and_ctrl_c_is_no(self):
        terminal = self.weir_terminal("sh", "-c", f"trap 'echo trapped' INT; {LINE} -d x https://api.test.example/a; echo done")
        terminal.expect(self.QUESTION)
        terminal.type("yes to all\n")
        terminal.expect("one of the letters")
        terminal.type("\n")
        terminal.expect("one of the letters")
        terminal.type("\x03")
        terminal.expect("weir: denied")
        seen, status = terminal.end()
        self.assertIn("403", seen)
        self.assertIn("done", seen)
        self.assertNotIn("trapped", seen)

    def test_later_leaves_it_to_the_commands(self):
        terminal = self.weir_terminal(*self.curl("/a"))
        terminal.expect(self.QUESTION)
        terminal.type("l\n")
        terminal.expect("`weir deny` decides")
        self.decide("approve")
        self.assertIn("200", terminal.end()[0])

    def test_a_decision_from_elsewhere_takes_the_question_back(self):
        terminal = self.weir_terminal(*self.curl("/a"))
        terminal.expect(self.QUESTION)
        self.decide("approve")
        terminal.expect("weir: no answer is needed any more: granted by user")
        self.assertIn("200", terminal.end()[0])

    def test_time_takes_the_question_back(self):
        self.policy_with("limits: {approval_wait: 1s}\n")
        terminal = self.weir_terminal(*self.curl("/a"))
        terminal.expect(self.QUESTION)
        terminal.expect("weir: no answer is needed any more: nobody decided in time")
        self.assertIn("403", terminal.end()[0])

    def test_several_are_asked_one_after_the_other(self):
        terminal = self.weir_terminal("sh", "-c", f"{LINE} -d x https://api.test.example/a & {LINE} -d x https://api.test.example/b & wait")
        shown = ""  # the first answer may come before or after the second question
        for _ in range(2):
            shown += terminal.expect(self.QUESTION)
            terminal.type("y\n")
            shown += terminal.expect("weir: approved")
        shown += terminal.end()[0]
        self.assertEqual(shown.count("200"), 2, shown)

    def asks_while_cat_reads(self, terminal):
        terminal.expect("up")
        terminal.type("before\n")
        terminal.expect("got before")
        self.write("ask", "")
        terminal.expect(self.QUESTION)
        terminal.type("y\n")
        terminal.expect("weir: approved")
        terminal.expect("200")
        terminal.type("after\n")
        shown = terminal.expect("got after")
        self.assertNotIn("got y", shown)
        terminal.type("\x04")
        terminal.expect("ended")

    READER = ("echo up; (while [ ! -e ask ]; do sleep 0.05; done; %s -d x https://api.test.example/a) & "
              "while read line; do echo got $line; done; wait; echo ended" % LINE)

    def test_a_command_that_reads_gets_its_own_input_and_none_of_the_answer(self):
        self.asks_while_cat_reads(self.weir_terminal("sh", "-c", self.READER))

    def test_the_same_under_a_shell_with_job_control(self):
        shell = self.terminal(*self.as_user(["bash", "--norc", "--noprofile", "--noediting", "-i"]))
        shell.type("PS1='ready> '; stty -echo\n")
        shell.expect("ready> ")
        shell.type(shlex.join([program_for(self.uid), *self.run_arguments([]), "--", "sh", "-c", self.READER]) + "; echo status-$?\n")
        self.asks_while_cat_reads(shell)
        shell.expect("status-0")
        shell.type("echo shell-$((3+4))\n")
        shell.expect("shell-7")

    def test_a_program_in_raw_mode_finds_its_terminal_as_it_was_and_draws_anew(self):
        terminal = self.weir_terminal(*self.script("""
            import signal, subprocess, termios, tty
            signal.signal(signal.SIGWINCH, lambda *_: print("drawn", end="\\r\\n", flush=True))
            tty.setraw(0)
            before = termios.tcgetattr(0)
            curl = subprocess.Popen(["curl", "-sS", "-o", "/dev/null", "-d", "x", "https://api.test.example/a"], stdin=subprocess.DEVNULL)
            print("up", end="\\r\\n", flush=True)
            keys = b""
            while not keys.endswith(b"q"):
                keys += os.read(0, 1)
            print("same" if termios.tcgetattr(0) == before else "other", keys, end="\\r\\n", flush=True)
            curl.wait()
        """))
        terminal.expect(self.QUESTION)
        terminal.type("y\n")
        terminal.expect("weir: approved")
        terminal.expect("drawn")
        terminal.type("abq")
        terminal.expect("same b'abq'")
        self.assertEqual(terminal.end()[1], 0)

    def test_nothing_inside_runs_while_the_question_stands(self):
        terminal = self.weir_terminal(*self.script("""
            import subprocess, time
            # In a session of its own, with the terminal still open: job control does not reach it.
            painter = subprocess.Popen(["sh", "-c", "while :; do echo painted; sleep 0.05; done"], start_new_session=True)
            subprocess.run(["curl", "-sS", "-o", "/dev/null", "-d", "x", "https://api.test.example/a"], stdin=subprocess.DEVNULL)
            sys.stdin.readline()  # until the test has seen it go on
            painter.kill()
        """))
        terminal.expect("painted")
        terminal.expect(self.QUESTION)
        terminal.type("?\n")
        self.assertNotIn("painted", terminal.expect("one of the letters"))
        terminal.type("y\n")
        terminal.expect("weir: approved")
        terminal.expect("painted")
        terminal.type("\n")
        self.assertEqual(terminal.end()[1], 0)

    def test_a_signal_to_weir_reaches_the_command_in_spite_of_the_question(self):
        terminal = self.weir_terminal("sh", "-c", f"trap 'echo trapped; exit 5' TERM; {LINE} -d x https://api.test.example/a & wait")
        terminal.expect(self.QUESTION)
        os.kill(terminal.pid, signal.SIGTERM)
        terminal.expect("trapped")
        self.assertEqual(terminal.end()[1], 5)

    def test_a_terminal_that_goes_away_with_its_shell_is_told_to_the_command(self):
        weir = self.weir_command(*self.run_arguments([]), "--", "sh", "-c",
                                 f"trap 'touch hung-up; exit 0' HUP; {LINE} -d x https://api.test.example/a & wait")
        terminal = self.terminal("sh", "-c", shlex.join(weir) + "; true")
        terminal.expect(self.QUESTION)
        os.close(terminal.fd)
        terminal.fd = os.open(os.devnull, os.O_RDWR)
        wait_until(lambda: os.path.exists(os.path.join(self.project, "hung-up")), "the command to be told")

    def test_ctrl_z_after_a_question_still_stops_the_job(self):
        shell = self.terminal(*self.as_user(["bash", "--norc", "--noprofile", "--noediting", "-i"]))
        shell.type("PS1='ready> '; stty -echo\n")
        shell.expect("ready> ")
        shell.type(shlex.join([program_for(self.uid), *self.run_arguments([]), "--", "sh", "-c",
                               f"{LINE} -d x https://api.test.example/a; echo up; read line; echo got $line"]) + "\n")
        shell.expect(self.QUESTION)
        shell.type("y\n")
        shell.expect("up")
        shell.type("\x1a")
        shell.expect("Stopped")
        shell.expect("ready> ")
        shell.type("fg\n")
        shell.expect("weir")
        shell.type("more\n")
        shell.expect("got more")

    def test_wait_does_not_ask_here(self):
        terminal = self.weir_terminal(*self.curl("/a"), options=["--approvals=wait"])
        self.waiting()
        self.decide("approve")
        self.assertNotIn(self.QUESTION, terminal.end()[0])


if __name__ == "__main__":
    main()
