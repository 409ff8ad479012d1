"""Faults of machines that are run against all checks of machines, and what is rightly red beside the named
ones. Not said here: what is untestable and names a check that is red, which is where it is said why."""

from __future__ import annotations

from collections.abc import Mapping

COPY = "the file is newer than the process that was started with it"
NOT_COMMITTED = "what is changed in place is not what was committed"
NO_FILE = "the configuration cannot be read, and nobody knows what it says"
NO_SETTINGS = "the variables of the secrets' file cannot be had"
NO_UNIT = "nothing is loaded to judge it by"
NO_ENTRY = "nothing of the tree is seen to judge"
NOT_SEEN = "what is below the closed directories is not seen, and cannot be right"

HOST_COMPANIONS: Mapping[str, Mapping[str, str]] = {
    "host-directories-without-search-bit": {
        "HOST-ACCESS-001": "who may not search a directory reads nothing of it",
        "HOST-OWN-00[2-6]": NOT_SEEN,
        "HOST-SECRET-005": NOT_SEEN,
        "HOST-TREE-00[12467]": NOT_SEEN,
    },
    "host-way-closed": {
        "HOST-ACCESS-00[23]": NO_ENTRY,
        "HOST-OWN-00[78]": NO_ENTRY,
        "HOST-RES-00[34]": NO_ENTRY,
        "HOST-UNIT-007": NO_ENTRY,
    },
    "host-file-mode": {"HOST-ACCESS-003": "what everybody may write, the service may write"},
    "host-config-unreadable": {
        "HOST-CONF-0..": NO_FILE,
        "HOST-REC-0..": NO_FILE,
        "HOST-OWN-002": "its mode is not the declared one",
        "HOST-REPO-004": "it cannot be compared with the commit",
        "HOST-SECRET-005": "it cannot be searched for keys",
    },
    "host-secret-missing": {
        "HOST-ACCESS-00[45]": "there is no file to try",
        "HOST-CONF-0(06|09|10)": NO_SETTINGS,
        "HOST-REC-00[235689]": NO_SETTINGS,
        "HOST-SECRET-00[2348]": "there is no file, and no key in it",
        "HOST-UNIT-007": "there is no file whose time could be told",
    },
    "host-default-key": {"HOST-UNIT-007": COPY},
    "host-key-in-the-configuration": {
        "HOST-CONF-00[89]": "it is the master key, and it stands there by itself",
        "HOST-REPO-004": NOT_COMMITTED,
        "HOST-UNIT-007": COPY,
    },
    "host-unit-gone": {
        "HOST-CONF-0(06|09|10)": NO_UNIT,
        "HOST-REC-00[235689]": NO_UNIT,
        "HOST-SECRET-00[68]": NO_UNIT,
        "HOST-UNIT-002": NO_UNIT,
    },
    "host-service-stopped": {
        "HOST-NET-00[23]": "nobody listens",
        "HOST-PROC-008": "there is no process, and no second one",
    },
    "host-unit-other-command": {"HOST-RES-006": "the program that it names is outside the tree"},
    "host-service-as-root": {
        "HOST-HARD-00[123]": "the drop-in gives root's capabilities as well",
        "HOST-SECRET-00[67]": "the drop-in's command line holds a key",
        "HOST-UNIT-015": "the drop-in replaces the command line",
    },
    "host-service-without-sandbox": {"HOST-RES-006": "the drop-in takes the working directory, too"},
    "host-never-deployed": {"HOST-REPO-004": "the configuration was committed, and is gone"},
    "host-edited-in-place": {"HOST-UNIT-007": COPY},
    "host-configuration-no-yaml": {"HOST-REPO-004": NOT_COMMITTED, "HOST-UNIT-007": COPY},
    "host-alias-renamed": {
        "HOST-CONF-003": "the entry of the declared alias is gone",
        "HOST-REPO-004": NOT_COMMITTED,
        "HOST-UNIT-007": COPY,
    },
    "host-literal-master-key": {
        "HOST-REPO-004": NOT_COMMITTED,
        "HOST-SECRET-005": "the literal key stands in a file of the tree",
        "HOST-UNIT-007": COPY,
    },
    "host-variable-not-set": {
        "HOST-CONF-006": "the variable that is not set is a backend's address",
        "HOST-UNIT-007": COPY,
    },
}
"""Fault -> pattern of a check's id -> why it is red as well."""
