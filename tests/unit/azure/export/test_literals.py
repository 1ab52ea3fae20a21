"""Literals: whatever a text says, in no language does it break out of its quotes."""

import json
import os
import re
import shlex
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.azure.export import bicep as bicep_file
from tests.unit.azure.export import terraform
from tests.unit.azure.export.test_powershell import literals as powershell_literals

from secure_export.azure.export.literals import bicep, comment, hcl, name, powershell, shell
from secure_export.azure.export.rendering import _environment
from secure_export.errors import SettingsError

NASTY = [
    "", "'", '"', "\\", "\\'", "'\\''", "$", "${", "${x}", "$${x}", "$$${", "%{", "%%{if true}", "$(x)", "`x`", "`",
    "\n", "\r\n", "\t", "a\nb", "\x01", "\x1b[2J", "\x85", "\u2028", "\u202e", "\u2019", "\u2018\u2019\u201a\u201b",
    "é", "日本", "😀", "#", "//", "/*", "*/",
    "'@\nx", "'''", "{{ x }}", "{% x %}", "@{x}", "!", "\\${", "\\u0024{", "\\u{41}", "<<EOT",
]  # fmt: skip
texts = st.lists(
    st.sampled_from([*NASTY, "a", " "])
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=4),
    max_size=6,
).map("".join)


@given(texts)
@settings(max_examples=100)
def test_a_shell_reads_one_word(text: str) -> None:
    """To a POSIX shell the literal is one word: the text."""
    assert shlex.split(shell(text)) == [text]


def test_bash_reads_each_as_it_is() -> None:
    """The real shell agrees."""
    texts = [text for text in NASTY if "\r" not in text]
    script = "printf '%s\\0' " + " ".join(map(shell, texts))
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=True)  # noqa: S607 - whichever is there
    assert done.stdout.decode().split("\0")[:-1] == texts


@given(texts)
@settings(max_examples=100)
def test_powershell_reads_one_text(text: str) -> None:
    """To PowerShell it is one verbatim text; every character that it takes for a quote is doubled."""
    written = powershell(text)
    assert re.fullmatch("'(?:[^'\u2018\u2019\u201a\u201b]|(['\u2018\u2019\u201a\u201b])\\1)*'", written, re.DOTALL)
    if not re.search("[\u2018\u2019\u201a\u201b]", text):
        assert powershell_literals(f"$a = {written}\n") == [text]


@given(texts)
@settings(max_examples=60)
def test_terraform_reads_one_text(text: str) -> None:
    """To Terraform it is one text without a template in it."""
    written = hcl(text)
    assert re.fullmatch(r'"(?:[^"\\\n]|\\.)*"', written)
    assert not re.search(r"[$%]\{", written)
    assert terraform.unescaped(written) == text


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform console is not run: it is not installed")
def test_terraform_itself_reads_each_as_it_is() -> None:
    """The real one agrees."""
    expression = f"jsonencode([{', '.join(map(hcl, NASTY))}])"
    done = subprocess.run(
        ["terraform", "console"], input=expression, capture_output=True, text=True, check=True,  # noqa: S607 - as above
        env=os.environ | {"TF_CLI_CONFIG_FILE": os.devnull},
    )  # fmt: skip
    assert json.loads(json.loads(done.stdout)) == NASTY


@given(texts)
@settings(max_examples=100)
def test_bicep_reads_one_text(text: str) -> None:
    """To Bicep it is one text without an interpolation in it."""
    written = bicep(text)
    assert re.fullmatch(r"'(?:[^'\\\n]|\\(?:[nrt'\\$]|u\{[0-9a-f]{1,6}\}))*'", written)
    assert not re.search(r"(?<!\\)(\\\\)*\$\{", written)
    if not re.search("/[/*]", text):  # the grammar takes these for comments even where a text begins
        declared = f"param a string = {written}\n"
        assert bicep_file.errors(declared) == []
        assert bicep_file.literals(declared) == [text]


@given(st.text())
@settings(max_examples=100)
def test_a_comment_stays_in_its_line(text: str) -> None:
    """Nothing in a comment ends its line, or is not seen."""
    written = comment(text)
    assert len(written) == len(text)
    assert written.isprintable()


@pytest.mark.parametrize("write", [shell, powershell, hcl, bicep])
@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_what_cannot_be_written_is_refused(write: object, text: str) -> None:
    """Characters that no argument and no file can hold end the export with a reason."""
    assert callable(write)
    with pytest.raises(SettingsError, match="cannot be written out"):
        write(text)


def test_templates_write_nothing_without_a_filter() -> None:
    """A template that forgets to quote a text cannot be filled."""
    template = _environment().from_string("x = {{ v }}")
    with pytest.raises(TypeError, match="without a filter"):
        template.render(v="a")
    assert template.render(v=hcl("a")) == 'x = "a"'


def test_names_of_ours_are_names() -> None:
    """What is written without quotes is a plain name."""
    assert name("action_group_1") == "action_group_1"
    with pytest.raises(ValueError, match="is no name"):
        name("a b")
