"""The gateway's file: what it comes to, what wins over it, and where each mistake is."""

import dataclasses
import re

import pytest

from langguard.errors import ConfigError, PolicyError
from langguard.gateway import settings_sql
from langguard.gateway.settings import VARIABLES, load, template
from langguard.gateway.settings_estimates import EstimateSettings
from langguard.gateway.settings_sql import SqlSettings
from langguard.secrets import Reference
from langguard.sql import LIMITS

SHOP = """\
version: 1
connections:
  - name: shop
    kind: sql
    dialect: postgres
    custody: gateway
    credential: {env: SHOP_DSN}
    schemas: [public, audit]
    include: [public.customers]
"""


@pytest.fixture
def write(tmp_path):
    def to_file(text, name="gateway.yaml"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return to_file


def test_a_whole_file(write, tmp_path):
    settings = load(
        write(
            SHOP
            + """\
  - {name: warehouse, dialect: postgres, custody: agent, target: "postgresql://db.internal:5432/wh"}
  - {name: notes, dialect: sqlite, credential: {value: ./notes.db}, exclude: [main.secret], functions: {allow: [Rot13]}}
  - {name: other, dialect: sqlite, credential: {value: "sqlite:////abs/other.db"}}
  - {name: billing, dialect: postgres, credential: {file: run/dsn}}
listen: "[::1]:9000"
store: {path: state}
sessions: {ttl: 2h, idle: 15m}
masking:
  languages: [en, de]
  phone_regions: [DE]
  ner_model: null
  recognizers: [{entity: STAFF, name: staff, pattern: 'E-\\d+', score: 0.9, context: [staff]}]
  deny_lists: [{entity: PROJECT, words: [Bluebird]}]
  allow_list: [info@example.com]
  secrets: false
grants: [{group: support, connection: shop, actions: [read]}]
"""
        ),
        {"SHOP_DSN": "postgresql://app:hunter2@db/shop"},
    )
    shop, warehouse, notes, other, billing = settings.connections
    assert (shop.name, shop.dialect, shop.custody, shop.schemas) == ("shop", "postgres", "gateway", ("public", "audit"))
    assert shop.credential == Reference(kind="env", name="SHOP_DSN")
    assert shop.include == ("public.customers",)
    assert (warehouse.target, warehouse.credential) == ("postgresql://db.internal:5432/wh", None)
    assert notes.credential == Reference(kind="plain", name=f"sqlite:///{tmp_path}/notes.db")
    assert other.credential == Reference(kind="plain", name="sqlite:////abs/other.db")
    assert billing.credential == Reference(kind="file", name=f"{tmp_path}/run/dsn")
    assert notes.exclude == ("main.secret",)
    assert notes.functions == ("rot13",)
    assert (settings.listen_host, settings.listen_port) == ("::1", 9000)
    assert settings.data == tmp_path / "state"
    assert (settings.session_ttl_us, settings.session_idle_us) == (7_200_000_000, 900_000_000)
    assert settings.masking.languages == ("en", "de")
    assert settings.masking.ner_model is None
    assert [spec.entity for spec in settings.masking.recognizers] == ["STAFF", "PROJECT"]
    assert settings.masking.recognizers[0].patterns[0].score == 0.9
    assert settings.masking.secrets is False
    assert settings.policy.grants[0].group == "support"
    assert settings.policy_path == settings.path
    assert "hunter2" not in repr(settings)


def test_the_least_file_has_safe_defaults(write, tmp_path):
    settings = load(write("version: 1"), {})
    assert (settings.listen_host, settings.listen_port) == ("127.0.0.1", 8421)
    assert settings.data == tmp_path / "data"
    assert settings.session_ttl_us == 8 * 3_600_000_000
    assert settings.session_idle_us <= settings.session_ttl_us
    assert settings.policy.grants == ()
    assert settings.masking.phone_regions
    assert settings.sql == SqlSettings()


def test_limits_of_a_statement(write):
    settings = load(write("version: 1\nsql: {limits: {tokens: 100, bytes: 262144}, second_reader: required}"), {})
    assert settings.sql == SqlSettings(limits=(("bytes", 262_144), ("tokens", 100)), second_reader="required")
    for name, (low, high) in settings_sql.LIMITS.items():
        assert low <= getattr(LIMITS, name) <= high, name
    numbers = {field.name for field in dataclasses.fields(LIMITS) if field.name != "second_reader"}
    assert set(settings_sql.LIMITS) == numbers


def test_what_wins_over_what(write, tmp_path, monkeypatch):
    path = write("version: 1\nlisten: 127.0.0.1:1000\nstore: {path: a}\nsessions: {ttl: 1h}")
    environ = {"LANGGUARD_LISTEN": "127.0.0.1:2000", "LANGGUARD_DATA": "b", "LANGGUARD_SESSIONS_TTL": "3h"}
    settings = load(path, environ)
    assert (settings.listen_port, settings.data, settings.session_ttl_us) == (2000, tmp_path / "b", 10_800_000_000)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    settings = load(path, environ, {"listen": "localhost:0", "data": "c", "sessions_ttl": None})
    assert (settings.listen_host, settings.listen_port, settings.data) == ("localhost", 0, elsewhere / "c")


def test_variables_of_others_are_left_alone(write):
    others = {
        "LANGGUARD_URL": "x",
        "LANGGUARD_TOKEN": "x",
        "LANGGUARD_TIMEOUT": "x",
        "LANGGUARD_PLAIN_HTTP": "x",
        "LANGGUARD_TEST_FULL": "1",
        "LISTEN": "x",
    }
    load(write("version: 1"), others)


def test_a_credential_may_be_in_a_variable_of_any_name(write):
    path = write(SHOP.replace("SHOP_DSN", "LANGGUARD_SHOP_DSN"))
    load(path, {"LANGGUARD_SHOP_DSN": "x"})


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("LANGGUARD_LISTN", "did you mean `LANGGUARD_LISTEN`?"),
        ("LANGGUARD_DATE", "did you mean `LANGGUARD_DATA`?"),
        ("LANGGUARD_SESSION_TTL", "did you mean `LANGGUARD_SESSIONS_TTL`?"),
        ("LANGGUARD_", "unknown environment variable"),
    ],
)
def test_an_unknown_variable_stops_the_start(write, name, words):
    with pytest.raises(ConfigError, match=re.escape(words)):
        load(write("version: 1"), {name: "hunter2"})


