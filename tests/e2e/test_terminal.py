"""A command under weir behaves in a terminal, in a pipe and under a shell's job control as it does without weir."""

import fcntl
import os
import pty
import select
import shlex
import signal
import struct
import subprocess
import termios
import time

from harness import PATIENCE, WeirTest, also_as_ordinary_user, main, program_for

POLICY = "rules:\n  - hosts: [api.test.example]\n"


class Terminal:
    """A program on a pseudo-terminal of its own."""

    def __init__(self, command, environment, cwd, rows=24, columns=80):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                os.chdir(cwd)
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
                # Without NOFLSH the kernel throws away what was typed some time after a signal's key.
                settings = termios.tcgetattr(0)
                settings[3] |= termios.NOFLSH
                termios.tcsetattr(0, termios.TCSANOW, settings)
                os.execvpe(command[0], command, environment)
            finally:
                os._exit(127)
        self.seen = ""
        self.status = None

    def type(self, text):
        os.write(self.fd, text.encode())

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def expect(self, text, deadline=30):
        """Reads until `text` was shown; what stood before it."""
        end = time.monotonic() + deadline * PATIENCE
        while text not in self.seen:
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.monotonic()))
            try:
                data = os.read(self.fd, 65536) if ready else b""
            except OSError:
                data = b""
            if not data:
                raise AssertionError(f"waited in vain for {text!r} on the terminal; seen: {self.seen!r}")
            self.seen += data.decode(errors="replace")
        before, self.seen = self.seen.split(text, 1)
        return before

    def end(self, deadline=30):
        """Reads until the program ends; (all that was shown, wait status)."""
        end = time.monotonic() + deadline * PATIENCE
        while time.monotonic() < end:
            ready, _, _ = select.select([self.fd], [], [], 0.1)
            if ready:
                try:
                    data = os.read(self.fd, 65536)
                except OSError:
                    data = b""
                self.seen += data.decode(errors="replace")
                if not data:
                    _, status = os.waitpid(self.pid, 0)
                    self.status = os.waitstatus_to_exitcode(status)
                    return self.seen, self.status
        raise AssertionError(f"the program did not end; seen: {self.seen!r}")

    def close(self):
        if self.status is None:
            try:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass
        os.close(self.fd)


