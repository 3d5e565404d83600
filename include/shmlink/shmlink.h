/* SPDX-License-Identifier: MIT */
/* All that a program needs to be a device, a host, or an observer of the board. C11,
 * and C++. For hosts of plugins and for state files: shmlink-plugin.h. */
#ifndef SHL_H
#define SHL_H

#include "arithmetic.h"
#include "block.h"
#include "checksum.h"
#include "device.h"
#include "event.h"
#include "host.h"
#include "limits.h"
#include "message.h"
#include "midi.h"
#include "monitor.h"
#include "name.h"
#include "number.h"
#include "observer.h"
#include "param.h"
#include "payload.h"
#include "realtime.h"
#include "registry.h"
#include "resampler.h"
#include "snapshot.h"
#include "status.h"
#include "system.h"
#include "tap.h"
#include "transport.h"
#include "watch.h"

#define SHL_VERSION_MAJOR 0
#define SHL_VERSION_MINOR 1
#define SHL_VERSION_PATCH 0

#endif
