/* SPDX-License-Identifier: MIT */
/* Objects that are checked, leases that die with their holder, and the system's
 * refusals. */
#include "core/os/platform.h"

#include "child.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE ((size_t)65536)

static char name[32]; /* an object of this test */
static char path[64]; /* the same as a file */
static const char word[] = "hello";

static int set_up(void **state)
{
    (void)state;
    snprintf(name, sizeof name, "/shltest-%d", (int)getpid());
    snprintf(path, sizeof path, "/dev/shm%s", name);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove(path);
    return 0;
}

static struct shl_map created(void)
{
    struct shl_map map = SHL_MAP_NONE;

    assert_int_equal(shl_map_create(name, SIZE, &map), SHL_OK);
    return map;
}

static struct shl_map asked(void)
{
    struct shl_map map = SHL_MAP_NONE;

    assert_int_equal(shl_map_ask(name, &map), SHL_OK);
    return map;
}

/* ---- objects --------------------------------------------------------------- */

/* shows MP-50 */
static void created_object_is_private_and_whole(void **state)
{
    mode_t before = umask(0777);
    struct shl_map map = created();
    struct stat at;

    (void)state;
    umask(before);
    assert_int_equal(stat(path, &at), 0);
    assert_int_equal(at.st_mode & 07777, 0600);
    assert_int_equal(at.st_size, SIZE);
    assert_true(fcntl(map.fd, F_GETFD) & FD_CLOEXEC);
    for (size_t i = 0; i < SIZE; i++)
        assert_int_equal(map.base[i], 0);
    shl_map_close(&map);
    assert_int_equal(map.fd, -1);
    assert_null(map.base);
    shl_map_close(&map);
}

static void created_twice_is_taken(void **state)
{
    struct shl_map map = created();
    struct shl_map second = {.fd = 12345};

    (void)state;
    assert_int_equal(shl_map_create(name, SIZE, &second), SHL_TAKEN);
    assert_int_equal(second.fd, 12345);
    shl_map_close(&map);
}

static int without_standard_descriptors(void *arg)
{
    struct shl_map map = SHL_MAP_NONE;

    (void)arg;
    for (int fd = 0; fd <= 2; fd++)
        close(fd);
    return shl_map_create(name, SIZE, &map) || map.fd <= 2;
}

static void object_never_becomes_standard_output(void **state)
{
    (void)state;
    assert_int_equal(child_run(without_standard_descriptors, NULL), 0);
}

static shl_status opened(size_t least)
{
    struct shl_map map = SHL_MAP_NONE;
    shl_status status = shl_map_open(name, least, &map);

    if (status)
        assert_int_equal(map.fd, -1);
    shl_map_close(&map);
    return status;
}

static void opening_checks_what_is_there(void **state)
{
    struct shl_map map;

    (void)state;
    assert_int_equal(opened(1), SHL_NOT_FOUND);
    map = created();
    assert_int_equal(opened(SIZE), SHL_OK);
    assert_int_equal(opened(SIZE + 1), SHL_CUT);
    assert_int_equal(ftruncate(map.fd, 0), 0);
    assert_int_equal(opened(SIZE), SHL_AGAIN);
    assert_int_equal(ftruncate(map.fd, SIZE), 0);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(opened(SIZE), SHL_FOREIGN);
    assert_int_equal(chmod(path, 0600), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(path, 65534, 65534), 0);
        assert_int_equal(opened(SIZE), SHL_FOREIGN);
    }
    shl_map_close(&map);
}

