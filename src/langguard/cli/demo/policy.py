"""The gateway file of the demo: what a platform engineer would write for a shop."""

_FILE = """\
# The gateway of the demo. `langguard gateway init` writes one to start from.
version: 1
listen: 127.0.0.1:0

connections:
  - name: shop                 # the gateway runs the statements; agents never see the credential
    dialect: {dialect}
    credential: {credential}
  - name: shop-direct          # an existing agent keeps its own engine; the gateway permits, the agent reports
    dialect: {dialect}
    custody: agent
    target: {target}

grants:
  - {{group: analysts, connection: shop, actions: [read, metadata]}}
  - {{group: analysts, connection: shop-direct, actions: [read, metadata]}}

rules:
  - id: no-destruction
    deny: [ddl, privilege, file, procedure, admin]

masks:
  - {{columns: "*/{schema}.customers.name", operator: replace}}
  - {{columns: "*/{schema}.customers.email", operator: hash}}
  - {{columns: "*/{schema}.customers.phone", operator: replace}}
  - {{columns: "*/{schema}.customers.card_number", operator: {{name: mask, keep_last: 4}}}}
  - {{entities: [EMAIL_ADDRESS, CREDIT_CARD, PHONE_NUMBER, IBAN_CODE, SECRET], operator: replace, everywhere: true}}

clear:                         # free of personal data; `langguard connection classify` proposes such a list
{clear}
structured:                    # text without prose about people: found by patterns, e-mail by e-mail
  - "*/{schema}.reviews.title"
  - "*/{schema}.reviews.body"

limits: {{rows: 200, statement_timeout: 10s}}
"""

_CLEAR = (
    "customers.city",
    "customers.country",
    "customers.segment",
    "products.sku",
    "products.name",
    "products.category",
    "products.description",
    "orders.status",
)


def gateway_file(*, dialect: str, credential: str, target: str) -> str:
    """Return the file's text.

    Args:
        dialect: `postgres` or `sqlite`.
        credential: As YAML, such as `{env: SHOP_DSN}`.
        target: Of the connection in custody `agent`.
    """
    schema = "public" if dialect == "postgres" else "main"
    clear = "".join(f'  - "*/{schema}.{column}"\n' for column in _CLEAR)
    return _FILE.format(dialect=dialect, credential=credential, target=target, schema=schema, clear=clear)
