#!/usr/bin/env bash
# Deploys the LiteLLM gateway in place: directories, service user, virtual environment, secrets, unit, ownership.
# Idempotent: a second run changes nothing and restarts nothing. See --help.
set -euo pipefail

readonly LITELLM_VERSION_DEFAULT=1.108.7
readonly SERVICE_USER=hx-gateway
readonly SERVICE_GROUP=hx-gateway
readonly UNIT=hx-litellm-gateway.service
readonly UNIT_PATH=/etc/systemd/system/$UNIT
readonly SECRETS_DIRECTORY=/etc/hx-gateway
readonly SECRETS=$SECRETS_DIRECTORY/hx-litellm-gateway.env
readonly NEEDED_COMMANDS=(ip python3 curl jq)
readonly KNOWN_DEFAULT_KEYS=(sk-hx-dev-1234 sk-1234)
readonly DEVELOPMENT_PATHS=(config scripts x-Docs gateway/README.md)
readonly DIRECTORIES=(
  config config/api-gateway config/backends config/monitoring
  gateway
  logs logs/deployment logs/services logs/services/api-gateway
  scripts scripts/backup scripts/deployment scripts/monitoring scripts/service scripts/service/api-gateway
  scripts/validation
  x-Docs x-Docs/deployment x-Docs/operations x-Docs/security
)
readonly READY_SECONDS=90
readonly ANSWER_SECONDS=60

readonly PORT=4000  # as the unit says
readonly SETTINGS=(HX_GATEWAY_ADDRESS HX_LLM_01_URL HX_LLM_02_URL HX_ORC_URL)

WHEELHOUSE=""
LITELLM_VERSION=$LITELLM_VERSION_DEFAULT
DRY_RUN=0
DEVELOPMENT=0
DEVELOPMENT_USER=agent0
ENVIRONMENT_ONLY=0
CHANGED=0

usage() {
  cat <<'TEXT'
Usage: deploy-litellm-gateway.sh [OPTIONS]

Deploys the LiteLLM gateway from the checkout that this script lies in, on the host that owns the gateway's
address. Needs root, and the commands ip, python3 (with venv), curl and jq.

  --wheelhouse DIR      install from the wheels in DIR, without a package index; where DIR holds a
                        requirements.lock, exactly what it pins, with hashes
  --litellm-version V   the version to install without a lock (default 1.108.7)
  --environment-only    make the virtual environment and nothing else (for building images)
  --dry-run             say what would be done, and change nothing
  --dev                 give config/, scripts/, x-Docs/ and gateway/README.md to the development user,
                        for editing only; a run without --dev reverts it
  --dev-user NAME       that user (default agent0)
  --help                this text

Settings, by variable; where one is not set, as the last deployment on this host had it:
  HX_GATEWAY_ADDRESS                   the address that this host must own
  HX_LLM_01_URL, HX_LLM_02_URL, HX_ORC_URL   the backends, such as http://ADDRESS:11434
  LITELLM_MASTER_KEY                   the gateway's key; kept where one is set already, made up where none is
  FORCE=1                              deploy on a host that does not own the address

Exit codes: 0 deployed (or nothing to do), 1 failed, 2 usage, 3 wrong host or a missing command.
TEXT
}

say() { printf '%s\n' "$*"; }
fail() { printf 'deploy: %s\n' "$1" >&2; exit "${2:-1}"; }

# run COMMAND...: what changes something; a dry run only says it
run() {
  CHANGED=1
  if ((DRY_RUN)); then say "  would run: $*"; else "$@"; fi
}

while (($#)); do
  case $1 in
    --wheelhouse) [[ $# -ge 2 ]] || fail "--wheelhouse needs a directory; see --help" 2; WHEELHOUSE=$2; shift 2 ;;
    --litellm-version) [[ $# -ge 2 ]] || fail "--litellm-version needs a version; see --help" 2; LITELLM_VERSION=$2; shift 2 ;;
    --dev-user) [[ $# -ge 2 ]] || fail "--dev-user needs a name; see --help" 2; DEVELOPMENT_USER=$2; shift 2 ;;
    --environment-only) ENVIRONMENT_ONLY=1; shift ;;
    --dry-run) DRY_RUN=1; shift ;;
    --dev) DEVELOPMENT=1; shift ;;
    --help | -h) usage; exit 0 ;;
    *) fail "unknown option '$1'; see --help" 2 ;;
  esac
