/* SPDX-License-Identifier: MIT */
/* How plugin programs that speak Maolan only start, or do not, and start again after
 * they have crashed. */
#include "plugin_peer.h"

#include <malloc.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>

/* ---- starts that fail ------------------------------------------------------------------- */

static shl_status refused(const char *spec, const char *program, char *why)
{
    const struct shl_host_program what = {spec, program, 0, 0, 0};
    new_host(stereo());
    shl_status st = shl_host_spawn(host, &what, LIMIT_MS);
    shl_host_why(host, why, 300);
    shl_host_free(host);
    host = NULL;
    return st;
}

static void starts_that_fail_say_why(void **state)
{
    char why[300];
    (void)state;
    assert_int_equal(refused("clap:B16/x", "/no/such/program", why),
                     SHL_NOT_FOUND);
    assert_non_null(strstr(why, "/no/such/program"));
    assert_int_equal(refused("clap:B16/code/3", peer_path, why), SHL_GONE);
    assert_non_null(strstr(why, "exit code 3"));
    assert_int_equal(refused("clap:B16/code/0", peer_path, why), SHL_GONE);
    assert_non_null(strstr(why, "could not load"));
    assert_int_equal(refused("clap:B16/dead", peer_path, why), SHL_GONE);
    assert_non_null(strstr(why, "signal 6"));
    assert_int_equal(refused("clap:X/none", peer_path, why), SHL_GONE);
    assert_non_null(strstr(why, "exit code 4"));
    assert_int_equal(refused("CLAP:x", peer_path, why), SHL_BAD_NAME);
    assert_int_equal(refused("nothing", peer_path, why), SHL_BAD_NAME);
    assert_int_equal(refused("clap:x", "/etc", why), SHL_NOT_FOUND);
}

/* A file with this content, named as the program. */
static shl_status refused_bytes(const void *bytes, size_t size, mode_t mode,
                                char *why)
{
    char path[] = "/tmp/shl-plugin-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    shl_status st = refused("clap:x", path, why);
    unlink(path);
    assert_non_null(strstr(why, path));
    return st;
}

static shl_status refused_text(const char *text, char *why)
{
    return refused_bytes(text, strlen(text), 0700, why);
}

/* The head of our peer, as if for a processor that nobody has. */
static shl_status refused_image(char *why)
{
    char bytes[4096];
    int fd = open(peer_path, O_RDONLY);
    assert_int_equal(read(fd, bytes, sizeof bytes), sizeof bytes);
    close(fd);
    bytes[18] = bytes[19] = 0x7F;
    return refused_bytes(bytes, sizeof bytes, 0700, why);
}

static void files_that_are_no_programs_are_told_as_such(void **state)
{
    char why[300];
    (void)state;
    assert_int_equal(refused_bytes("x", 1, 0600, why), SHL_NO_PERMISSION);
    assert_non_null(strstr(why, "type chmod +x /tmp/shl-plugin-"));
    assert_int_equal(refused_image(why), SHL_FOREIGN);
    assert_non_null(strstr(why, "another processor"));
    assert_int_equal(refused("clap:x", "shl-no-such", why), SHL_NOT_FOUND);
    assert_non_null(strstr(why, "no folder of PATH"));
    assert_int_equal(refused_text("no program\n", why), SHL_FOREIGN);
    assert_non_null(strstr(why, "no program of this system"));
    assert_int_equal(refused_text("#!/no/such/interpreter\n", why),
                     SHL_NOT_FOUND);
    assert_non_null(strstr(why, "interpreter /no/such/interpreter is not"));
}

/* A folder with a program of this name that is our peer. */
static void plant(char *folder, const char *name)
{
    char path[600];
    strcpy(folder, "/tmp/shl-plugin-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/%s", folder, name);
    char *whole = realpath(peer_path, NULL);
    assert_non_null(whole);
    assert_int_equal(symlink(whole, path), 0);
    free(whole);
}

static void unplant(const char *folder, const char *name)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
    rmdir(folder);
}

static shl_status spawn_searching(void)
{
    const struct shl_host_program what = {"clap:B16/normal", NULL, 0, 0, 0};
    fresh(stereo());
    return shl_host_spawn(host, &what, LIMIT_MS);
}

