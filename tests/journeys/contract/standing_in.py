"""A stand-in for Entra ID, written from Microsoft's documents and not from the project's sandbox.

A wrong belief of the sandbox cannot agree with itself this way.
"""

import base64
import hashlib
import hmac
import http.server
import json
import threading
import time
import uuid
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from secure_export.sandbox.entra.directory import DEFAULT_TENANT_ID, RESOURCE_APP_ID

TENANT = DEFAULT_TENANT_ID
AUDIENCE = RESOURCE_APP_ID
AZURE_MONITOR = "461e8683-5575-4561-ac7f-899cc907d62a"
ROLE = "ActionGroupsSecureWebhook"
KID = "nOo3ZDrODXEK1jKWhXslHR_KXEg"


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _number(value: int) -> str:
    return _text(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class Entra:
    """A stand-in for Entra ID: metadata of both versions, keys without ``alg`` as the real one has them, tokens.

    Source: Microsoft identity platform, "Access tokens", "Access token claims reference", "Signing key rollover".
    """

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.issuers = {"1.0": f"https://sts.windows.net/{TENANT}/", "2.0": f"{self.base}/{TENANT}/v2.0"}
        self._port = port
        self._server: http.server.ThreadingHTTPServer | None = None

    def start(self) -> "Entra":
        documents = self._documents()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = documents.get(self.path)
                body = json.dumps(found or {"error": "not_found"}).encode()
                self.send_response(200 if found else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:  # keeps the tests' output quiet
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}).start()
        return self

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def _documents(self) -> dict[str, Any]:
        numbers = self.key.public_key().public_numbers()
        key = {"kty": "RSA", "use": "sig", "kid": KID, "x5t": KID, "n": _number(numbers.n), "e": _number(numbers.e)}
        documents: dict[str, Any] = {}
        for version, path in (("1.0", ""), ("2.0", "/v2.0")):
            keys = f"/{TENANT}/discovery{path}/keys"
            documents[f"/{TENANT}{path}/.well-known/openid-configuration"] = {
                "issuer": self.issuers[version],
                "jwks_uri": self.base + keys,
                "id_token_signing_alg_values_supported": ["RS256"],
            }
            documents[keys] = {"keys": [key | ({"issuer": self.issuers[version]} if version == "2.0" else {})]}
        return documents

    def token(self, version: str = "2.0", header: dict[str, Any] | None = None, **claims: Any) -> str:
        """Make a token as action groups bring it; a claim that is given as None is left out."""
        now, caller = int(time.time()), str(uuid.uuid4())
        usual = {
            "aud": AUDIENCE if version == "2.0" else f"api://{AUDIENCE}",
            "iss": self.issuers[version],
            "iat": now - 300,
            "nbf": now - 300,
            "exp": now + 3600,
            "azp" if version == "2.0" else "appid": AZURE_MONITOR,
            "azpacr" if version == "2.0" else "appidacr": "2",
            "oid": caller,
            "sub": caller,
            "roles": [ROLE],
            "tid": TENANT,
            "uti": uuid.uuid4().hex,
            "ver": version,
        }
        return self.signed({"typ": "JWT", "alg": "RS256", "kid": KID} | (header or {}), usual | claims)

    def signed(self, header: dict[str, Any], claims: dict[str, Any], key: rsa.RSAPrivateKey | None = None) -> str:
        text = ".".join(
            _text(json.dumps({k: v for k, v in part.items() if v is not None}).encode()) for part in (header, claims)
        )
        if header["alg"] == "none":
            return text + "."
        if header["alg"] == "HS256":
            secret = self.key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            return f"{text}.{_text(hmac.digest(secret, text.encode(), hashlib.sha256))}"
        signature = (key or self.key).sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{text}.{_text(signature)}"
