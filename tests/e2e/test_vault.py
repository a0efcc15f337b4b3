"""Credentials from a real Vault and from programs, through a sandbox to a stand-in."""

import datetime
import json
import os
import secrets
import signal
import tempfile
import time
import unittest

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from harness import SANITIZED, WeirTest, also_as_ordinary_user, wait_until
from standins.authority import Authority
from standins.token_service import RsaKey
from standins.vault import VaultServer


class WithCredential(WeirTest):
    def setUp(self):
        super().setUp()
        self.api = self.https("api.test.example")

    def credential(self, source, more="", vault=""):
        self.policy(f"""
            credentials:
              token:
                from: {source}
                {more}
                hosts: [api.test.example]
                inject: {{header: X-Token, format: "{{secret}}"}}
            rules:
              - hosts: [api.test.example]
            {vault}
            """, api=self.api)

    def sent(self):
        return [value for r in self.api.requests for value in r.all("x-token")]

    ONCE = 'answer = get(); report(status=answer["status"], body=answer["body"])'


@also_as_ordinary_user
class FromPrograms(WithCredential):
    def test_a_program_gives_the_value(self):
        self.credential('{exec: [/bin/echo, "s3cret of $HOME"]}')
        self.inside(self.ONCE)
        self.assertEqual(self.sent(), ["s3cret of $HOME"])

    def test_a_program_that_fails_keeps_the_command_from_starting(self):
        self.credential("{exec: [/bin/sh, -c, 'echo s3cret; echo gone >&2; exit 3']}")
        done = self.run_inside("/bin/true")
        self.assertEqual(done.status, 2, done)
        self.assertIn("/bin/sh ended with status 3: gone", done.err)
        self.assertNotIn("s3cret", done.err)

    def test_after_its_ttl_the_program_runs_again_and_the_new_value_is_used(self):
        count = self.write("count", "", folder=self.root)
        self.credential(f"{{exec: [/bin/sh, -c, 'echo x >> {count}; wc -l < {count}']}}", more="ttl: 1s")
        running = self.start_python("""
            get()
            sync("renewed")
            get()
        """)
        running.reached("renewed")
        self.assertEqual(self.sent(), ["1"])
        running.wait_for_event("vault.renewed", new_value=True)
        running.go("renewed")
        self.assertEqual(running.finish().status, 0)
        self.assertGreater(int(self.sent()[-1]), 1)

    def test_a_program_that_fails_later_stops_the_credential_and_nothing_else(self):
        flag = self.write("flag", "value", folder=self.root)
        self.credential(f"{{exec: [/bin/cat, {flag}]}}", more="ttl: 1s")
        running = self.start_python("""
            get()
            sync("lost")
            answer = get()
            report(status=answer["status"], body=answer["body"])
        """)
        running.reached("lost")
        os.unlink(flag)
        running.wait_for_event("vault.error", usable=False)
        running.go("lost")
        done = running.finish()
        self.assertEqual(done.report["status"], 503, done)
        self.assertIn("credential_unavailable", done.report["body"])
        self.assertEqual(self.sent(), ["value"])


