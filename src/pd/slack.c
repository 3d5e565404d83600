/* SPDX-License-Identifier: MIT */
#include "pd/slack.h"

#include "shmlink/shmlink.h"

#include "m_pd.h"

#include <string.h>

#define SECOND_NS UINT64_C(1000000000)
#define WINDOW    4 /* seconds */
#define LIMIT_US  50000.0
#define SHARE     0.4 /* of what is left: three waits in a row leave some ... */
#define BASE_US   3000 /* ... of which this much goes to the deadlines alone */

/* Where Pd has sys_get_audio_settings, its struct is these numbers, as its own
 * s_stuff.h has them; what else stands there is not taken for it. */
#define SETTINGS 64
enum { RATE = 21, ADVANCE_MS, CALLBACK };

static struct {
    double tick_us;
    double advance_us; /* that Pd keeps ahead; 0: not known */
    int callback; /* the sound card's thread computes, a period at a time */
    int none;
    double tick; /* seen last */
    uint64_t tick_ns;
    double burst_us, period_us; /* ticks without a pause: this time, the last */
    double most_us[WINDOW];     /* ahead, in each of the last seconds */
    uint64_t turned_ns;
} pd;

/* ---- settings ------------------------------------------------------------ */

static int flag(const char *name)
{
    const int *value = shl_symbol(name);

    return value && *value;
}

static void read_settings(int *settings)
{
    void (*get)(int *settings);
    void *symbol = shl_symbol("sys_get_audio_settings");

    memset(settings, 0, SETTINGS * sizeof *settings);
    if (!symbol)
        return;
    memcpy(&get, &symbol, sizeof get);
    get(settings);
}

static int are_sane(const int *settings)
{
    return settings[RATE] >= 1000 && settings[RATE] <= 1000000 &&
           settings[ADVANCE_MS] > 0 && settings[ADVANCE_MS] <= 10000 &&
           (settings[CALLBACK] == 0 || settings[CALLBACK] == 1);
}

/* Under somebody else's scheduler ([pd~], libpd) the settings say nothing. */
void slack_setup(double tick_ms)
{
    int settings[SETTINGS];

    pd.tick_us = tick_ms * 1000;
    pd.advance_us = 0;
    if (flag("sys_externalschedlib") || shl_symbol("libpd_init"))
        return;
    read_settings(settings);
    if (!are_sane(settings))
        return;
    pd.advance_us = settings[ADVANCE_MS] * 1000.0;
    pd.callback = settings[CALLBACK];
}

void slack_none(int none)
{
    pd.none = none;
}

/* ---- how far ahead ------------------------------------------------------- */

/* Only differences of it mean anything. */
static double ahead_us(uint64_t now_ns)
{
    return clock_gettimesince(0) * 1000 - (double)now_ns / 1000;
}

/* Right after a burst Pd is as far ahead as it ever is. Only some seconds are
 * remembered: a sound card has a clock of its own, and what a dropout took never
 * comes back. */
static void remember(double ahead, uint64_t now_ns)
{
    if (now_ns - pd.turned_ns >= SECOND_NS) {
        int i, all = now_ns - pd.turned_ns >= WINDOW * SECOND_NS;
        for (i = WINDOW - 1; i > 0; i--)
            pd.most_us[i] = all ? ahead : pd.most_us[i - 1];
        pd.most_us[0] = ahead;
        pd.turned_ns = now_ns;
    }
    if (pd.most_us[0] < ahead)
        pd.most_us[0] = ahead;
}

static double most_us(void)
{
    double most = pd.most_us[0];
    int i;

    for (i = 1; i < WINDOW; i++)
        if (pd.most_us[i] > most)
            most = pd.most_us[i];
    return most;
}

void slack_tick(double logical_time)
{
    uint64_t now_ns;

    if (pd.advance_us <= 0 ||
        !(logical_time > pd.tick || logical_time < pd.tick))
        return;
    now_ns = shl_clock_ns();
    if ((double)(now_ns - pd.tick_ns) > pd.tick_us * 500) {
        pd.period_us = pd.burst_us;
        pd.burst_us = 0;
    }
    pd.burst_us += pd.tick_us;
    pd.tick = logical_time;
    pd.tick_ns = now_ns;
    remember(ahead_us(now_ns), now_ns);
}

/* In a callback there is the period to compute it in, and nothing in store. */
uint32_t slack_us(void *unused)
{
    double store = pd.callback ? pd.period_us : pd.advance_us, left;

    (void)unused;
    if (pd.none || pd.advance_us <= 0)
        return 0;
    left = store - (most_us() - ahead_us(shl_clock_ns()));
    left = SHARE * (left - BASE_US);
    if (!(left > 0))
        return 0;
    return (uint32_t)(left < LIMIT_US ? left : LIMIT_US);
}
