#!/bin/sh
# SPDX-License-Identifier: MIT
# A reader racing the creation of segments: tests/process/race_create.c.
# shows MP-36
cd "$(dirname "$0")/../.." || exit 2
count=2000
[ -z "${SHL_SOAK:-}" ] || count=100000
exec build/tests/race_create "$count"
