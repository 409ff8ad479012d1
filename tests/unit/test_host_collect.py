"""The program's own parts, tried on files and words of ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.host.collect import processes
from gateway_acceptance.host.collect import tree as tree_of
from gateway_acceptance.host.collect.base import Missing, entry, masked, output, privileged, run
from gateway_acceptance.host.collect.machine import installed_ollama, leads_out, message_of
from gateway_acceptance.host.collect.processes import copies, identity, unit_of
from gateway_acceptance.host.collect.service import call_groups, hide, in_order, line_without_secrets
from gateway_acceptance.host.collect.tree import ancestors, files, literal_in, literals, secrets, tree


def asked(base: Path, **more: Any) -> dict[str, Any]:
    return {"tree": str(base), "group": "root", "default_keys": ["sk-1234"], "privileges": {}, **more}


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("key=sk-abcdef0123", "key=<secret of 13 characters>"),
        ("Authorization: Bearer abcdefghijkl.m", "Authorization: Bearer <secret of 14 characters>"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "<secret of 35 characters>"),
        ("postgresql://llm:pw@db/x", "postgresql://<secret of 6 characters>@db/x"),
        (
            "http://db:5432/a@b and postgresql://${USER}:${PW}@db",
            "http://db:5432/a@b and postgresql://${USER}:${PW}@db",
        ),
        ("disk-cache and task-runner", "disk-cache and task-runner"),
    ],
)
def test_secrets_do_not_leave_the_machine(text: str, seen: str) -> None:
    assert masked(text) == seen


@pytest.mark.parametrize(
    ("word", "seen"),
    [
        ("LITELLM_MASTER_KEY=abc", "LITELLM_MASTER_KEY=<hidden>"),
        ('Environment="DB_PASSWORD=x"', 'Environment="DB_PASSWORD=<hidden>"'),
        ("PYTHONUNBUFFERED=1", "PYTHONUNBUFFERED=1"),
        ('Environment="API_KEY=a b==" HOME=/x', 'Environment="API_KEY=<hidden>" HOME=/x'),
        ("Environment=TOKEN=YWJj== 'KEY=a \"b\"'", "Environment=TOKEN=<hidden> 'KEY=<hidden>'"),
    ],
)
def test_values_of_secret_variables_are_hidden(word: str, seen: str) -> None:
    assert hide(word) == seen


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("Environment=DB_PASSWORD=x", "Environment=DB_PASSWORD=<hidden>"),
        ("  Environment = DB_PASSWORD=x", "Environment=DB_PASSWORD=<hidden>"),
        ("SetCredential=master: hunter2", "SetCredential=master:<hidden>"),
        ("LoadCredential=master:/etc/master", "LoadCredential=master:/etc/master"),
        ("ExecStart=/bin/a --b=c", "ExecStart=/bin/a --b=c"),
    ],
)
def test_lines_of_unit_files_tell_no_secret(line: str, seen: str) -> None:
    assert line_without_secrets(line) == seen


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("ollama version is 0.12.6\n", "0.12.6"),
        ("ollama version is 0.12.6\nWarning: client version is 0.13.0\n", "0.13.0"),
        (
            "Warning: could not connect to a running Ollama instance\nWarning: client version is 0.13.0\n",
            "0.13.0",
        ),
        ("", None),
    ],
)
def test_the_installed_ollama_and_not_the_one_that_runs(text: str, version: str | None) -> None:
    assert installed_ollama(text) == version


@pytest.mark.parametrize(
    ("value", "text"),
    [("a", "a"), (None, ""), ([97, 10], "a\n"), (["a", "b"], "a\nb"), (["a", [98]], "a\nb")],
)
def test_messages_of_the_journal(value: Any, text: str) -> None:
    assert message_of(value) == text


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("  master_key: sk-live-0123456789", "a key"),
        ("  master_key: sk-1234", "a known default key"),
        ("  master_key: sk-1234567890abcdef", "a key"),
        ("  master_key: os.environ/LITELLM_MASTER_KEY", ""),
        ("password: hunter2hunter2", "a value of password"),
        ("  # token: abcdef123456", ""),
        ('  token="${TOKEN:-}"', ""),
        ("max_tokens: 4096", ""),
        ("database_url: postgresql://llm:correcthorse@db/x", "a password in a URL"),
        ("# such as postgresql://user:password@host/name", ""),
    ],
)
def test_literal_secrets(line: str, what: str) -> None:
    assert literal_in(line, ["sk-1234"]) == what


def test_one_pass_over_a_tree(tmp_path: Path) -> None:
    base = tmp_path / "tree"
    (base / "venv" / "bin").mkdir(parents=True)
    (base / "venv" / "bin" / "tool").write_text("x")
    (base / "venv" / "bin" / "tool").chmod(0o777)
    (base / "plain").write_text("12345")
    (base / "away").symlink_to("/etc")
    (base / "gone").symlink_to("nowhere")
    found = tree(asked(base, virtual_environment="venv"))
    entries = {item["path"]: item for item in found["entries"]}
    assert sorted(entries) == [".", "away", "gone", "plain"]
    assert (entries["plain"]["mode"], entries["plain"]["size"]) == ("0644", 5)
    assert (entries["away"]["escapes"], entries["gone"]["broken"]) == (True, True)
    assert found["bytes"] == 5
    assert found["environment"]["files"] == 1
    assert [item["path"] for item in found["environment"]["offenders"]] == ["venv/bin/tool"]


def test_a_tree_behind_a_link_is_seen_whole(tmp_path: Path) -> None:
    """Else a deployment as ``current -> releases/42`` would be one entry, and nothing of it wrong."""
    (tmp_path / "releases" / "42" / "config").mkdir(parents=True)
    (tmp_path / "releases" / "42" / "inner").symlink_to("config")
    (tmp_path / "current").symlink_to("releases/42")
    found = tree(asked(tmp_path / "current"))
    assert [item["path"] for item in found["entries"]] == [".", "config", "inner"]
    assert found["entries"][0]["kind"] == "d"
    assert not found["entries"][2]["escapes"]
    assert str(tmp_path / "releases") in [item["path"] for item in found["ancestors"]]


@pytest.mark.parametrize(
    ("line", "out"),
    [
        ("/usr", True),
        ("../../..", True),
        ("inner", False),
        ("/no/such", False),
        ("# /usr", False),
        ("import os", False),
    ],
)
def test_lines_of_startup_files_that_lead_out_of_the_tree(tmp_path: Path, line: str, out: bool) -> None:
    place = tmp_path / "tree" / "venv"
    (place / "inner").mkdir(parents=True)
    assert leads_out(line, str(place), str(tmp_path / "tree")) is out


def test_a_tree_that_is_not_there(tmp_path: Path) -> None:
    found = tree(asked(tmp_path / "no", virtual_environment=None))
    assert (found["exists"], found["entries"]) == (False, [])


def test_ancestors_begin_at_the_root() -> None:
    assert ancestors("/opt/a/b") == ["/", "/opt", "/opt/a"]


def test_files_with_digest_text_and_syntax(tmp_path: Path) -> None:
    (tmp_path / "good.sh").write_text("#!/bin/bash\nKEY=sk-abcdef0123\n")
    (tmp_path / "bad.sh").write_text("#!/bin/bash\nif\n")
    found = files(asked(tmp_path, files=["good.sh", "bad.sh", "none"]))
    assert found["good.sh"]["syntax"] == ""
    assert found["good.sh"]["sha256"].startswith("sha256:")
    assert "sk-abcdef0123" not in found["good.sh"]["text"]
    assert "syntax error" in found["bad.sh"]["syntax"]
    assert found["none"] == {"exists": False, "hidden": ""}


def test_literals_tell_the_place_and_not_the_secret(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("a: 1\nmaster_key: sk-live-0123456789\n")
    (tmp_path / "binary").write_bytes(b"\0sk-live-0123456789")
    os.mkfifo(tmp_path / "pipe")  # reading it would wait for ever
    assert literals(asked(tmp_path)) == {
        "found": [{"path": "config.yaml", "line": 2, "what": "a key", "mode": "0644"}],
        "scanned": 2,
        "unread": [],
    }


@pytest.mark.parametrize(
    ("code", "text", "errors", "met_there"),
    [
        (0, "/t/b\n/t/a\n", "", ["/t/a", "/t/b"]),
        (1, "/t/a\n", "find: '/t/shut': Permission denied\n", ["/t/a", "/t/shut"]),
        (0, "", "", []),
    ],
)
def test_what_the_account_met(
    monkeypatch: pytest.MonkeyPatch, code: int, text: str, errors: str, met_there: list[str]
) -> None:
    monkeypatch.setattr(tree_of, "privileged", lambda *_: (code, text, errors))
    found = tree_of.access({"privileges": {"unreadable": {}}})
    assert found["unreadable"] == met_there
    assert found["missing"] == {}


@pytest.mark.parametrize(
    ("code", "errors", "why"),
    [
        (1, "find: '/opt/none': No such file or directory\n", "No such file or directory"),
        (1, "", "find ended with exit code 1"),
        (1, "find: '/a': Permission denied\nfind: unknown predicate '-readable'\n", "unknown predicate"),
    ],
)
def test_a_search_that_failed_is_no_empty_answer(
    monkeypatch: pytest.MonkeyPatch, code: int, errors: str, why: str
) -> None:
    monkeypatch.setattr(tree_of, "privileged", lambda *_: (code, "", errors))
    found = tree_of.access({"privileges": {"unreadable": {}, "writable": {}}})
    assert why in found["missing"]["writable"]["why"]
    assert "writable" not in found


def test_secret_files(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text("K=V")
    path.chmod(0o600)
    found = secrets({"secrets": [str(path), str(tmp_path / "none")]})
    assert [(item["exists"], (item["entry"] or {}).get("mode")) for item in found] == [
        (True, "0600"),
        (False, None),
    ]


@pytest.mark.parametrize(
    ("shown", "seen"),
    [
        ("regular file|640|root|hx|/etc/hx/env", (True, "f", "0640", "hx")),
        ("symbolic link|777|root|root|/etc/hx/env", (True, "l", "0777", "root")),
        ("regular file|600|root|root|/etc/hx/other", (False, None, None, None)),
    ],
)
def test_secret_files_where_root_alone_may_look(
    monkeypatch: pytest.MonkeyPatch, shown: str, seen: tuple[Any, ...]
) -> None:
    def refused(path: str) -> dict[str, Any]:
        raise PermissionError(path)

    monkeypatch.setattr(tree_of, "entry", refused)
    monkeypatch.setattr(tree_of, "privileged", lambda *_: (0, shown + "\n", ""))
    (found,) = secrets({"secrets": ["/etc/hx/env"]})
    document = found["entry"] or {}
    assert (found["exists"], *(document.get(key) for key in ("kind", "mode", "group"))) == seen


def test_secret_files_that_nobody_may_look_at_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: str) -> dict[str, Any]:
        raise PermissionError(path)

    monkeypatch.setattr(tree_of, "entry", refused)
    with pytest.raises(Missing, match="declares nothing for secret_files"):
        secrets({"secrets": ["/etc/hx/env"], "privileges": {}})


def test_commands_run_bounded_and_in_the_c_locale() -> None:
    assert run(["sh", "-c", "echo $LC_ALL; exit 3"]) == (3, "C\n", "")
    with pytest.raises(Missing, match="did not end within"):
        run(["sleep", "5"], deadline=0.05)
    with pytest.raises(Missing, match="is not there"):
        run(["/no/such/command"])
    with pytest.raises(Missing, match="there is no account hx-nobody-such"):
        run(["true"], user="hx-nobody-such")
    with pytest.raises(Missing, match="exit code 1"):
        output(["false"])


def test_an_undeclared_privilege_is_missing() -> None:
    with pytest.raises(Missing, match="declares nothing for sockets"):
        privileged({"privileges": {}}, "sockets")


def test_a_privilege_that_sudo_refuses_names_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sudo = tmp_path / "sudo"
    sudo.write_text("#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n")
    sudo.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    request = {"privileges": {"sockets": {"as": "root", "argv": ["/usr/bin/ss", "-Hlntup"]}}}
    with pytest.raises(Missing, match="sudo refuses it: sudo: a password is required") as caught:
        privileged(request, "sockets")
    assert caught.value.needs == "sockets"


def test_a_program_may_be_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    declared = {"as": "root", "argv": ["/no/such/echo", "x"], "elsewhere": "/bin/echo"}
    assert privileged({"privileges": {"sockets": declared}}, "sockets") == (0, "x\n", "")


def test_a_warning_of_sudo_is_no_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sudo = tmp_path / "sudo"
    sudo.write_text("#!/bin/sh\necho 'sudo: unable to resolve host hx: no name' >&2\nexit 1\n")
    sudo.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    request = {"privileges": {"default_key": {"as": "root", "argv": ["/usr/bin/grep", "-q", "x"]}}}
    assert privileged(request, "default_key") == (1, "", "")


def test_the_unit_of_a_cgroup() -> None:
    assert unit_of("/system.slice/hx.service/sub") == "hx.service"
    assert unit_of("/init.scope") == "init.scope"


@pytest.mark.parametrize(
    ("command", "program"),
    [
        ("/venv/bin/litellm --port 4000", ["litellm"]),
        ("/venv/bin/python3 -I /venv/bin/litellm --port 4000", ["litellm"]),
        ("python3.11 -m litellm serve", ["litellm", "serve"]),
        ("/usr/bin/ollama serve", ["ollama", "serve"]),
        ("bash -c litellm", ["-c", "litellm"]),
        ("vim litellm", ["vim", "litellm"]),
        ("python3", []),
        ("", []),
    ],
)
def test_the_program_of_a_command_line(command: str, program: list[str]) -> None:
    assert identity(command.split()) == program


def test_a_copy_is_leaks_of_answer_its_program_and_not_found_in_its_own_unit(tmp_path: Path) -> None:
    program = tmp_path / "hx-gateway-program"
    program.symlink_to(sys.executable)
    waiting = [str(program), "-c", "print('here', flush=True); input()"]
    pipe = subprocess.PIPE
    with subprocess.Popen(waiting, stdin=pipe, stdout=pipe) as running:
        # The kernel shows no command line until a moment after the program was started.
        assert running.stdout
        assert running.stdout.readline() == b"here\n"
        command = ["/opt/hx-gateway-program", "--port", "1"]
        found = copies(command, "hx.service")
        assert [copy["pid"] for copy in found] == [running.pid]
        assert found[0].keys() == {"pid", "user", "unit", "comm"}
        assert copies(command, found[0]["unit"]) == []
        running.communicate(b"\n")
    assert copies(["/bin/sh", "-c", "x"], "hx.service") == []


def test_hidden_processes_are_missing_and_not_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "first_line", lambda *_: "")
    with pytest.raises(Missing, match="hidepid"):
        processes.all_processes()


def test_groups_of_system_calls() -> None:
    text = "@io\n    # Reading\n    read\n    @more\n\n@known\n    read\n# Ungrouped:\n#   vm86\n"
    assert call_groups(text) == {"@io": ["read", "@more"]}


def test_dependencies_have_one_order() -> None:
    assert in_order("After", "b.target a.target") == "a.target b.target"
    assert in_order("ExecStart", "b a") == "b a"


def test_entries_of_every_kind(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert entry(str(tmp_path / "pipe"))["kind"] == "o"
    assert entry(str(tmp_path))["kind"] == "d"