class FromVault(WithCredential):
    """One Vault for all tests of the class."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder_of_vault = tempfile.TemporaryDirectory(prefix="weir-vault-")
        cls.addClassCleanup(cls.folder_of_vault.cleanup)
        cls.vault = VaultServer(cls.folder_of_vault.name)
        cls.addClassCleanup(cls.vault.close)
        call = cls.vault.call
        call("PUT", "secret/data/github", data={"token": "first", "odd": 12})
        call("PUT", "secret/data/github", data={"token": "second", "lines": "a\nb"})
        call("POST", "sys/mounts/old", type="kv", options={"version": "1"})
        call("PUT", "old/github", token="root", value="of version 1")
        call("PUT", "sys/policies/acl/reader", policy="""
            path "secret/data/github" { capabilities = ["read"] }
            path "old/*" { capabilities = ["read"] }
            path "pki/issue/*" { capabilities = ["update"] }
        """)
        call("POST", "sys/auth/approle", type="approle")
        call("POST", "auth/approle/role/agent", token_policies="reader", token_ttl="1h")
        cls.role_id = call("GET", "auth/approle/role/agent/role-id")["data"]["role_id"]
        call("POST", "sys/auth/userpass", type="userpass")
        call("POST", "auth/userpass/users/anna", password="pass word\"", token_policies="reader")
        call("POST", "sys/mounts/pki", type="pki")
        call("POST", "pki/root/generate/internal", common_name="test", ttl="1h")
        call("POST", "pki/roles/short", allow_any_name=True, generate_lease=True, max_ttl="1h", ttl="6s", key_type="ec", key_bits=256)

        call("POST", "pki/roles/long", allow_any_name=True, generate_lease=True, max_ttl="1h", ttl="30m", key_type="ec", key_bits=256)

    def setUp(self):
        super().setUp()
        self.environment["VAULT_ADDR"] = self.vault.address
        self.environment["VAULT_TOKEN"] = "root"

    def refused(self, *texts):
        done = self.run_inside("/bin/true")
        self.assertEqual(done.status, 2, done)
        for text in texts:
            self.assertIn(text, done.err)
        return done

    def login(self, **auth):
        del self.environment["VAULT_TOKEN"]
        return "vault: {auth: {" + ", ".join(f"{k}: {v}" for k, v in auth.items()) + "}}"


def copies_in_memory(pid, needle):
    """How often the bytes stand in the process's memory. For root."""
    found = 0
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            span, mode = line.split()[:2]
            begin, end = (int(part, 16) for part in span.split("-"))
            if mode[:2] != "rw" or "[v" in line or end - begin > 1 << 28:
                continue
            memory.seek(begin)
            try:
                found += memory.read(end - begin).count(needle)
            except OSError:
                pass  # its end is not backed by anything
    return found


@also_as_ordinary_user
class Secrets(FromVault):
    def gives(self, source, value, **more):
        self.credential(f'"{source}"', **more)
        self.inside(self.ONCE)
        self.assertEqual(self.sent(), [value])

    def test_kv_2(self):
        self.gives("vault:secret/data/github#token", "second")

    def test_kv_2_without_data_in_the_path_as_the_vault_command_has_it(self):
        self.gives("vault:secret/github#token", "second")

    def test_kv_2_of_a_version(self):
        self.gives("vault:secret/data/github?version=1#token", "first")

    def test_kv_2_number(self):
        self.gives("vault:secret/data/github?version=1#odd", "12")

    def test_kv_1(self):
        self.gives("vault:old/github#value", "of version 1")

    def test_kv_2_where_the_token_may_not_ask_for_mounts(self):
        self.environment["VAULT_TOKEN"] = self.vault.call("POST", "auth/token/create", policies=["reader"], no_default_policy=True)["auth"]["client_token"]
        self.gives("vault:secret/data/github#token", "second")

    def test_approle(self):
        secret = self.vault.call("POST", "auth/approle/role/agent/secret-id")["data"]["secret_id"]
        self.write("secret-id", secret + "\n", folder=self.root, mode=0o600)
        self.gives("vault:secret/github#token", "second", vault=self.login(method="approle", role=self.role_id, secret="file:secret-id"))

    def test_approle_with_a_wrapped_secret_id_which_serves_once(self):
        wrapped = self.vault.call("POST", "auth/approle/role/agent/secret-id", wrap="60s")["wrap_info"]["token"]
        self.write("secret-id", wrapped, folder=self.root, mode=0o600)
        self.gives("vault:secret/github#token", "second",
                   vault=self.login(method="approle", role=self.role_id, secret="file:secret-id", wrapped="true"))
        self.refused("cannot be unwrapped")

    def test_userpass(self):
        self.environment["ANNAS"] = 'pass word"'
        self.gives("vault:secret/github#token", "second", vault=self.login(method="userpass", user="anna", secret="env:ANNAS"))

    def test_wrong_password(self):
        self.environment["ANNAS"] = "s3cret"
        self.credential('"vault:secret/github#token"', vault=self.login(method="userpass", user="anna", secret="env:ANNAS"))
        self.assertNotIn("s3cret", self.refused("login by userpass").err)

    def test_missing_field_names_those_there_are(self):
        self.credential('"vault:secret/github?version=1#tokn"')
        done = self.refused("there is no field `tokn` at secret/github", "token")
        self.assertNotIn("first", done.err)

    def test_missing_path_and_denied_path(self):
        self.credential('"vault:secret/data/none#x"')
        self.refused("has nothing at secret/data/none")
        self.environment["VAULT_TOKEN"] = self.vault.call("POST", "auth/token/create", policies=["reader"])["auth"]["client_token"]
        self.credential('"vault:secret/data/other#x"')
        self.refused("permission denied on secret/data/other")

    def test_wrong_token(self):
        self.environment["VAULT_TOKEN"] = "hvs.s3cret"
        self.credential('"vault:secret/data/github#token"')
        self.assertNotIn("s3cret", self.refused("permission denied").err)

    def test_value_that_cannot_stand_in_a_header(self):
        self.credential('"vault:secret/github#lines"')
        self.refused("a line feed")

    def test_settings_that_would_endanger_the_token(self):
        self.credential('"vault:secret/github#token"')
        self.environment["VAULT_SKIP_VERIFY"] = "true"
        self.refused("VAULT_SKIP_VERIFY")
        del self.environment["VAULT_SKIP_VERIFY"]
        self.environment["VAULT_ADDR"] = "http://vault.example:8200"
        self.refused("in the clear")
        del self.environment["VAULT_ADDR"]
        self.refused("VAULT_ADDR")

    def test_neither_token_nor_value_is_to_be_seen_inside_or_in_the_record(self):
        self.credential('"vault:secret/github?version=1#token"')
        self.environment["VAULT_TOKEN"] = token = self.vault.call("POST", "auth/token/create", policies=["root"])["auth"]["client_token"]
        done = self.inside('import os; report(environment=dict(os.environ), answer=get()["body"])')
        self.assertEqual(self.sent(), ["first"])
        self.assertNotIn(token, str(done))
        self.assertNotIn("VAULT_TOKEN", str(done.report["environment"]))