/* shows MP-50 */
static void planted_link_fifo_and_folder_are_foreign(void **state)
{
    struct shl_map map = SHL_MAP_NONE;

    (void)state;
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_equal(opened(1), SHL_FOREIGN);
    assert_int_equal(shl_map_create(name, SIZE, &map), SHL_TAKEN);
    assert_int_equal(shl_map_share(name, SIZE, &map), SHL_FOREIGN);
    remove(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(opened(1), SHL_FOREIGN);
    remove(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(opened(1), SHL_FOREIGN);
}

static void peeking_copies_without_mapping(void **state)
{
    struct shl_map map = created();
    struct shl_map ask = asked();
    char copy[sizeof word] = "";

    (void)state;
    memcpy(map.base + 1000, word, sizeof word);
    assert_null(ask.base);
    assert_int_equal(shl_map_peek(&ask, 1000, copy, sizeof copy), SHL_OK);
    assert_string_equal(copy, word);
    assert_int_equal(shl_map_peek(&ask, SIZE - 2, copy, sizeof copy), SHL_CUT);
    shl_map_close(&ask);
    shl_map_close(&map);
}

static void name_leads_to_the_object_or_not(void **state)
{
    struct shl_map map = created();
    struct shl_map other;

    (void)state;
    assert_true(shl_map_current(&map, name));
    assert_int_equal(shl_map_unlink(name), SHL_OK);
    assert_false(shl_map_current(&map, name));
    assert_int_equal(shl_map_unlink(name), SHL_NOT_FOUND);
    other = created();
    assert_false(shl_map_current(&map, name));
    assert_true(shl_map_current(&other, name));
    shl_map_close(&other);
    shl_map_close(&map);
}

static void reserving_takes_memory_and_no_more(void **state)
{
    struct shl_map map = created();
    struct stat at;

    (void)state;
    assert_int_equal(fstat(map.fd, &at), 0);
    assert_int_equal(at.st_blocks, 0);
    map.base[SIZE - 1] = 7;
    assert_int_equal(shl_map_reserve(&map, 0, SIZE), SHL_OK);
    assert_int_equal(fstat(map.fd, &at), 0);
    assert_int_equal(at.st_blocks * 512, SIZE);
    shl_map_touch(&map, 0, SIZE);
    assert_int_equal(map.base[SIZE - 1], 7);
    assert_int_equal(map.base[0], 0);
    assert_int_equal(shl_map_reserve(&map, 1, SIZE), SHL_BAD_VALUE);
    assert_int_equal(shl_map_reserve(&map, SIZE, 1), SHL_BAD_VALUE);
    assert_int_equal(shl_map_reserve(&map, SIZE, 0), SHL_OK);
    shl_map_close(&map);
}

static int share_and_mark(void *arg)
{
    const int *my = arg;
    struct shl_map map = SHL_MAP_NONE;

    CHILD_CHECK(shl_map_share(name, SIZE, &map) == SHL_OK);
    map.base[*my] = 1;
    return 0;
}

static void all_who_share_get_one_object(void **state)
{
    enum { SHARERS = 8 };
    pid_t pid[SHARERS];
    int number[SHARERS];
    struct shl_map map = SHL_MAP_NONE;

    (void)state;
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < SHARERS; i++) {
            number[i] = i;
            pid[i] = fork();
            if (pid[i] == 0)
                _exit(share_and_mark(&number[i]));
        }
        for (int i = 0; i < SHARERS; i++)
            assert_int_equal(child_wait(pid[i]), 0);
        assert_int_equal(shl_map_share(name, SIZE, &map), SHL_OK);
        for (int i = 0; i < SHARERS; i++)
            assert_int_equal(map.base[i], 1);
        shl_map_close(&map);
        shl_map_unlink(name);
    }
}

static void shared_object_grows_but_never_shrinks(void **state)
{
    struct shl_map map = created();

    (void)state;
    map.base[1] = 5;
    assert_int_equal(ftruncate(map.fd, 100), 0);
    shl_map_close(&map);
    assert_int_equal(shl_map_share(name, SIZE, &map), SHL_OK);
    assert_int_equal(map.base[1], 5);
    assert_int_equal(map.base[SIZE - 1], 0);
    shl_map_close(&map);
    assert_int_equal(shl_map_share(name, SIZE / 2, &map), SHL_FOREIGN);
}

static void see_name(const char *seen, uint64_t age_s, void *arg)
{
    int *count = arg;

    assert_true(age_s < 1000);
    *count += strcmp(seen, name) == 0;
}

static void each_object_of_a_prefix_is_named(void **state)
{
    struct shl_map map = created();
    int count = 0;

    (void)state;
    assert_int_equal(shl_map_each("/shltest-", see_name, &count), SHL_OK);
    assert_int_equal(count, 1);
    assert_int_equal(shl_map_each("/shlnobody-", see_name, &count), SHL_OK);
    assert_int_equal(count, 1);
    shl_map_close(&map);
}

/* ---- leases ---------------------------------------------------------------- */

static const uint64_t bytes[] = {0, 63, UINT64_C(1) << 61,
                                 (UINT64_C(1) << 61) + (UINT64_C(1) << 60)};

static void two_descriptions_of_one_process_exclude_each_other(void **state)
{
    struct shl_map map = created();
    struct shl_map ask = asked();

    (void)state;
    for (size_t i = 0; i < sizeof bytes / sizeof bytes[0]; i++) {
        assert_false(shl_lease_held(&ask, bytes[i]));
        assert_int_equal(shl_lease_take(&map, bytes[i]), SHL_OK);
        assert_true(shl_lease_held(&ask, bytes[i]));
        assert_false(shl_lease_held(&ask, bytes[i] + 1));
        assert_false(shl_lease_held(&map, bytes[i])); /* its own */
        assert_int_equal(shl_lease_take(&ask, bytes[i]), SHL_BUSY);
        shl_lease_drop(&map, bytes[i]);
        assert_int_equal(shl_lease_take(&ask, bytes[i]), SHL_OK);
        shl_lease_drop(&ask, bytes[i]);
    }
    shl_map_close(&ask);
    shl_map_close(&map);
}

