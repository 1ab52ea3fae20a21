"""Every known way of forging or bending a token is refused, each by a test of its own."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.unit.identity.stand_in import (
    PaperEntra,
    b64,
    bearer,
    claims,
    gate_with,
    good_token,
    header,
    is_let_in,
    jwk,
    refused,
    signature_of,
    token_of,
)
from tests.unit.keys import rsa_key


def _parts(head: Any, body: Any, signature: bytes = b"") -> bytes:
    return b".".join(b64(json.dumps(part).encode()).encode() for part in (head, body)) + b"." + b64(signature).encode()


def _hmac_with(secret: bytes, alg: str = "HS256") -> bytes:
    signed = _parts(header(alg=alg), claims())[:-1]
    return signed + b"." + b64(hmac.new(secret, signed, hashlib.sha256).digest()).encode()


def _public(encoding: Encoding, form: PublicFormat) -> bytes:
    return rsa_key().public_key().public_bytes(encoding, form)


def _own_key_in(name: str, value: Any) -> bytes:
    """Sign with a key of the attacker's, and bring or point to it in the header."""
    return token_of(header(**{name: value}), claims(), rsa_key("attacker"))


def _json_form() -> bytes:
    protected, payload, signature = good_token().decode().split(".")
    return json.dumps({"protected": protected, "payload": payload, "signature": signature}).encode()


def _swapped(find: bytes, put: bytes) -> bytes:
    """Change a signed token's payload and keep its signature."""
    head, _, signature = good_token().split(b".")
    changed = json.dumps(claims()).encode().replace(find, put)
    return head + b"." + b64(changed).encode() + b"." + signature


def _duplicate(body: str, more: str) -> bytes:
    return (body[:-1] + "," + more + "}").encode()


def _pss_signed() -> bytes:
    signed = _parts(header(), claims())[:-1]
    return signed + b"." + b64(rsa_key().sign(signed, PSS(MGF1(SHA256()), 32), SHA256())).encode()


def _sha512_signed() -> bytes:
    signed = _parts(header(), claims())[:-1]
    return signed + b"." + b64(rsa_key().sign(signed, PKCS1v15(), SHA512())).encode()


def _ec_signed() -> bytes:
    signed = _parts(header(alg="ES256"), claims())[:-1]
    return signed + b"." + b64(ec.generate_private_key(ec.SECP256R1()).sign(signed, ec.ECDSA(SHA256()))).encode()


ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
GOOD_CLAIMS = json.dumps(claims())
GOOD_HEADER = json.dumps(header())
MALFORMED, ALGORITHM, FORBIDDEN, SIGNATURE = "malformed-token", "wrong-algorithm", "forbidden-header", "bad-signature"

