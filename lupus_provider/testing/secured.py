"""A real Elasticsearch with security: TLS by a certificate authority of its own, a user with a password, API keys.

Whether wrong credentials and untrusted certificates are told clearly can only be seen on a server that refuses them.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import ipaddress
import json
import secrets
import ssl
import urllib.request
from typing import TYPE_CHECKING, Any

from lupus_provider.clock import utc_now
from lupus_provider.testing.servers import ElasticsearchServer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_ROUNDS = 10_000
_VALID = datetime.timedelta(days=30)


class SecuredElasticsearchServer(ElasticsearchServer):
    """One node of Elasticsearch 9.5.3 with its own security, but without SAML, whose library no registry has; needs cryptography.

    Attributes
    ----------
    login, password
        A user who may do everything.
    """

    name = "elasticsearch-secured"
    login, password = "lupus", "a password of tests"

    @property
    def ca_certs(self) -> Path:
        """File of the certificate authority that signed its certificate."""
        return self.data / "config" / "ca.crt"

    @property
    def url(self) -> str:
        """How a client names it."""
        return f"https://{self.address}"

    def environment(self) -> Mapping[str, str]:
        """Return its Java, its heap, and that it is secured."""
        return {**super().environment(), "LUPUS_SECURED": "1"}

    def command(self) -> Sequence[str]:
        """Write certificates and users where there are none, then return the recipe's call."""
        if not self.ca_certs.exists():
            self.ca_certs.parent.mkdir(parents=True, exist_ok=True)
            hashed = _hashed(self.password)
            (self.ca_certs.parent / "users").write_text(f"{self.login}:{hashed}\n", encoding="utf-8")
            (self.ca_certs.parent / "users_roles").write_text(f"superuser:{self.login}\n", encoding="utf-8")
            make_certificates(self.ca_certs.parent)
        return super().command()

    def answers(self) -> bool:
        """Say whether the cluster is ready to search and to index."""
        try:
            return self.ask("GET", "/_cluster/health?wait_for_status=yellow&timeout=1s")["status"] != "red"
        except OSError:
            return False

    def make_api_key(self, name: str) -> str:
        """Make an API key that may do all that its user may, and return it encoded."""
        return self.ask("POST", "/_security/api_key?refresh=true", {"name": name})["encoded"]

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Ask it something as its user."""
        token = base64.b64encode(f"{self.login}:{self.password}".encode()).decode()
        headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data, headers, method=method)  # noqa: S310  the address is ours
        context = ssl.create_default_context(cafile=str(self.ca_certs))
        with urllib.request.urlopen(request, timeout=30, context=context) as answer:  # noqa: S310
            return json.load(answer)


def make_certificates(folder: Path) -> None:
    """Write `ca.crt`, and `http.crt` with `http.key`, which it signed for 127.0.0.1 and localhost."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    def begun(subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder().subject_name(subject).issuer_name(named("Lupus tests")).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(utc_now() - _VALID).not_valid_after(utc_now() + _VALID)
        )  # fmt: skip

    authority, own = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    usage = dict.fromkeys(
        ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"),
        False,
    )  # fmt: skip
    root = (
        begun(named("Lupus tests"), authority)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usage, key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority.public_key()), critical=False)
        .sign(authority, hashes.SHA256())
    )
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    leaf = (
        begun(named("localhost"), own)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), critical=False)
        .sign(authority, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "ca.crt").write_bytes(root.public_bytes(pem))
    (folder / "http.crt").write_bytes(leaf.public_bytes(pem))
    (folder / "http.key").write_bytes(own.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))


def _hashed(password: str) -> str:
    """Hash a password as a file of users has it."""
    salt = secrets.token_bytes(32)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ROUNDS, 32)
    return f"{{PBKDF2}}{_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"
