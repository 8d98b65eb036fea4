"""A column whose rules can't be told is masked, even where no entity rule is in force."""

from langguard.masking import plan
from langguard.protocol import Catalog, Column, ColumnMask, MaskPolicy, Operator, Output, Table

POLICY = MaskPolicy(columns=(ColumnMask(columns=('shop/public."a.b".c',), operator=Operator(name="redact")),))


def table(schema, name):
    return Table(schema=schema, name=name, columns=(Column(name="c", type="text", kind="text"),))


def test_two_tables_that_share_an_id_are_both_masked():
    catalog = Catalog(
        dialect="postgres",
        default_schemas=("public",),
        tables=(table("public", "a.b"), table("public.a", "b")),
    )
    outputs = (Output(name="c", columns=("public.a.b.c",), direct=True),)
    assert plan(outputs, catalog, POLICY, connection="shop", ner=False).columns[0].action == "mask"


def test_a_column_that_the_structure_does_not_have_is_masked():
    catalog = Catalog(dialect="postgres", default_schemas=("public",), tables=())
    outputs = (Output(name="c", columns=("public.gone.c",), direct=True),)
    assert plan(outputs, catalog, MaskPolicy(), connection="shop", ner=False).columns[0].action == "mask"
