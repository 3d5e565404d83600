/* SPDX-License-Identifier: MIT */
/* Files and presets: whole or not there, names that lead nowhere, a full list,
 * two writers at once. */
#include "shmlink/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char home[64];
static struct shl_store store;
static struct shl_why why;

static int set_up(void **state)
{
    (void)state;
    snprintf(home, sizeof home, "/tmp/shmlink-store-XXXXXX");
    if (!mkdtemp(home) || setenv("SHMLINK_HOME", home, 1))
        return -1;
    return shl_store_init(&store, "link", "My Synth", &why) != SHL_OK;
}

static int tear_down(void **state)
{
    char command[256];

    (void)state;
    snprintf(command, sizeof command, "chmod -R u+w %s; rm -rf %s", home, home);
    return system(command);
}

static uint32_t files_in(const char *folder)
{
    DIR *dir = opendir(folder);
    uint32_t count = 0;

    if (!dir)
        return 0;
    while (readdir(dir))
        count++;
    closedir(dir);
    return count - 2; /* . and .. */
}

static void save(const char *name, const char *text, int new)
{
    int is_new = -1;

    assert_int_equal(
        shl_store_save(&store, name, text, strlen(text), &is_new, &why),
        SHL_OK);
    assert_int_equal(is_new, new);
}

static void holds(const char *name, const char *text)
{
    char path[SHL_PATH_SIZE];
    const uint8_t *state;
    uint8_t *file;
    size_t size;

    assert_int_equal(shl_store_path(&store, name, path, &why), SHL_OK);
    assert_int_equal(shl_state_load("link", path, &file, &state, &size, &why),
                     SHL_OK);
    assert_int_equal(size, strlen(text));
    assert_memory_equal(state, text, size);
    free(file);
}

static uint32_t count_presets(char first[SHL_FILE_NAME_SIZE])
{
    struct shl_preset *presets = NULL;
    uint32_t count = 99;

    assert_int_equal(shl_store_list(&store, &presets, &count, &why), SHL_OK);
    if (count && first)
        snprintf(first, SHL_FILE_NAME_SIZE, "%s", presets[0].name);
    free(presets);
    return count;
}

/* ---- names ---------------------------------------------------------------------- */

/* shows DL-58 */
static void names_lead_nowhere(void **state)
{
    static const char *const bad[] = {
        "",       ".",      "..",      "../x",        "a/b",  "/etc/passwd",
        "a\\b",   ".bash",  "c:x",     "a\nb",        "\x80", "\xc3",
        "x\x7fy", "a/../b", "..\\..x", "\xed\xa0\x80"};
    static const char *const good[] = {"a", "Warm Pad 2", "x..y",
                                       "\xc3\xa4.wav", "-rf"};
    char name[300];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(shl_file_name_check(bad[i], &why), SHL_BAD_NAME);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(shl_file_name_check(good[i], NULL), SHL_OK);
    memset(name, 'a', sizeof name);
    name[127] = 0;
    assert_int_equal(shl_file_name_check(name, &why), SHL_OK);
    name[127] = 'a';
    name[128] = 0;
    assert_int_equal(shl_file_name_check(name, &why), SHL_BAD_NAME);
    assert_non_null(strstr(why.text, " 127 bytes"));
}

