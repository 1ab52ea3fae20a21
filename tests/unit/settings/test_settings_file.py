"""Reading the configuration."""

from pathlib import Path

import pytest

from secure_export.errors import SettingsError, StoreUnavailable
from secure_export.itsm.registry import connector_types
from secure_export.settings import Settings
from secure_export.settings_file import read_settings

GOOD = """
[identity]
tenant_id = "11111111-2222-4333-8444-555555555555"
audience = ["66666666-7777-4888-9999-000000000000", "api://webhook"]

[connections.desk]
type = "desk"
subscriptions = ["*"]
"""


def read(tmp_path: Path, text: str, **environment: str) -> Settings:
    file = tmp_path / "secure-export.toml"
    file.write_text(text, encoding="utf-8")
    return read_settings(file, connector_types(), environment)


def wrong(tmp_path: Path, text: str, **environment: str) -> str:
    with pytest.raises(SettingsError) as error:
        read(tmp_path, text, **environment)
    return str(error.value)


def test_the_least_configuration_is_enough(tmp_path: Path) -> None:
    """Everything that has a sensible value by itself may be left out."""
    settings = read(tmp_path, GOOD)
    assert settings.server.port == 8080
    assert settings.server.is_loopback
    assert settings.connections["desk"].routes[0].work_item == "incident"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            GOOD.replace("audience", "audiense"),
            "line 4: there is no setting 'identity.audiense'; did you mean 'audience'?",
        ),
        (GOOD + "\n[sever]\nlisten = 'a:1'\n", "line 10: there is no setting 'sever'; did you mean 'server'?"),
        (GOOD + "subscription = 1\n", "line 9: there is no setting 'connections.desk.subscription'"),
        (GOOD + "\n[server]\nlisten = 'nonsense'\n", "line 11: server.listen: write it as host:port"),
        (GOOD + "\n[server]\ntls_key = 'k'\n", "tls_certificate and tls_key belong together"),
        (GOOD.replace('"desk"', '"desc"'), "line 7: there is no connector 'desc'; did you mean 'desk'?"),
        (GOOD.replace("subscriptions", "# subscriptions"), "the setting 'connections.desk.subscriptions' is missing"),
        (
            GOOD + "[[connections.desk.routes]]\ngroup_by = 'ci'\n\n[[connections.desk.routes]]\n",
            "connections.desk.routes",
        ),
        (
            GOOD + "[[connections.desk.routes]]\ntitle = '{{ 9 ** 9 }}'\n",
            "line 10: connections.desk.routes.title: the template",
        ),
        (
            GOOD + "[[connections.desk.routes]]\nclose_any_after_hours = 'soon'\n",
            "line 10: connections.desk.routes.close_any",
        ),
        (
            GOOD.replace('"desk"', '"bmc-helix"')
            + "url = 'https://acme.example'\nusername = 'a'\npassword = { env = 'P' }\nsupport_group = 'Linux'\n",
            "line 12: connections.desk.support_group is a section of its own, [connections.desk.support_group]",
        ),
        (
            GOOD + "[connections.desk.routes]\ngroup_by = 'ci'\n",
            "connections.desk.routes is a list: write it in square brackets, a list of sections as [[",
        ),
        (
            GOOD.replace('"desk"', '"bmc-helix"')
            + "url = 'https://acme.example'\nusername = 'a'\npassword = { env = 'P' }\n"
            + "[[connections.desk.cmdb.ci_lookup]]\nclas = 'BMC_Cluster'\n",
            "there is no setting 'connections.desk.cmdb.ci_lookup.clas'; did you mean 'class'?",
        ),
        ("[identity\n", "is not valid TOML"),
    ],
)
def test_a_fault_is_told_with_its_line_and_what_to_do(tmp_path: Path, text: str, said: str) -> None:
    """Whatever is wrong, the message names file, line and setting, and what would be right."""
    assert said in wrong(tmp_path, text)


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    """Nobody has to mend a file one error at a time."""
    message = wrong(tmp_path, GOOD.replace("audience", "audiense") + "\n[server]\nlisten = 'x'\n")
    assert len(message.splitlines()) >= 2


def test_no_file_says_how_to_get_one(tmp_path: Path) -> None:
    """Without a file the message names the command that writes one."""
    with pytest.raises(SettingsError, match="secure-export init"):
        read_settings(tmp_path / "none.toml", connector_types(), {})


