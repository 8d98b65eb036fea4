"""A secret is found by reference, and never shows itself."""

import copy
import pickle

import pytest

from langguard.errors import ConfigError
from langguard.secrets import Reference, Secret, resolve

DSN = "postgresql://app:hunter2@db/shop"


def test_a_secret_does_not_show_itself():
    secret = Secret(DSN)
    assert secret.reveal() == DSN
    for shown in (
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret!r}",
        repr([secret]),
        repr({1: secret}),
    ):
        assert "hunter2" not in shown
    for leak in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="can't be pickled or copied"):
            leak(secret)
    with pytest.raises(AttributeError):
        secret.other = 1  # no __dict__ to find it in
    with pytest.raises(TypeError):
        vars(secret)


def test_an_environment_variable():
    assert resolve(Reference(kind="env", name="SHOP_DSN"), {"SHOP_DSN": f" {DSN}\n"}).reveal() == DSN


@pytest.mark.parametrize("environ", [{}, {"SHOP_DSN": ""}, {"SHOP_DSN": "  "}, {"shop_dsn": DSN}])
def test_a_variable_that_is_not_set(environ):
    with pytest.raises(ConfigError, match="SHOP_DSN holds the credential and is not set"):
        resolve(Reference(kind="env", name="SHOP_DSN"), environ)


def test_a_file(tmp_path):
    file = tmp_path / "dsn"
    file.write_text(f"{DSN}\n")
    assert resolve(Reference(kind="file", name=str(file)), {}).reveal() == DSN


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"", "is empty"), (b" \n", "is empty"), (b"\xff\xfe", "is not text"), (b"x" * 70_000, "larger than")],
)
def test_a_file_that_holds_no_secret(tmp_path, data, words):
    file = tmp_path / "dsn"
    file.write_bytes(data)
    with pytest.raises(ConfigError, match=words) as caught:
        resolve(Reference(kind="file", name=str(file)), {})
    assert str(file) in str(caught.value)


def test_a_file_that_anyone_may_write(tmp_path):
    file = tmp_path / "dsn"
    file.write_text(DSN)
    file.chmod(0o666)
    with pytest.raises(ConfigError, match="can be written by anyone") as caught:
        resolve(Reference(kind="file", name=str(file)), {})
    assert "hunter2" not in str(caught.value)


def test_no_file_and_no_regular_file(tmp_path):
    with pytest.raises(ConfigError, match="can't be read"):
        resolve(Reference(kind="file", name=str(tmp_path / "none")), {})
    with pytest.raises(ConfigError, match="not a regular file"):
        resolve(Reference(kind="file", name=str(tmp_path)), {})


def test_a_plain_text():
    assert resolve(Reference(kind="plain", name="sqlite:////x.db"), {}).reveal() == "sqlite:////x.db"
    with pytest.raises(ConfigError, match="empty"):
        resolve(Reference(kind="plain", name=""), {})