/* By the variables, the first that is set; then by PATH. A variable that is
 * wrong is told of, not passed over. */
/* shows ME-10 */
static void the_program_is_looked_for_in_order(void **state)
{
    char folder[64], why[300], *before = strdup(getenv("PATH"));
    (void)state;
    setenv("PATH", "/nowhere", 1);
    assert_int_equal(spawn_searching(), SHL_NOT_FOUND);
    shl_host_why(host, why, sizeof why);
    assert_non_null(strstr(why, "SHMLINK_PLUGIN_HOST"));
    setenv("MAOLAN_PLUGIN_HOST", peer_path, 1);
    assert_int_equal(spawn_searching(), SHL_OK);
    setenv("SHMLINK_PLUGIN_HOST", "/no/such/program", 1);
    assert_int_equal(spawn_searching(), SHL_NOT_FOUND);
    shl_host_why(host, why, sizeof why);
    assert_non_null(strstr(why, "SHMLINK_PLUGIN_HOST names /no/such/program"));
    setenv("SHMLINK_PLUGIN_HOST", peer_path, 1);
    setenv("MAOLAN_PLUGIN_HOST", "/no/such/program", 1);
    assert_int_equal(spawn_searching(), SHL_OK);
    unsetenv("SHMLINK_PLUGIN_HOST");
    unsetenv("MAOLAN_PLUGIN_HOST");
    plant(folder, "maolan-plugin-host");
    setenv("PATH", folder, 1);
    assert_int_equal(spawn_searching(), SHL_OK);
    unplant(folder, "maolan-plugin-host");
    setenv("PATH", before, 1);
    free(before);
}

/* A start may be given up at any time; nobody waits for one that never comes. */
/* shows MP-37 */
static void one_that_is_never_ready_can_be_left(void **state)
{
    (void)state;
    new_host(stereo());
    assert_int_equal(spawn_as("clap:B16/never+stubborn", 0, 0, 0), SHL_AGAIN);
    for (int i = 0; i < 100; i++) {
        play(1, 64);
        shl_host_poll(host);
        usleep(1000);
    }
    assert_int_equal(shl_host_linked(host), 0);
    assert_int_equal(shl_host_programs(), 1);
    shl_host_close(host);
}

/* What becomes of a start that takes long is told, and it ends in time. */
static void a_start_has_the_time_that_it_is_given(void **state)
{
    struct shl_host_program what = {"clap:B16/never", peer_path, 0, 0, 3};
    char why[300];
    (void)state;
    new_host(stereo());
    assert_int_equal(shl_host_spawn(host, &what, 0), SHL_AGAIN);
    assert_true(wait_notice(SHL_NOTICE_STARTING));
    assert_true(notice.value >= 2);
    assert_int_equal(notice.detail[1], 3);
    shl_host_why(host, why, sizeof why);
    assert_non_null(strstr(why, "has 3 seconds to get ready"));
    assert_true(wait_notice(SHL_NOTICE_REFUSED));
    assert_int_equal(notice.status, SHL_TIMEOUT);
    shl_host_why(host, why, sizeof why);
    assert_non_null(strstr(why, "-patience 18"));
}

static bool is_misfit(const char *spec, uint32_t protocol)
{
    bool told = false;
    char why[400];
    fresh(stereo());
    assert_int_equal(spawn_as(spec, protocol, 0, LIMIT_MS), SHL_OK);
    for (int i = 0; i < 100; i++) {
        play(1, 64);
        shl_host_poll(host);
        while (shl_host_notice(host, &notice))
            told = told || notice.kind == SHL_NOTICE_MISFIT;
    }
    shl_host_why(host, why, sizeof why);
    assert_int_equal(strstr(why, "or leave it out") != NULL, told);
    return told;
}

