"""Which outputs are passed, masked whole or analysed: one row, one sentence of the rule."""

import pytest

from langguard.masking import plan, validate
from langguard.protocol import Catalog, Column, ColumnMask, EntityMask, MaskPolicy, Operator, Output, Table

KINDS = {
    "id": "number",
    "email": "text",
    "name": "text",
    "note": "text",
    "code": "text",
    "city": "text",
    "extra": "json",
    "tags": "array",
    "odd": "other",
    "total": "number",
    "paid": "boolean",
    "made": "time",
    "key": "uuid",
    "host": "network",
    "photo": "binary",
}


def catalog(dialect="postgres", schema="public"):
    columns = tuple(Column(name=name, type=kind, kind=kind) for name, kind in KINDS.items())
    return Catalog(
        dialect=dialect, default_schemas=(schema,), tables=(Table(schema=schema, name="people", columns=columns),)
    )


ENTITIES = (EntityMask(entities=("EMAIL_ADDRESS",), operator=Operator(name="replace")),)
POLICY = MaskPolicy(
    columns=(
        ColumnMask(columns=("shop/public.people.email",), operator=Operator(name="hash")),
        ColumnMask(columns=("shop/public.people.name",), operator=Operator(name="null")),
    ),
    entities=ENTITIES,
    clear=("shop/public.people.city", "shop/public.people.id"),
    structured=("shop/public.people.code",),
)


def one(columns, *, policy=POLICY, direct=False, counted=False, ner=False, connection="shop", cat=None, name="x"):
    output = Output(
        name=name, columns=tuple(f"public.people.{column}" for column in columns), direct=direct, counted=counted
    )
    return plan((output,), cat or catalog(), policy, connection=connection, ner=ner).columns[0]


@pytest.mark.parametrize(
    ("columns", "options", "wanted"),
    [
        pytest.param(
            ["email"], {"direct": True}, ("mask", "hash", "EMAIL"), id="a column under a rule, by its operator"
        ),
        pytest.param(["name"], {"direct": True}, ("mask", "null", "NAME"), id="null is an operator too"),
        pytest.param(["email"], {}, ("mask", "replace", "EMAIL"), id="an expression over it, outright"),
        pytest.param(["name"], {}, ("mask", "null", "NAME"), id="an expression is never weaker than the rule"),
        pytest.param(["email", "name"], {}, ("mask", "null", "NAME"), id="over several, by the strictest"),
        pytest.param(["city", "email"], {}, ("mask", "replace", "EMAIL"), id="clear columns do not dilute a rule"),
        pytest.param(
            ["email", "name"], {"direct": True}, ("mask", "null", "NAME"), id="direct with two is no projection"
        ),
        pytest.param(["email"], {"counted": True}, ("pass", None, "MASKED"), id="a count carries no value"),
        pytest.param([], {}, ("analyse", None, "MASKED"), id="a literal is analysed"),
        pytest.param(["city"], {"direct": True}, ("pass", None, "MASKED"), id="a clear column passes"),
        pytest.param(["city", "id"], {}, ("pass", None, "MASKED"), id="an expression over clear columns passes"),
        pytest.param(["note"], {"direct": True}, ("mask", "replace", "TEXT"), id="free text without NER, outright"),
        pytest.param(["note"], {"direct": True, "ner": True}, ("analyse", None, "NOTE"), id="free text with NER"),
        pytest.param(["note"], {"ner": True}, ("mask", "replace", "NOTE"), id="an expression over free text, even so"),
        pytest.param(["code"], {"direct": True}, ("analyse", None, "CODE"), id="structured text is analysed"),
        pytest.param(["code"], {}, ("mask", "replace", "CODE"), id="an expression over structured text, outright"),
        pytest.param(["extra"], {"direct": True}, ("mask", "replace", "TEXT"), id="json counts as text"),
        pytest.param(["tags"], {"direct": True}, ("mask", "replace", "TEXT"), id="arrays count as text"),
        pytest.param(["odd"], {"direct": True}, ("mask", "replace", "TEXT"), id="types of the database's own too"),
        pytest.param(["total"], {"direct": True}, ("analyse", None, "TOTAL"), id="a number is analysed"),
        pytest.param(["total", "made"], {}, ("analyse", None, "TOTAL"), id="an expression over numbers and times"),
        pytest.param(["total", "note"], {}, ("mask", "replace", "NOTE"), id="one text column taints an expression"),
        pytest.param(["nothing"], {"direct": True}, ("mask", "replace", "NOTHING"), id="an unknown column, outright"),
        pytest.param(["city", "nothing"], {}, ("mask", "replace", "NOTHING"), id="an unknown column in an expression"),
    ],
)
def test_each_output_has_one_plan(columns, options, wanted):
    held = one(columns, **options)
    assert (held.action, held.operator and held.operator.name, held.label) == wanted
    assert held.why


@pytest.mark.parametrize("kind", ["id", "total", "paid", "made", "key", "host", "photo"])
def test_columns_without_text_are_typed(kind):
    policy = MaskPolicy(entities=ENTITIES)
    assert one([kind], policy=policy, direct=True).typed
    assert one([kind], policy=policy).typed


def test_an_expression_that_may_hold_clear_text_is_not_typed():
    assert not one(["city", "total"]).typed
    assert one(["city", "total"]).action == "analyse"


def test_without_an_entity_mask_unlabelled_columns_pass_and_say_so():
    policy = MaskPolicy(columns=POLICY.columns)
    assert (one(["note"], policy=policy, direct=True).action, one(["note"], policy=policy).why) == (
        "pass",
        "no entity rule",
    )
    assert one(["email"], policy=policy).action == "mask"