@pytest.mark.parametrize("name", sorted(VARIABLES))
def test_a_wrong_variable_is_named_and_its_value_is_not_shown(write, name):
    for value in ("", "hunter2 x" if name != "LANGGUARD_DATA" else ""):
        with pytest.raises(ConfigError, match=name) as caught:
            load(write("version: 1"), {name: value})
        assert "hunter2" not in str(caught.value)


def test_an_unknown_override_is_refused(write):
    with pytest.raises(ConfigError, match=r"did you mean `listen`\?"):
        load(write("version: 1"), {}, {"lissten": "x"})


def test_the_policy_in_a_file_of_its_own(write):
    other = write("version: 1\nrules: [{id: d, deny: read, on: shop}]", "policy.yaml")
    path = write(SHOP + "policy: policy.yaml\n")
    settings = load(path, {})
    assert settings.policy_path == other
    assert settings.policy.rules[0].id == "d"
    other.write_text("version: 1\nrules: [{id: e, deny: read, on: shop}]")
    assert settings.load_policy().rules[0].id == "e"
    other.write_text("version: 1\nrules: [{id: e, deny: raed, on: shop}]")
    with pytest.raises(PolicyError) as caught:
        settings.load_policy()
    assert (caught.value.source, caught.value.line, caught.value.column) == (str(other), 2, 23)


def test_a_changed_policy_inside_the_file_is_read_again(write):
    path = write(SHOP + "rules: [{id: d, deny: read}]\n")
    settings = load(path, {})
    path.write_text(SHOP + "rules: [{id: e, deny: read}]\n")
    assert settings.load_policy().rules[0].id == "e"
    assert settings.load_policy().version_id != settings.policy.version_id
    path.unlink()
    with pytest.raises(ConfigError, match="can't be read"):
        settings.load_policy()


