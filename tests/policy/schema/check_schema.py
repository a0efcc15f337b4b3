#!/usr/bin/env python3
"""docs/policy.schema.json against policies: every good one must pass, every bad one must not.

    check_schema.py SOURCE-FOLDER LOADER

LOADER is a program that exits 0 when a policy file loads and 1 when it does not: the schema and the loader must agree.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import jsonschema
import yaml

source = pathlib.Path(sys.argv[1])
loader = sys.argv[2]
schema = json.loads((source / "docs/policy.schema.json").read_text())
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)

# Keys of one rule, beside `hosts: [a.example]` unless they name their own places.
GOOD_RULES = [
    "name: x", "ports: [443, 8443]", "methods: [GET, PROPFIND]", "paths: [/, '/a/**']",
    "{paths: ['/a%2Fb'], encoded_slash: allow}", "query: {service: git-upload-pack, page: '*', n: 1}",
    "headers: {X-Team: 'data-*'}", "content_types: [application/json, 'image/*']", "body_max: 1MiB", "body_max: 4096",
    "rate: 60/min", "rate: 1/day", "websocket: true", "websocket: false", "graphql: {}", "graphql: {operations: [query], fields: ['repo*']}",
    "jsonrpc: {methods: ['eth_get*']}", "mcp: {methods: [initialize, ''], tools: ['search_*']}",
    "process: [/usr/bin/git, '/usr/lib/git-core/**']", "when: ['mon-fri 09:00-17:30 UTC']", "when: ['sat,sun', '22:00-06:00']",
    "when: ['2026-03-01T00:00Z/2026-04-01T00:00Z']", "addresses: [10.0.0.0/8, 'fd00::/8']", "action: deny", "action: ask", "action: log",
    "tls: passthrough", "{tls: passthrough, ports: [8443], process: [/bin/x], rate: 5/s, addresses: [10.0.0.0/8]}",
    "{hosts: ['*'], action: deny}", "{hosts: ['*.a.example', 'b.example:8443', '[::1]:99', '::1', 10.0.0.1]}",
    "{tcp: ['db.example:5432', '*.x.example:22', '*:2222', '[::1]:5']}", "{tcp: ['a:1'], action: deny}",
]
BAD_RULES = [
    "nmae: x", "ports: 443", "ports: [0]", "ports: [70000]", "ports: []", "ports: [443, 443]", "methods: [get]", "methods: GET",
    "methods: ['G T']", "paths: [a]", "paths: ['/a?b']", "encoded_slash: allow", "{paths: [/], encoded_slash: maybe}", "query: {}",
    "query: [a]", "query: {a: [b]}", "headers: {host: a}", "headers: {content-type: a}", "headers: {'a b': c}", "headers: {}",
    "content_types: [json]", "content_types: [Application/json]", "content_types: ['text/html; charset=utf-8']", "body_max: 1MB",
    "body_max: -1", "rate: 60", "rate: 60/minute", "rate: 0/min", "websocket: 'yes'", "graphql: {operations: [querry]}",
    "graphql: {field: [a]}", "graphql: [query]", "jsonrpc: {tools: [a]}", "mcp: {tool: [a]}", "process: [git]",
    "process: [/usr/bin/]", "when: always", "when: ['25:00-26:00']", "when: ['monday']", "when: ['9:00-17:00']",
    "when: ['2026-03-01/2026-04-01']", "addresses: [10.0.0.1]", "action: forbid", "tls: inspect",
    "{tls: passthrough, methods: [GET]}", "{tls: passthrough, action: deny}", "{tls: passthrough, paths: [/]}",
    "{graphql: {}, mcp: {}}", "{jsonrpc: {}, mcp: {}}", "{websocket: true, content_types: [a/b]}", "{websocket: true, body_max: 1}",
    "{websocket: true, graphql: {}}", "{action: deny, rate: 1/s}", "{action: deny, body_max: 1}", "{action: deny, addresses: [10.0.0.0/8]}",
    "{hosts: ['*a.example']}", "{hosts: ['a.*.example']}", "{hosts: a.example}", "{hosts: []}", "{hosts: ['https://a.example/']}",
    "{hosts: [a..b]}", "{hosts: [a.example, a.example]}", "{hosts: ['a.example:0']}", "{name: x, hosts: null}",
    "{tcp: [db.example]}", "{tcp: ['a:1'], ports: [1]}", "{tcp: ['a:1'], methods: [GET]}", "{tcp: ['a:1'], tls: passthrough}",
    "{tcp: ['a:1'], hosts: [a]}", "{tcp: ['a:1'], rate: 1/min, body_max: 1}", "{tcp: ['a:1'], action: deny, rate: 1/s}",
]
CREDENTIAL = "credentials: {c: {from: 'env:A', hosts: [a.example], inject: {header: Authorization, format: 'Bearer {secret}'}}}"


def credential(use, source="env:A"):
    return "credentials: {c: {from: '" + source + "', hosts: [a.example], " + use + "}}"


def refresh(kind, use="inject: {header: A, format: '{secret}'}"):
    return credential("refresh: {" + kind + "}, " + use)


SIGNED = "inject: {aws_sigv4: {}}"
ROLE = "role: 'arn:aws:iam::123456789012:role/a/b', region: eu-central-1"
OAUTH2 = "token_url: https://l.example/token, grant: client_credentials, client_id: me"
KEPT = "credentials: {a: {from: 'store:t', hosts: [a.example], substitute: {shape: 'x{random:16}'}}}\noauth: "
GOOD_USES = [
    "inject: client_certificate", "inject: {basic: {username: x-access-token, password: 'a{secret}'}}", "inject: {basic: {username: ''}}",
    "inject: {query: key}", "inject: {query: 'filter[key]', format: 'k-{secret}'}", "inject: {cookie: sid}", "inject: {cookie: sid, format: 'v={secret}'}",
    "inject: {aws_sigv4: {region: eu-central-1, service: s3}}", SIGNED, "substitute: {shape: '{random:16}'}",
    "substitute: {env: STRIPE_KEY, shape: 'sk_live_{random:8}.{random:8}', in: [header, query, path, body], elsewhere: log}",
    "substitute: {shape: '{claims}.{random:40}', elsewhere: deny}",
]
BAD_USES = [
    "insecure: false", "inject: certificate", "inject: {client_certificate: true}", "inject: {header: A}", "inject: {format: '{secret}'}",
    "inject: {basic: {password: '{secret}'}}", "inject: {basic: {username: 'a:b'}}", "inject: {basic: {username: a, password: b}}",
    "inject: {basic: {username: a}, format: '{secret}'}", "inject: {query: 'a&b'}", "inject: {query: 'a%20'}", "inject: {cookie: 'a b'}",
    "inject: {query: a, cookie: b}", "inject: {query: a, format: b}", "inject: {aws_sigv4: {}, format: '{secret}'}", "inject: {aws_sigv4: {regoin: x}}",
    "inject: {}", "inject: []", "substitute: {}", "substitute: {env: A}", "substitute: {shape: abc}", "substitute: {shape: '{random:0}'}",
    "substitute: {shape: 'a b{random:20}'}", "substitute: {shape: 'a{claims}{random:20}'}", "substitute: {shape: '{random:16}', in: []}",
    "substitute: {shape: '{random:16}', in: [cookie]}", "substitute: {shape: '{random:16}', in: header}", "substitute: {shape: '{random:16}', elsewhere: ask}",
    "substitute: {shape: '{random:16}', env: 1A}", "substitute: {shape: '{random:16}', env: SSL_CERT_FILE}",
    "substitute: {shape: '{random:16}'}, inject: {query: a}", "inject: client_certificate, substitute: {shape: '{random:16}'}",
]
GOOD_REFRESHES = [
    "oauth2: {" + OAUTH2 + "}", "oauth2: {" + OAUTH2 + ", client_auth: body, scopes: [a, b], parameters: {audience: 'x y', n: 1}}",
    "oauth2: {token_url: 'http://127.0.0.1:8080/t', grant: refresh_token, client_id: me, client_secret: 'store:s@2'}",
    "github_app: {app: 12345, installation: 678}", "github_app: {app: Iv1.a, installation: '6', api: 'https://git.example/api/v3', repositories: [a], permissions: {contents: read}}",
    "google: {scopes: ['https://www.googleapis.example/auth/x'], subject: a@b.example, token_url: https://t.example/t}",
]
BAD_REFRESHES = [
    "", "oauth: {}", "oauth2: {}", "oauth2: {" + OAUTH2.replace("https", "http") + "}", "oauth2: {" + OAUTH2.replace("client_credentials", "password") + "}",
    "oauth2: {" + OAUTH2.replace("l.example", "u:p@l.example") + "}", "oauth2: {" + OAUTH2.replace("/token", "/token#x") + "}",
    "oauth2: {" + OAUTH2 + ", client_secret: 'exec:/x'}", "oauth2: {" + OAUTH2 + ", client_auth: header}", "oauth2: {" + OAUTH2 + ", scopes: a}",
    "github_app: {app: 1}", "github_app: {app: 1, installation: x}", "github_app: {app: 1, installation: 2, permissions: {contents: all}}",
    "google: {}", "google: {scopes: []}", "google: {scopes: [a]}, github_app: {app: 1, installation: 2}",
]
GOOD_ROLES = [ROLE, ROLE + ", session: ab, external_id: 'a:b', duration: 15min, endpoint: 'https://sts.example'", ROLE + ", web_identity: true, duration: 12h"]
BAD_ROLES = [
    "region: eu", "role: reader, region: eu", ROLE.replace("iam::", "sts::"), ROLE.replace("123456789012", "1"), ROLE + ", web_identity: 'yes'",
    ROLE + ", session: a", ROLE + ", duration: 1", ROLE + ", endpoint: 'http://sts.example'", ROLE + ", endpoint: 'https://sts.example/?a'",
]
GOOD_OAUTH = ["[{token_url: https://l.example/token, keep: {access_token: a}}]", "[{token_url: 'https://l.example:8443', keep: {authed_user.access_token: a}}]"]
BAD_OAUTH = [
    "[]", "{}", "[{keep: {access_token: a}}]", "[{token_url: https://l.example/t}]", "[{token_url: https://l.example/t, keep: {}}]",
    "[{token_url: http://l.example/t, keep: {t: a}}]", "[{token_url: 'https://*.example/t', keep: {t: a}}]", "[{token_url: 'https://l.example/*', keep: {t: a}}]",
    "[{token_url: 'https://l.example/t?a=b', keep: {t: a}}]", "[{token_url: https://l.example/t, keep: {'a b': a}}]",
    "[{token_url: https://l.example/t, keep: {t: [a]}}]", "[{token_url: https://l.example/t, kept: {t: a}}]",
]
GOOD = [
    *map(credential, GOOD_USES), *map(refresh, GOOD_REFRESHES), *(refresh("aws_role: {" + keys + "}", SIGNED) for keys in GOOD_ROLES),
    *(KEPT + entry for entry in GOOD_OAUTH), "leaks: off", "leaks: 'off'", "leaks: log", "leaks: ask", "leaks: deny",
    credential("inject: {query: k}", "store:a/b@3"),
    "{}", "default: ask", "default: log", "use: [anthropic]", CREDENTIAL, CREDENTIAL.replace("}}}", "}, insecure: true}}"),
    CREDENTIAL.replace("env:A", "store:a/b"), "upstream: {ca_file: x.pem, proxy: 'http://p.example:3128'}",
    "upstream: {resolve: {a.example: '127.0.0.1:8443', b.example: '::1', c.example: '[::1]:8443'}}",
    "limits: {connections: 1, request_body: 100MiB, response_body: 5, requests_per_minute: 6000, inspected_body: 1MiB, approval_wait: 5min}",
]
BAD = [
    *map(credential, BAD_USES), *map(refresh, BAD_REFRESHES), *(refresh("aws_role: {" + keys + "}", SIGNED) for keys in BAD_ROLES),
    *(KEPT + entry for entry in BAD_OAUTH), "leaks: on", "leaks: yes", "leaks: allow", credential("inject: {query: k}", "store:a@x"),
    "verison: 1", "default: allow", "use: anthropic", "use: []", "rules: {}", "credentials: []", CREDENTIAL.replace("env:A", "evn:A"),
    CREDENTIAL.replace("env:A", "vault:a#b"), CREDENTIAL.replace("{secret}", "secret"), CREDENTIAL.replace("Authorization", "host"),
    CREDENTIAL.replace("from: 'env:A', ", ""), CREDENTIAL.replace("}}}", "}, insecure: 1}}"), CREDENTIAL.replace("{c:", "{'b c':"),
    CREDENTIAL.replace("}}}", "}, substitute: {env: A}}}"), "upstream: {proxy: 'https://p:1'}", "upstream: {prox: 'http://p:1'}",
    "upstream: {resolve: {a.example: localhost}}", "limits: {connections: 0}", "limits: {request_body: 1MB}", "limits: {approval_wait: 5}",
    "limits: {approval_wait: 5 minutes}", "limits: {conections: 1}", "limits: {inspected_body: 1GiB}",
]


def rule(keys):
    body = keys[1:-1] if keys.startswith("{") else keys
    own = re.search(r"\b(hosts|tcp):", body)
    return "rules: [{" + ("" if own else "hosts: [a.example], ") + body + "}]"


def cases():
    for path in sorted(source.glob("policy/presets/*.yaml")) + sorted(source.glob("examples/*.yaml")):
        if path.name.endswith(".cases.yaml"):  # for `weir policy test`
            continue
        yield path.name, path.read_text(), True, False
    page = (source / "docs/policy.md").read_text()
    yield "docs/policy.md", re.search(r"```yaml\n(.*?)```", page, re.S).group(1), True, False
    for texts, good in ((GOOD, True), (BAD, False)):
        for text in texts:
            yield text, "version: 1\n" + ("" if text == "{}" else text + "\n"), good, True
    for texts, good in ((GOOD_RULES, True), (BAD_RULES, False)):
        for text in texts:
            yield text, "version: 1\n" + rule(text) + "\n", good, True


failures = 0
count = 0
with tempfile.TemporaryDirectory() as folder:
    file = pathlib.Path(folder) / "policy.yaml"
    for name, text, good, ask_loader in cases():
        count += 1
        errors = [error.message for error in validator.iter_errors(yaml.safe_load(text))]
        if good != (not errors):
            failures += 1
            print(f"the schema should {'take' if good else 'refuse'}: {name}: {errors[:2]}")
        if not ask_loader:  # it may need tools or files of the host
            continue
        file.write_text(text)
        answer = subprocess.run([loader, str(file)], capture_output=True, text=True, check=False)
        if good != (answer.returncode == 0):
            failures += 1
            print(f"the loader should {'take' if good else 'refuse'}: {name}\n{answer.stdout}")
print(f"{count} policies, {failures} failures")
sys.exit(1 if failures else 0)