/* Nobody says a number; a counter of blocks came with 7. */
static void a_protocol_number_that_does_not_fit_is_told(void **state)
{
    (void)state;
    assert_true(is_misfit("clap:B16/count", 6));
    assert_false(is_misfit("clap:B16/count", 7));
    assert_false(is_misfit("clap:B16/count", 8));
    assert_false(is_misfit("clap:B16/count", 0));
    assert_false(is_misfit("clap:B16/normal", 6));
    assert_false(is_misfit("clap:B16/normal", 7));
    assert_true(is_misfit("clap:B16/normal", 8));
}

/* A drive that such a program has not, again and again. */
static void a_refused_drive_leaves_no_memory(void **state)
{
    struct shl_host_options options = stereo();
    struct mallinfo2 before;
    (void)state;
    options.drive = SHL_DRIVE_FREE;
    new_host(options);
    for (int i = 0; i < 12; i++) {
        assert_int_equal(spawn_as("clap:B16/normal", 6, 0, LIMIT_MS),
                         SHL_WRONG_DRIVE);
        for (int n = 0; n < LIMIT_MS && shl_host_programs(); n++)
            usleep(1000);
        if (i == 1)
            before = mallinfo2();
    }
    assert_true(mallinfo2().uordblks + mallinfo2().hblkhd <
                before.uordblks + before.hblkhd + (1u << 20));
}

#define PLANTED 300 /* more than this program has started by then */

/* Names that somebody has planted are passed over: hazard 16. */
static void planted_names_are_passed_over(void **state)
{
    static struct shl_map planted[PLANTED];
    char name[64];
    (void)state;
    for (int i = 0; i < PLANTED; i++) {
        planted[i] = (struct shl_map)SHL_MAP_NONE;
        snprintf(name, sizeof name, "/maolan-%d-clap-%d-%d", (int)getpid(),
                 (int)getpid(), i);
        assert_int_equal(shl_map_create(name, 4096, &planted[i]), SHL_OK);
        shl_map_close(&planted[i]);
    }
    spawn("clap:B16/normal");
    assert_true(play_both(1, 2, 64));
    assert_true(both_came(1, 2, 64));
    for (int i = 0; i < PLANTED; i++) {
        snprintf(name, sizeof name, "/maolan-%d-clap-%d-%d", (int)getpid(),
                 (int)getpid(), i);
        assert_int_equal(shl_map_unlink(name), SHL_OK);
    }
}

static void first_name(const char *name, uint64_t age_s, void *arg)
{
    char own[32];
    (void)age_s;
    snprintf(own, sizeof own, "/maolan-%d-", (int)getpid());
    if (strncmp(name, own, strlen(own)) == 0)
        snprintf(arg, 64, "%s", name);
}

static void name_of_one_that_starts(char name[64])
{
    name[0] = 0;
    new_host(stereo());
    assert_int_equal(spawn_as("clap:B16/never", 0, 0, 0), SHL_AGAIN);
    for (int i = 0; i < LIMIT_MS && !name[0]; i++) {
        shl_host_poll(host);
        shl_map_each("/maolan-", first_name, name);
        usleep(1000);
    }
    shl_host_free(host);
    host = NULL;
    for (int i = 0; i < LIMIT_MS && shl_host_programs(); i++)
        usleep(1000);
}

/* One that was given up before it had opened its segment must not find the next
 * one's there. */
static void no_name_comes_twice(void **state)
{
    char first[64], second[64];
    (void)state;
    name_of_one_that_starts(first);
    name_of_one_that_starts(second);
    assert_true(first[0] && second[0]);
    assert_string_not_equal(first, second);
}

/* Names of DAWs that were killed in the middle of a start are removed. */
static void names_of_the_dead_are_removed(void **state)
{
    struct shl_map planted = SHL_MAP_NONE;
    char name[64];
    int status;
    (void)state;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    waitpid(pid, &status, 0);
    snprintf(name, sizeof name, "/maolan-%d-clap-%d-0", (int)pid, (int)pid);
    assert_int_equal(shl_map_create(name, 4096, &planted), SHL_OK);
    shl_map_close(&planted);
    spawn("clap:B16/normal");
    assert_int_equal(shl_map_unlink(name), SHL_NOT_FOUND);
}

/* ---- again, and the end of the DAW --------------------------------------------------------- */

