/* SPDX-License-Identifier: MIT */
/* The audio thread of a plugin that is held: silence instead of its sound, and
 * the events of that time are counted and end what may hang. */
#include "plug/process.h"

#include "duet.h"

#include <cmocka.h>

static struct {
    struct plugin plugin; /* first */
    uint32_t processed, silenced, events;
} fake;

static struct plugin_ports fake_ports(const struct plugin *plugin)
{
    (void)plugin;
    return (struct plugin_ports){.audio_out = 1};
}

static void fake_process(struct plugin *plugin,
                         const struct plugin_block *given)
{
    (void)plugin;
    fake.processed++;
    fake.events += given->event_count;
    for (uint32_t i = 0; i < given->frames; i++)
        given->out[0][i] = 0.5f;
}

static void fake_silence(struct plugin *plugin)
{
    (void)plugin;
    fake.silenced++;
}

static uint32_t fake_latency(const struct plugin *plugin)
{
    (void)plugin;
    return 0;
}

static const struct plugin_calls calls = {.ports = fake_ports,
                                          .process = fake_process,
                                          .silence = fake_silence,
                                          .latency = fake_latency};
static struct process *process;
static shl_bell *bell;

/* One block, which hears the one before. */
static void turn(void)
{
    shl_host_process(host, in, out, FRAMES);
    assert_int_equal(process_once(process, LIMIT_MS), SHL_OK);
}

static void note(uint8_t status)
{
    const struct shl_event event = shl_event_midi(0, 0, status, 60, 100);

    assert_int_equal(shl_host_send(host, &event, 0), SHL_OK);
}

static struct process_figures figures(void)
{
    struct process_figures now;

    process_figures(process, &now);
    return now;
}

static void begin(void)
{
    const struct shl_device_options options = {.out_channels = 1,
                                               .capabilities = SHL_CAP_MIDI_IN};

    memset(&fake, 0, sizeof fake);
    fake.plugin.calls = &calls;
    new_device(options);
    new_host(0, 1, SHL_MODE_BOTH);
    link_up();
    const struct process_road road = {.device = device, .out_channels = 1};
    assert_int_equal(shl_bell_new(&bell), SHL_OK);
    process = process_new(&fake.plugin, &road, 48000, bell);
    assert_non_null(process);
    turn(); /* a new host ends all that sounds, once */
    fake.silenced = 0;
}

static int end(void **state)
{
    process_free(process);
    process = NULL;
    shl_bell_free(bell);
    return tear_down(state);
}

static void events_while_held_are_counted_and_nothing_hangs(void **state)
{
    (void)state;
    begin();
    note(0x90);
    turn();
    assert_int_equal(fake.events, 1);
    assert_true(process_hold(process, LIMIT_MS));
    note(0x80); /* the plugin will never hear of it */
    note(0x90);
    turn();
    assert_int_equal(fake.events, 1);
    assert_int_equal(fake.processed, 2);
    assert_int_equal(figures().held_events, 2);
    process_release(process);
    turn(); /* heard: the block while it was held */
    assert_true(silent(0));
    assert_int_equal(fake.silenced, 1);
    assert_int_equal(fake.processed, 3);
    turn();
    assert_false(silent(0));
    assert_int_equal(fake.silenced, 1);
}

static void a_hold_without_events_ends_no_note(void **state)
{
    (void)state;
    begin();
    note(0x90);
    turn();
    assert_true(process_hold(process, LIMIT_MS));
    turn();
    process_release(process);
    turn();
    assert_int_equal(fake.silenced, 0);
    assert_int_equal(figures().held_events, 0);
    assert_int_equal(figures().blocks, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            events_while_held_are_counted_and_nothing_hangs, start, end),
        cmocka_unit_test_setup_teardown(a_hold_without_events_ends_no_note,
                                        start, end),
    };

    return cmocka_run_group_tests_name("hold", tests, NULL, NULL);
}
