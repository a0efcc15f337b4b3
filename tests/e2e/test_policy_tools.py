"""`weir policy fmt` and `weir policy diff`: what they print, write and answer to a pipeline."""

import glob
import json
import os
import re
import stat
import unittest

from harness import ROOT, WeirTest, also_as_ordinary_user, main

UNUSUAL = """\
# Mine.
rules:
- action: deny   # never
  hosts: [ 'a.test.example' ]
version: 1
"""
USUAL = """\
# Mine.
version: 1

rules:
  - hosts: [a.test.example]
    action: deny  # never
"""
WRONG = "version: 1\nrules:\n  - host: [a.test.example]\n"


@also_as_ordinary_user
class Fmt(WeirTest):
    def fmt(self, *arguments, **more):
        return self.weir("policy", "fmt", *arguments, **more)

    def text_of(self, path):
        with open(path, encoding="utf-8") as file:
            return file.read()

    def test_prints_the_usual_form_and_leaves_the_file(self):
        path = self.write("p.yaml", UNUSUAL)
        done = self.fmt(path)
        self.assertEqual((done.status, done.out, done.err), (0, USUAL, ""), done)
        self.assertEqual(self.text_of(path), UNUSUAL)

    def test_reads_standard_input(self):
        with open(self.write("p.yaml", UNUSUAL), encoding="utf-8") as file:
            done = self.fmt("-", stdin=file)
        self.assertEqual((done.status, done.out), (0, USUAL), done)
        with open(self.write("p.yaml", WRONG), encoding="utf-8") as file:
            done = self.fmt("-", stdin=file)
        self.assertEqual((done.status, done.out), (2, ""), done)
        self.assertIn("standard input:3:5: error: unknown key `host`", done.err, done)

    def test_check_names_the_files_that_are_not_in_this_form(self):
        usual, unusual = self.write("a.yaml", USUAL), self.write("b.yaml", UNUSUAL)
        done = self.fmt("--check", usual)
        self.assertEqual((done.status, done.out, done.err), (0, "", ""), done)
        done = self.fmt("--check", usual, unusual)
        self.assertEqual((done.status, done.out), (1, unusual + "\n"), done)
        self.assertEqual(self.text_of(unusual), UNUSUAL)

    def test_write_changes_the_files_that_need_it_and_names_them(self):
        usual, unusual = self.write("a.yaml", USUAL), self.write("b.yaml", UNUSUAL, mode=0o640)
        before = os.stat(usual)
        done = self.fmt("--write", usual, unusual)
        self.assertEqual((done.status, done.out), (0, unusual + "\n"), done)
        self.assertEqual(self.text_of(unusual), USUAL)
        self.assertEqual(stat.S_IMODE(os.stat(unusual).st_mode), 0o640)
        self.assertEqual((before.st_ino, before.st_mtime_ns), (os.stat(usual).st_ino, os.stat(usual).st_mtime_ns))
        self.assertEqual(self.fmt("--check", usual, unusual).status, 0)

    def test_write_follows_a_symbolic_link(self):
        target = self.write("target.yaml", UNUSUAL)
        link = os.path.join(os.path.dirname(target), "link.yaml")
        os.symlink("target.yaml", link)
        done = self.fmt("--write", link)
        self.assertEqual(done.status, 0, done)
        self.assertTrue(os.path.islink(link))
        self.assertEqual(self.text_of(target), USUAL)

    def test_writes_nothing_when_one_of_the_files_is_wrong(self):
        good, wrong = self.write("a.yaml", UNUSUAL), self.write("b.yaml", WRONG)
        done = self.fmt("--write", good, wrong)
        self.assertEqual((done.status, done.out), (2, ""), done)
        self.assertIn("did you mean `hosts`?", done.err, done)
        self.assertIn(f"{wrong} is left as it is", done.err, done)
        self.assertEqual((self.text_of(good), self.text_of(wrong)), (UNUSUAL, WRONG))

    def test_speaks_json(self):
        unusual, wrong = self.write("a.yaml", UNUSUAL), self.write("b.yaml", WRONG)
        done = self.fmt("--json", unusual)
        self.assertEqual(done.status, 0, done)
        self.assertEqual(json.loads(done.out),
                         [{"file": unusual, "ok": True, "differs": True, "diagnostics": [], "text": USUAL}])
        done = self.fmt("--json", "--check", unusual, wrong)
        self.assertEqual(done.status, 2, done)
        said = json.loads(done.out)
        self.assertEqual([(file["ok"], file["differs"], "text" in file) for file in said],
                         [(True, True, False), (False, False, False)])
        self.assertEqual([(one["line"], one["hint"]) for one in said[1]["diagnostics"] if "host`" in one["message"]],
                         [(3, "did you mean `hosts`?")])

    def test_bad_input_is_one_line_and_status_2(self):
        path = self.write("p.yaml", USUAL)
        for arguments, text in {
            (): "FILE is required",
            ("/nowhere.yaml",): "/nowhere.yaml",
            ("--check", "--write", path): "do not go together",
            ("--write", "-"): "--write needs a file",
        }.items():
            done = self.fmt(*arguments)
            self.assertEqual((done.status, done.out), (2, ""), done)
            self.assertIn(text, done.err, done)
            self.assertEqual(done.err.count("\n"), 1, done)

    def test_says_what_it_cannot_keep(self):
        path = self.write("p.yaml", "version: 1\nrules:\n  - hosts: &h [a.test.example]\n  - hosts: *h\n")
        done = self.fmt("--write", path)
        self.assertEqual((done.status, done.out), (2, ""), done)
        self.assertIn("anchors and aliases cannot be kept", done.err, done)