def test_an_entity_mask_of_another_connection_is_not_in_force():
    elsewhere = EntityMask(entities=("URL",), operator=Operator(name="redact"), connections=("web",))
    policy = MaskPolicy(entities=(elsewhere,))
    assert one(["note"], policy=policy, direct=True).why == "no entity rule"
    assert one(["note"], policy=policy, direct=True, connection="web").action == "mask"
    assert plan((), catalog(), policy, connection="web", ner=False).entities == (elsewhere,)
    assert plan((), catalog(), policy, connection="shop", ner=False).entities == ()


def test_a_rule_of_another_connection_does_not_apply():
    assert one(["city"], direct=True, connection="web").action == "mask"


@pytest.mark.parametrize(
    ("operators", "wanted"),
    [
        (["mask", "hash"], "hash"),
        (["hash", "replace"], "replace"),
        (["replace", "redact"], "redact"),
        (["redact", "null"], "null"),
        (["keep", "mask"], "mask"),
        (["keep"], None),
    ],
)
@pytest.mark.parametrize("backwards", [False, True])
def test_of_several_rules_the_strictest_wins(operators, wanted, backwards):
    masks = [ColumnMask(columns=("*/*.*.note",), operator=Operator(name=name)) for name in operators]
    policy = MaskPolicy(columns=tuple(reversed(masks) if backwards else masks), entities=ENTITIES)
    held = one(["note"], policy=policy, direct=True)
    assert (held.operator and held.operator.name) == wanted
    assert held.action == ("pass" if wanted is None else "mask")


def test_of_two_masks_that_leave_characters_the_one_that_leaves_fewer_wins():
    masks = tuple(
        ColumnMask(columns=("*/*.*.note",), operator=Operator(name="mask", keep_last=keep)) for keep in (6, 2, 4)
    )
    assert one(["note"], policy=MaskPolicy(columns=masks), direct=True).operator.keep_last == 2


@pytest.mark.parametrize(
    ("pattern", "masked"),
    [
        ("shop/public.people.note", True),
        ("*/public.people.note", True),
        ("shop/*.*.*", True),
        ("SHOP/public.people.note", False),
        ("shop/PUBLIC.People.NOTE", True),
        ('shop/"public"."people"."note"', True),
        ("shop/public.people.not*", False),
        ("shop/people.note", False),
        ("public.people.note", False),
        ("shop/public.people.note.x", False),
        ("shop/public.people.", False),
        ("shop/public..note", False),
        ("shop/ public.people.note", False),
        ("", False),
        ("/", False),
    ],
)
def test_a_pattern_means_a_whole_column_or_nothing(pattern, masked):
    policy = MaskPolicy(columns=(ColumnMask(columns=(pattern,), operator=Operator(name="redact")),))
    assert (one(["note"], policy=policy, direct=True).action == "mask") is masked
    assert bool(validate(policy, {"shop": catalog()})) is not masked


def test_clear_matches_a_name_as_stored_except_in_sqlite():
    policy = MaskPolicy(entities=ENTITIES, clear=("shop/PUBLIC.people.NOTE",))
    assert one(["note"], policy=policy, direct=True).action == "mask"
    assert one(["note"], policy=policy, direct=True, cat=catalog("sqlite")).action == "pass"


def test_two_columns_that_share_an_id_are_unknown():
    text = Column(name="b.c", type="text", kind="text")
    other = Column(name="c", type="int", kind="number")
    cat = Catalog(
        dialect="postgres",
        default_schemas=("s",),
        tables=(Table(schema="s", name="a", columns=(text,)), Table(schema="s", name="a.b", columns=(other,))),
    )
    output = Output(name="c", columns=("s.a.b.c",), direct=True)
    policy = MaskPolicy(entities=ENTITIES, clear=('shop/s."a.b".c',))
    assert plan((output,), cat, policy, connection="shop", ner=False).columns[0].why.startswith("unknown column")


def test_the_context_names_the_column_whatever_the_output_is_called():
    assert one(["total"], direct=True, name="x").context == "total x"
    assert (
        "phone"
        in plan((Output(name="contactPhone", columns=()),), catalog(), POLICY, connection="shop", ner=False)
        .columns[0]
        .context.split()
    )


def test_labels_of_one_class_agree_so_that_tokens_join():
    from langguard.masking.names import label

    assert (
        label("public.customers.email") == label("public.orders.customer_email") == label("a.b.EmailAddress") == "EMAIL"
    )
    assert label("public.customers.phone_number") == label("a.b.mobile") == "PHONE"
    assert label("a.b.größe") == "GR_SSE"
    assert label("a.b.漢字") == "MASKED"


def test_validate_names_the_nearest():
    policy = MaskPolicy(
        clear=("shop/public.people.citty",),
        structured=("shop/public.people.*",),
        columns=(ColumnMask(columns=("shp/public.people.note",), operator=Operator(name="null")),),
        entities=(EntityMask(entities=("URL",), operator=Operator(name="null"), connections=("shopp",)),),
    )
    found = {problem.place: problem for problem in validate(policy, {"shop": catalog()})}
    assert set(found) == {"clear", "columns[0]", "entities[0]"}
    assert found["clear"].nearest == "shop/public.people.city"
    assert found["columns[0]"].nearest == "shop/public.people.note"
    assert found["entities[0]"].nearest == "shop"