def test_the_environment_stands_over_the_file(tmp_path: Path) -> None:
    """Variables SECURE_EXPORT__SECTION__KEY change single settings: numbers, lists and texts."""
    settings = read(
        tmp_path,
        GOOD,
        SECURE_EXPORT__SERVER__LISTEN="0.0.0.0:9000",
        SECURE_EXPORT__IDENTITY__AUDIENCE='["66666666-7777-4888-9999-000000000000", "api://b"]',
        SECURE_EXPORT__IDENTITY__VERSIONS="2.0",
        SECURE_EXPORT__CONNECTIONS__DESK__CONCURRENCY="4",
        SECURE_EXPORT__CONSOLE__LOCAL_ACCESS="true",
        SECURE_EXPORT_CONFIG="no setting: one underscore",
    )
    assert settings.server.port == 9000
    assert not settings.server.is_loopback
    assert list(settings.identity.audience) == ["66666666-7777-4888-9999-000000000000", "api://b"]
    assert settings.connections["desk"].concurrency == 4
    assert settings.console.local_access is True


def test_a_wrong_variable_is_named(tmp_path: Path) -> None:
    """A fault in the environment names the variable, not a line of the file."""
    message = wrong(tmp_path, GOOD, SECURE_EXPORT__SERVER__LISTN="x")
    assert "SECURE_EXPORT__SERVER__LISTN: there is no setting 'server.listn'; did you mean 'listen'?" in message


def test_the_written_example_is_understood(tmp_path: Path) -> None:
    """What `secure-export init` writes can be read, and names every section."""
    from importlib.resources import files  # noqa: PLC0415 - only here

    text = (files("secure_export.cli") / "secure-export.toml").read_text(encoding="utf-8")
    settings = read(tmp_path, text)
    assert set(Settings.model_fields) == set(settings.model_fields_set)


@pytest.mark.parametrize(
    ("more", "open_to_it", "rule"),
    [
        ("", False, "where tokens are real, a proxy that leaves no trace could let the world in"),
        ("[console]\nlocal_access = true\n", True, "somebody asked for it"),
        ("[server]\nlisten = '0.0.0.0:8080'\n", False, "others can connect"),
    ],
)
def test_the_machine_itself_needs_a_token_where_tokens_are_real(
    tmp_path: Path, more: str, open_to_it: object, rule: str
) -> None:
    """Nobody gets into the console without a token, unless it was asked for."""
    assert read(tmp_path, GOOD + more).lets_this_machine_in is open_to_it, rule


@pytest.mark.parametrize(
    ("more", "open_to_it", "rule"),
    [
        ("", True, "a laptop that tries things out"),
        ("[console]\nlocal_access = false\n", False, "somebody asked for it"),
        ("[server]\nlisten = '0.0.0.0:8080'\n", False, "others can connect"),
        ("[server]\ntrusted_proxies = ['127.0.0.1']\n", False, "a proxy passes on what comes from anywhere"),
    ],
)
def test_a_laptop_with_a_sandbox_needs_no_token(tmp_path: Path, more: str, open_to_it: object, rule: str) -> None:
    """With tokens that anybody can have anyway, the machine itself is let in while nobody else can connect."""
    text = GOOD.replace("[identity]", "[identity]\nauthority = 'http://127.0.0.1:9000'")
    assert read(tmp_path, text + more).lets_this_machine_in is open_to_it, rule


DATABASE = '[store]\nurl = "postgresql://u@db/alerts"\n'


def test_the_password_of_a_database_is_read_anew_each_time(tmp_path: Path) -> None:
    """Its file lies beside the configuration; a renewed one is used without a restart, and none is shown."""
    store = read(tmp_path, GOOD + DATABASE + 'password = { file = "secret" }\n').store
    assert store.password_now is not None
    for secret in ("first", "second"):
        (tmp_path / "secret").write_text(f"{secret}\n", encoding="utf-8")
        assert store.password_now() == secret
        assert secret not in repr(store)


def test_a_password_that_is_not_there_is_an_outage(tmp_path: Path) -> None:
    """It may be there again soon, so that those who ask for the store hear what they hear of any outage."""
    store = read(tmp_path, GOOD + DATABASE + 'password = { file = "nowhere" }\n').store
    assert store.password_now is not None
    with pytest.raises(StoreUnavailable, match=r"store\.password: the secret in the file .*nowhere cannot be read"):
        store.password_now()


def test_a_password_is_said_where_it_is_and_only_for_a_database(tmp_path: Path) -> None:
    """The secret itself in the file is refused, and so is one that nobody would read."""
    assert "does not belong into the configuration" in wrong(tmp_path, GOOD + DATABASE + 'password = "tiger"\n')
    assert "tiger" not in wrong(tmp_path, GOOD + DATABASE + 'password = "tiger"\n')
    sqlite = '[store]\nurl = "sqlite:///a.db"\npassword = { env = "X" }\n'
    assert "a SQLite file has no password" in wrong(tmp_path, GOOD + sqlite)
    assert read(tmp_path, GOOD).store.password_now is None
    given = read(tmp_path, GOOD + DATABASE, SECURE_EXPORT__STORE__PASSWORD__ENV="DB_SECRET").store
    assert str(given.password) == "the environment variable DB_SECRET"
