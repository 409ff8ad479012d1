"""The reference deployment's files as faults of machines meet them, and the scripts that put them back."""

from __future__ import annotations

from lab.deployment import TREE

LIBRARY = f"$(echo {TREE}/gateway/venv/lib/python3*/site-packages)"
KEPT = "/run/gateway-acceptance-fault/files"


def kept(path: str) -> str:
    """A script that keeps a file as it is, with mode, owner and times."""
    return f"mkdir -p {KEPT}\ncp -a {path} {KEPT}/\n"


def put_back(path: str) -> str:
    """The script that puts it back."""
    name = path.rpartition("/")[2]
    return f"cp -a --remove-destination {KEPT}/{name} {path}\nrm {KEPT}/{name}\n"


def edited(path: str, *expressions: str) -> str:
    """A script that changes a file by sed expressions (without single quotes), and fails where that changes
    nothing."""
    words = " ".join(f"-e '{expression}'" for expression in expressions)
    return f"{kept(path)}sed -i {words} {path}\n! cmp -s {path} {KEPT}/{path.rpartition('/')[2]}\n"


def away(path: str) -> str:
    """A script that takes a file or directory away."""
    return f"mkdir -p {KEPT}\nmv {path} {KEPT}/\n"


def back(path: str) -> str:
    """The script that brings it back."""
    return f"mv {KEPT}/{path.rpartition('/')[2]} {path}\n"


def drop_in(unit: str, line: str) -> str:
    """A script that adds a line to a unit's [Service], loaded and not restarted."""
    folder = f"/run/systemd/system/{unit}.d"
    text = f"[Service]\\n{line}\\n"
    return f"mkdir -p {folder}\nprintf '{text}' > {folder}/95-fault.conf\nsystemctl daemon-reload\n"


def no_drop_in(unit: str) -> str:
    """The script that takes it away."""
    folder = f"/run/systemd/system/{unit}.d"
    return f"rm {folder}/95-fault.conf\nrmdir --ignore-fail-on-non-empty {folder}\nsystemctl daemon-reload\n"


def other_release(package: str, version: str) -> str:
    """A script that lets a distribution say that it is another release; no code changes."""
    return (
        f"mkdir -p {KEPT}\ncd {LIBRARY}\necho {package}-[0-9]*.dist-info > {KEPT}/{package}\n"
        f"mv $(cat {KEPT}/{package}) {package}-{version}.dist-info\n"
    )


def own_release(package: str, version: str) -> str:
    """The script that lets it say the truth again."""
    return f"cd {LIBRARY}\nmv {package}-{version}.dist-info $(cat {KEPT}/{package})\nrm {KEPT}/{package}\n"
