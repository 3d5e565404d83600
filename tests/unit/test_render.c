/* SPDX-License-Identifier: MIT */
/* Recordings: which format, and what is there when one fails. */
#include "tool/render.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 64u

static char folder[64];
static struct shl_why why;
static float samples[2][BLOCK];
static const float *const planes[2] = {samples[0], samples[1]};

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/shmlink-render-XXXXXX");
    for (uint32_t i = 0; i < BLOCK; i++) {
        samples[0][i] = (float)i / 100.f;
        samples[1][i] = -(float)i / 100.f;
    }
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[100];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static const char *path_of(const char *name)
{
    static char path[200];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static uint32_t files_there(void)
{
    DIR *dir = opendir(folder);
    uint32_t count = 0;

    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count - 2;
}

static void put(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* The first bytes. */
static void begins(const char *name, const char *text)
{
    char bytes[16] = "";
    FILE *file = fopen(path_of(name), "r");

    assert_non_null(file);
    assert_int_equal(fread(bytes, 1, strlen(text), file), strlen(text));
    fclose(file);
    assert_string_equal(bytes, text);
}

static shl_status begin(const char *path, uint64_t frames,
                        struct render **render)
{
    const struct render_options options = {.path = path,
                                           .rate_hz = 48000,
                                           .channels = 2,
                                           .block_frames = BLOCK,
                                           .frames = frames};

    why.text[0] = 0;
    *render = NULL;
    return render_open(&options, render, &why);
}

static void record(const char *path, uint64_t frames)
{
    struct render *render;

    assert_int_equal(begin(path, frames, &render), SHL_OK);
    assert_int_equal(render_write(render, planes, BLOCK, &why), SHL_OK);
    assert_int_equal(render_close(render, 1, &why), SHL_OK);
}

/* Read again by libsndfile, with what went in. */
static void holds_the_sound(const char *name, float slack)
{
    SF_INFO info = {.format = 0};
    float read[2 * BLOCK];
    SNDFILE *file = sf_open(path_of(name), SFM_READ, &info);

    assert_non_null(file);
    assert_int_equal(info.channels, 2);
    assert_int_equal(info.frames, BLOCK);
    assert_int_equal(sf_readf_float(file, read, BLOCK), BLOCK);
    sf_close(file);
    for (uint32_t i = 0; i < BLOCK; i++)
        for (uint32_t c = 0; c < 2; c++)
            assert_true(read[2 * i + c] <= samples[c][i] + slack &&
                        read[2 * i + c] >= samples[c][i] - slack);
}

/* ---- formats ---------------------------------------------------------------------- */

static void the_ending_says_which_format(void **state)
{
    static const struct {
        const char *name, *begins;
    } files[] = {{"a.wav", "RIFF"},  {"a.WAV", "RIFF"}, {"a", "RIFF"},
                 {"a.rf64", "RF64"}, {"a.w64", "riff"}, {"a.caf", "caff"},
                 {"a.aiff", "FORM"}, {"a.aif", "FORM"}, {"a.au", ".snd"},
                 {"a.flac", "fLaC"}};

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        assert_int_equal(render_check(path_of(files[i].name), &why), SHL_OK);
        record(path_of(files[i].name), BLOCK);
        begins(files[i].name, files[i].begins);
        holds_the_sound(files[i].name, i == 9 ? 1e-6f : 0.f);
    }
}

static void an_ending_that_is_no_format_is_refused(void **state)
{
    struct render *render;

    (void)state;
    assert_int_equal(render_check("/some.where/a.mp7", &why), SHL_BAD_VALUE);
    assert_non_null(strstr(why.text, ".flac"));
    assert_int_equal(begin(path_of("a.mp7"), BLOCK, &render), SHL_BAD_VALUE);
    assert_int_equal(render_check("/some.where/a", &why), SHL_OK);
    assert_int_equal(files_there(), 0);
}

static void more_than_4_gib_becomes_rf64_or_is_refused(void **state)
{
    const uint64_t most = (UINT64_C(0xFFFFFFFF) - 65536) / 8;
    struct render *render;

    (void)state;
    record(path_of("short.wav"), most);
    begins("short.wav", "RIFF");
    record(path_of("long.wav"), most + 1);
    begins("long.wav", "RF64");
    holds_the_sound("long.wav", 0.f);
    assert_int_equal(begin(path_of("a.aiff"), most + 1, &render),
                     SHL_BAD_VALUE);
    assert_non_null(strstr(why.text, "4 GiB"));
}

static void what_a_format_cannot_have_is_said(void **state)
{
    const struct render_options options = {.path = path_of("a.flac"),
                                           .rate_hz = 48000,
                                           .channels = 20,
                                           .block_frames = BLOCK,
                                           .frames = BLOCK};
    struct render *render;

    (void)state;
    assert_int_equal(render_open(&options, &render, &why), SHL_BAD_VALUE);
    assert_non_null(strstr(why.text, "20 channels"));
    assert_int_equal(files_there(), 0);
}

/* ---- what was there --------------------------------------------------------------- */

static void a_file_is_replaced_by_a_complete_one_only(void **state)
{
    struct render *render;
    struct stat about;

    (void)state;
    put("a.wav", "precious");
    assert_int_equal(chmod(path_of("a.wav"), 0640), 0);
    assert_int_equal(begin(path_of("a.wav"), BLOCK, &render), SHL_OK);
    assert_int_equal(render_write(render, planes, BLOCK, &why), SHL_OK);
    begins("a.wav", "precious");
    assert_int_equal(render_close(render, 0, &why), SHL_OK);
    begins("a.wav", "precious");
    assert_int_equal(files_there(), 1);
    record(path_of("a.wav"), BLOCK);
    holds_the_sound("a.wav", 0.f);
    assert_int_equal(files_there(), 1);
    assert_int_equal(stat(path_of("a.wav"), &about), 0);
    assert_int_equal(about.st_mode & 0777, 0640);
}

static void a_link_leads_to_the_file_and_stays(void **state)
{
    struct stat about;

    (void)state;
    assert_int_equal(mkdir(path_of("disk"), 0700), 0);
    assert_int_equal(symlink("disk/new.wav", path_of("a.wav")), 0);
    record(path_of("a.wav"), BLOCK);
    holds_the_sound("disk/new.wav", 0.f);
    record(path_of("a.wav"), BLOCK);
    assert_int_equal(lstat(path_of("a.wav"), &about), 0);
    assert_true(S_ISLNK(about.st_mode));
    assert_int_equal(files_there(), 2);
}

static void devices_and_pipes_are_never_replaced(void **state)
{
    struct render *render;
    struct stat about;
    int reader;

    (void)state;
    assert_int_equal(symlink("/dev/null", path_of("null.wav")), 0);
    record("/dev/null", BLOCK);
    record(path_of("null.wav"), BLOCK);
    assert_int_equal(begin("/dev/null", BLOCK, &render), SHL_OK);
    assert_int_equal(render_close(render, 0, &why), SHL_OK);
    assert_int_equal(stat("/dev/null", &about), 0);
    assert_true(S_ISCHR(about.st_mode));
    assert_int_equal(mkfifo(path_of("pipe.au"), 0600), 0);
    reader = open(path_of("pipe.au"), O_RDONLY | O_NONBLOCK);
    assert_true(reader >= 0);
    if (!begin(path_of("pipe.au"), BLOCK, &render)) {
        render_write(render, planes, BLOCK, &why);
        render_close(render, 0, &why);
    }
    close(reader);
    assert_int_equal(lstat(path_of("pipe.au"), &about), 0);
    assert_true(S_ISFIFO(about.st_mode));
}

/* The limit of file sizes stands for a disk that is full, with its signal. */
static void a_full_disk_is_said_and_leaves_the_old_file(void **state)
{
    struct rlimit before, limit;
    struct render *render;
    shl_status status = SHL_OK;

    (void)state;
    put("a.wav", "precious");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 20000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(begin(path_of("a.wav"), BLOCK, &render), SHL_OK);
    for (int i = 0; i < 200 && !status; i++)
        status = render_write(render, planes, BLOCK, &why);
    const shl_status closed = render_close(render, 1, &why);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(status, SHL_NO_SPACE);
    assert_int_equal(closed, SHL_NO_SPACE);
    assert_non_null(strstr(why.text, "the disk is full"));
    begins("a.wav", "precious");
    assert_int_equal(files_there(), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_ending_says_which_format),
        TEST(an_ending_that_is_no_format_is_refused),
        TEST(more_than_4_gib_becomes_rf64_or_is_refused),
        TEST(what_a_format_cannot_have_is_said),
        TEST(a_file_is_replaced_by_a_complete_one_only),
        TEST(a_link_leads_to_the_file_and_stays),
        TEST(devices_and_pipes_are_never_replaced),
        TEST(a_full_disk_is_said_and_leaves_the_old_file),
    };

    return cmocka_run_group_tests_name("render", tests, NULL, NULL);
}