static void the_folder_is_named_by_the_device(void **state)
{
    struct shl_store other;

    (void)state;
    assert_non_null(strstr(store.folder, "/presets/link/My Synth"));
    assert_int_equal(shl_store_init(&other, "link", "../a/b", &why), SHL_OK);
    assert_non_null(strstr(other.folder, "/presets/link/_._a_b"));
    assert_int_equal(shl_store_init(&other, "link", "a\\b", &why), SHL_OK);
    assert_non_null(strstr(other.folder, "/presets/link/a_b"));
    setenv("SHMLINK_HOME", "relative", 1); /* to whatever folder that is */
    setenv("XDG_DATA_HOME", "/data", 1);
    assert_int_equal(shl_store_init(&other, "link", "A", &why), SHL_OK);
    assert_string_equal(other.folder, "/data/shmlink/presets/link/A");
    unsetenv("SHMLINK_HOME");
    assert_int_equal(shl_store_init(&other, "link", "A", &why), SHL_OK);
    assert_string_equal(other.folder, "/data/shmlink/presets/link/A");
    unsetenv("XDG_DATA_HOME");
    setenv("HOME", "/home/me", 1);
    assert_int_equal(shl_store_init(&other, "link", "A", &why), SHL_OK);
    assert_string_equal(other.folder,
                        "/home/me/.local/share/shmlink/presets/link/A");
    unsetenv("HOME");
    assert_int_equal(shl_store_init(&other, "link", "A", &why), SHL_NOT_FOUND);
    setenv("HOME", home, 1);
    setenv("SHMLINK_HOME", home, 1);
}

/* ---- presets --------------------------------------------------------------------- */

/* shows DL-09 */
static void presets_are_saved_listed_renamed_deleted(void **state)
{
    char first[SHL_FILE_NAME_SIZE], trash[SHL_PATH_SIZE + 16];

    (void)state;
    assert_int_equal(count_presets(NULL), 0);
    save("warm", "w", 1);
    save("bright", "b", 1);
    save("bright", "b again", 0);
    assert_int_equal(count_presets(first), 2);
    assert_string_equal(first, "bright");
    holds("bright", "b again");
    assert_int_equal(shl_store_rename(&store, "bright", "warm", &why),
                     SHL_TAKEN);
    assert_string_equal(why.text, "there is a preset warm already");
    assert_int_equal(shl_store_rename(&store, "none", "x", &why),
                     SHL_NOT_FOUND);
    assert_int_equal(shl_store_rename(&store, "bright", "../x", &why),
                     SHL_BAD_NAME);
    assert_int_equal(shl_store_rename(&store, "bright", "a", &why), SHL_OK);
    holds("a", "b again");
    assert_int_equal(shl_store_delete(&store, "a", &why), SHL_OK);
    assert_int_equal(shl_store_delete(&store, "a", &why), SHL_NOT_FOUND);
    assert_int_equal(count_presets(NULL), 1);
    snprintf(trash, sizeof trash, "%s/trash", store.folder);
    assert_int_equal(files_in(trash), 1);
    save("a", "third", 1);
    assert_int_equal(shl_store_delete(&store, "a", &why), SHL_OK);
    assert_int_equal(files_in(trash), 1);
}

