#!/bin/sh
# SPDX-License-Identifier: MIT
# With a device that sends back what it hears, and with one that hears little.
# shows DL-01 DL-36
. "$here/pd/pd.sh"

mirror Mirror:0 48000
batch with-mirror.pd || exit 1
kill "$last"
wait "$last"
mirror Mirror:0 48000 deaf
batch with-deaf.pd || exit 1
