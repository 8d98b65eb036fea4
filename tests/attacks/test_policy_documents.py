"""Documents that mean something else than they show, or that grow: all stop the load, fast."""

import time

import pytest

from langguard.errors import PolicyError
from langguard.policy import Known, parse

KNOWN = Known(connections={"orders": "sql", "web": "http"}, columns={"orders": frozenset({"public.customers.email"})})

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(BOMB, "anchors", id="a billion laughs"),
        pytest.param("version: 1\nrules: &r\n  - *r", "anchors", id="an alias to itself"),
        pytest.param("version: 1\n<<: {grants: []}", "unknown field `<<`", id="a merge key"),
        pytest.param("version: 1\nrules: []\nrules: []", "given twice", id="the second `rules` would win"),
        pytest.param(
            "version: 1\nrules: [{id: a, deny: read, when: 'true', when: 'false'}]", "given twice", id="two conditions"
        ),
        pytest.param("version: 1\n---\nversion: 1", "second YAML document", id="a second document"),
        pytest.param("version: !!int '1'", "tags", id="a tag that changes a type"),
        pytest.param("version: 1\nrules: !!python/object/apply:os.system [id]", "tags", id="code in a tag"),
        pytest.param("version: '1'", "whole number", id="a version that only looks right"),
        pytest.param("version: true", "whole number", id="true is 1 in Python, and not here"),
        pytest.param("version: 1\nrules: [{id: a, deny: read, on: оrders}]", "did you mean `orders`?", id="Cyrillic o"),
        pytest.param("version: 1\nrules: [{id: аdmin, deny: read}]", "U+0430", id="a look-alike rule id"),
        pytest.param(
            "version: 1\ngrants: [{group: suppоrt, connection: orders, actions: read}]", "alphabets", id="group"
        ),
        pytest.param(
            "version: 1\ngrants: [{group: ｓupport, connection: orders, actions: read}]", "NFKC", id="full-width letter"
        ),
        pytest.param(
            "version: 1\ngrants: [{group: ' support', connection: orders, actions: read}]", "space", id="a space"
        ),
        pytest.param(
            "version: 1\ngrants: [{group: сору, connection: orders, actions: read}]", "looks like `copy`", id="whole"
        ),
        pytest.param("version: 1\nrules: [{id: a, deny: rеad}]", "did you mean `read`?", id="a look-alike action"),
        pytest.param(
            "version: 1\nrules: [{id: a, deny: read, when: '\"аdmins\" in principal.groups'}]",
            "U+0430",
            id="a look-alike group in a deny, which would never fire",
        ),
        pytest.param("version: 1\nclear: [orders/public.customers.еmail]", "customers.email`?", id="column"),
        pytest.param(
            "version: 1\n# \u202e }} deny :etirw\nrules: []",
            "U+202E",
            id="a comment that reorders what a reviewer sees",
        ),
        pytest.param("version: 1\nrules: [{id: a, deny: read, on: 'orders\u200b'}]", "U+200B", id="zero width"),
        pytest.param("version: 1\nrules: [{id: a, deny: read, on: orders/../web}]", "names no table", id="a path"),
        pytest.param("version: 1\nrules: [{id: a, deny: read, on: orders/*}]", "names no table", id="half a pattern"),
        pytest.param("version: 1\nrules: [{id: a, deny: read, on: ord*}]", "unknown connection", id="part of a name"),
        pytest.param("version: 1\nclear: ['*']", "names no column", id="clear everything by one star"),
        pytest.param("version: 1\nclear: [orders/*]", "names no column", id="clear a connection by one star"),
        pytest.param("version: 1\nlimits: {rows: 1e3}", "whole number", id="a float for rows"),
        pytest.param("version: 1\nlimits: {rows: -1}", "1 to 100000", id="no bound by a negative number"),
        pytest.param("version: 1\nlimits: {rows: null}", "whole number", id="no bound by null"),
        pytest.param("version: 1\nmin_score: .nan", "must be a number", id="not a number"),
        pytest.param("version: 1\nrules: [{id: a, deny: []}]", "must not be empty", id="a deny of nothing"),
        pytest.param("version: 1\nrules: [{id: a, deny: null}]", "not nothing", id="a deny of null"),
        pytest.param("version: 1\nrules: [{id: a, deny: read, when: ''}]", "must not be empty", id="no condition"),
        pytest.param("version: 1\nrules: [{id: a, deny: read, when: }]", "not nothing", id="an empty condition"),
        pytest.param("version: 1\nrules: [{id: a, deny: read, on: []}]", "must not be empty", id="nowhere"),
        pytest.param("version: 1\nrules: [{id: a, deny: read}, {id: A, allow: read}]", "twice", id="ids by case"),
        pytest.param("version: 1\nrules: [{id: a, deny: read, when: true}]", "quote it", id="a constant by accident"),
    ],
)
def test_the_load_stops(text, words):
    with pytest.raises(PolicyError) as caught:
        parse(text, source="p", known=KNOWN)
    assert words in caught.value.detail
    assert caught.value.line is not None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[" * 200_000, id="brackets"),
        pytest.param("a: " + "{a: " * 50_000, id="maps"),
        pytest.param("- " * 100_000, id="dashes"),
        pytest.param("a: '" + "x" * 2_000_000, id="a long text"),
        pytest.param("? " * 100_000, id="keys"),
    ],
)
def test_a_text_made_to_be_slow_is_refused_fast(text):
    started = time.perf_counter()
    with pytest.raises(PolicyError):
        parse(text, source="p", known=KNOWN)
    assert time.perf_counter() - started < 3