done

BASE=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly BASE
readonly VENV=$BASE/gateway/venv
readonly UNIT_SOURCE=$BASE/config/api-gateway/$UNIT

check_commands() {
  local command missing=()
  for command in "${NEEDED_COMMANDS[@]}"; do
    command -v "$command" >/dev/null 2>&1 || missing+=("$command")
  done
  for command in "${missing[@]}"; do
    case $command in
      ip) printf 'deploy: the command ip is missing; install the package iproute2\n' >&2 ;;
      *) printf 'deploy: the command %s is missing; install the package %s\n' "$command" "$command" >&2 ;;
    esac
  done
  ((${#missing[@]} == 0)) || exit 3
}

check_input() {
  [[ -z $WHEELHOUSE || -d $WHEELHOUSE ]] || fail "--wheelhouse $WHEELHOUSE is no directory; give the one with the wheels" 2
  [[ -f $UNIT_SOURCE ]] || fail "$UNIT_SOURCE is missing; run the script from its place in a whole checkout"
  local key
  if ((!DEVELOPMENT)); then
    for key in "${KNOWN_DEFAULT_KEYS[@]}"; do
      [[ ${LITELLM_MASTER_KEY:-} != "$key" ]] ||
        fail "LITELLM_MASTER_KEY is a key that is known to the world; set another one, or none to have it made up"
    done
  fi
  ((DRY_RUN)) || [[ $(id -u) == 0 ]] || fail "root is needed; run it with sudo"
}

# No address is a default: a gateway that asks somebody else's backends must not come of a forgotten variable.
read_settings() {
  local name missing=()
  for name in "${SETTINGS[@]}"; do
    if [[ -z ${!name:-} && -r $SECRETS ]]; then
      printf -v "$name" %s "$(sed -n "s/^$name=//p" "$SECRETS")"
    fi
    [[ -n ${!name:-} ]] || missing+=("$name")
  done
  ((${#missing[@]} == 0)) || fail "not set: ${missing[*]}; set them for this deployment, see --help" 2
}

check_host() {
  local owned
  owned=$(ip -j addr | jq -r '.[].addr_info[].local')
  grep -qxF "$HX_GATEWAY_ADDRESS" <<<"$owned" && return
  if [[ ${FORCE:-0} == 1 ]]; then
    say "  this host does not own $HX_GATEWAY_ADDRESS; going on because of FORCE=1"
  else
    fail "this host does not own $HX_GATEWAY_ADDRESS: it is not the gateway's; set HX_GATEWAY_ADDRESS, or FORCE=1 to deploy nevertheless" 3
  fi
}

make_directories() {
  local directory
  for directory in "${DIRECTORIES[@]}"; do
    [[ -d $BASE/$directory ]] || run install -d -m 755 "$BASE/$directory"
  done
}

make_user() {
  getent group "$SERVICE_GROUP" >/dev/null || run groupadd --system "$SERVICE_GROUP"
  getent passwd "$SERVICE_USER" >/dev/null || run useradd --system --gid "$SERVICE_GROUP" \
    --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin "$SERVICE_USER"
}

make_environment() {
  local wanted marker=$VENV/.deployed
  if [[ -f $WHEELHOUSE/requirements.lock ]]; then
    wanted="lock $(sha256sum <"$WHEELHOUSE/requirements.lock" | cut -d' ' -f1)"
  else
    wanted="litellm[proxy]==$LITELLM_VERSION"
  fi
  if [[ -f $marker && $(<"$marker") == "$wanted" ]]; then
    return
  fi
  run rm -rf "$VENV"
  run python3 -m venv "$VENV"
  local source=(--disable-pip-version-check --no-cache-dir --quiet)
  [[ -z $WHEELHOUSE ]] || source+=(--no-index --find-links "$WHEELHOUSE")
  if [[ $wanted == lock* ]]; then
    run "$VENV/bin/pip" install "${source[@]}" --no-deps --require-hashes -r "$WHEELHOUSE/requirements.lock"
  else
    run "$VENV/bin/pip" install "${source[@]}" "$wanted"
  fi
  run "$VENV/bin/pip" --disable-pip-version-check check
  if ((DRY_RUN)); then say "  would note: $wanted"; else printf '%s\n' "$wanted" >"$marker"; fi
}

# The key never stands on a command line and is never shown.
make_secrets() {
  local key=${LITELLM_MASTER_KEY:-} text
  if [[ -z $key && -r $SECRETS ]]; then
    key=$(sed -n 's/^LITELLM_MASTER_KEY=//p' "$SECRETS")
    local known
    for known in "${KNOWN_DEFAULT_KEYS[@]}"; do
      ((DEVELOPMENT)) || [[ $key != "$known" ]] || { key="" && say "  the key in $SECRETS is known to the world and is replaced"; }
    done
  fi
  if [[ -z $key ]]; then
    key=$(python3 -c 'import secrets; print("sk-" + secrets.token_hex(24))')
    if ((DRY_RUN)); then
      say "  would make up a master key"
    else
      say "  a master key is made up; read it, as root, in $SECRETS"
    fi
  fi
  text="LITELLM_MASTER_KEY=$key
HX_GATEWAY_ADDRESS=$HX_GATEWAY_ADDRESS
HX_LLM_01_URL=$HX_LLM_01_URL
HX_LLM_02_URL=$HX_LLM_02_URL
HX_ORC_URL=$HX_ORC_URL
LITELLM_MODE=PRODUCTION
LITELLM_LOG=ERROR
LITELLM_LOCAL_MODEL_COST_MAP=True"
  [[ -d $SECRETS_DIRECTORY ]] || run install -d -m 755 -o root -g root "$SECRETS_DIRECTORY"
  if [[ ! -r $SECRETS || $(<"$SECRETS") != "$text" ]]; then
    CHANGED=1
    if ((DRY_RUN)); then
      say "  would write: $SECRETS (root:root, 600)"
    else
      (umask 077 && printf '%s\n' "$text" >"$SECRETS.new" && mv "$SECRETS.new" "$SECRETS")
    fi
  fi
  [[ ! -e $SECRETS || $(stat -c %U:%G:%a "$SECRETS") == root:root:600 ]] || {
    run chown root:root "$SECRETS"
    run chmod 600 "$SECRETS"
  }
}

make_unit() {
  if ! cmp -s "$UNIT_SOURCE" "$UNIT_PATH"; then
    run install -m 644 -o root -g root "$UNIT_SOURCE" "$UNIT_PATH.new"
    run mv "$UNIT_PATH.new" "$UNIT_PATH"
    run systemctl daemon-reload
  fi
}

# Files 644, directories and scripts 755, root:hx-gateway; git's own files stay as git makes them.
set_ownership() {
  local wanted="root:$SERVICE_GROUP" before=$CHANGED
  if ! getent group "$SERVICE_GROUP" >/dev/null; then
    say "  would set owner $wanted, mode 644 of files, 755 of directories and scripts"
    return
  fi
  own() {
    local what=$1
    shift
    [[ -z $(find "$BASE" "$@" -print -quit) ]] && return
    CHANGED=1
    if ((DRY_RUN)); then say "  would set $what"; else find "$BASE" "$@" -exec "${ACTION[@]}" {} +; fi
  }
  ACTION=(chown -h "$wanted")
  own "owner $wanted" \( ! -user root -o ! -group "$SERVICE_GROUP" \)
  ACTION=(chmod 755)
  own "mode 755 of directories" -type d ! -perm 755
  own "mode 755 of scripts" -type f -name '*.sh' ! -perm 755 -not -path "$VENV/*"
  own "mode 755 of programs" -type f -path "$VENV/*" -perm /111 ! -perm 755
  ACTION=(chmod 644)
  own "mode 644 of files" -type f -not -name '*.sh' -not -path "$VENV/*" ! -perm 644
  own "mode 644 of libraries" -type f -path "$VENV/*" ! -perm /111 ! -perm 644
  # ownership alone needs no restart: the running process has read what it needs
  CHANGED=$before
}

set_development_ownership() {
  id "$DEVELOPMENT_USER" >/dev/null 2>&1 || fail "the development user $DEVELOPMENT_USER does not exist; give --dev-user"
  local path
  for path in "${DEVELOPMENT_PATHS[@]}"; do
    if ((DRY_RUN)); then
      say "  would give $BASE/$path to $DEVELOPMENT_USER"
    else
      chown -R "$DEVELOPMENT_USER" "$BASE/$path"
    fi
  done
  say "WARNING: development ownership, for editing only. Before production, run: sudo $BASE/scripts/deployment/$(basename "$0")"
}

start_service() {
  [[ $(systemctl is-enabled "$UNIT" 2>/dev/null || true) == enabled ]] || run systemctl enable --quiet "$UNIT"
  if ((CHANGED)) || ! systemctl is-active --quiet "$UNIT" || older_than_its_files; then
    run systemctl restart "$UNIT"
  fi
}

# older_than_its_files: whether configuration, secrets or unit changed after the process was started
older_than_its_files() {
  local started file
  started=$(date +%s --date "$(systemctl show --value -p ExecMainStartTimestamp "$UNIT")")
  for file in "$BASE/config/api-gateway/config.yaml" "$SECRETS" "$UNIT_PATH"; do
    (($(stat -c %Y "$file") <= started)) || return 0
  done
  return 1
}

# ask PATH [BODY]: the gateway's answer; the key goes to curl through its standard input
ask() {
  local arguments=(--silent --show-error --fail --max-time "$ANSWER_SECONDS" --noproxy '*' --config -)
  [[ $# -lt 2 ]] || arguments+=(--header 'Content-Type: application/json' --data "$2")
  printf 'header = "Authorization: Bearer %s"\n' "$KEY" | curl "${arguments[@]}" "$URL$1"
}

validate() {
  local URL="http://$HX_GATEWAY_ADDRESS:$PORT" KEY code answer model wanted
  [[ ${FORCE:-0} != 1 ]] || URL="http://127.0.0.1:$PORT"
  KEY=$(sed -n 's/^LITELLM_MASTER_KEY=//p' "$SECRETS")
  local deadline=$((SECONDS + READY_SECONDS))
  until curl --silent --fail --max-time 2 --noproxy '*' --output /dev/null "$URL/health/liveliness"; do
    ((SECONDS < deadline)) || fail "the gateway does not answer at $URL within $READY_SECONDS s; look at: journalctl -u $UNIT"
    sleep 0.2
  done
  for model in hx-chat llm01-llama3.2-3b llm02-phi3 llm02-gemma2-2b emb-premium emb-perf emb-light; do
    ask /v1/models | jq -e --arg model "$model" '[.data[].id] | index($model)' >/dev/null ||
      fail "/v1/models does not list $model"
  done
  answer=$(ask /v1/chat/completions '{"model": "hx-chat", "temperature": 0, "max_tokens": 16,
    "messages": [{"role": "user", "content": "Return exactly the text: HX-OK"}]}' |
    jq -r '.choices[0].message.content') || fail "hx-chat does not answer; look at the backends"
  [[ $answer == *HX-OK* ]] || fail "hx-chat answered something else than HX-OK"
  for wanted in emb-premium:1024 emb-perf:768 emb-light:384; do
    answer=$(ask /v1/embeddings "{\"model\": \"${wanted%:*}\", \"input\": \"HX-OK\"}" | jq '.data[0].embedding | length') ||
      fail "${wanted%:*} does not answer; look at the backend orc"
    [[ $answer == "${wanted#*:}" ]] || fail "${wanted%:*} has $answer dimensions, ${wanted#*:} are expected"
  done
  code=$(curl --silent --max-time 5 --noproxy '*' --output /dev/null --write-out '%{http_code}' \
    --header 'Authorization: Bearer no-such-key' "$URL/v1/models" || true)
  [[ $code == 40[013] ]] || fail "a wrong key is answered with $code instead of being refused"
}

check_commands
check_input
if ((ENVIRONMENT_ONLY)); then
  make_environment
  exit 0
fi
read_settings
say "1/7 the host"
check_host
say "2/7 directories below $BASE"
make_directories
say "3/7 the service user $SERVICE_USER"
make_user
say "4/7 the virtual environment"
make_environment
say "5/7 secrets and unit"
make_secrets
make_unit
say "6/7 ownership"
set_ownership
((!DEVELOPMENT)) || set_development_ownership
say "7/7 the service"
if ((DRY_RUN)); then
  say "  would enable and start $UNIT, and validate it"
  exit 0
fi
start_service
validate
if ((CHANGED)); then say "deployed: the gateway answers, and is what was asked for"; else say "nothing to do: the gateway is what was asked for"; fi