class Leases(FromVault):
    @unittest.skipUnless(os.getuid() == 0 and not SANITIZED, "looks into the memory of another process, which sanitisers fill with copies")
    def test_the_keeper_has_one_copy_of_the_value_and_of_the_token(self):
        value, token = secrets.token_hex(20), secrets.token_hex(20)
        self.vault.call("PUT", "secret/data/once", data={"other": "x", "token": value})
        self.vault.call("POST", "auth/token/create", id=token, policies=["root"])
        self.write("token", token, folder=self.root, mode=0o600)
        self.credential('"vault:secret/once#token"', vault=self.login(method="token", secret="file:token"))
        running = self.start_python('sync("loaded"); get(); sync("used")')
        running.reached("loaded")
        before = [copies_in_memory(running.pid, each.encode()) for each in (value, token)]
        running.go("loaded")
        running.reached("used")
        after = [copies_in_memory(running.pid, each.encode()) for each in (value, token)]
        running.go("used")
        self.assertEqual(running.finish().status, 0)
        self.assertEqual((before, after), ([1, 1], [1, 1]))

    def test_a_lease_is_renewed_by_a_new_secret_and_revoked_at_the_end(self):
        self.credential('"vault:pki/issue/short?common_name=a.example#serial_number"')
        running = self.start_python("""
            get()
            sync("renewed")
            get()
        """)
        running.reached("renewed")
        self.assertEqual(len(self.vault.leases("pki/issue/short")), 1)
        running.wait_for_event("vault.renewed", new_value=True)
        running.go("renewed")
        self.assertEqual(running.finish().status, 0)
        self.assertEqual(len(set(self.sent())), 2)
        wait_until(lambda: not self.vault.leases("pki/issue/short"), "the leases' end")

    def test_a_reload_keeps_the_lease_and_one_that_no_longer_needs_it_gives_it_back(self):
        self.credential('"vault:pki/issue/long?common_name=b.example#serial_number"')
        running = self.start_python("""
            get()
            sync("reloaded")
            get()
            sync("replaced")
            get()
        """)
        running.reached("reloaded")
        lease = self.vault.leases("pki/issue/long")
        self.assertEqual(len(lease), 1)
        os.kill(running.pid, signal.SIGHUP)
        running.wait_for_event("policy.loaded", by="SIGHUP")
        running.go("reloaded")
        running.reached("replaced")
        self.assertEqual(self.vault.leases("pki/issue/long"), lease)
        self.credential('"vault:secret/github#token"')
        os.kill(running.pid, signal.SIGHUP)
        wait_until(lambda: not self.vault.leases("pki/issue/long"), "the lease's end")
        running.go("replaced")
        self.assertEqual(running.finish().status, 0)
        first, second, third = self.sent()
        self.assertEqual((first, third), (second, "second"))

    def test_the_logins_token_is_revoked_at_the_end(self):
        before = len(self.vault.call("LIST", "auth/token/accessors")["data"]["keys"])
        self.environment["ANNAS"] = 'pass word"'
        self.credential('"vault:secret/github#token"', vault=self.login(method="userpass", user="anna", secret="env:ANNAS"))
        self.inside(self.ONCE)
        self.assertEqual(len(self.vault.call("LIST", "auth/token/accessors")["data"]["keys"]), before)


