"""Each condition of a rule through the real gate: what the unit tests say of Policy::decide holds for requests on the wire."""

import hashlib
import json
import socket
import unittest

from harness import WeirTest, also_as_ordinary_user


@also_as_ordinary_user
class Conditions(WeirTest):

    def setUp(self):
        super().setUp()
        self.api = self.https("api.test.example")

    def ask(self, requests):
        """Sends the requests [(method, target, headers, body)] on one connection each; gives [(status, code)]."""
        done = self.inside(f"""
            found, bodies = [], []
            for method, target, headers, body in {requests!r}:
                wire = Wire()
                lines = "".join(f"{{name}}: {{value}}\\r\\n" for name, value in headers)
                framing = f"Content-Length: {{len(body)}}\\r\\n" if body and "chunked" not in lines else ""
                wire.send(f"{{method}} {{target}} HTTP/1.1\\r\\nHost: {{API}}\\r\\n{{lines}}{{framing}}\\r\\n{{body}}")
                answer = wire.answer(method)
                verdict = answer.headers.get("x-weir-verdict", "") if answer else "closed"
                found.append((answer.status if answer else 0, verdict))
                bodies.append(json.loads(answer.body) if answer and answer.body else None)
            report(found=found, bodies=bodies)
            """)
        found = []
        for status, verdict in done.report["found"]:
            words = verdict.split()
            found.append((status, words[1] if len(words) > 1 else verdict))
        return found, done

    def test_query(self):
        self.policy("""
            rules:
              - hosts: [api.test.example]
                query: {service: git-upload-pack}
            """, api=self.api)
        found, done = self.ask([
            ("GET", "/info/refs?service=git-upload-pack", [], ""),
            ("GET", "/info/refs?service=git-receive-pack", [], ""),
            ("GET", "/info/refs", [], ""),
            ("GET", "/info/refs?service=git-upload-pack&service=git-receive-pack", [], ""),
        ])
        self.assertEqual([200, 403, 403, 403], [status for status, _ in found], done)
        self.assertEqual("query_ambiguous", found[3][1], done)
        self.assertEqual(1, len(self.api.requests), done)

    def test_headers_and_content_types(self):
        self.policy("""
            rules:
              - hosts: [api.test.example]
                headers: {x-team: "data-*"}
                content_types: [application/json]
            """, api=self.api)
        json_type = ("Content-Type", "application/json")
        found, done = self.ask([
            ("POST", "/", [("X-Team", "data-eng"), json_type], "{}"),
            ("POST", "/", [json_type], "{}"),
            ("POST", "/", [("X-Team", "data-eng"), ("Content-Type", "text/plain")], "{}"),
            ("POST", "/", [("X-Team", "data-eng"), ("X-Team", "other"), json_type], "{}"),
            ("POST", "/", [("X-Team", "data-eng"), json_type, ("Content-Type", "text/plain")], "{}"),
        ])
        self.assertEqual([(200, ""), (403, "no_rule"), (403, "no_rule"), (403, "header_ambiguous"), (403, "content_type_ambiguous")],
                         found, done)

    def test_body_max(self):
        self.policy("""
            rules:
              - hosts: [api.test.example]
                body_max: 1KiB
            """, api=self.api)
        chunk = "400\r\n" + "x" * 1024 + "\r\n"
        chunked = [("Transfer-Encoding", "chunked")]
        found, done = self.ask([
            ("POST", "/", [], "x" * 1024),
            ("POST", "/", [], "x" * 1025),
            ("POST", "/", chunked, chunk + "0\r\n\r\n"),
            ("POST", "/", chunked, chunk + "1\r\nx\r\n0\r\n\r\n"),
        ])
        self.assertEqual([(200, ""), (413, "body_too_large"), (200, ""), (413, "body_too_large")], found, done)

    def test_rate(self):
        self.policy("""
            rules:
              - {name: few, hosts: [api.test.example], paths: ["/few"], rate: 2/day}
              - {hosts: [api.test.example]}
            """, api=self.api)
        found, done = self.ask([("GET", "/few", [], "")] * 4 + [("GET", "/many", [], "")] * 4)
        self.assertEqual([(200, "")] * 2 + [(429, "rate_exceeded")] * 2 + [(200, "")] * 4, found, done)
        self.assertEqual("few", self.assert_recorded_denial(done, "rate_exceeded")["rule"])

    def test_times(self):
        self.policy("""
            rules:
              - {hosts: [api.test.example], paths: ["/always"], when: ["00:00-12:30", "12:00-00:30"]}
              - {hosts: [api.test.example], paths: ["/past"], when: ["2001-01-01T00:00Z/2002-01-01T00:00Z"]}
            """, api=self.api)
        found, done = self.ask([("GET", "/always", [], ""), ("GET", "/past", [], "")])
        self.assertEqual([(200, ""), (403, "no_rule")], found, done)

    def graphql_policy(self):
        self.policy("""
            rules:
              - name: reading
                hosts: [api.test.example]
                methods: [POST]
                paths: [/graphql]
                graphql: {operations: [query]}
              - name: no keys
                hosts: [api.test.example]
                paths: [/graphql]
                graphql: {fields: ["*Key*"]}
                action: deny
            """, api=self.api)

    def test_graphql(self):
        self.graphql_policy()
        json_type = [("Content-Type", "application/json")]

        def post(document, extra=()):
            return ("POST", "/graphql", json_type + list(extra), json.dumps(document))

        found, done = self.ask([
            post({"query": "{ viewer { name } }"}),
            post({"query": "mutation { addStar(id: 1) { ok } }"}),
            post([{"query": "{ viewer { name } }"}, {"query": "mutation { addStar { ok } }"}]),
            post({"query": "{ viewer { name } ...F } fragment F on Query { apiKeys { value } }"}),
            post({"query": "query a { viewer { name } } mutation b { addStar { ok } }", "operationName": "a"}),
            ("POST", "/graphql", json_type, '{"query": "{ viewer { name } }", "query": "mutation { addStar { ok } }"}'),
            ("POST", "/graphql", json_type + [("Content-Encoding", "gzip")], "x"),
            post({"extensions": {"persistedQuery": {"version": 1}}}),
        ])
        self.assertEqual((200, ""), found[0], done)
        self.assertEqual([(403, "no_rule"), (403, "no_rule"), (403, "rule_denies"), (403, "no_rule")], found[1:5], done)
        self.assertEqual([(403, "body_unreadable")] * 3, found[5:], done)
        self.assertEqual(1, len(self.api.requests), done)
        self.assertEqual(b'{"query": "{ viewer { name } }"}', self.api.requests[0].body, done)
        denied = self.assert_recorded_denial(done, "rule_denies")
        self.assertEqual(("query", "apiKeys"), (denied["operation"], denied["operation_name"]), done)

    def test_a_chunked_body_that_was_read_arrives_whole(self):
        self.graphql_policy()
        body = json.dumps({"query": "{ viewer { name } }", "variables": {"pad": "x" * 50_000}})
        pieces = [body[i:i + 4096] for i in range(0, len(body), 4096)]
        chunked = "".join(f"{len(piece):x}\r\n{piece}\r\n" for piece in pieces) + "0\r\n\r\n"
        found, done = self.ask([("POST", "/graphql", [("Content-Type", "application/json"), ("Transfer-Encoding", "chunked")], chunked)])
        self.assertEqual([(200, "")], found, done)
        self.assertEqual(hashlib.sha256(body.encode()).hexdigest(), done.report["bodies"][0]["sha256"], done)

    def test_a_body_larger_than_may_be_read_is_denied_and_the_connection_stays_sound(self):
        self.policy("""
            limits: {inspected_body: 1KiB}
            rules:
              - {hosts: [api.test.example], paths: [/graphql], graphql: {operations: [query]}}
              - {hosts: [api.test.example], paths: [/plain]}
            """, api=self.api)
        done = self.inside("""
            found = []
            for framing in ("length", "chunked"):
                wire = Wire()
                body = "x" * 5000
                if framing == "length":
                    wire.send(f"POST /graphql HTTP/1.1\\r\\nHost: {API}\\r\\nContent-Length: {len(body)}\\r\\n\\r\\n{body}")
                else:
                    wire.send(f"POST /graphql HTTP/1.1\\r\\nHost: {API}\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n{len(body):x}\\r\\n{body}\\r\\n0\\r\\n\\r\\n")
                found.append(wire.answer("POST").as_dict())
                wire.send(f"GET /plain HTTP/1.1\\r\\nHost: {API}\\r\\n\\r\\n")
                found.append(wire.answer().as_dict())
            report(found=found)
            """)
        found = done.report["found"]
        self.assertEqual([403, 200, 403, 200], [answer["status"] for answer in found], done)
        self.assert_verdict(found[0], 403, "body_unreadable", done)
        self.assert_verdict(found[2], 403, "body_unreadable", done)

    def test_curl_waits_for_100_continue_before_a_body_that_has_to_be_read(self):
        self.graphql_policy()
        body = self.write("body.json", json.dumps({"query": "{ viewer { name } }", "variables": {"pad": "x" * 5000}}))
        done = self.run_inside("curl", "-sS", "-f", "-H", "Content-Type: application/json", "-H", "Expect: 100-continue", "-d", "@" + body,
                               "https://api.test.example/graphql")
        self.assertEqual(0, done.status, done)

    def test_mcp(self):
        self.policy("""
            rules:
              - hosts: [api.test.example]
                paths: [/mcp]
                mcp: {methods: [initialize, "notifications/*", tools/list, tools/call], tools: ["search_*"]}
            """, api=self.api)

        def call(*messages):
            body = messages[0] if len(messages) == 1 else list(messages)
            return ("POST", "/mcp", [("Content-Type", "application/json")], json.dumps(body))

        def message(method, **params):
            return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}

        found, done = self.ask([
            call(message("initialize")),
            call(message("tools/call", name="search_web")),
            call(message("tools/call", name="delete_all")),
            call(message("resources/read")),
            call(message("tools/call", name="search_web"), message("tools/call", name="delete_all")),
            ("POST", "/mcp", [("Content-Type", "application/json")], '{"jsonrpc":"2.0","method":"initialize","Method":"tools/call"}'),
            ("GET", "/mcp", [], ""),
        ])
        self.assertEqual([(200, ""), (200, ""), (403, "no_rule"), (403, "no_rule"), (403, "no_rule"), (403, "body_unreadable"), (403, "no_rule")],
                         found, done)
        self.assertTrue(done.of("egress.request", operation="tools/call", operation_name="search_web"), done)

    def test_process(self):
        self.policy("""
            rules:
              - {hosts: [api.test.example], process: [/usr/bin/curl]}
            """, api=self.api)
        done = self.run_inside("sh", "-c", "curl -sS -o /dev/null -w '%{http_code}\\n' https://api.test.example/;"
                                           "cp /usr/bin/curl ./mycurl; ./mycurl -sS -o /dev/null -w '%{http_code}\\n' https://api.test.example/")
        self.assertEqual("200\n403\n", done.out, done)
        self.assertEqual("/usr/bin/curl", done.of("egress.request")[0]["process"], done)
        self.assertTrue(self.assert_recorded_denial(done, "no_rule")["process"].endswith("/mycurl"), done)

    def test_addresses(self):
        """The host's own name leads to loopback: only a rule that names the network reaches it, and only where that rule applies."""
        name = socket.gethostname()
        try:
            loopback = socket.gethostbyname(name).startswith("127.") and name != "localhost"
        except OSError:
            loopback = False
        if not loopback:
            self.skipTest("this machine's name does not lead to loopback")
        plain = self.http()
        port = plain.address.rsplit(":", 1)[1]

        def status(networks):
            self.policy(f"""
            rules:
              - {{hosts: ["{name}:{port}"]{networks}}}
              - {{hosts: [other.test.example], addresses: [127.0.0.0/8]}}
            """, api=self.api)
            return self.run_inside("curl", "-sS", "-o", "answer", "-w", "%{http_code}", f"http://{name}:{port}/")

        self.assertEqual("200", status(", addresses: [127.0.0.0/8]").out)
        for networks in ("", ", addresses: [10.0.0.0/8]"):
            done = status(networks)
            self.assertEqual("403", done.out, done)
            self.assert_recorded_denial(done, "address_not_named")
        self.assertEqual(1, len(plain.requests))

    def test_a_star_is_no_address(self):
        self.policy("""
            rules:
              - {hosts: ["*"]}
            """, api=self.api)
        done = self.inside("""
            wire = Wire("203.0.113.9", tls=False)
            wire.send("GET / HTTP/1.1\\r\\nHost: 203.0.113.9\\r\\n\\r\\n")
            report(answer=wire.answer().as_dict())
            """)
        self.assert_verdict(done.report["answer"], 403, "no_rule", done)


if __name__ == "__main__":
    unittest.main(verbosity=2)
