"""A project's own weir.yaml is used without being named, and the sandbox cannot widen it (G4)."""

import os
import signal

from harness import WeirTest, also_as_ordinary_user, main

WIDE = "version: 1\\ndefault: log\\n"


@also_as_ordinary_user
class ProjectPolicy(WeirTest):
    def setUp(self):
        super().setUp()
        self.server = self.https("api.test.example", "other.test.example")

    def own_policy(self):
        path = self.policy("rules:\n  - hosts: [api.test.example]\n", api=self.server, other=self.server)
        os.rename(path, os.path.join(self.project, "weir.yaml"))
        self.policy_file = None  # found, not named

    def test_it_is_found(self):
        self.own_policy()
        done = self.inside("report(api=get('/')['status'], other=dns_query('other.test.example')['rcode'])")
        self.assertEqual(done.report, {"api": 200, "other": 5}, done)

    def test_the_users_own_policy_is_found_when_the_project_has_none(self):
        self.own_policy()
        folder = os.path.join(self.config, "weir")
        os.mkdir(folder)
        os.rename(os.path.join(self.project, "weir.yaml"), os.path.join(folder, "weir.yaml"))
        self.own(self.config)
        done = self.inside("report(api=get('/')['status'])")
        self.assertEqual(done.report, {"api": 200}, done)

    def test_no_policy_at_all_is_an_error_that_says_what_to_do(self):
        done = self.run_inside("touch", "ran")
        self.assertEqual(done.status, 2, done)
        self.assertIn("--policy", done.err, done)
        self.assertFalse(os.path.exists(os.path.join(self.project, "ran")))

    def test_G4_the_sandbox_cannot_change_remove_or_replace_it(self):
        self.own_policy()
        with open(os.path.join(self.project, "weir.yaml"), encoding="utf-8") as file:
            before = file.read()
        done = self.inside(f"""
            def write(name, text):
                with open(name, "w") as file:
                    file.write(text)
            write("mine.yaml", "{WIDE}")
            report(seen=[failure(lambda: write("weir.yaml", "{WIDE}")), failure(lambda: os.unlink("weir.yaml")),
                         failure(lambda: os.rename("weir.yaml", "old")), failure(lambda: os.replace("mine.yaml", "weir.yaml")),
                         failure(lambda: os.chmod("weir.yaml", 0o777))],
                   folder=failure(lambda: os.rename(os.getcwd(), os.getcwd() + ".away")))
        """)
        self.assertNotIn(None, done.report["seen"], done)
        with open(os.path.join(self.project, "weir.yaml"), encoding="utf-8") as file:
            self.assertEqual(file.read(), before)

    def test_G4_one_that_the_sandbox_wrote_is_not_believed_at_the_next_run(self):
        named = self.policy("rules:\n  - hosts: [api.test.example]\n", api=self.server)
        done = self.run_inside("sh", "-c", f"printf '{WIDE}' > weir.yaml")
        self.assertEqual(done.status, 0, done)
        self.policy_file = None
        done = self.run_inside("touch", "ran")
        self.assertEqual(done.status, 2, done)
        self.assertIn("weir.yaml", done.err, done)
        self.assertFalse(os.path.exists(os.path.join(self.project, "ran")))
        self.policy_file = named
        self.assertEqual(self.run_inside("true").status, 0)

    def test_G4_nor_when_the_keeper_was_killed_before_it_could_look(self):
        self.policy("rules:\n  - hosts: [api.test.example]\n", api=self.server)
        running = self.start_inside("sh", "-c", f"printf '{WIDE}' > weir.yaml; touch up.reached; sleep 100")
        running.reached("up")
        os.kill(running.pid, signal.SIGKILL)
        running.process.wait()
        self.policy_file = None
        done = self.run_inside("touch", "ran")
        self.assertEqual(done.status, 2, done)
        self.assertFalse(os.path.exists(os.path.join(self.project, "ran")))

    def test_G4_nor_as_a_link(self):
        self.policy("rules:\n  - hosts: [api.test.example]\n", api=self.server)
        done = self.run_inside("sh", "-c", f"printf '{WIDE}' > wide; ln -s wide weir.yaml")
        self.assertEqual(done.status, 0, done)
        self.policy_file = None
        self.assertEqual(self.run_inside("touch", "ran").status, 2)
        self.assertFalse(os.path.exists(os.path.join(self.project, "ran")))

    def test_G4_nor_in_a_folder_below_the_project(self):
        """A run in a folder that the sandbox made or could write to."""
        self.policy("rules:\n  - hosts: [api.test.example]\n", api=self.server)
        done = self.run_inside("sh", "-c", f"mkdir sub; printf '{WIDE}' > sub/weir.yaml")
        self.assertEqual(done.status, 0, done)
        self.policy_file = None
        done = self.weir("run", "--", "touch", "ran", cwd=os.path.join(self.project, "sub"))
        self.assertEqual(done.status, 2, done)


if __name__ == "__main__":
    main()
