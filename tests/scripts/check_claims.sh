#!/bin/sh
# SPDX-License-Identifier: MIT
# Hosts claim one device at once, again and again: tests/process/race_claim.c.
# shows DL-23
cd "$(dirname "$0")/../.." || exit 2
rounds=2000
[ -z "${SHL_SOAK:-}" ] || rounds=100000
exec build/tests/race_claim "$rounds" 3
