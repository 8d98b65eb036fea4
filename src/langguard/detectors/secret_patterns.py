"""Keys, tokens and private keys by their makers' own prefixes: entity SECRET. Presidio has no such recogniser.

Prefixes are matched with their case, so that prose is not taken for a key.
"""

from typing import Final

SECRET: Final = "SECRET"  # noqa: S105 - the name of an entity

PATTERNS: Final[tuple[tuple[str, str, float], ...]] = (
    (
        "private key",
        r"-----BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,40}-----|\Z)",
        1.0,
    ),
    ("private key end", r"[A-Za-z0-9+/=\s]{16,}-----END (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----", 1.0),
    (
        "aws access key id",
        r"(?<![A-Z0-9])(?:AKIA|ASIA|AROA|AIDA|AGPA|ANPA|ANVA|AIPA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Z0-9])",
        0.95,
    ),
    (
        "aws secret",
        r"(?i:aws_?)(?i:secret)(?i:_?access)?(?i:_?key)?[\"'\s]{0,3}[:=][\"'\s]{0,3}[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])",
        0.95,
    ),
    ("github", r"(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{40,255})", 0.95),
    ("gitlab", r"(?<![A-Za-z0-9])gl(?:pat|dt|rt|ptt|cbt|soat)-[A-Za-z0-9_.-]{20,}", 0.95),
    ("slack token", r"(?<![A-Za-z0-9])xox[abeoprs]-(?:[A-Za-z0-9.]+-)*[A-Za-z0-9]{8,}", 0.95),
    ("slack app token", r"(?<![A-Za-z0-9])xapp-[0-9]-[A-Za-z0-9-]{20,}", 0.95),
    ("slack webhook", r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_-]{20,}", 0.95),
    ("json web token", r"(?<![A-Za-z0-9_-])ey[A-Za-z0-9_-]{10,}\.ey[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*", 0.95),
    ("anthropic", r"(?<![A-Za-z0-9])sk-ant-[A-Za-z0-9_-]{20,}", 0.95),
    ("openai", r"(?<![A-Za-z0-9])sk-(?:proj-|svcacct-|admin-|None-)?[A-Za-z0-9_-]{20,}", 0.9),
    ("google api key", r"(?<![A-Za-z0-9])AIza[A-Za-z0-9_-]{35}", 0.95),
    ("google oauth", r"(?<![A-Za-z0-9])(?:ya29\.[A-Za-z0-9_-]{20,}|GOCSPX-[A-Za-z0-9_-]{20,})", 0.95),
    ("stripe", r"(?<![A-Za-z0-9])(?:sk|rk|whsec)_(?:live_|test_)?[A-Za-z0-9]{20,}", 0.95),
    ("npm", r"(?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}", 0.95),
    ("pypi", r"(?<![A-Za-z0-9])pypi-[A-Za-z0-9_-]{40,}", 0.95),
    ("hugging face", r"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{30,}", 0.95),
    ("sendgrid", r"(?<![A-Za-z0-9])SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}", 0.95),
    ("twilio", r"(?<![A-Za-z0-9])(?:SK|AC)[0-9a-f]{32}(?![0-9A-Za-z])", 0.8),
    ("digitalocean", r"(?<![A-Za-z0-9])do[opr]_v1_[a-f0-9]{64}", 0.95),
    ("hashicorp vault", r"(?<![A-Za-z0-9])hv[sbr]\.[A-Za-z0-9_-]{24,}", 0.95),
    ("age key", r"AGE-SECRET-KEY-1[A-Z0-9]{40,}", 1.0),
    ("langsmith", r"(?<![A-Za-z0-9])lsv2_(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10}", 0.95),
    ("langguard", r"(?<![A-Za-z0-9])lg[ks]_[A-Za-z0-9_-]{20,}", 0.95),
    ("azure storage", r"(?i:AccountKey)=[A-Za-z0-9+/]{80,}={0,2}", 0.95),
    ("credentials in url", r"[A-Za-z][A-Za-z0-9+.-]{1,30}://[^\s/:@\"'<>]{0,128}:[^\s/@\"'<>]{1,256}@", 0.9),
    ("bearer", r"(?i:bearer)\s+[A-Za-z0-9._~+/-]{16,}=*", 0.85),
    ("basic", r"(?i:authorization)\s*[:=]\s*(?i:basic)\s+[A-Za-z0-9+/]{8,}={0,2}", 0.9),
    (
        "named secret",
        r"(?i:password|passwd|pwd|secret|api[_-]?key|access[_-]?token|auth[_-]?token|client[_-]?secret|private[_-]?key)"
        r"[\"']?\s{0,3}[:=]\s{0,3}(?:\"[^\"\s]{4,}\"|'[^'\s]{4,}'|[^\s\"',;]{4,})",
        0.7,
    ),
)
"""(name, regex, score)."""