/* Plays at full speed until it crashes and until it is there again. */
static bool wait_again(void)
{
    bool crashed = false;
    for (int i = 0; i < 10 * LIMIT_MS; i++) {
        while (shl_host_notice(host, &notice)) {
            crashed = crashed || notice.kind == SHL_NOTICE_CRASH;
            if (crashed && notice.kind == SHL_NOTICE_OPEN)
                return true;
        }
        play(1, 64);
        shl_host_poll(host);
        if (!shl_host_linked(host))
            usleep(1000);
    }
    return false;
}

/* After more than a second of audio: at once, with state and values. */
/* shows ME-06 */
static void a_crash_is_followed_by_another_with_its_state(void **state)
{
    int rounds = getenv("SHL_SOAK") ? 1000 : 3;
    (void)state;
    new_host(stereo());
    assert_int_equal(spawn_as("clap:B16/exact+crash/900", 0, 1, LIMIT_MS),
                     SHL_OK);
    struct shl_event event = shl_event_param(0, SHL_EVENT_PARAM, 0, 0.5);
    assert_int_equal(shl_host_send(host, &event, 0), SHL_OK);
    for (int round = 0; round < rounds; round++) {
        assert_true(wait_again());
        assert_int_equal(shl_host_crashes(host), round + 1);
        for (int i = 0; i < LIMIT_MS && !(play(1, 64) && constant(0.5f, 64));
             i++) {
            shl_host_poll(host);
            usleep(1000);
        }
        assert_true(constant(0.5f, 64));
    }
}

/* Not its parameters alone: what it was given and has been asked for since. */
static void a_restarted_plugin_has_its_state(void **state)
{
    static const uint8_t kept[] = {0, 0, 0x80, 0x3F, 'k', 'e', 'p', 't'};
    uint8_t bytes[SHL_SCRATCH_SIZE] = {0};
    struct heard heard = {.bytes = bytes};
    struct shl_device_info info;
    (void)state;
    new_host(stereo());
    assert_int_equal(spawn_as("clap:B16/exact", 0, 1, LIMIT_MS), SHL_OK);
    assert_int_equal(ask(SHL_MESSAGE_STATE_RESTORE, kept, sizeof kept, &heard),
                     SHL_OK);
    for (int i = 0; i < LIMIT_MS && !host->plugin.state; i++) {
        play(1, 64);
        shl_host_poll(host);
        usleep(1000);
    }
    assert_non_null(host->plugin.state);
    assert_int_equal(shl_host_get_device(host, &info), SHL_OK);
    assert_int_equal(kill((pid_t)info.pid, SIGKILL), 0);
    assert_true(wait_again());
    assert_int_equal(ask(SHL_MESSAGE_STATE_SAVE, NULL, 0, &heard), SHL_OK);
    assert_int_equal(heard.size, sizeof kept);
    assert_memory_equal(bytes, kept, sizeof kept);
}

static void wait_level(float level)
{
    for (int i = 0; i < LIMIT_MS && !(play(1, 64) && constant(level, 64));
         i++) {
        shl_host_poll(host);
        usleep(1000);
    }
    assert_true(constant(level, 64));
}

static void set_level(float level)
{
    struct shl_event event =
        shl_event_param(0, SHL_EVENT_PARAM, 0, (double)level);
    assert_int_equal(shl_host_send(host, &event, 0), SHL_OK);
    wait_level(level);
}

static void restore_level(float level)
{
    struct heard heard = {0};
    assert_int_equal(
        ask(SHL_MESSAGE_STATE_RESTORE, &level, sizeof level, &heard), SHL_OK);
    wait_level(level);
}

static void kill_it(void)
{
    struct shl_device_info info;
    assert_int_equal(shl_host_get_device(host, &info), SHL_OK);
    assert_int_equal(kill((pid_t)info.pid, SIGKILL), 0);
    assert_true(wait_again());
}

/* What was set before a state is not set again after it; what was set since is,
 * also by the one after the next. */
static void only_what_is_newer_than_the_state_is_set_again(void **state)
{
    (void)state;
    new_host(stereo());
    assert_int_equal(spawn_as("clap:B16/normal", 0, 1, LIMIT_MS), SHL_OK);
    set_level(0.125f);
    restore_level(0.75f);
    kill_it();
    wait_level(0.75f);
    set_level(0.25f);
    kill_it();
    wait_level(0.25f);
    kill_it();
    wait_level(0.25f);
}