CONNECTION = "version: 1\nconnections:\n  - {name: shop, dialect: postgres, "


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("listen: 127.0.0.1:8421", 1, 1, "`version` is missing"),
        ("version: 1\nlistn: 127.0.0.1:1", 2, 1, "unknown field `listn` in the configuration; did you mean `listen`?"),
        ("version: 1\nlisten: 8421", 2, 9, "quote it"),
        ("version: 1\nlisten: localhost", 2, 9, "host:port"),
        ("version: 1\nlisten: localhost:99999", 2, 9, "host:port"),
        ("version: 1\nlisten: http://localhost:80", 2, 9, "host:port"),
        ("version: 1\nstore: ./data", 2, 8, "must be a mapping"),
        ("version: 1\nstore: {pth: x}", 2, 9, "did you mean `path`?"),
        ("version: 1\nsessions: {ttl: 30}", 2, 17, "a duration such as"),
        ("version: 1\nsessions: {ttl: 1s}", 2, 17, "1m to 30d"),
        ("version: 1\nsessions: {ttl: 1h, idle: 2h}", 2, 27, "longer than `ttl`"),
        ("version: 1\nconnections: {}", 2, 14, "must be a list"),
        ("version: 1\nconnections:\n  - {nam: shop}", 3, 6, "did you mean `name`?"),
        ("version: 1\nconnections:\n  - {name: sh op, dialect: sqlite}", 3, 12, "ASCII letters"),
        ("version: 1\nconnections:\n  - {name: shоp, dialect: sqlite}", 3, 12, "U+043E"),
        ("version: 1\nconnections:\n  - {name: shop, dialect: postgresql}", 3, 27, "did you mean `postgres`?"),
        (CONNECTION + "custody: gatway, credential: {env: A}}", 3, 46, "did you mean `gateway`?"),
        (CONNECTION + "kind: http, credential: {env: A}}", 3, 43, "unknown kind `http`"),
        (CONNECTION + "custody: gateway}", 3, 5, "`credential` is missing"),
        (CONNECTION + "custody: agent, credential: {env: A}}", 3, 53, "belongs to custody `gateway`"),
        (CONNECTION + "credential: {env: A}, target: 'postgresql://h/d'}", 3, 59, "belongs to custody `agent`"),
        (CONNECTION + "credential: {evn: A}}", 3, 50, "did you mean `env`?"),
        (CONNECTION + "credential: {env: A, file: b}}", 3, 49, "one of `env`, `file` or `value`"),
        (CONNECTION + "credential: {env: A-B}}", 3, 55, "names an environment variable"),
        (CONNECTION + "credential: {env: A}, schemas: []}", 3, 68, "must not be empty"),
        (CONNECTION + "credential: {env: A}, include: [customers]}", 3, 69, "write `schema.table`"),
        (CONNECTION + "credential: {env: A}, exclude: ['public.*']}", 3, 69, "names no table"),
        (CONNECTION + "credential: {env: A}, functions: {alow: [f]}}", 3, 71, "did you mean `allow`?"),
        (CONNECTION + "credential: {env: A}, functions: {allow: [s.f]}}", 3, 79, "names no function"),
        (CONNECTION + "credential: {env: A}, functions: {allow: []}}", 3, 78, "must not be empty"),
        (
            "version: 1\nconnections:\n  - {name: s, dialect: sqlite, schemas: [main], credential: {value: a.db}}",
            3,
            32,
            "no schemas",
        ),
        (SHOP + "  - {name: SHOP, dialect: sqlite, credential: {value: a.db}}", 10, 12, "given twice"),
        ("version: 1\nsql: {limit: {}}", 2, 7, "did you mean `limits`?"),
        ("version: 1\nsql: {limits: {byte: 1}}", 2, 16, "did you mean `bytes`?"),
        ("version: 1\nsql: {limits: {bytes: 0}}", 2, 23, "64 to 262144"),
        ("version: 1\nsql: {limits: {tokens: -5}}", 2, 24, "16 to 20000"),
        ("version: 1\nsql: {limits: {tokens: 20001}}", 2, 24, "16 to 20000"),
        ("version: 1\nsql: {limits: {depth: many}}", 2, 23, "whole number"),
        ("version: 1\nsql: {second_reader: require}", 2, 22, "did you mean `required`?"),
        ("version: 1\nsql: {second_reader: off}", 2, 22, ""),
        ("version: 1\nmasking: {langages: [en]}", 2, 11, "did you mean `languages`?"),
        ("version: 1\nmasking: {languages: [english]}", 2, 23, "two letters"),
        ("version: 1\nmasking: {phone_regions: [de]}", 2, 27, "two capitals"),
        ("version: 1\nmasking: {recognizers: [{entity: STAFF}]}", 2, 25, "`pattern` is missing"),
        ("version: 1\nmasking: {recognizers: [{entity: staff, pattern: x}]}", 2, 34, "written like"),
        ("version: 1\nmasking: {recognizers: [{entity: A, pattern: x, score: 2}]}", 2, 56, "0 to 1"),
        ("version: 1\nmasking: {deny_lists: [{entity: A, words: []}]}", 2, 43, "must not be empty"),
        (SHOP + "policy: none.yaml", 10, 9, "can't be read"),
        (SHOP + "policy: gateway.yaml\nrules: []", 11, 1, "keep the policy in one place"),
        (SHOP + "grants: [{group: a, connection: shp, actions: read}]", 10, 33, "did you mean `shop`?"),
        (SHOP + "rules: [{id: a, deny: raed}]", 10, 23, "did you mean `read`?"),
        (SHOP + "rules: [{id: a, deny: read, when: fact.precise}]", 10, 35, "did you mean `facts`?"),
        (SHOP + "clear: [shp/public.a.b]", 10, 9, "did you mean `shop`?"),
    ],
)
def test_a_mistake_stops_the_start(write, text, line, column, words):
    path = write(text)
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    assert words in caught.value.detail
    assert (caught.value.source, caught.value.line, caught.value.column) == (str(path), line, column)


