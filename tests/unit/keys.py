"""RSA keys for tests: to make one takes a tenth of a second, so each is made once in a run, and shared."""

from functools import cache

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


def rsa_key(name: str = "first", bits: int = 2048, exponent: int = 65537) -> RSAPrivateKey:
    """Give the key of this name."""
    return _made(name, bits, exponent)


def private_pem(key: RSAPrivateKey | EllipticCurvePrivateKey) -> bytes:
    """Write a key as a file has it, without a password."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@cache
def _made(_name: str, bits: int, exponent: int) -> RSAPrivateKey:
    return generate_private_key(public_exponent=exponent, key_size=bits)
