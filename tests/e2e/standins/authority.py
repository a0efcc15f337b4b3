"""A certificate authority for tests, and the certificates that a well-behaved or a broken server would show."""

import datetime
import os
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem_key(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


class Authority:
    """One CA; `certificate_file` is what a policy's `upstream.ca_file` names."""

    def __init__(self, directory, common_name="weir test authority"):
        self.directory = directory
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = _name(common_name)
        now = datetime.datetime.utcnow()
        self.certificate = (
            x509.CertificateBuilder().subject_name(self.name).issuer_name(self.name).public_key(self.key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - DAY).not_valid_after(now + 30 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.KeyUsage(False, False, False, False, False, True, True, False, False), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256()))
        self.certificate_file = self._write("ca.pem", self.certificate.public_bytes(serialization.Encoding.PEM))
        self._serial = 0

    def _write(self, name, data):
        path = os.path.join(self.directory, name)
        with open(path, "wb") as file:
            file.write(data)
        os.chmod(path, 0o644)
        return path

    def server_file(self, *names, expired=False, self_signed=False):
        """A PEM file with a certificate that names `names`, signed by this authority unless told otherwise, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.utcnow()
        start, end = (now - 30 * DAY, now - DAY) if expired else (now - DAY, now + 10 * DAY)
        subject = _name(names[0])
        builder = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(subject if self_signed else self.name)
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(start).not_valid_after(end)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False))
        certificate = builder.sign(key if self_signed else self.key, hashes.SHA256())
        self._serial += 1
        return self._write(f"server-{self._serial}.pem", certificate.public_bytes(serialization.Encoding.PEM) + _pem_key(key))

    def client_file(self, name):
        """A PEM file with a certificate for TLS client authentication and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.utcnow()
        certificate = (
            x509.CertificateBuilder().subject_name(_name(name)).issuer_name(self.name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - DAY).not_valid_after(now + 10 * DAY)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .sign(self.key, hashes.SHA256()))
        self._serial += 1
        return self._write(f"client-{self._serial}.pem", certificate.public_bytes(serialization.Encoding.PEM) + _pem_key(key))

    def server_context(self, *names, **certificate):
        """A TLS server context with such a certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server_file(*names, **certificate))
        context.set_alpn_protocols(["http/1.1"])
        return context
