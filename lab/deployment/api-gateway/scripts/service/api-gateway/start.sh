#!/usr/bin/env bash
# Starts the gateway's service, and waits until it answers.
set -euo pipefail

readonly UNIT=hx-litellm-gateway.service
readonly READY_SECONDS=90

command -v curl >/dev/null || { echo "start: the command curl is missing; install the package curl" >&2; exit 3; }
systemctl start "$UNIT"
deadline=$((SECONDS + READY_SECONDS))
until curl --silent --fail --max-time 2 --noproxy '*' --output /dev/null http://127.0.0.1:4000/health/liveliness; do
  ((SECONDS < deadline)) || { echo "start: no answer within $READY_SECONDS s; look at: journalctl -u $UNIT" >&2; exit 1; }
  sleep 0.2
done
echo "started: the gateway answers"
