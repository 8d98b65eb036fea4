"""The demo is a promise made to newcomers: it plays, every check holds, and a leak would fail it."""

import json
import signal
import subprocess
import sys

import pytest

from langguard.cli.demo import shop
from langguard.cli.demo.leaks import find_leaks


def play(*options):
    return subprocess.run(
        [sys.executable, "-m", "langguard", "demo", *options], capture_output=True, text=True, timeout=110, check=False
    )


@pytest.mark.parametrize("options", [(), ("--sqlite",)], ids=["postgresql", "sqlite"])
def test_every_check_holds(options):
    done = play("--json", *options)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told["ok"] is True
    names = [check["name"] for check in told["checks"]]
    assert {"no personal data (gateway)", "no personal data (direct)", "no credential", "no driver"} <= set(names)
    assert {"destructive statement refused", "prompt known", "verified", "forgery found"} <= set(names)
    events = [event for act in told["acts"] for event in act["events"]]
    refused = [event for event in events if event["event"] == "result" and event["refused"]]
    assert any("DROP" in event["text"] for event in refused)
    assert sum(event["event"] == "question" for event in events) == 6
    assert sum(event["event"] == "answer" for event in events) == 6
    assert find_leaks([done.stdout, done.stderr], shop.secrets()) == []


def test_the_text_is_plain_when_piped():
    done = play("--sqlite")
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert "every check held" in done.stdout
    assert "patterns only, no NER model" in done.stdout
    assert done.stderr == ""
    assert find_leaks([done.stdout], shop.secrets()) == []


def test_keep_says_what_to_type_and_leaves_nothing_behind():
    with subprocess.Popen(
        [sys.executable, "-m", "langguard", "demo", "--keep"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        lines = []
        for line in running.stdout:
            lines.append(line.rstrip("\n"))
            if line.startswith("Ctrl-C"):
                break
        start = next(number for number, line in enumerate(lines) if line.startswith("Left running"))
        commands = [line.strip() for line in lines[start + 1 : -1]]
        assert len(commands) == 3
        answers = [
            subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=False)
            for command in commands
        ]
        running.send_signal(signal.SIGINT)
        running.stdout.read()
        assert running.wait(30) == 0
    assert [answer.returncode for answer in answers] == [0, 0, 0], [answer.stderr for answer in answers]
    assert "<NAME>" in answers[0].stdout
    assert "session" in answers[1].stdout
    assert "expression over" in answers[2].stdout
    assert find_leaks([answer.stdout for answer in answers], shop.secrets()) == []
    after = subprocess.run(["sh", "-c", commands[0]], capture_output=True, text=True, timeout=60, check=False)
    assert after.returncode != 0
    assert "can't be reached" in after.stderr or "reach" in after.stderr
