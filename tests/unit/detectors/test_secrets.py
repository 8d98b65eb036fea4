"""Keys and tokens are found; prose about them is not. Every value here is made up and spelt in halves."""

import pytest

A, B = "Zx9Qw7Er5Ty3", "Ui1Op8As6Df4"
LONG = A + B + A + B

SECRETS = {
    "aws id": "AKIA" + "Z3QWERTY5UIOPASD"[:16],
    "aws secret": "aws_secret_access_key = " + (LONG + "/+")[:40],
    "github": "ghp_" + LONG[:36],
    "github fine": "github_pat_" + LONG + LONG[:10],
    "gitlab": "glpat-" + A + B,
    "slack bot": "xoxb-" + "123456789012-" + A + B,
    "slack hook": "https://hooks.slack.com/services/T000/B000/" + A + B,
    "jwt": "eyJ" + A + B + ".eyJ" + B + A + "." + LONG[:20],
    "openai": "sk-proj-" + LONG,
    "openai old": "sk-" + LONG,
    "anthropic": "sk-ant-api03-" + LONG,
    "google": "AIza" + LONG[:35],
    "google oauth": "GOCSPX-" + A + B,
    "stripe": "sk_live_" + A + B,
    "npm": "npm_" + LONG[:36],
    "pypi": "pypi-" + LONG,
    "hugging face": "hf_" + LONG[:34],
    "sendgrid": "SG." + A + B + "." + B + A,
    "vault": "hvs." + A + B,
    "url": "postgresql://app:" + A + "@db.internal/shop",
    "bearer": "Authorization: Bearer " + A + B,
    "basic": "Authorization: Basic " + "dXNlcjpwYXNz",
    "named": "password=" + A,
    "named json": '{"api_key": "' + A + '"}',
    "langguard": "lgs_" + A + B,
    "langsmith": "lsv2_pt_" + "0123456789abcdef" * 2 + "_0123456789",
}


CORES = {
    "aws secret": (LONG + "/+")[:40],
    "slack hook": A + B,
    "url": A,
    "bearer": A + B,
    "basic": "dXNlcjpwYXNz",
    "named json": A,
    "named": A,
}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_found_whole(engine, name):
    core = CORES.get(name, SECRETS[name])
    text = f"x {SECRETS[name]} y"
    (spans,) = engine.find([text], ["SECRET"])
    covered = {i for span in spans if span.score >= 0.4 for i in range(span.start, span.end)}
    place = text.index(core)
    assert covered >= set(range(place, place + len(core)))
    assert not covered & {0, len(text) - 1}


@pytest.mark.parametrize("end", ["-----END RSA PRIVATE KEY-----", ""])
def test_a_private_key_is_found_with_all_its_lines(engine, end):
    text = "key:\n-----BEGIN RSA PRIVATE KEY-----\n" + "\n".join([LONG] * 20) + "\n" + end
    (spans,) = engine.find([text], ["SECRET"])
    assert any(span.start <= 5 and span.end >= len(text) - 1 for span in spans)


def test_a_private_key_longer_than_a_piece_is_covered_to_its_end(engine):
    from langguard.masking import mask_text
    from langguard.protocol import EntityMask, Operator

    body = "\n".join([LONG] * 600)
    text = f"a -----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY----- b"
    masks = (EntityMask(entities=("SECRET",), operator=Operator(name="replace")),)
    shown, _ = mask_text(text, masks, find=engine.find, key=b"")
    assert A not in shown


@pytest.mark.parametrize(
    "text",
    [
        "please send the bearer of this letter home",
        "the secret of success is work",
        "ask for the password at the desk",
        "Task-oriented risk-averse desk-bound work",
        "https://example.com/a:b",
        "order ORD-2024-000123 shipped",
        "SK Telecom, AC Milan",
        "commit 9f3c6a1b2d4e5f60718293a4b5c6d7e8f9012345",
        "token ring networks",
    ],
)
def test_prose_is_no_secret(engine, text):
    assert engine.find([text], ["SECRET"])[0] == []