ATTACKS: list[tuple[str, Callable[[], bytes], str]] = [
    # The algorithm is the attacker's choice in naive libraries.
    ("alg none, no signature (CVE-2015-9235)", lambda: _parts(header(alg="none"), claims()), MALFORMED),
    ("alg none with a signature", lambda: token_of(header(alg="none"), claims()), ALGORITHM),
    ("alg None, in other case", lambda: token_of(header(alg="nOnE"), claims()), ALGORITHM),
    ("alg absent", lambda: token_of(header(alg=...), claims()), ALGORITHM),
    ("alg of another type", lambda: token_of(header(alg=["RS256"]), claims()), ALGORITHM),
    ("alg in other case", lambda: token_of(header(alg="rs256"), claims()), ALGORITHM),
    ("alg RS384 with an RS256 signature", lambda: token_of(header(alg="RS384"), claims()), ALGORITHM),
    ("alg PS256", lambda: token_of(header(alg="PS256"), claims()), ALGORITHM),
    (
        "alg ES256 with zeros for a signature (CVE-2022-21449)",
        lambda: _parts(header(alg="ES256"), claims(), bytes(64)),
        ALGORITHM,
    ),
    ("alg ES256 with the attacker's curve key", _ec_signed, ALGORITHM),
    (
        "HMAC with the public key in PEM (CVE-2017-11424)",
        lambda: _hmac_with(_public(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)),
        ALGORITHM,
    ),
    (
        "HMAC with the public key in SSH form (CVE-2022-29217)",
        lambda: _hmac_with(_public(Encoding.OpenSSH, PublicFormat.OpenSSH)),
        ALGORITHM,
    ),
    (
        "HMAC with the public key in DER (CVE-2024-37568)",
        lambda: _hmac_with(_public(Encoding.DER, PublicFormat.PKCS1)),
        ALGORITHM,
    ),
    ("HMAC with the JWK's text (CVE-2026-48526)", lambda: _hmac_with(json.dumps(jwk()).encode()), ALGORITHM),
    (
        "HMAC under the name RS256",
        lambda: _hmac_with(_public(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), "RS256"),
        SIGNATURE,
    ),
    # The key is the attacker's choice.
    ("the attacker's key under a known id", lambda: token_of(header(), claims(), rsa_key("attacker")), SIGNATURE),
    (
        "jwk in the header (CVE-2018-0114, CVE-2026-27962)",
        lambda: _own_key_in("jwk", jwk("a", rsa_key("attacker"))),
        FORBIDDEN,
    ),
    ("jku in the header (CVE-2024-21643)", lambda: _own_key_in("jku", "https://attacker.example/keys"), FORBIDDEN),
    ("jku with a file (GHSA-993g-76c3-p5m4)", lambda: _own_key_in("jku", "file:///etc/passwd"), FORBIDDEN),
    ("x5u in the header", lambda: _own_key_in("x5u", "https://attacker.example/chain"), FORBIDDEN),
    ("x5c in the header", lambda: _own_key_in("x5c", ["MIIB"]), FORBIDDEN),
    ("jwk, although the signature is good", lambda: token_of(header(jwk=jwk()), claims()), FORBIDDEN),
    ("kid absent", lambda: token_of(header(kid=...), claims()), MALFORMED),
    ("kid with a path", lambda: token_of(header(kid="../../dev/null"), claims()), MALFORMED),
    ("kid with SQL", lambda: token_of(header(kid="' OR 1=1 --"), claims()), MALFORMED),
    ("kid with a line break at its end", lambda: token_of(header(kid="first\n"), claims()), MALFORMED),
    ("kid that is huge", lambda: token_of(header(kid="k" * 129), claims()), MALFORMED),
    ("kid that is a number", lambda: token_of(header(kid=1), claims()), MALFORMED),
    ("kid that is empty", lambda: token_of(header(kid=""), claims()), MALFORMED),
    ("kid that nobody has", lambda: token_of(header(kid="unknown"), claims()), "unknown-key"),
    # Extensions that change what is signed or how it is read.
    ("crit ignored (CVE-2026-32597, CVE-2025-59420)", lambda: token_of(header(crit=["x"], x=1), claims()), FORBIDDEN),
    ("crit that is empty", lambda: token_of(header(crit=[]), claims()), FORBIDDEN),
    ("b64 false (RFC 7797)", lambda: token_of(header(b64=False, crit=["b64"]), claims()), FORBIDDEN),
    ("b64 false without crit", lambda: token_of(header(b64=False), claims()), FORBIDDEN),
    ("zip (CVE-2024-28102 and others)", lambda: token_of(header(zip="DEF"), claims()), FORBIDDEN),
    ("p2c, the billion hashes", lambda: token_of(header(p2c=2**31), claims()), FORBIDDEN),
    ("cty, a token in a token", lambda: token_of(header(cty="JWT"), claims()), FORBIDDEN),
    ("a JWE of five parts", lambda: good_token() + b".AAAA.AAAA", MALFORMED),
    ("typ of a DPoP proof", lambda: token_of(header(typ="dpop+jwt"), claims()), "wrong-type"),
    ("typ absent", lambda: token_of(header(typ=...), claims()), "wrong-type"),
    ("typ of another type", lambda: token_of(header(typ={}), claims()), "wrong-type"),
    ("a Graph token, by its nonce", lambda: token_of(header(nonce="n"), claims()), "graph-token"),
    ("a Graph token, by its audience", lambda: good_token(aud="00000003-0000-0000-c000-000000000000"), "graph-token"),
    # Forms that libraries read generously.
    ("JSON serialization (CVE-2022-39227)", _json_form, MALFORMED),
    ("four parts", lambda: good_token() + b".AAAA", MALFORMED),
    ("two parts", lambda: good_token().rpartition(b".")[0], MALFORMED),
    ("no signature", lambda: good_token().rpartition(b".")[0] + b".", MALFORMED),
    ("padding at the end", lambda: good_token() + b"==", MALFORMED),
    ("padding inside", lambda: good_token().replace(b".", b"=.", 1), MALFORMED),
    ("the standard alphabet", lambda: good_token()[:-1] + b"/", MALFORMED),
    ("a blank before", lambda: b" " + good_token(), MALFORMED),
    ("a line break after", lambda: good_token() + b"\n", MALFORMED),
    ("NUL after", lambda: good_token() + b"\0", MALFORMED),
    ("a second token after a comma", lambda: good_token() + b"," + good_token(), MALFORMED),
    ("a part of impossible length", lambda: good_token() + b"AAA", MALFORMED),
    # Two readers, two meanings.
    ("a claim twice", lambda: token_of(header(), _duplicate(GOOD_CLAIMS, '"aud": "x"')), MALFORMED),
    ("tid twice in other case", lambda: token_of(header(), _duplicate(GOOD_CLAIMS, '"TID": "x"')), MALFORMED),
    (
        "a member twice inside a claim",
        lambda: token_of(header(), _duplicate(GOOD_CLAIMS, '"x": {"a": 1, "a": 2}')),
        MALFORMED,
    ),
    ("alg twice", lambda: token_of(_duplicate(GOOD_HEADER, '"alg": "none"'), claims()), MALFORMED),
    ("a byte order mark", lambda: token_of(header(), b"\xef\xbb\xbf" + GOOD_CLAIMS.encode()), MALFORMED),
    ("UTF-16", lambda: token_of(header(), GOOD_CLAIMS.encode("utf-16")), MALFORMED),
    ("UTF-32", lambda: token_of(GOOD_HEADER.encode("utf-32"), claims()), MALFORMED),
    ("invalid UTF-8", lambda: token_of(header(), GOOD_CLAIMS.encode().replace(b"opaque", b"\xff\xfe", 1)), MALFORMED),
    ("a payload that is a list", lambda: token_of(header(), b"[]"), MALFORMED),
    ("a header that is a text", lambda: token_of(b'"RS256"', claims()), MALFORMED),
    ("text after the payload", lambda: token_of(header(), GOOD_CLAIMS.encode() + b"{}"), MALFORMED),
    ("NaN", lambda: token_of(header(), _duplicate(GOOD_CLAIMS, '"x": NaN')), MALFORMED),
    ("a number of 5,000 digits", lambda: token_of(header(), _duplicate(GOOD_CLAIMS, f'"x": {"9" * 5000}')), MALFORMED),
    ("nesting without end", lambda: token_of(header(), _duplicate(GOOD_CLAIMS, f'"x": {"[" * 5500}')), MALFORMED),
    # Size.
    ("a token of 17 KB", lambda: good_token(x="x" * 17_000), "token-too-long"),
    ("nothing but dots (CVE-2025-30204)", lambda: b"." * 16_000, MALFORMED),
    # The signature.
    ("a changed payload", lambda: _swapped(b"461e8683", b"561e8683"), SIGNATURE),
    ("PSS under the name RS256", _pss_signed, SIGNATURE),
    ("SHA-512 under the name RS256", _sha512_signed, SIGNATURE),
    ("a signature of zeros", lambda: _parts(header(), claims(), bytes(256)), SIGNATURE),
    ("a signature of 1", lambda: _parts(header(), claims(), bytes(255) + b"\1"), SIGNATURE),
    ("a signature that is too short", lambda: _parts(header(), claims(), b"x"), SIGNATURE),
    ("a signature that is too long", lambda: _parts(header(), claims(), bytes(900)), SIGNATURE),
]


