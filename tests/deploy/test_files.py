"""Rules that hold for every file of the deployment."""

import re
from pathlib import Path

import pytest
from tests.deploy.deployment import DEPLOY, ROOT, deployed_files

_SECRET = re.compile(
    r"""(?ix)
    (?: password | secret | token | api_?key ) ["']? \s* [:=] \s*
        (?: ["'] [a-z0-9+/]{12,} ["'] | (?=\S*\d) [a-z0-9+/]{12,} ) \s* $
    | -----BEGIN\ [A-Z ]*PRIVATE\ KEY
    """,
    re.MULTILINE,
)
_NAMES_OF_SECRETS = re.compile(r"(?m)^.*(?:existingSecret|Secret string = |keyVaultUrl|secretRef|LoadCredential).*$")


@pytest.mark.parametrize("path", deployed_files(), ids=lambda path: str(path.relative_to(DEPLOY)))
def test_no_file_holds_a_secret(path: Path) -> None:
    """Deployments name where a secret is; they never hold one."""
    text = _NAMES_OF_SECRETS.sub("", path.read_text(encoding="utf-8"))
    assert not _SECRET.findall(text)


def test_the_search_for_secrets_finds_them() -> None:
    """A password written out, and a private key, are found whatever the syntax."""
    for text in (
        "password: hunter2hunter2\n",
        "token: 'hunterhunter'\n",
        'PASSWORD = "hunter2hunter2"\n',
        "-----BEGIN RSA PRIVATE KEY-----\n",
    ):
        assert _SECRET.search(text)


@pytest.mark.parametrize("path", deployed_files(), ids=lambda path: str(path.relative_to(DEPLOY)))
def test_every_page_that_a_file_names_is_there(path: Path) -> None:
    """Whoever reads a deployment file is sent to pages that exist."""
    for page in re.findall(r"\bdocs/[\w./-]+\.md", path.read_text(encoding="utf-8")):
        assert (ROOT / page).is_file(), page
