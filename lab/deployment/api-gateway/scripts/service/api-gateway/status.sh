#!/usr/bin/env bash
# Says whether the gateway's service runs and answers; exit code 0 where it does.
set -euo pipefail

readonly UNIT=hx-litellm-gateway.service

systemctl --no-pager --lines=0 status "$UNIT" || exit 1
if curl --silent --fail --max-time 5 --noproxy '*' --output /dev/null http://127.0.0.1:4000/health/liveliness; then
  echo "the gateway answers"
else
  echo "status: the service is active, and the gateway does not answer" >&2
  exit 1
fi
