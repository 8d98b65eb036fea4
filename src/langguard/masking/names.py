"""What a column's name says about what it holds: the label its masked values carry."""

import re
from itertools import pairwise
from typing import Final

_PARTS: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_HINTS: Final = (
    ("EMAIL", ("email", "mail", "emailaddress")),
    ("PHONE", ("phone", "telephone", "mobile", "cellphone", "msisdn", "fax", "tel")),
    ("CARD", ("card", "pan", "creditcard", "cardnumber", "ccn")),
    ("SSN", ("ssn", "nino", "sin", "socialsecurity")),
    ("IBAN", ("iban",)),
    ("PASSPORT", ("passport",)),
    ("BIRTH_DATE", ("birthdate", "birthday", "dob", "birth", "born")),
    ("ADDRESS", ("address", "street", "addr", "postcode", "zip", "zipcode")),
    ("IP", ("ip", "ipaddress")),
    ("SECRET", ("password", "passwd", "secret", "token", "apikey", "pwd", "credential", "credentials")),
    ("NAME", ("firstname", "lastname", "surname", "forename", "fullname", "givenname", "familyname", "maidenname")),
)
_NAME_OF: Final = frozenset(
    {
        "first",
        "last",
        "full",
        "given",
        "family",
        "middle",
        "maiden",
        "customer",
        "contact",
        "person",
        "user",
        "employee",
    }
    | {"patient", "client", "member", "owner", "billing", "shipping", "recipient", "guest", "student", "author"}
)
_NOT_LABEL: Final = re.compile(r"[^A-Z0-9_]+")


def words(name: str) -> tuple[str, ...]:
    """Return the lower-case words of a name such as `customer_email`, `customerEmail` or `CUSTOMER-EMAIL`."""
    return tuple(part.lower() for part in _PARTS.findall(name))


def hint(name: str, table: str = "") -> str | None:
    """Return the class of personal data that a column's name announces, such as `EMAIL`, or None.

    Args:
        name: The column's name.
        table: The table's name: a bare `name` is a person's in `customers` and a product's in `products`.
    """
    parts = words(name)
    joined = "".join(parts)
    pairs = {first + second for first, second in pairwise(parts)}
    for label, signs in _HINTS:
        if any(sign in parts or sign in pairs or sign == joined for sign in signs):
            return label
    if "name" in parts:
        people = _NAME_OF.intersection(parts) or (
            parts == ("name",) and _NAME_OF.intersection({word.removesuffix("s") for word in words(table)})
        )
        return "NAME" if people else None
    return None


def label(column: str) -> str:
    """Return what a masked value of `column` is called: a class where the name tells one, else the name itself.

    Columns of one class share their label, so that keyed tokens of `customers.email` and `orders.customer_email` agree.
    """
    name = column.rpartition(".")[2]
    return hint(name) or _NOT_LABEL.sub("_", name.upper()).strip("_") or "MASKED"