@also_as_ordinary_user
class InATerminal(WeirTest):
    def setUp(self):
        super().setUp()
        self.policy(POLICY)

    def terminal(self, *command, **more):
        terminal = Terminal(list(command), self.environment, self.project, **more)
        self.addCleanup(terminal.close)
        return terminal

    def weir_terminal(self, *command, **more):
        return self.terminal(*self.weir_command(*self.run_arguments([]), "--", *command), **more)

    def shell(self):
        """An interactive shell with job control, as the user of the test."""
        shell = self.terminal(*self.as_user(["bash", "--norc", "--noprofile", "--noediting", "-i"]))
        shell.type("PS1='ready> '; stty -echo\n")
        shell.expect("ready> ")
        shell.type("echo start-$((1+1))\n")
        shell.expect("start-2")
        shell.expect("ready> ")
        return shell

    def line(self, *command):
        """For the shell above, which is the test's user already."""
        return shlex.join([program_for(self.uid), *self.run_arguments([]), "--", *command])

    def test_all_three_streams_are_the_terminal(self):
        terminal = self.weir_terminal(*self.script("""
            print("tty", [os.isatty(n) for n in (0, 1, 2)], os.environ.get("TERM"), os.get_terminal_size())
            with open("/dev/tty", "w") as file:
                file.write("through /dev/tty\\n")
        """), rows=33, columns=77)
        seen, status = terminal.end()
        self.assertIn("tty [True, True, True] xterm-256color os.terminal_size(columns=77, lines=33)", seen)
        self.assertIn("through /dev/tty", seen)
        self.assertEqual(status, 0, seen)

    def test_a_change_of_the_windows_size_arrives(self):
        terminal = self.weir_terminal(*self.script("""
            import signal
            signal.signal(signal.SIGWINCH, lambda *_: print("changed", os.get_terminal_size(), flush=True) or sys.exit(0))
            print("waiting", flush=True)
            while True:
                signal.pause()
        """))
        terminal.expect("waiting")
        terminal.resize(50, 132)
        terminal.expect("changed os.terminal_size(columns=132, lines=50)")
        self.assertEqual(terminal.end()[1], 0)

    def test_ctrl_c_reaches_the_command_and_the_command_may_handle_it(self):
        terminal = self.weir_terminal(*self.script("""
            import signal
            def handle(*_):
                print("interrupted", flush=True)
                sys.exit(42)
            signal.signal(signal.SIGINT, handle)
            print("waiting", flush=True)
            while True:
                signal.pause()
        """))
        terminal.expect("waiting")
        terminal.type("\x03")
        terminal.expect("interrupted")
        self.assertEqual(terminal.end()[1], 42)

    def test_ctrl_c_that_the_command_ignores_does_not_end_weir(self):
        terminal = self.weir_terminal(*self.script("""
            import signal
            signal.signal(signal.SIGINT, lambda *_: print("not now", flush=True))
            print("waiting", flush=True)
            while (line := sys.stdin.readline()) != "end\\n":
                print("read", line, flush=True)
            print("ended", flush=True)
        """))
        terminal.expect("waiting")
        terminal.type("\x03")
        terminal.expect("not now")
        terminal.type("\x03")
        terminal.expect("not now")
        terminal.type("end\n")
        terminal.expect("ended")
        self.assertEqual(terminal.end()[1], 0)

    def test_ctrl_c_ends_a_command_that_does_not_handle_it_as_the_shell_expects(self):
        shell = self.shell()
        shell.type(self.line("sh", "-c", "echo up; exec sleep 1000") + "; echo status=$?\n")
        shell.expect("up")
        shell.type("\x03")
        # bash abandons the list when the job died of SIGINT, else it prints the status.
        shown = shell.expect("ready> ")
        shell.type("echo last=$?\n")
        after = shell.expect("ready> ")
        self.assertIn("status=130" if "status=" in shown else "last=130", shown + after)

    def test_ctrl_z_stops_the_job_and_fg_continues_it(self):
        shell = self.shell()
        shell.type(self.line("sh", "-c", "echo up; read line; echo got $line; exit 9") + "\n")
        shell.expect("up")
        shell.type("\x1a")
        shell.expect("Stopped")
        shell.expect("ready> ")
        shell.type("echo shell-$((2+2))\n")
        shell.expect("shell-4")
        shell.type("fg\n")
        shell.expect("weir")
        shell.type("more\n")
        shell.expect("got more")
        shell.expect("ready> ")
        shell.type("echo status-$?\n")
        shell.expect("status-9")

    def test_ctrl_z_twice(self):
        shell = self.shell()
        shell.type(self.line("sh", "-c", "echo up; while read line; do echo got $line; done") + "\n")
        shell.expect("up")
        for number in range(2):
            shell.type("\x1a")
            shell.expect("Stopped")
            shell.expect("ready> ")
            shell.type("fg\n")
            shell.expect("weir")
            shell.type(f"line {number}\n")  # answered when the job has the terminal again
            shell.expect(f"got line {number}")
        shell.type("\x04")
        shell.expect("ready> ")

    def test_the_terminal_is_as_it_was_when_weir_has_ended(self):
        shell = self.shell()
        shell.type("stty -a | md5sum; " + self.line("sh", "-c", "stty raw; kill -9 $$") + "; stty sane -echo; "
                   "echo over-$((3+3))\n")
        shell.expect("over-6")
        shell.type(self.line("true") + "; echo next-$?\n")
        shell.expect("next-0")

    def test_the_command_cannot_type_into_the_terminal(self):
        """TIOCSTI would let the sandbox put a command line into the user's shell after it has ended."""
        shell = self.shell()
        program = self.script("""
            import fcntl, termios
            for octet in b"echo typed-$((4+4))\\n":
                try:
                    fcntl.ioctl(0, termios.TIOCSTI, bytes([octet]))
                except OSError as error:
                    print("refused", error, flush=True)
                    break
            # TIOCLINUX, subcode 2..3: paste of the console's selection
            try:
                fcntl.ioctl(0, 0x541C, bytes([3]))
                print("tioclinux worked")
            except OSError as error:
                print("refused too", error, flush=True)
        """)
        shell.type(self.line(*program) + "\n")
        shell.expect("ready> ")
        shell.type("echo sentinel-$((5+5))\n")
        self.assertNotIn("typed-8", shell.expect("sentinel-10"))