@pytest.mark.parametrize(("build", "code"), [row[1:] for row in ATTACKS], ids=[row[0] for row in ATTACKS])
async def test_an_attack_is_refused(build: Callable[[], bytes], code: str) -> None:
    """With 401 and a reason for the log; nothing is remembered."""
    gate = gate_with()
    authorization = bearer(build())
    refusal = await refused(gate, authorization)
    assert (refusal.status, refusal.code) == (401, code)
    assert gate.remembered(authorization[0]) is None


async def test_the_token_that_the_attacks_bend_is_good() -> None:
    """Otherwise they would prove nothing."""
    assert await is_let_in(gate_with(), bearer(token_of(GOOD_HEADER.encode(), GOOD_CLAIMS.encode())))
    deep = token_of(header(), _duplicate(GOOD_CLAIMS, f'"x": {"[" * 50 + "]" * 50}'))
    assert await is_let_in(gate_with(), bearer(deep))


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ([], "no-token"),
        ([b""], "wrong-scheme"),
        ([b"Bearer"], "wrong-scheme"),
        ([b"Basic dXNlcjpwYXNzd29yZA=="], "wrong-scheme"),
        ([b"Bearer\t" + good_token()], "wrong-scheme"),
        ([b" Bearer " + good_token()], "wrong-scheme"),
        ([good_token()], "wrong-scheme"),
        ([b"Bearer "], "malformed-token"),
        ([b"Bearer  " + good_token()], "malformed-token"),
        ([b"Bearer " + good_token()] * 2, "several-tokens"),
        ([b"Bearer " + good_token(), b""], "several-tokens"),
        ([b"Bearer " + b"x" * 16_384], "token-too-long"),
    ],
)
async def test_credentials_of_another_form_are_refused(authorization: list[bytes], code: str) -> None:
    """Exactly one header, the scheme Bearer, one blank, one token; never 400, which Azure treats like 401."""
    refusal = await refused(gate_with(), authorization)
    assert (refusal.status, refusal.code) == (401, code)


@pytest.mark.parametrize("blanks", [b" ", b"\t", b" \t  "])
async def test_blanks_after_the_header_are_no_part_of_it(blanks: bytes) -> None:
    """Some servers leave them there; the token before them is good (RFC 9110, section 5.5), and one within is not."""
    assert await is_let_in(gate_with(), [b"Bearer " + good_token() + blanks])
    assert (await refused(gate_with(), [b"Bearer " + good_token() + blanks + b"x"])).code == "malformed-token"