class Logins(WithCredential):
    """Methods that need a Vault with TLS, or keys of their own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.TemporaryDirectory(prefix="weir-vault-")
        cls.addClassCleanup(folder.cleanup)
        cls.vault = VaultServer(folder.name, tls=True)
        cls.addClassCleanup(cls.vault.close)
        call = cls.vault.call
        call("PUT", "secret/data/github", data={"token": "value"})
        call("PUT", "sys/policies/acl/reader", policy='path "secret/data/github" { capabilities = ["read"] }')
        for method in ("jwt", "cert", "kubernetes"):
            call("POST", f"sys/auth/{method}", type=method)

    def setUp(self):
        super().setUp()
        self.environment["VAULT_ADDR"] = self.vault.address
        self.settings = f"ca_file: {self.write('vault-ca.pem', text_of(self.vault.ca), folder=self.root)}"

    def logs_in(self, auth, more=""):
        self.credential('"vault:secret/github#token"', vault=f"vault: {{{self.settings}{more}, auth: {auth}}}")
        done = self.inside(self.ONCE)
        self.assertEqual(self.sent(), ["value"], done)

    def refused(self, text):
        done = self.run_inside("/bin/true")
        self.assertEqual(done.status, 2, done)
        self.assertIn(text, done.err)
        return done

    def test_jwt(self):
        key = RsaKey()
        self.vault.call("POST", "auth/jwt/config", jwt_validation_pubkeys=[key.public_pem()])
        self.vault.call("POST", "auth/jwt/role/ci", role_type="jwt", user_claim="sub", bound_audiences=["vault"], token_policies="reader")
        claims = {"sub": "job", "aud": "vault", "iat": int(time.time()) - 5, "exp": int(time.time()) + 300}
        self.write("jwt", key.signed(claims) + "\n", folder=self.root, mode=0o600)
        self.logs_in("{method: jwt, role: ci, secret: file:jwt}")
        other = RsaKey().signed(claims)
        self.write("jwt", other, folder=self.root, mode=0o600)
        self.assertNotIn(other.rpartition(".")[2], self.refused("login by jwt").err)

    def test_cert(self):
        folder = self.folder("client")
        ours = Authority(folder)
        mine = client_file(ours)
        for path in (mine, ours.certificate_file):
            os.chown(path, self.uid, self.gid)
        self.vault.call("POST", "auth/cert/certs/agents", certificate=text_of(ours.certificate_file), allowed_common_names=["agent"],
                        token_policies="reader")
        self.logs_in("{method: cert, role: agents}", more=f", client_certificate: {mine}, client_key: {mine}")
        stranger = client_file(Authority(self.folder("stranger")))
        self.credential('"vault:secret/github#token"', vault=f"vault: {{{self.settings}, client_certificate: {stranger}, client_key: {stranger}, auth: {{method: cert}}}}")
        self.refused("login by cert")

    def test_kubernetes(self):
        pod = RsaKey().signed({"iss": "kubernetes/serviceaccount", "sub": "system:serviceaccount:agents:weir",
                               "iat": int(time.time()) - 5, "nbf": int(time.time()) - 5, "exp": int(time.time()) + 300,
                               "kubernetes.io/serviceaccount/namespace": "agents", "kubernetes.io/serviceaccount/service-account.name": "weir",
                               "kubernetes.io/serviceaccount/service-account.uid": "u-1"})

        def review(request, connection):
            body = []
            connection.read_body(request, body.append)
            good = json.loads(b"".join(body))["spec"]["token"] == pod
            connection.respond_json({"kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1", "status": {
                "authenticated": good, "user": {"username": "system:serviceaccount:agents:weir", "uid": "u-1", "groups": ["system:serviceaccounts"]}}}, 201)

        cluster = self.http({"/": review})
        self.vault.call("POST", "auth/kubernetes/config", kubernetes_host=f"http://{cluster.address}", token_reviewer_jwt=pod, disable_local_ca_jwt=True,
                        kubernetes_ca_cert=text_of(self.authority.certificate_file),
                        disable_iss_validation=True)
        self.vault.call("POST", "auth/kubernetes/role/agents", bound_service_account_names="weir", bound_service_account_namespaces="agents", token_policies="reader")
        self.write("pod", pod, folder=self.root, mode=0o600)
        self.logs_in("{method: kubernetes, role: agents, secret: file:pod}")
        self.write("pod", RsaKey().signed({"sub": "x"}), folder=self.root, mode=0o600)
        self.refused("login by kubernetes")


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def client_file(authority):
    """A PEM file with a client's certificate for `agent`, signed by the authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.utcnow()
    certificate = (x509.CertificateBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "agent")])).issuer_name(authority.name)
                   .public_key(key.public_key()).serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
                   .not_valid_after(now + datetime.timedelta(days=1))
                   .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False).sign(authority.key, hashes.SHA256()))
    path = os.path.join(authority.directory, "client.pem")
    with open(path, "wb") as file:
        file.write(certificate.public_bytes(serialization.Encoding.PEM))
        file.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    os.chmod(path, 0o644)
    return path