@also_as_ordinary_user
class InAPipe(WeirTest):
    def setUp(self):
        super().setUp()
        self.policy(POLICY)

    def test_standard_input_reaches_the_command_to_its_end(self):
        self.write("input", b"line\n" * 200_000)
        with open(os.path.join(self.project, "input"), "rb") as file:
            done = self.run_inside("sh", "-c", "wc -l; [ -t 0 ] || echo not-a-tty", stdin=file)
        self.assertEqual(done.out.split(), ["200000", "not-a-tty"], done)

    def test_a_pipe_to_and_from(self):
        running = self.start_inside("sed", "s/a/b/", stdin=subprocess.PIPE)
        running.process.stdin.write("aXa\n")
        done = running.finish()
        self.assertEqual((done.out, done.status), ("bXa\n", 0), done)

    def test_output_and_errors_stay_apart_and_weir_adds_nothing_to_the_output(self):
        done = self.run_inside("sh", "-c", "echo out; echo err >&2")
        self.assertEqual(done.out, "out\n", done)
        self.assertIn("err\n", done.err, done)

    def test_exit_statuses_pass(self):
        for status in (0, 1, 2, 42, 125, 126, 127, 255):
            done = self.run_inside("sh", "-c", f"exit {status}")
            self.assertEqual(done.status, status, done)

    def test_death_by_a_signal_is_seen_as_a_shell_reports_it(self):
        for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV, signal.SIGINT, signal.SIGHUP):
            done = self.run_inside("sh", "-c", f"kill -{int(number)} $$")
            self.assertIn(done.status, (128 + number, -number), done)

    def test_a_reader_that_goes_away_ends_the_command(self):
        running = self.start_inside("yes")
        running.process.stdout.readline()
        running.process.stdout.close()
        running.process.stdout = open(os.devnull, encoding="ascii")
        self.assertNotEqual(running.process.wait(30 * PATIENCE), 0)

    def test_no_standard_streams_at_all(self):
        done = self.weir(*self.run_arguments([]), "--", "sh", "-c", "echo x > written; exit 4",
                         wrap=["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"])
        self.assertEqual(done.status, 4, done)
        self.assertTrue(os.path.exists(os.path.join(self.project, "written")))

    def test_arguments_and_working_folder_pass_as_they_are(self):
        arguments = ["", " ", "a b", "$HOME", "'", '"', "\n", "--", "--policy", "é", "*", "\\"]
        self.write("arguments.py", "import json, os, sys\nprint(json.dumps({'a': sys.argv[1:], 'cwd': os.getcwd()}))\n")
        done = self.run_inside("/usr/bin/python3", "arguments.py", *arguments)
        self.assertEqual(done.report, {"a": arguments, "cwd": self.project}, done)

    def test_no_foreign_descriptor_is_open_inside(self):
        done = self.inside("""
            report(open={fd: os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")
                         if os.path.exists(f"/proc/self/fd/{fd}")})
        """)
        others = {fd: to for fd, to in done.report["open"].items() if int(fd) > 2 and not to.startswith("/proc")}
        self.assertEqual(others, {}, done)

    def test_the_environment_inside_is_the_allowed_one(self):
        self.environment.update({"HOST_SECRET": "do-not-pass", "PASSED": "yes"})
        done = self.inside("report(env=dict(os.environ))", options=["--env", "PASSED", "--env", "SET=a=b"])
        env = done.report["env"]
        self.assertNotIn("HOST_SECRET", env, done)
        self.assertEqual((env["PASSED"], env["SET"]), ("yes", "a=b"), done)
        self.assertIn("SSL_CERT_FILE", env, done)
        for name in env:
            self.assertFalse(name.lower().endswith("_proxy"), done)

    def test_files_of_the_project_can_be_written_and_belong_to_the_user(self):
        done = self.run_inside("sh", "-c", "echo made > made.txt; mkdir d; echo x > d/e")
        self.assertEqual(done.status, 0, done)
        self.assertEqual(os.stat(os.path.join(self.project, "made.txt")).st_uid, self.uid)

    def test_mounts_are_read_only_or_not_as_asked(self):
        read, write = self.folder("read"), self.folder("write")
        self.write("a", "text", folder=read)
        done = self.inside(f"""
            report(read=open("{read}/a").read(), wrote=failure(lambda: open("{read}/b", "w").close()),
                   other=failure(lambda: open("/mnt/b", "w").close()))
        """, options=["--mount", f"ro:{read}", "--mount", f"rw:{write}:/mnt"])
        self.assertEqual(done.report, {"read": "text", "wrote": "EROFS", "other": None}, done)
        self.assertTrue(os.path.exists(os.path.join(write, "b")))


if __name__ == "__main__":
    main()