static void closing_drops_all_leases(void **state)
{
    struct shl_map map = created();
    struct shl_map ask = asked();

    (void)state;
    assert_int_equal(shl_lease_take(&map, 3), SHL_OK);
    assert_int_equal(shl_lease_take(&map, bytes[2]), SHL_OK);
    shl_map_close(&map);
    assert_false(shl_lease_held(&ask, 3));
    assert_false(shl_lease_held(&ask, bytes[2]));
    shl_map_close(&ask);
}

static void closing_drops_what_a_forked_child_has_inherited(void **state)
{
    struct shl_map map = created();
    struct shl_map ask = asked();
    pid_t pid;

    (void)state;
    assert_int_equal(shl_lease_take(&map, 3), SHL_OK);
    pid = fork();
    if (pid == 0) {
        alarm(60);
        for (;;)
            pause();
    }
    shl_map_close(&map);
    assert_false(shl_lease_held(&ask, 3));
    child_kill(pid);
    shl_map_close(&ask);
}

static int hold_and_wait(void *arg)
{
    struct shl_map map = SHL_MAP_NONE;

    (void)arg;
    if (shl_map_open(name, SIZE, &map) || shl_lease_take(&map, 5))
        return 1;
    child_forever();
}

/* shows DL-13 */
static void lease_vanishes_when_its_process_is_killed(void **state)
{
    struct shl_map map = created();

    (void)state;
    for (int i = 0; i < 20; i++) {
        pid_t pid = child_start(hold_and_wait, NULL);
        assert_true(shl_lease_held(&map, 5));
        assert_int_equal(shl_lease_take(&map, 5), SHL_BUSY);
        kill(pid, SIGKILL);
        /* gone before the process can be waited for: a zombie holds nothing */
        siginfo_t info;
        assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
        assert_false(shl_lease_held(&map, 5));
        child_wait(pid);
    }
    shl_map_close(&map);
}

struct heir {
    struct shl_process parent;
    pid_t pid;
};

/** Take the lease, have a child that inherits it, tell who is who, die. */
static int hold_and_fork(void *arg)
{
    struct heir *heir = arg;
    struct shl_map map = SHL_MAP_NONE;
    pid_t pid;

    if (shl_map_open(name, SIZE, &map) || shl_lease_take(&map, 5))
        return 1;
    heir->parent = shl_process_self();
    pid = fork();
    if (pid == 0) {
        alarm(60);
        for (;;)
            pause();
    }
    heir->pid = pid;
    child_forever();
}