class Away(WithCredential):
    """Each test has a Vault of its own, which it hurts."""

    def setUp(self):
        super().setUp()
        self.vault = VaultServer(self.root)
        self.addCleanup(self.vault.close)
        self.vault.call("PUT", "secret/data/github", data={"token": "value"})
        self.environment.update(VAULT_ADDR=self.vault.address, VAULT_TOKEN="root")

    def test_while_vault_is_away_the_value_serves_until_its_end_and_no_longer(self):
        self.credential('"vault:secret/github#token"', more="ttl: 15s")
        running = self.start_python("""
            get()
            sync("killed")
            serves = get()["status"]
            sync("over")
            answer = get()
            report(serves=serves, status=answer["status"], body=answer["body"])
        """)
        running.reached("killed")
        self.vault.close()
        running.go("killed")
        running.reached("over")
        running.wait_for_event("vault.error", usable=False)
        running.go("over")
        done = running.finish()
        self.assertEqual(done.report["serves"], 200, done)
        self.assertEqual(done.report["status"], 503, done)
        self.assertIn("credential_unavailable", done.report["body"])
        self.assertEqual(self.sent(), ["value", "value"])

    def test_sealed(self):
        self.vault.call("PUT", "sys/seal")
        self.credential('"vault:secret/github#token"')
        done = self.run_inside("/bin/true")
        self.assertEqual(done.status, 2, done)
        self.assertIn("is sealed", done.err)

    def test_tls_is_verified_by_the_ca_that_is_named(self):
        secure = VaultServer(self.folder("secure"), tls=True)
        self.addCleanup(secure.close)
        os.chmod(os.path.join(self.root, "secure"), 0o755)
        os.chmod(secure.ca, 0o644)
        secure.call("PUT", "secret/data/github", data={"token": "over TLS"})
        self.environment["VAULT_ADDR"] = secure.address
        self.credential('"vault:secret/github#token"')
        done = self.run_inside("/bin/true")
        self.assertEqual(done.status, 2, done)
        self.assertIn("certificate", done.err)
        self.credential('"vault:secret/github#token"', vault=f"vault: {{ca_file: {secure.ca}}}")
        self.inside(self.ONCE)
        self.credential('"vault:secret/github#token"', vault=f"vault: {{ca_file: {secure.ca}, server_name: localhost}}")
        self.inside(self.ONCE)
        self.assertEqual(self.sent(), ["over TLS"] * 2)
        self.credential('"vault:secret/github#token"', vault=f"vault: {{ca_file: {secure.ca}, server_name: another.example}}")
        self.assertEqual(self.run_inside("/bin/true").status, 2)

    def test_not_there(self):
        self.vault.close()
        self.credential('"vault:secret/github#token"')
        done = self.run_inside("/bin/true")
        self.assertEqual(done.status, 2, done)
        self.assertIn("cannot be reached", done.err)


if __name__ == "__main__":
    unittest.main()
