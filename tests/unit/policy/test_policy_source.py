"""YAML is read by the 1.2 core schema, with places, and nothing that hides or grows."""

import pytest

from langguard.errors import ConfigError, PolicyError
from langguard.policy.source import Entries, Items, Place, Scalar, read


def only(text: str):
    root = read(text, source="x.yaml").root
    assert isinstance(root, Entries)
    return root.pairs[0]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("NO", "NO"),
        ("2026-01-01", "2026-01-01"),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("12", 12),
        ("-3", -3),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("0.5", 0.5),
        ("1e3", 1000.0),
        ('"12"', "12"),
        ("'true'", "true"),
        ("9" * 60, "9" * 60),
    ],
)
def test_a_scalar_is_what_the_core_schema_says(written, value):
    _, node = only(f"key: {written}")
    assert isinstance(node, Scalar)
    assert node.value == value
    assert type(node.value) is type(value)


def test_on_is_a_key_like_any_other():
    key, _ = only("on: orders")
    assert (key.text, key.place) == ("on", Place(1, 1))


def test_nodes_know_their_places():
    root = read("a:\n  - b: 1\n    c: 'x'\n", source="x").root
    assert isinstance(root, Entries)
    items = root.pairs[0][1]
    assert isinstance(items, Items)
    inner = items.nodes[0]
    assert isinstance(inner, Entries)
    assert [(key.place, value.place) for key, value in inner.pairs] == [
        (Place(2, 5), Place(2, 8)),
        (Place(3, 5), Place(3, 8)),
    ]


def test_an_empty_text_is_nothing():
    root = read("# only a comment\n", source="x").root
    assert isinstance(root, Scalar)
    assert root.value is None


@pytest.mark.parametrize(
    ("text", "offset", "place"),
    [
        pytest.param("k: abc def", 4, Place(1, 8), id="plain"),
        pytest.param("k: 'abc def'", 4, Place(1, 9), id="single quotes"),
        pytest.param('k: "abc def"', 4, Place(1, 9), id="double quotes"),
        pytest.param("k: |\n  abc\n  def\n", 5, Place(3, 4), id="a literal block"),
        pytest.param("k: >\n  abc\n  def\n", 5, Place(1, 4), id="a folded block: its start"),
        pytest.param('k: "a\\tbc def"', 5, Place(1, 4), id="escapes: the scalar's start"),
        pytest.param("k: abc\n  def", 5, Place(1, 4), id="plain over two lines: its start"),
    ],
)
def test_a_place_within_a_scalar(text, offset, place):
    document = read(text, source="x")
    root = document.root
    assert isinstance(root, Entries)
    node = root.pairs[0][1]
    assert isinstance(node, Scalar)
    assert document.locate(node, offset) == place


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        pytest.param("a: 1\na: 2", 2, 1, "twice; first at line 1, column 1", id="a duplicate key"),
        pytest.param("a: 1\n'a': 2", 2, 1, "twice", id="a duplicate key, quoted"),
        pytest.param("a: 1\n---\nb: 2", 2, 1, "second YAML document", id="a second document"),
        pytest.param("a: &x [1]\nb: 2", 1, 4, "anchors", id="an anchor"),
        pytest.param("a: *x", 1, 4, "aliases", id="an alias"),
        pytest.param("a: !!python/name:os.system x", 1, 4, "tags", id="a tag that constructs"),
        pytest.param("a: !x 1", 1, 4, "tags", id="a tag of one's own"),
        pytest.param("a: !!str 1", 1, 4, "tags", id="a standard tag"),
        pytest.param("? [a]\n: 1", 1, 3, "a key must be a word", id="a key that is a list"),
        pytest.param("a: [1", 1, 6, "not valid YAML", id="an open list"),
        pytest.param("a:\n\t- 1", 2, 1, "not valid YAML", id="a tab"),
        pytest.param("a: 1\nb: x\u202ey", 2, 5, "U+202E", id="a bidirectional override"),
        pytest.param("# c\u200bd\na: 1", 1, 4, "U+200B", id="an invisible space in a comment"),
        pytest.param("a: x\x00y", 1, 5, "control character", id="a NUL"),
        pytest.param("a: " + "[" * 30 + "]" * 30, 1, 24, "deeper", id="deep nesting"),
    ],
)
def test_what_is_refused(text, line, column, words):
    with pytest.raises(PolicyError, match=r"p\.yaml:") as caught:
        read(text, source="p.yaml", error=PolicyError)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert words in caught.value.detail


def test_a_text_too_long_is_refused():
    with pytest.raises(ConfigError, match="characters"):
        read("#" * 1_000_001, source="x")


def test_too_many_values_are_refused():
    with pytest.raises(ConfigError, match="values"):
        read("a: [" + "1," * 100_001 + "]", source="x")
