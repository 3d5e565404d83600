/* The door of the core: all that a program needs to be a device, a host, or
 * somebody who looks at the board. C11, and C++. */
#ifndef SHL_H
#define SHL_H

#include "checksum.h"
#include "device.h"
#include "event.h"
#include "file.h"
#include "guest.h"
#include "host.h"
#include "message.h"
#include "midi.h"
#include "monitor.h"
#include "name.h"
#include "number.h"
#include "param.h"
#include "registry.h"
#include "resampler.h"
#include "scratchpad.h"
#include "serve.h"
#include "slot.h"
#include "snapshot.h"
#include "status.h"
#include "store.h"
#include "system.h"
#include "tap.h"
#include "transport.h"
#include "watch.h"

#define SHL_VERSION_MAJOR 0
#define SHL_VERSION_MINOR 1
#define SHL_VERSION_PATCH 0

#endif
