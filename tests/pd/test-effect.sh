#!/bin/sh
# SPDX-License-Identifier: MIT
# Signals through a device and back, and through a box without one.
# shows DL-01
. "$here/pd/pd.sh"

mirror Mirror:0 48000
batch with-effect.pd || exit 1