class OwnFiles(WeirTest):
    def test_presets_and_examples_are_in_the_usual_form(self):
        files = glob.glob(os.path.join(ROOT, "policy/presets/*.yaml"))
        files += [path for path in glob.glob(os.path.join(ROOT, "examples/*.yaml")) if not path.endswith(".cases.yaml")]
        self.assertGreater(len(files), 10)
        done = self.weir("policy", "fmt", "--check", *sorted(files))
        self.assertEqual((done.status, done.out, done.err), (0, "", ""), done)

    def test_the_sample_in_the_documentation_is_in_the_usual_form(self):
        with open(os.path.join(ROOT, "docs/policy.md"), encoding="utf-8") as file:
            sample = re.search(r"```yaml\n(version: 1.*?)```", file.read(), re.DOTALL).group(1)
        done = self.weir("policy", "fmt", "--check", self.write("sample.yaml", sample))
        self.assertEqual((done.status, done.out, done.err), (0, "", ""), done)


@also_as_ordinary_user
class Diff(WeirTest):
    def setUp(self):
        super().setUp()
        self.a = self.write("a.yaml", "version: 1\nrules:\n  - {name: read, hosts: [a.test.example], methods: [GET]}\n")
        self.b = self.write("b.yaml", "version: 1\nrules:\n  - {name: any, hosts: [a.test.example], paths: [/v1, \"/v1/**\"]}\n")

    def diff(self, *arguments):
        return self.weir("policy", "diff", *arguments)

    def test_the_same_meaning_is_status_0(self):
        other = self.write("c.yaml", "version: 1\nrules:\n  - hosts: [A.test.example.]\n    methods: [GET]\n    name: x\n")
        done = self.diff(self.a, other)
        self.assertEqual((done.status, done.out, done.err), (0, "they mean the same\n", ""), done)
        done = self.diff(self.a, other, "--json")
        self.assertEqual((done.status, json.loads(done.out)), (0, []), done)

    def test_says_what_is_opened_and_closed(self):
        done = self.diff(self.a, self.b)
        self.assertEqual((done.status, done.err), (1, ""), done)
        self.assertIn("B allows  other methods  a.test.example  /v1, /v1/**  (A denies: no rule; B: rule `any`)\n", done.out)
        self.assertIn("B denies  GET  a.test.example", done.out)

    def test_narrowing_is_closed_only(self):
        narrow = self.write("c.yaml", "version: 1\nrules:\n  - {hosts: [a.test.example], methods: [GET], paths: [\"/v1/**\"]}\n")
        done = self.diff(self.a, narrow, "--json")
        self.assertEqual(done.status, 1, done)
        self.assertEqual({change["change"] for change in json.loads(done.out)}, {"closed"}, done)
        back = self.diff(narrow, self.a, "--json")
        self.assertEqual({change["change"] for change in json.loads(back.out)}, {"opened"}, back)

    def test_json_has_globs_apart_from_examples(self):
        changes = json.loads(self.diff(self.a, self.b, "--json").out)
        for change in changes:
            self.assertLessEqual(set(change.get("paths", [])) | set(change.get("paths_but", [])), {"/v1", "/v1/**"}, change)
        opened = [change for change in changes if change["change"] == "opened"]
        self.assertTrue(opened, changes)
        for change in opened:
            self.assertEqual((change["subject"], change["rule_a"], change["rule_b"], change["code_a"]),
                             ("requests", None, "any", "no_rule"), change)
            # The example is decided as the line says.
            arguments = [change["example"]["method"], change["example"]["url"]]
            self.assertEqual(self.weir("policy", "explain", self.a, *arguments).status, 3, change)
            self.assertEqual(self.weir("policy", "explain", self.b, *arguments).status, 0, change)

    def test_bad_input_is_status_2(self):
        wrong = self.write("wrong.yaml", WRONG)
        for arguments, text in {
            (self.a, "/nowhere.yaml"): "/nowhere.yaml",
            (wrong, self.b): "did you mean `hosts`?",
            (self.a,): "B is required",
        }.items():
            done = self.diff(*arguments)
            self.assertEqual((done.status, done.out), (2, ""), done)
            self.assertIn(text, done.err, done)


if __name__ == "__main__":
    main()
