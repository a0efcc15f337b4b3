"""The gate and `weir policy test` decide by one function: random policies, random requests on the wire, and what the gate did
with each is a case that `weir policy test` must find as expected."""

import json
import random
import unittest

from harness import SANITIZED, WeirTest, also_as_ordinary_user

HOSTS = ["api.test.example", "www.test.example", "deep.www.test.example"]
PATHS = ["/", "/a", "/a/b", "/a/b/c", "/a%2Fb", "/a/../b", "/a//b", "/b%61", "/A", "/a/%2e%2e/b"]
QUERIES = ["", "?q=1", "?q=1&q=2", "?q=1;q=2", "?p=x%20y", "?q=%zz"]
BODIES = [None, "", "plain", '{"query": "{ viewer { name } }"}', '{"query": "mutation { addStar { ok } }"}',
          '{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "search"}}',
          '[{"jsonrpc": "2.0", "id": 1, "method": "ping"}, {"jsonrpc": "2.0", "method": "delete"}]', '{"query": "{ a }", "query": "{ b }"}']


def random_policy(dice):
    rules = [{"name": "every host has an address", "hosts": HOSTS, "methods": ["OPTIONS"]}]
    for number in range(dice.randint(2, 7)):
        rule = {"name": f"rule number {number}", "hosts": dice.sample(HOSTS + ["*.test.example", "*.www.test.example", "*"], dice.randint(1, 2))}
        if dice.random() < 0.4:
            rule["methods"] = dice.sample(["GET", "POST", "PUT"], dice.randint(1, 2))
        if dice.random() < 0.5:
            rule["paths"] = dice.sample(["/", "/a", "/a/*", "/a/**", "/**/b", "/b*", "/**"], dice.randint(1, 2))
            if dice.random() < 0.3:
                rule["encoded_slash"] = "allow"
        if dice.random() < 0.2:
            rule["query"] = {"q": dice.choice(["1", "*", "2"])}
        if dice.random() < 0.2:
            rule["headers"] = {"x-team": dice.choice(["data-*", "web"])}
        if dice.random() < 0.2:
            rule["content_types"] = [dice.choice(["application/json", "text/*"])]
        if dice.random() < 0.25:
            rule.update(dice.choice([{"graphql": {"operations": ["query"]}}, {"mcp": {"tools": ["search"]}}, {"jsonrpc": {"methods": ["ping"]}}]))
        if dice.random() < 0.3:
            rule["action"] = dice.choice(["deny", "deny", "log"])
        elif dice.random() < 0.2:
            rule["body_max"] = "10"
        rules.append(rule)
    return rules


def random_request(dice):
    method = dice.choice(["GET", "POST", "PUT", "DELETE"])
    headers = [["x-team", value] for value in dice.choice([[], [], ["data-eng"], ["web"], ["data-eng", "web"]])]
    body = dice.choice(BODIES) if method != "GET" else None
    if body is not None and dice.random() < 0.8:
        headers.append(["content-type", dice.choice(["application/json", "application/json", "text/plain", "application/json; charset=utf-8"])])
    return {"host": dice.choice(HOSTS), "method": method, "target": dice.choice(PATHS) + dice.choice(QUERIES), "headers": headers, "body": body}


@also_as_ordinary_user
class Agreement(WeirTest):

    def test_the_gate_decides_random_requests_as_policy_test_says(self):
        server = self.https(*HOSTS)
        met = set()
        for seed in range(2 if SANITIZED else 6):
            dice = random.Random(seed)
            self.policy("rules: " + json.dumps(random_policy(dice)), resolve={name: server for name in HOSTS})
            requests = [random_request(dice) for _ in range(80)]
            self.write("requests.json", json.dumps(requests))
            done = self.inside("""
                found = []
                for request in json.load(open("requests.json")):
                    wire = Wire(request["host"])
                    lines = "".join(f"{name}: {value}\\r\\n" for name, value in request["headers"])
                    body = request["body"]
                    if body is not None:
                        lines += f"Content-Length: {len(body)}\\r\\n"
                    wire.send(f"{request['method']} {request['target']} HTTP/1.1\\r\\nHost: {request['host']}\\r\\n{lines}\\r\\n{body or ''}")
                    answer = wire.answer(request["method"])
                    verdict = answer.headers.get("x-weir-verdict", "").split()
                    found.append([answer.status, verdict[-1] if verdict else ""])
                report(found=found)
                """)
            cases = []
            for request, (status, code) in zip(requests, done.report["found"], strict=True):
                met.add(code)
                case = {"name": json.dumps(request), "method": request["method"], "url": f"https://{request['host']}{request['target']}",
                        "headers": {}, "expect": "deny" if code else "allow"}
                for name, value in request["headers"]:
                    case["headers"].setdefault(name, []).append(value)
                case["headers"] = {name: values[0] if len(values) == 1 else values for name, values in case["headers"].items()}
                if not case["headers"]:
                    del case["headers"]
                if request["body"] is not None:
                    case["body"] = request["body"]
                if code:
                    case["code"] = code
                else:
                    self.assertEqual(200, status, case)
                cases.append(case)
            logged = [i for i, event in enumerate(done.of("egress.request")) if event["verdict"] == "log"]
            passed = [case for case in cases if case["expect"] == "allow"]
            for index in logged:
                passed[index]["expect"] = "log"
            path = self.write("cases.yaml", json.dumps({"version": 1, "cases": cases}), folder=self.root)
            result = self.weir("policy", "test", self.policy_file, path)
            self.assertEqual(0, result.status, f"seed {seed}\n{result}")
            self.assertIn(str(len(cases)), result.out, result)
        self.assertLessEqual({"", "no_rule", "rule_denies", "path_ambiguous", "body_unreadable"}, met)


if __name__ == "__main__":
    unittest.main(verbosity=2)