@pytest.mark.parametrize(
    "text",
    [
        CONNECTION + "credential: 'postgresql://app:hunter2@db/shop'}",
        CONNECTION + "credential: {value: 'postgresql://app:hunter2@db/shop'}}",
        CONNECTION + "credential: {env: 'postgresql://app:hunter2@db/shop'}}",
        CONNECTION + "credential: ['postgresql://app:hunter2@db/shop']}",
        CONNECTION + "custody: agent, target: 'postgresql://app:hunter2@db/shop'}",
        CONNECTION + "custody: agent, target: 'postgresql://db/shop?password=hunter2'}",
        CONNECTION + "custody: agent, target: 'mysql://db/hunter2'}",
        CONNECTION + "custody: agent, target: 'postgresql://db:hunter2/shop'}",
        CONNECTION + "custody: agent, target: 'postgresql://hunter2'}",
        CONNECTION.replace("postgres", "sqlite") + "credential: {value: 'postgresql://app:hunter2@db/shop'}}",
        CONNECTION.replace("postgres", "sqlite") + "credential: {value: 'sqlite:///x.db?key=hunter2'}}",
        CONNECTION.replace("postgres", "sqlite") + "credential: {value: ':memory:'}}",
        CONNECTION.replace("postgres", "sqlite") + "credential: {value: 'file:x.db'}}",
    ],
)
def test_a_secret_pasted_into_the_file_is_refused_and_not_repeated(write, text):
    with pytest.raises(ConfigError) as caught:
        load(write(text), {})
    assert "hunter2" not in str(caught.value)
    assert caught.value.line == 3


def test_files_that_are_no_text(tmp_path):
    path = tmp_path / "gateway.yaml"
    with pytest.raises(ConfigError, match="can't be read"):
        load(path, {})
    path.write_bytes(b"version: 1\nlisten: \xff")
    with pytest.raises(ConfigError, match="not UTF-8") as caught:
        load(path, {})
    assert caught.value.line == 2
    path.write_bytes(b"#" * 5_000_000)
    with pytest.raises(ConfigError, match="larger than"):
        load(path, {})


def test_the_template_loads_and_allows_nothing(write):
    settings = load(write(template()), {})
    assert settings.connections == ()
    assert settings.policy.grants == ()
    assert (settings.listen_host, settings.listen_port) == ("127.0.0.1", 8421)
    assert max(len(line) for line in template().splitlines()) <= 120


def test_every_example_in_the_template_loads(write):
    """Take the hash off every example, none off the prose: an example that went stale fails here."""
    text = re.sub(r"(?m)^# (- |  )", r"\1", template())
    text = re.sub(r"(?m)^(  )# ([a-z ]|- )", r"\1\2", text)
    settings = load(write(text), {"ORDERS_DSN": "x"})
    assert [item.name for item in settings.connections] == ["shop", "orders", "warehouse"]
    assert [item.custody for item in settings.connections] == ["gateway", "gateway", "agent"]
    assert len(settings.policy.grants) == 2
    assert len(settings.policy.rules) == 3
    assert settings.masking.ner_model == "en_core_web_lg"
    assert len(settings.masking.recognizers) == 2
    assert settings.policy.masks.columns[0].columns == ("orders/public.customers.email",)


def test_how_databases_are_asked_for_estimates(write):
    assert load(write("version: 1"), {}).estimates == EstimateSettings(
        timeout_ms=1000, at_once=4, remember_us=60_000_000, always=False
    )
    text = "version: 1\nestimates: {timeout: 50ms, at_once: 1, remember: 2s, always: true}"
    assert load(write(text), {}).estimates == EstimateSettings(
        timeout_ms=50, at_once=1, remember_us=2_000_000, always=True
    )


@pytest.mark.parametrize(
    "wrong", ["timeout: 9ms", "timeout: 2m", "at_once: 0", "at_once: 65", "remember: 2h", "always: 1", "at_onze: 1"]
)
def test_estimates_out_of_bounds_stop_the_start(write, wrong):
    with pytest.raises(ConfigError):
        load(write(f"version: 1\nestimates: {{{wrong}}}"), {})


def test_mysql_and_mariadb_are_one_dialect(write):
    settings = load(
        write(
            SHOP
            + """\
  - {name: billing, dialect: mysql, credential: {env: BILLING_DSN}, schemas: [billing, ledger]}
  - {name: direct, dialect: mysql, custody: agent, target: "mariadb://db.internal:3306/shop"}
"""
        ),
        {},
    )
    found = {item.name: item for item in settings.connections}
    assert (found["billing"].dialect, found["billing"].schemas) == ("mysql", ("billing", "ledger"))
    assert found["direct"].target == "mariadb://db.internal:3306/shop"
    with pytest.raises(ConfigError, match="a secret never stands in this file"):
        load(write(SHOP + "  - {name: x, dialect: mysql, credential: {value: ./shop.db}}\n"), {})
