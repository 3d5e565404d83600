/* Files and presets: whole or not there, names that lead nowhere, a full list,
 * two writers at once. */
#include "core/store.h"

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
}

static void the_folder_is_named_by_the_device(void **state)
{
    struct shl_store other;

    (void)state;
    assert_non_null(strstr(store.folder, "/presets/link/My Synth"));
    assert_int_equal(shl_store_init(&other, "link", "../a/b", &why), SHL_OK);
    assert_non_null(strstr(other.folder, "/presets/link/_._a_b"));
    unsetenv("SHMLINK_HOME");
    setenv("XDG_DATA_HOME", "/data", 1);
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
        cmocka_unit_test_setup_teardown(readers_see_whole_files, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
