#!/usr/bin/env bash
# Stops the gateway's service.
set -euo pipefail

readonly UNIT=hx-litellm-gateway.service

systemctl stop "$UNIT"
echo "stopped"