async def test_no_token_makes_the_service_fetch_what_it_names() -> None:
    """Nothing is fetched but the tenant's own documents."""
    entra = PaperEntra()
    gate = gate_with(entra)
    for _, build, _ in ATTACKS:
        await refused(gate, bearer(build()))
    assert all(url.startswith("https://login.microsoftonline.com/") for url in entra.asked)
    assert entra.key_fetches == 2, "one at first, one for the unknown key id"


async def test_only_one_spelling_of_a_signature_is_good() -> None:
    """The last character of a part has bits that decoders ignore: sixteen spellings of one signature, one accepted."""
    gate, token = gate_with(), good_token()
    spellings = [token[:-1] + bytes([last]) for last in ALPHABET]
    same = [spelling for spelling in spellings if _last_part(spelling) == _last_part(token)]
    assert len(same) == 16
    for spelling in same:
        if spelling == token:
            assert await is_let_in(gate, bearer(spelling))
        else:
            assert (await refused(gate, bearer(spelling))).code == MALFORMED


async def test_a_payload_in_another_spelling_is_refused() -> None:
    """Even where the tenant signed that spelling: two texts must not be one token."""
    head, body, _ = token_of(header(), json.dumps(claims()).encode() + b" " * 2).split(b".")
    for last in ALPHABET:
        signed = head + b"." + body[:-1] + bytes([last])
        token = signed + b"." + b64(signature_of(signed, rsa_key())).encode()
        if signed.endswith(body) or _last_part(signed) != _last_part(body):
            continue
        assert (await refused(gate_with(), bearer(token))).code == MALFORMED


def _last_part(text: bytes) -> bytes:
    part = text.rpartition(b".")[2]
    return urlsafe_b64decode(part + b"=" * (-len(part) % 4))


def _bit_flips() -> list[bytes]:
    """Vectors of our own, in the manner of Wycheproof: signatures that differ from a good one in a single bit."""
    signed = b".".join(good_token().split(b".")[:2])
    signature = signature_of(signed, rsa_key())
    flipped = []
    for position in range(0, 2048, 61):
        changed = bytearray(signature)
        changed[position // 8] ^= 1 << position % 8
        flipped.append(signed + b"." + b64(bytes(changed)).encode())
    return flipped


def _paddings() -> list[bytes]:
    """Vectors of our own: signatures over padding that a lenient verifier takes (Bleichenbacher 2006 and kin)."""
    signed = b".".join(good_token().split(b".")[:2])
    digest = hashlib.sha256(signed).digest()
    info = bytes.fromhex("3031300d060960864801650304020105000420")
    no_null = bytes.fromhex("302f300b0609608648016503040201" + "0420")
    length = 256
    blocks = {
        "short padding, garbage after": b"\0\1" + b"\xff" * 8 + b"\0" + info + digest,
        "no digest info": b"\0\1" + b"\xff" * (length - 35) + b"\0" + digest,
        "no NULL in digest info": b"\0\1" + b"\xff" * (length - 3 - len(no_null) - 32) + b"\0" + no_null + digest,
        "block type 2": b"\0\2" + b"\xff" * (length - 54) + b"\0" + info + digest,
        "a zero in the padding": b"\0\1" + b"\xff" * 40 + b"\0" + b"\xff" * (length - 95) + b"\0" + info + digest,
        "no padding": info + digest,
    }
    numbers = rsa_key().private_numbers()
    modulus, secret = numbers.public_numbers.n, numbers.d
    made = []
    for block in blocks.values():
        whole = block.ljust(length, b"\x55")[:length]
        value = pow(int.from_bytes(whole, "big") % modulus, secret, modulus)
        made.append(signed + b"." + b64(value.to_bytes(length, "big")).encode())
    return made


@pytest.mark.parametrize("vectors", [_bit_flips, _paddings])
async def test_own_signature_vectors_are_refused(vectors: Callable[[], list[bytes]]) -> None:
    """Raw RSA is done by hand here, so that the blocks are exactly what they claim to be."""
    gate = gate_with()
    for token in vectors():
        assert (await refused(gate, bearer(token))).code == SIGNATURE


async def test_a_signature_plus_the_modulus_is_refused() -> None:
    """It is the same number modulo n, and would be a second spelling."""
    signed = b".".join(good_token().split(b".")[:2])
    value = int.from_bytes(signature_of(signed, rsa_key()), "big") + rsa_key().public_key().public_numbers().n
    token = signed + b"." + b64(value.to_bytes(257, "big")).encode()
    assert (await refused(gate_with(), bearer(token))).code == SIGNATURE