static void strange_files_are_passed_over(void **state)
{
    char command[SHL_PATH_SIZE + 200];

    (void)state;
    save("one", "1", 1);
    snprintf(command, sizeof command,
             "cd '%s' && touch .shl x.txt .hidden.shl && mkdir sub && "
             "printf junk >bad.shl && ln -s /dev/zero endless.shl && "
             "mkfifo pipe.shl",
             store.folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(count_presets(NULL), 4);
    char path[SHL_PATH_SIZE];
    const uint8_t *bytes;
    uint8_t *file;
    size_t size;
    assert_int_equal(shl_store_path(&store, "bad", path, &why), SHL_OK);
    assert_int_equal(shl_state_load("link", path, &file, &bytes, &size, &why),
                     SHL_BAD_VALUE);
    assert_int_equal(shl_store_path(&store, "pipe", path, &why), SHL_OK);
    assert_int_equal(shl_state_load("link", path, &file, &bytes, &size, &why),
                     SHL_BAD_NAME); /* and it did not wait for a writer */
    assert_int_equal(shl_store_path(&store, "endless", path, &why), SHL_OK);
    assert_int_equal(shl_state_load("link", path, &file, &bytes, &size, &why),
                     SHL_BAD_NAME);
}

/* ---- files ------------------------------------------------------------------------ */

static void what_cannot_be_written_leaves_nothing(void **state)
{
    char path[SHL_PATH_SIZE];
    struct stat about;

    (void)state;
    snprintf(path, sizeof path, "%s/none/x", home);
    assert_int_equal(shl_file_save(path, "a", 1, &why), SHL_NOT_FOUND);
    assert_non_null(strstr(why.text, "there is no such file or folder"));
    assert_int_equal(shl_file_save("", "a", 1, &why), SHL_BAD_NAME);
    snprintf(path, sizeof path, "%s/", home);
    assert_int_equal(shl_file_save(path, "a", 1, &why), SHL_BAD_NAME);
    snprintf(path, sizeof path, "%s/folder", home);
    assert_int_equal(shl_folder_make(path, &why), SHL_OK);
    assert_int_equal(shl_file_save(path, "a", 1, &why), SHL_BAD_NAME);
    snprintf(path, sizeof path, "%s/pipe", home);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(shl_file_save(path, "a", 1, &why), SHL_BAD_NAME);
    assert_int_equal(files_in(home), 2);
    assert_int_equal(stat(path, &about), 0);
    assert_true(S_ISFIFO(about.st_mode));
    snprintf(path, sizeof path, "%s/folder", home);
    assert_int_equal(shl_folder_make(path, &why), SHL_OK);
}

static void a_draft_is_not_seen_before_it_is_kept(void **state)
{
    char path[SHL_PATH_SIZE];
    shl_draft *draft;
    uint8_t *bytes;
    size_t size;

    (void)state;
    snprintf(path, sizeof path, "%s/file", home);
    assert_int_equal(shl_file_save(path, "old", 3, &why), SHL_OK);
    assert_int_equal(shl_draft_new(path, &draft, &why), SHL_OK);
    assert_int_equal(shl_draft_write(draft, "new", 3, &why), SHL_OK);
    assert_int_equal(shl_file_load(path, 10, &bytes, &size, &why), SHL_OK);
    assert_memory_equal(bytes, "old", 3);
    free(bytes);
    shl_draft_drop(draft);
    assert_int_equal(files_in(home), 1);
    assert_int_equal(shl_draft_new(path, &draft, &why), SHL_OK);
    assert_int_equal(shl_draft_write(draft, "newer", 5, &why), SHL_OK);
    assert_int_equal(shl_draft_keep(draft, 1, &why), SHL_OK);
    assert_int_equal(shl_file_load(path, 4, &bytes, &size, &why),
                     SHL_BAD_VALUE);
    assert_int_equal(shl_file_load(path, 5, &bytes, &size, &why), SHL_OK);
    assert_memory_equal(bytes, "newer", 5);
    free(bytes);
    assert_int_equal(files_in(home), 1);
    assert_int_equal(shl_file_load("/no/such", 5, &bytes, &size, &why),
                     SHL_NOT_FOUND);
    assert_int_equal(shl_file_load(home, 5, &bytes, &size, &why), SHL_BAD_NAME);
}

/* A writer that died with our number, and left more than one. */
static void leftovers_of_our_number_block_nothing(void **state)
{
    char path[SHL_PATH_SIZE], left[SHL_PATH_SIZE];

    (void)state;
    for (int i = 0; i < 2000; i++) {
        snprintf(left, sizeof left, "%s/.file.%d-%d.part", home, (int)getpid(),
                 i);
        assert_int_equal(mknod(left, S_IFREG | 0600, 0), 0);
    }
    snprintf(path, sizeof path, "%s/file", home);
    assert_int_equal(shl_file_save(path, "a", 1, &why), SHL_OK);
}

/* The limit of file sizes ends a program by a signal, unless it is told not to.
 * A full disk fails at the same place. */
static void a_full_disk_is_said_and_the_old_file_stays(void **state)
{
    static uint8_t much[100000];
    struct rlimit before, limit;
    char path[SHL_PATH_SIZE];
    shl_draft *draft;
    uint8_t *bytes;
    size_t size;

    (void)state;
    snprintf(path, sizeof path, "%s/file", home);
    assert_int_equal(shl_file_save(path, "old", 3, &why), SHL_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 10000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    const shl_status saved = shl_file_save(path, much, sizeof much, &why);
    /* what waits in the stream is written by the end of the draft */
    const shl_status begun = shl_draft_new(path, &draft, NULL);
    shl_status status = shl_draft_seek(draft, 9999, NULL);
    if (!status)
        status = shl_draft_write(draft, "ab", 2, NULL);
    const shl_status kept = shl_draft_keep(draft, 1, NULL);
    const shl_status again = shl_draft_new(path, &draft, NULL);
    if (!status)
        status = shl_draft_seek(draft, 9999, NULL);
    if (!status)
        status = shl_draft_write(draft, "ab", 2, NULL);
    shl_draft_drop(draft);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(saved, SHL_NO_SPACE);
    assert_non_null(strstr(why.text, "the disk is full"));
    assert_int_equal(begun || again || status, 0);
    assert_int_equal(kept, SHL_NO_SPACE);
    assert_int_equal(shl_file_load(path, 10, &bytes, &size, &why), SHL_OK);
    assert_int_equal(size, 3);
    assert_memory_equal(bytes, "old", 3);
    free(bytes);
    assert_int_equal(files_in(home), 1);
}

/* As long as the system takes, with names of 255 bytes. */
static void long_paths_are_followed_to_their_last_byte(void **state)
{
    char path[SHL_PATH_SIZE], target[SHL_PATH_SIZE], link[100];
    size_t length;
    uint8_t *bytes;
    size_t size;

    (void)state;
    snprintf(path, sizeof path, "%s", home);
    length = strlen(path);
    while (length + 256 < 3600) {
        path[length] = '/';
        memset(path + length + 1, 'd', 255);
        path[length += 256] = 0;
    }
    assert_int_equal(shl_folder_make(path, &why), SHL_OK);
    path[length] = '/';
    memset(path + length + 1, 'n', 255);
    path[length + 256] = 0;
    assert_int_equal(shl_file_save(path, "a", 1, &why), SHL_OK);
    assert_int_equal(shl_file_load(path, 1, &bytes, &size, &why), SHL_OK);
    free(bytes);
    path[length + 255] = 0; /* one byte less is another file */
    assert_int_equal(shl_file_load(path, 1, &bytes, &size, &why),
                     SHL_NOT_FOUND);
    snprintf(link, sizeof link, "%s/link", home);
    assert_int_equal(symlink(path, link), 0);
    assert_int_equal(shl_path_follow(link, target, &why), SHL_OK);
    assert_string_equal(target, path);
    for (length = strlen(path); length < sizeof path - 1; length++)
        path[length] = 'x';
    path[length] = 0;
    assert_int_equal(shl_file_save(path, "a", 1, &why), SHL_BAD_NAME);
    assert_int_equal(shl_path_follow(path, target, &why), SHL_OK);
    char longer[SHL_PATH_SIZE + 100];
    memset(longer, 'x', sizeof longer);
    longer[0] = '/';
    for (size_t end = SHL_PATH_SIZE; end < sizeof longer; end += 33) {
        longer[end] = 0;
        assert_int_equal(shl_file_save(longer, "a", 1, &why), SHL_BAD_NAME);
        assert_int_equal(shl_folder_make(longer, &why), SHL_BAD_NAME);
        assert_int_equal(shl_path_follow(longer, target, &why), SHL_BAD_NAME);
        setenv("SHMLINK_HOME", longer, 1);
        assert_int_equal(shl_store_init(&store, "link", "A", &why),
                         SHL_BAD_NAME);
        longer[end] = 'x';
    }
    setenv("SHMLINK_HOME", home, 1);
}

static void presets_at_the_end_of_the_longest_path(void **state)
{
    char deep[SHL_PATH_SIZE], name[SHL_FILE_NAME_SIZE];
    struct shl_store at;

    (void)state;
    memset(name, 'p', sizeof name);
    name[123] = 0;
    for (size_t i = SHL_PATH_SIZE - 300; i < SHL_PATH_SIZE; i++) {
        char path[SHL_PATH_SIZE];
        int is_new;

        memset(deep, 'x', sizeof deep);
        memcpy(deep, home, strlen(home));
        deep[strlen(home)] = '/';
        deep[i] = 0;
        setenv("SHMLINK_HOME", deep, 1);
        if (shl_store_init(&at, "link", "A", &why))
            continue;
        if (!shl_store_path(&at, name, path, &why))
            assert_true(strlen(path) < sizeof path);
        assert_int_not_equal(shl_store_save(&at, name, "a", 1, &is_new, &why),
                             SHL_OK);
        assert_int_not_equal(shl_store_rename(&at, name, "b", &why), SHL_OK);
        assert_int_not_equal(shl_store_delete(&at, name, &why), SHL_OK);
    }
    setenv("SHMLINK_HOME", home, 1);
}

static void links_are_followed_by_those_who_ask(void **state)
{
    char path[SHL_PATH_SIZE], target[SHL_PATH_SIZE], at[SHL_PATH_SIZE];
    struct stat about;

    (void)state;
    snprintf(path, sizeof path, "%s/one", home);
    snprintf(at, sizeof at, "%s/two", home);
    assert_int_equal(symlink("two", path), 0);
    assert_int_equal(symlink("three", at), 0);
    snprintf(at, sizeof at, "%s/three", home);
    assert_int_equal(shl_path_follow(path, target, &why), SHL_OK);
    assert_string_equal(target, at); /* which is not there yet */
    assert_int_equal(shl_file_save(path, "a", 1, &why), SHL_OK);
    assert_int_equal(lstat(path, &about), 0);
    assert_true(S_ISREG(about.st_mode));
    snprintf(path, sizeof path, "%s/round", home);
    assert_int_equal(symlink("round", path), 0);
    assert_int_equal(shl_path_follow(path, target, &why), SHL_BAD_NAME);
}

/* Two write the same preset again and again, a third reads: what it reads is
 * always one of them, whole. */
static _Atomic int torn;

static void *write_often(void *arg)
{
    char text[5000];
    int is_new;
    struct shl_why own;

    memset(text, *(char *)arg, sizeof text);
    for (int i = 0; i < 100; i++)
        torn += shl_store_save(&store, "shared", text, sizeof text, &is_new,
                               &own) != SHL_OK;
    return NULL;
}

static void readers_see_whole_files(void **state)
{
    static char letters[] = "ab";
    pthread_t writers[2];
    char path[SHL_PATH_SIZE];

    (void)state;
    save("shared", "x", 1);
    shl_store_path(&store, "shared", path, &why);
    assert_int_equal(pthread_create(&writers[0], NULL, write_often, letters),
                     0);
    assert_int_equal(
        pthread_create(&writers[1], NULL, write_often, letters + 1), 0);
    for (int i = 0; i < 300; i++) {
        const uint8_t *bytes;
        uint8_t *file;
        size_t size;
        torn +=
            shl_state_load("link", path, &file, &bytes, &size, &why) != SHL_OK;
        torn += size != 1 && size != 5000;
        free(file);
    }
    pthread_join(writers[0], NULL);
    pthread_join(writers[1], NULL);
    assert_int_equal(torn, 0);
    assert_int_equal(files_in(store.folder), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_lead_nowhere),
        cmocka_unit_test_setup_teardown(the_folder_is_named_by_the_device,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            presets_are_saved_listed_renamed_deleted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(strange_files_are_passed_over, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_written_leaves_nothing,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_draft_is_not_seen_before_it_is_kept,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(leftovers_of_our_number_block_nothing,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_full_disk_is_said_and_the_old_file_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            long_paths_are_followed_to_their_last_byte, set_up, tear_down),
        cmocka_unit_test_setup_teardown(presets_at_the_end_of_the_longest_path,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(links_are_followed_by_those_who_ask,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(readers_see_whole_files, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