/* A save while blocks are played costs one of them: the first is made before. */
static void the_first_state_is_saved_before_the_first_block(void **state)
{
    float level = 0;
    (void)state;
    new_host(stereo());
    assert_int_equal(spawn_as("clap:B16/normal", 0, 1, LIMIT_MS), SHL_OK);
    assert_int_equal(host->plugin.state_size, sizeof level);
    memcpy(&level, host->plugin.state, sizeof level);
    assert_true(level == 1);
    assert_false(host->plugin.changed);
}

/* After less: with growing rests, then no more. */
static void one_that_always_crashes_is_left_stopped(void **state)
{
    char why[300];
    int crashes = 0;
    (void)state;
    new_host(stereo());
    assert_int_equal(spawn_as("clap:B16/crash/5", 0, 1, LIMIT_MS), SHL_OK);
    for (int i = 0; i < LIMIT_MS && crashes < 4; i++) {
        while (shl_host_notice(host, &notice))
            crashes += notice.kind == SHL_NOTICE_CRASH;
        play(1, 64);
        shl_host_poll(host);
        usleep(1000);
    }
    assert_int_equal(crashes, 4);
    for (int i = 0; i < 50; i++) {
        shl_host_poll(host);
        usleep(1000);
    }
    assert_int_equal(shl_host_linked(host), 0);
    shl_host_why(host, why, sizeof why);
    assert_non_null(strstr(why, "not started again: send open"));
    assert_int_equal(spawn_as("clap:B16/normal", 0, 0, LIMIT_MS), SHL_OK);
    assert_true(wait_sound());
}

/* A DAW that is killed takes its programs with it. */
/* shows ME-08 */
static void programs_end_with_their_daw(void **state)
{
    int tell[2], status;
    uint32_t pid = 0;
    (void)state;
    assert_int_equal(pipe(tell), 0);
    pid_t daw = fork();
    if (daw == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* if this test fails before */
        struct shl_device_info info = {.pid = 0};
        new_host(stereo());
        if (spawn_as("clap:B16/deaf+stubborn", 0, 0, LIMIT_MS) == SHL_OK)
            shl_host_get_device(host, &info);
        (void)!write(tell[1], &info.pid, sizeof info.pid);
        for (;;)
            pause();
    }
    assert_int_equal(read(tell[0], &pid, sizeof pid), sizeof pid);
    assert_true(pid > 0);
    assert_int_equal(kill((pid_t)pid, 0), 0);
    kill(daw, SIGKILL);
    waitpid(daw, &status, 0);
    struct shl_process process = shl_process_self();
    process.pid = pid;
    process.start_time = 0;
    for (int i = 0; i < LIMIT_MS && shl_process_alive(&process); i++)
        usleep(1000);
    bool alive = shl_process_alive(&process);
    if (alive)
        kill((pid_t)pid, SIGKILL);
    assert_false(alive);
    close(tell[0]);
    close(tell[1]);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(starts_that_fail_say_why),
        TEST(files_that_are_no_programs_are_told_as_such),
        TEST(the_program_is_looked_for_in_order),
        TEST(one_that_is_never_ready_can_be_left),
        TEST(a_start_has_the_time_that_it_is_given),
        TEST(a_protocol_number_that_does_not_fit_is_told),
        TEST(a_refused_drive_leaves_no_memory),
        TEST(planted_names_are_passed_over),
        TEST(no_name_comes_twice),
        TEST(names_of_the_dead_are_removed),
        TEST(a_crash_is_followed_by_another_with_its_state),
        TEST(a_restarted_plugin_has_its_state),
        TEST(only_what_is_newer_than_the_state_is_set_again),
        TEST(the_first_state_is_saved_before_the_first_block),
        TEST(one_that_always_crashes_is_left_stopped),
        TEST(programs_end_with_their_daw),
    };
    find_peer(argc, argv);
    return cmocka_run_group_tests(tests, start, NULL);
}