/* shows DL-15 */
static void inherited_lease_has_a_second_witness(void **state)
{
    struct shl_map map = created();
    struct heir *heir = mmap(NULL, sizeof *heir, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid;

    (void)state;
    assert_true(heir != MAP_FAILED);
    pid = child_start(hold_and_fork, heir);
    assert_int_equal(heir->parent.pid, pid);
    assert_true(shl_process_alive(&heir->parent));
    child_kill(pid);
    assert_true(shl_lease_held(&map, 5));
    assert_false(shl_process_alive(&heir->parent));
    assert_true(heir->pid > 0);
    kill(heir->pid, SIGKILL);
    for (int i = 0; i < 1000 && shl_lease_held(&map, 5); i++)
        shl_sleep_ms(10);
    assert_false(shl_lease_held(&map, 5));
    munmap(heir, sizeof *heir);
    shl_map_close(&map);
}

/* ---- the system refuses ---------------------------------------------------------- */

static int no_descriptors(void *arg)
{
    struct rlimit limit = {.rlim_cur = 3, .rlim_max = 3};
    struct shl_map map = SHL_MAP_NONE;

    (void)arg;
    setrlimit(RLIMIT_NOFILE, &limit);
    CHILD_CHECK(shl_map_create(name, SIZE, &map) == SHL_NO_DESCRIPTORS);
    CHILD_CHECK(shl_map_open(name, 1, &map) == SHL_NO_DESCRIPTORS);
    CHILD_CHECK(shl_map_share(name, SIZE, &map) == SHL_NO_DESCRIPTORS);
    CHILD_CHECK(map.fd == -1);
    /* not knowing is no reason to take somebody for dead */
    struct shl_process self = {.pid = (uint32_t)getpid(), .pid_namespace = 1};
    CHILD_CHECK(shl_process_alive(&self));
    return 0;
}

static void running_out_of_descriptors_is_named(void **state)
{
    (void)state;
    assert_int_equal(child_run(no_descriptors, NULL), 0);
}

static int full_memory(void *arg)
{
    struct shl_map map = SHL_MAP_NONE;

    (void)arg;
    if (!child_own_shm(64))
        return CHILD_SKIP;
    /* a size costs nothing; reserving more than there is fails whole */
    CHILD_CHECK(shl_map_create(name, 1024 * SIZE, &map) == SHL_OK);
    CHILD_CHECK(shl_map_reserve(&map, 0, SIZE / 2) == SHL_OK);
    CHILD_CHECK(shl_map_reserve(&map, 0, 2 * SIZE) == SHL_NO_SPACE);
    shl_map_touch(&map, 0, SIZE / 2);
    CHILD_CHECK(!atomic_load(map.bad));
    /* touching what is not reserved: the guard, not the end */
    shl_map_touch(&map, 0, 4 * SIZE);
    CHILD_CHECK(atomic_load(map.bad));
    shl_map_close(&map);
    CHILD_CHECK(shl_map_share("/shltest-board", SIZE, &map) == SHL_NO_SPACE);
    CHILD_CHECK(access("/dev/shm/shltest-board", F_OK) != 0);
    return 0;
}

static void full_memory_is_a_status_and_no_signal(void **state)
{
    int result = child_run(full_memory, NULL);

    (void)state;
    if (result == CHILD_SKIP)
        skip();
    assert_int_equal(result, 0);
}

static int missing_shm(void *arg)
{
    struct shl_map map = SHL_MAP_NONE;

    (void)arg;
    if (!child_own_shm(0))
        return CHILD_SKIP;
    CHILD_CHECK(shl_map_create(name, SIZE, &map) == SHL_NO_SHM);
    CHILD_CHECK(shl_map_share(name, SIZE, &map) == SHL_NO_SHM);
    CHILD_CHECK(shl_map_open(name, 1, &map) == SHL_NOT_FOUND);
    CHILD_CHECK(shl_map_each("/", see_name, NULL) == SHL_NO_SHM);
    return 0;
}

static void missing_shared_memory_is_named(void **state)
{
    int result = child_run(missing_shm, NULL);

    (void)state;
    if (result == CHILD_SKIP)
        skip();
    assert_int_equal(result, 0);
}

/* `ulimit -f` holds for shared memory, too. */
static int limited(void *arg)
{
    struct shl_map map = SHL_MAP_NONE;
    struct rlimit limit;

    (void)arg;
    CHILD_CHECK(!getrlimit(RLIMIT_FSIZE, &limit));
    limit.rlim_cur = 4096;
    CHILD_CHECK(!setrlimit(RLIMIT_FSIZE, &limit));
    CHILD_CHECK(shl_map_create(name, SIZE, &map) == SHL_NO_SPACE);
    CHILD_CHECK(shl_map_share(name, SIZE, &map) == SHL_NO_SPACE);
    return 0;
}

static void the_limit_of_file_sizes_is_a_status_and_no_signal(void **state)
{
    (void)state;
    assert_int_equal(child_run(limited, NULL), 0);
}

static int no_permission(void *arg)
{
    struct shl_map map = SHL_MAP_NONE;

    (void)arg;
    if (setgid(65534) || setuid(65534))
        return CHILD_SKIP;
    CHILD_CHECK(shl_map_open(name, 1, &map) == SHL_NO_PERMISSION);
    CHILD_CHECK(shl_map_share(name, SIZE, &map) == SHL_NO_PERMISSION);
    CHILD_CHECK(shl_map_unlink(name) == SHL_NO_PERMISSION);
    return 0;
}

/* shows MP-50 */
static void another_users_object_is_out_of_reach(void **state)
{
    struct shl_map map = created();
    int result = child_run(no_permission, NULL);

    (void)state;
    shl_map_close(&map);
    if (result == CHILD_SKIP)
        skip();
    assert_int_equal(result, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(created_object_is_private_and_whole),
        TEST(created_twice_is_taken),
        TEST(object_never_becomes_standard_output),
        TEST(opening_checks_what_is_there),
        TEST(planted_link_fifo_and_folder_are_foreign),
        TEST(peeking_copies_without_mapping),
        TEST(name_leads_to_the_object_or_not),
        TEST(reserving_takes_memory_and_no_more),
        TEST(all_who_share_get_one_object),
        TEST(shared_object_grows_but_never_shrinks),
        TEST(each_object_of_a_prefix_is_named),
        TEST(two_descriptions_of_one_process_exclude_each_other),
        TEST(closing_drops_all_leases),
        TEST(closing_drops_what_a_forked_child_has_inherited),
        TEST(lease_vanishes_when_its_process_is_killed),
        TEST(inherited_lease_has_a_second_witness),
        TEST(running_out_of_descriptors_is_named),
        TEST(full_memory_is_a_status_and_no_signal),
        TEST(the_limit_of_file_sizes_is_a_status_and_no_signal),
        TEST(missing_shared_memory_is_named),
        TEST(another_users_object_is_out_of_reach),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
