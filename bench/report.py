"""The measurements as tables, and against the goals."""

from __future__ import annotations

from typing import Any

from bench.latency import BASE, STEPS, WAYS

ADDED_P50_MS = 3.0
ADDED_P99_MS = 10.0
IMPORT_S = 0.5


def latency(name: str, found: dict[str, Any]) -> str:
    """Return the tables of one database: milliseconds."""
    floor = found["fdatasync_us"]
    lines = [
        f"{name}: one SELECT of 20 rows, milliseconds, {found['rounds']} rounds a line",
        f"(fdatasync of 2 KB on the ledger's disk: p50 {floor['p50'] / 1000:.2f}, p99 {floor['p99'] / 1000:.2f})",
        "",
        f"{'columns':<10}{'seen':<6}{'way':<12}{'p50':>8}{'p99':>8}{'added p50':>11}{'added p99':>11}",
    ]
    for case, ways in found["cases"].items():
        kind, state = case.split()
        for way in WAYS:
            one = ways[way]
            added = "" if way == BASE else f"{one['added_p50'] / 1000:>+11.2f}{one['added_p99'] / 1000:>+11.2f}"
            lines.append(f"{kind:<10}{state:<6}{way:<12}{one['p50'] / 1000:>8.2f}{one['p99'] / 1000:>8.2f}{added}")
    for share in ("p50", "p99"):
        lines += ["", f"{'where it goes, ' + share:<24}" + "".join(f"{step:>15}" for step in STEPS)]
        for case, ways in found["cases"].items():
            for way in ("gateway", "agent"):
                steps = ways[way][f"steps_{share}"]
                spent = "".join(f"{steps.get(step, 0.0) / 1000:>15.2f}" for step in STEPS)
                lines.append(f"{case + ' ' + way:<24}{spent}")
    return "\n".join(lines)


def goals(name: str, found: dict[str, Any]) -> str:
    """Return, for each case, whether the goals are met. Told, never asserted: the machine decides too."""
    lines = []
    for case, ways in found["cases"].items():
        for way in ("gateway", "agent"):
            p50, p99 = ways[way]["added_p50"] / 1000, ways[way]["added_p99"] / 1000
            met = p50 <= ADDED_P50_MS and p99 <= ADDED_P99_MS
            lines.append(
                f"  {'met ' if met else 'MISS'}  {name} {case} {way}: added p50 {p50:.2f} ms, p99 {p99:.2f} ms"
            )
    head = f"goal: added p50 <= {ADDED_P50_MS:g} ms and p99 <= {ADDED_P99_MS:g} ms, the record durable"
    return "\n".join([head, *lines])


def footprint(found: dict[str, Any]) -> str:
    """Return the import and size tables."""
    lines = [f"{'import, fresh process':<24}{'ms':>8}{'x langchain_core':>18}{'peak MiB':>10}  heavy modules loaded"]
    for name, one in found["imports"].items():
        heavy = ", ".join(one["heavy"]) or "-"
        lines.append(f"{name:<24}{one['ms']:>8.0f}{one['of_langchain_core']:>18.2f}{one['mib']:>10.0f}  {heavy}")
    spent = found["imports"]["langguard + Guard"]["ms"] / 1000
    met = "met" if spent < IMPORT_S else "MISS"
    lines.append(f"goal: import langguard and a client under {IMPORT_S:g} s: {met} ({spent:.2f} s)")
    sizes = found["sizes"]
    extras = ", ".join(f"{name} {sizes[name]:.0f}" for name in sizes if name.startswith("+"))
    lines += [
        "",
        f"on disk, MB: langguard's own modules {sizes['langguard']:.1f}; base install {sizes['base']:.0f} in "
        f"{sizes['packages']} packages; {extras}",
        "largest of the base: " + ", ".join(f"{name} {size:.0f}" for name, size in sizes["largest"].items()),
    ]
    for name, one in found.get("resident", {}).items():
        if one:
            lines.append(f"resident, MiB, gateway over {name}: {one['gateway']:.0f}, its workers {one['workers']:.0f}")
    return "\n".join(lines)
