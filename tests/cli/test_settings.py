"""What the environment says is read once, checked, and secrets leave it."""

import pickle
from pathlib import Path

import pytest

from kernel.config import Address, Secret, Settings, read_settings, take_secrets
from kernel.errors import ConfigError


def test_everything_has_a_default() -> None:
    settings = read_settings({})
    assert settings == Settings()
    assert settings.web.host == "127.0.0.1"
    assert settings.database.startswith("sqlite:////")
    assert not settings.uses_slack


def test_secrets_are_taken_out_of_the_environment() -> None:
    environ = {
        "ANTHROPIC_API_KEY": "key",
        "SLACK_BOT_TOKEN": "xoxb-1",
        "SLACK_APP_TOKEN": "xapp-1",
        "DATABASE_URL": "postgresql://u:p@h/d",
        "HOME": "/home/ann",
    }
    settings = read_settings(environ)
    assert environ == {"HOME": "/home/ann"}
    assert settings.anthropic_api_key is not None
    assert settings.anthropic_api_key.reveal() == "key"
    assert settings.database == "postgresql://u:p@h/d"


def test_a_secret_never_shows_itself() -> None:
    settings = read_settings({"ANTHROPIC_API_KEY": "sesame"})
    secret = Secret("sesame")
    assert "sesame" not in f"{settings!r} {secret} {secret!r} {[secret]}"
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("sesame\n")
    environ = {"CRM_TOKEN_FILE": str(file), "OTHER": ""}
    secrets = take_secrets(["CRM_TOKEN", "OTHER", "ABSENT"], environ)
    assert {name: secret.reveal() for name, secret in secrets.items()} == {"CRM_TOKEN": "sesame"}
    assert environ == {}


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9000", Address(host="127.0.0.1", port=9000)),
        ("[::1]:0", Address(host="::1", port=0)),
        ("localhost:1", Address(host="localhost", port=1)),
    ],
)
def test_addresses(text: str, address: Address) -> None:
    assert read_settings({"BOSUN_WEB": text}).web == address
    assert str(address) == text


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("BOSUN_WEB", "8000", "host:port"),
        ("BOSUN_WEB_ORIGINS", "bosun.example.org", "https://bosun.example.org"),
        ("BOSUN_WEB_ORIGINS", "https://bosun.example.org/chat", "https://bosun.example.org"),
        ("BOSUN_WEB", "http://x:1", "host:port"),
        ("BOSUN_WEB", "x:99999", "host:port"),
        ("BOSUN_LOG", "loud", "one of: debug"),
        ("CHROMA_URL", "localhost:8000", "URL"),
        ("DISCORD_GATEWAY_URL", "http://x", "wss://"),
        ("BOSUN_DATA", __file__, "a folder"),
        ("SLACK_APP_TOKEN", "xapp-1", "both, or neither"),
        ("SLACK_BOT_TOKEN", "sesame", "xoxb-"),
        ("SLACK_BOT_TOKEN", "xoxb-1", "SLACK_APP_TOKEN"),
        ("ANTHROPIC_API_KEY_FILE", "/nowhere/at/all", "readable"),
    ],
)
def test_a_wrong_value_names_the_variable_and_what_is_expected(name: str, value: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_settings({name: value})
    assert name in caught.value.message
    assert expected in caught.value.hint
    assert "sesame" not in str(caught.value)


def test_links_lead_to_where_people_reach_the_web_chat() -> None:
    assert read_settings({"BOSUN_WEB": "127.0.0.1:9000"}).web_address == "http://127.0.0.1:9000"
    behind = {"BOSUN_WEB_ORIGINS": "https://bosun.example.org, https://other.example.org"}
    assert read_settings(behind).web_address == "https://bosun.example.org"


def test_the_addresses_behind_a_proxy_are_a_list() -> None:
    settings = read_settings({"BOSUN_WEB_ORIGINS": "https://a.example, https://b.example:8443"})
    assert settings.web_origins == ("https://a.example", "https://b.example:8443")
