"""Defects of LiteLLM's configuration and of the service's environment. None restarts the gateway: what is judged
is what the next start would read."""

from __future__ import annotations

from lab.deployment import CONFIGURATION, SECRETS, TREE, UNIT
from lab.faults.host_files import drop_in, edited, kept, no_drop_in, put_back
from lab.faults.model import Fault, host_fault

PATH = f"{TREE}/{CONFIGURATION}"
STARTS = f"{TREE}/gateway/venv/bin/litellm --host 0.0.0.0 --port 4000 --config {PATH}"


def configured(name: str, description: str, detected_by: dict[str, str], *expressions: str) -> Fault:
    """A fault of config.yaml by sed expressions."""
    change = edited(PATH, *expressions)
    return host_fault(name, description, detected_by, apply=change, revert=put_back(PATH))


def variables(name: str, description: str, detected_by: dict[str, str], *expressions: str) -> Fault:
    """A fault of the secrets' file by sed expressions."""
    change = edited(SECRETS, *expressions)
    return host_fault(name, description, detected_by, apply=change, revert=put_back(SECRETS))


HOST_CONFIGURATION_FAULTS: tuple[Fault, ...] = (
    configured(
        "host-configuration-no-yaml",
        "an edit broke the configuration's indentation",
        {"HOST-CONF-001": r"has no YAML \(.*, expected valid YAML"},
        "s/^  drop_params:/ drop_params:/",
        "s/^  set_verbose:/    set_verbose:/",
    ),
    configured(
        "host-alias-renamed",
        "an alias is configured under another name",
        {"HOST-CONF-002": r"the alias emb-light: has no model_list entry.*\n.*emb-lite .*is not declared"},
        "s/model_name: emb-light/model_name: emb-lite/",
    ),
    configured(
        "host-other-model",
        "an alias has another model than declared",
        {"HOST-CONF-003": r"the entries of emb-light: has \['all-mini:latest'\]"},
        "s,ollama/all-minilm,ollama/all-mini,",
    ),
    configured(
        "host-group-by-model-group",
        "hx-chat is one deployment, and router_settings.model_group is to balance it",
        {
            "HOST-CONF-004": r"the entries of hx-chat: has \['llama3.2:3b'\], expected \['gemma2:2b', 'llama",
            "HOST-CONF-007": r"router_settings\.model_group: has a setting without effect",
        },
        "/^  - model_name: hx-chat/{N;N;N;/phi3\\|gemma2/d}",
        "s/^router_settings:/&\\n  model_group: {hx-chat: [llm01-llama3.2-3b, llm02-phi3]}/",
    ),
    configured(
        "host-group-partly-weighted",
        "one entry of the group has a weight, and so gets all requests",
        {"HOST-CONF-005": r"hx-chat -> ollama_chat/(phi3|gemma2)\S+: has no weight, which counts as 0"},
        "/model_name: hx-chat/,/api_base/s,\\( *\\)model: ollama_chat/llama3.*,&\\n\\1weight: 1,",
    ),
    variables(
        "host-backend-elsewhere",
        "the variable of a backend's address names another machine",
        {
            "HOST-CONF-006": r"emb-perf.*api_base: has http://198\.51\.100\.30:11434 by HX_ORC_URL, expected http"
        },
        "s,^HX_ORC_URL=.*,HX_ORC_URL=http://198.51.100.30:11434,",
    ),
    configured(
        "host-literal-master-key",
        "the master key stands in the configuration, which everybody may read",
        {
            "HOST-CONF-008": r"general_settings\.master_key: has a literal secret",
            "HOST-CONF-009": r"general_settings\.master_key: has a literal value",
        },
        "s,os.environ/LITELLM_MASTER_KEY,sk-0123456789abcdef,",
    ),
    variables(
        "host-variable-not-set",
        "a variable that the configuration names is not set",
        {"HOST-CONF-010": r"HX_LLM_02_URL, named by model_list\[2\]\.litellm_params\.api_base, .*no value"},
        "/^HX_LLM_02_URL=/d",
    ),
    configured(
        "host-no-timeout",
        "no request_timeout: LiteLLM waits 6000 s",
        {"HOST-REC-001": r"request_timeout: has nothing \(6000 s\)"},
        "/request_timeout:/d",
    ),
    configured(
        "host-verbose",
        "set_verbose writes prompts into the log",
        {"HOST-REC-002": r"set_verbose: has true, expected false"},
        "s/set_verbose: false/set_verbose: true/",
    ),
    variables(
        "host-log-level",
        "LITELLM_LOG is not set",
        {"HOST-REC-003": r"LITELLM_LOG: has nothing, expected ERROR"},
        "/^LITELLM_LOG=/d",
    ),
    configured(
        "host-no-json-logs",
        "logs are no JSON",
        {"HOST-REC-004": r"json_logs: has nothing, expected true"},
        "/json_logs:/d",
    ),
    variables(
        "host-development-mode",
        "LITELLM_MODE is DEV",
        {"HOST-REC-005": r"LITELLM_MODE: has DEV, expected PRODUCTION"},
        "s/^LITELLM_MODE=.*/LITELLM_MODE=DEV/",
    ),
    host_fault(
        "host-many-workers",
        "the unit starts far more workers than there are processors",
        {"HOST-REC-006": r"workers: has 4096, expected at most \d+"},
        apply=drop_in(UNIT, f"ExecStart=\\nExecStart={STARTS} --num_workers 4096"),
        revert=no_drop_in(UNIT),
    ),
    configured(
        "host-other-strategy",
        "routing is by least-busy",
        {"HOST-REC-007": r"routing_strategy: has least-busy, expected simple-shuffle"},
        "s/simple-shuffle/least-busy/",
    ),
    configured(
        "host-redis-by-url",
        "Redis is given by URL",
        {"HOST-REC-008": r"router_settings\.redis_url: has Redis by URL"},
        "s,^router_settings:,&\\n  redis_url: redis://127.0.0.1:6379,",
    ),
    host_fault(
        "host-no-salt-key",
        "a database, and no salt key",
        {"HOST-REC-009": r"LITELLM_SALT_KEY: has nothing, with a database"},
        apply=f"{kept(SECRETS)}echo 'DATABASE_URL=postgresql://127.0.0.1/litellm' >> {SECRETS}\n",
        revert=put_back(SECRETS),
    ),
    host_fault(
        "host-open-without-database",
        "requests are let through without the database, on a machine with a public address",
        {"HOST-REC-010": r"has true, on a machine with 11\.0\.0\.39, expected false"},
        apply=edited(PATH, "s/^general_settings:/&\\n  allow_requests_on_db_unavailable: true/")
        + "ip addr add 11.0.0.39/32 dev lo\n",
        revert=put_back(PATH) + "ip addr del 11.0.0.39/32 dev lo\n",
    ),
    configured(
        "host-health-details",
        "/health tells the backends' addresses",
        {"HOST-REC-011": r"health_check_details: has nothing \(details are told\)"},
        "/health_check_details:/d",
    ),
    configured(
        "host-mock-testing",
        "clients may ask for pretended failures",
        {"HOST-REC-012": r"general_settings\.dangerously_allow_mock_testing_request_params: has true"},
        "s/^general_settings:/&\\n  dangerously_allow_mock_testing_request_params: true/",
    ),
)
