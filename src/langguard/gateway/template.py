"""The configuration file that `langguard gateway init` writes: short, commented, and safe as it stands."""

from typing import Final

TEXT: Final = """\
# The langguard gateway: where it listens, what it guards, and the policy.
# A typo stops the start and names line, column and the nearest valid name.
# Paths are relative to this file. Credentials never stand here: name an environment variable or a file.
version: 1

# Where clients connect. Keep it on loopback and put your TLS proxy in front; `--listen` or LANGGUARD_LISTEN win.
listen: 127.0.0.1:8421

# The ledger, the keys and the state: back this folder up as a whole. `--data` or LANGGUARD_DATA win.
store:
  path: ./data

# A session token ends after `ttl`, whatever happens; the agent then opens a new session with its API key.
sessions:
  ttl: 8h

# What agents may reach, by name. An agent that asks for anything else is denied.
# Custody `gateway`: the gateway holds the credential and runs the statement. This is the boundary.
# Custody `agent`: the agent keeps its own credential and asks first. Easy to adopt, but advisory only: a compromised
# agent can go round it.
connections:
# - name: shop                        # what policy and agents call it
#   kind: sql
#   dialect: sqlite                   # postgres, sqlite or duckdb
#   custody: gateway
#   credential: {value: ./shop.db}    # an SQLite file needs no secret
# - name: orders
#   kind: sql
#   dialect: postgres
#   custody: gateway
#   credential: {env: ORDERS_DSN}     # or {file: /run/secrets/orders}; use a role that can only read what it should
#   schemas: [public]                 # in search order
#   exclude: [public.migrations]      # as if they were not there; `include` lists the only ones that are
# - name: warehouse
#   kind: sql
#   dialect: postgres
#   custody: agent
#   target: postgresql://db.internal:5432/warehouse   # no credentials: how a client finds this connection

# What is recognised in values. Patterns need no model. A model adds names and places in prose; without one, free text
# is masked whole.
masking:
  languages: [en]
  # ner_model: en_core_web_lg         # must be installed; the gateway refuses to start without it
  # phone_regions: [US, GB, DE]       # whose national phone formats are read
  # recognizers:
  #   - {entity: EMPLOYEE_NUMBER, name: staff, pattern: 'E-[0-9]{6}', score: 0.8}
  # deny_lists:
  #   - {entity: PROJECT, words: [Bluebird, Kingfisher]}

# How statements are read. Smaller limits refuse more; a limit above its default was not measured.
sql:
  second_reader: installed            # PostgreSQL's own parser beside ours, where it is; or required, or never
  # limits: {bytes: 65536, tokens: 5000}

# ---- the policy; move what follows to a file of its own with `policy: policy.yaml` --------------------------------

# Who may do what. Nothing is allowed that no grant names. Actions on SQL: read, metadata (structure), write, ddl,
# privilege, procedure, file, session, transaction, admin.
grants:
# - {group: support, connection: shop, actions: [read, metadata]}
# - {group: billing, connection: orders, actions: [read], tables: [public.invoices, public.payments]}

# What no grant opens (`deny`), or only a person may let through (`review`). Deny beats review beats allow, in any
# order; a rule that fails denies. Conditions are CEL over principal, session, connection, call, facts and now.
rules:
- id: no-destruction
  deny: [ddl, privilege, procedure, file, admin]
  message: Agents do not change structure or rights. Ask a database administrator.
- id: write-needs-where
  deny: write
  when: facts.filtered == false
  message: Say which rows with WHERE.
# - id: customers-in-office-hours     # times are UTC
#   deny: read
#   on: orders/public.customers
#   when: now.getHours() < 7 || now.getHours() >= 19

# What is masked in results. By content, everywhere; by column, where a column is known to hold something.
# Operators: redact, replace, hash (keyed: equal values stay equal), {name: mask, keep_last: 4}, null, keep.
masks:
- {entities: [CREDIT_CARD, EMAIL_ADDRESS, PHONE_NUMBER, IBAN_CODE, US_SSN], operator: replace, everywhere: true}
# - {columns: orders/public.customers.email, operator: hash}

# Text columns count as free text, and are masked whole, until declared otherwise:
clear: []         # free of personal data: passed as they are, such as orders/public.orders.status
structured: []    # codes, numbers or addresses, no prose: analysed by patterns

# Bounds on one result. A list with `on:` sets them apart for a connection or table.
limits:
  rows: 500
  statement_timeout: 10s
  result_bytes: 5000000
"""
