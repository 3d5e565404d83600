/* SPDX-License-Identifier: MIT */
/* What the tests of the role of a plugin host share: a scripted DAW in the same
 * process, and the host's next work. For cmocka programs, which include it once. */
#ifndef SERVE_DAW_H
#define SERVE_DAW_H

#include "shmlink/plugin_host.h"

#include "core/os/platform.h"

#include "fake_daw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const uint32_t versions[] = {3, 4, 5, 6, 7, 8};

#define VERSIONS (sizeof versions / sizeof versions[0])

static struct fake_daw daw;
static shl_plugin_host *plugin_host;
static struct shl_work work;

static inline void begin(uint32_t version)
{
    const struct shl_plugin_host_about about = {
        .name = "Test", .any_channels = 1, .rate_hz = 48000};
    struct shl_why why = {""};

    assert_true(fake_daw_open(&daw, version, SHL_MAOLAN_SIZE));
    if (fake_daw_serve(&daw, &plugin_host, &why))
        fail_msg("%s", why.text);
    shl_plugin_host_ready(plugin_host, &about);
}

static inline void end(void)
{
    shl_plugin_host_close(plugin_host);
    plugin_host = NULL;
    fake_daw_close(&daw);
}

static inline int tear_down(void **state)
{
    (void)state;
    end();
    return 0;
}

static inline const struct shl_maolan_layout *row(void)
{
    return daw.maolan.layout;
}

/* The next unit of work must be a block. */
static inline void take_block(void)
{
    assert_int_equal(shl_plugin_host_wait(plugin_host, 10000, &work), SHL_OK);
    assert_int_equal(work.kind, SHL_WORK_BLOCK);
}

static inline void take_request(void)
{
    assert_int_equal(shl_plugin_host_wait(plugin_host, 10000, &work), SHL_OK);
    assert_int_equal(work.kind, SHL_WORK_REQUEST);
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

#endif
