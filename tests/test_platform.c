/* What the system gives: objects that are checked, leases that die with their
 * holder, pages that may vanish, waiting, threads, and the system's refusals. */
#include "core/platform.h"

#include "child.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
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

static int hold_and_wait(void *arg)
{
    struct shl_map map = SHL_MAP_NONE;

    (void)arg;
    if (shl_map_open(name, SIZE, &map) || shl_lease_take(&map, 5))
        return 1;
    child_forever();
}

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

/* ---- the guard --------------------------------------------------------------- */

static int cut_to_a_page(void *arg)
{
    const size_t *left = arg;
    struct shl_map map = SHL_MAP_NONE;

    return shl_map_ask(name, &map) || ftruncate(map.fd, (off_t)*left);
}

static void *read_all(void *arg)
{
    struct shl_map *map = arg;
    uintptr_t sum = 0;

    for (size_t i = 0; i < map->size; i++)
        sum += *(volatile uint8_t *)(map->base + i);
    return (void *)sum;
}

static void cut_object_turns_to_zeros_and_raises_its_flag(void **state)
{
    struct shl_map map = created();
    struct shl_map whole = SHL_MAP_NONE;
    char other[40];
    size_t left = 4096;
    pthread_t thread;
    void *sum;

    (void)state;
    snprintf(other, sizeof other, "%s-b", name);
    assert_int_equal(shl_map_create(other, SIZE, &whole), SHL_OK);
    memset(map.base, 1, SIZE);
    memset(whole.base, 1, SIZE);
    assert_int_equal(child_run(cut_to_a_page, &left), 0);
    assert_false(atomic_load(map.bad));
    /* another thread, from the front; then this one, from the back */
    assert_int_equal(pthread_create(&thread, NULL, read_all, &map), 0);
    pthread_join(thread, &sum);
    assert_int_equal((uintptr_t)sum, left);
    assert_true(atomic_load(map.bad));
    assert_false(atomic_load(whole.bad));
    map.base[SIZE - 1] = 9;
    assert_int_equal(map.base[SIZE - 1], 9);
    assert_int_equal((uintptr_t)read_all(&whole), SIZE);
    shl_map_close(&map);
    shl_map_close(&whole);
    shl_map_unlink(other);
}

static void last_page_may_go_first(void **state)
{
    struct shl_map map = created();
    size_t left = 4096;

    (void)state;
    memset(map.base, 1, SIZE);
    assert_int_equal(child_run(cut_to_a_page, &left), 0);
    assert_int_equal(*(volatile uint8_t *)(map.base + SIZE - 1), 0);
    assert_int_equal((uintptr_t)read_all(&map), left);
    shl_map_close(&map);
}

/** A mapping of our own file that is not the platform's, cut short. */
static volatile uint8_t *unguarded(void)
{
    FILE *file = tmpfile();
    void *base;

    if (!file || ftruncate(fileno(file), (off_t)SIZE))
        return NULL;
    base =
        mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0);
    if (base == MAP_FAILED || ftruncate(fileno(file), 0))
        return NULL;
    return base;
}

static volatile uint8_t *expected;

static void told_handler(int number, siginfo_t *info, void *context)
{
    (void)context;
    _exit(number == SIGBUS && info->si_addr == (const void *)(uintptr_t)expected
              ? 42
              : 1);
}

static void plain_handler(int number)
{
    _exit(number == SIGBUS ? 43 : 1);
}

static int fault_elsewhere(void *arg)
{
    const int *kind = arg;
    struct sigaction action;
    struct shl_map map = SHL_MAP_NONE;

    memset(&action, 0, sizeof action);
    if (*kind == 0) {
        action.sa_flags = SA_SIGINFO;
        action.sa_sigaction = told_handler;
    } else {
        action.sa_handler = *kind == 1   ? plain_handler
                            : *kind == 2 ? SIG_DFL
                                         : SIG_IGN;
    }
    sigaction(SIGBUS, &action, NULL);
    prctl(PR_SET_DUMPABLE, 0);
    if (shl_map_open(name, SIZE, &map))
        return 1;
    expected = unguarded();
    if (!expected)
        return 1;
    return *expected;
}

static void other_faults_go_to_the_previous_handler(void **state)
{
    struct shl_map map = created();
    const int want[] = {42, 43, 128 + SIGBUS, 128 + SIGBUS};

    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        int i = kind;
        assert_int_equal(child_run(fault_elsewhere, &i), want[kind]);
    }
    shl_map_close(&map);
}

static struct sigaction chained;

static void chaining_handler(int number, siginfo_t *info, void *context)
{
    chained.sa_sigaction(number, info, context);
}

/** A handler over ours that leads to it, then ours again over that. */
static int fault_in_a_chain(void *arg)
{
    const int *inside = arg;
    struct sigaction action;
    struct shl_map map = SHL_MAP_NONE, second = SHL_MAP_NONE;

    memset(&action, 0, sizeof action);
    action.sa_handler = plain_handler;
    sigaction(SIGBUS, &action, NULL);
    CHILD_CHECK(shl_map_open(name, SIZE, &map) == SHL_OK);
    action.sa_flags = SA_SIGINFO;
    action.sa_sigaction = chaining_handler;
    sigaction(SIGBUS, &action, &chained);
    for (int i = 0; i < 3; i++) { /* each time over the same one */
        CHILD_CHECK(shl_map_open(name, SIZE, &second) == SHL_OK);
        shl_map_close(&second);
        sigaction(SIGBUS, &action, NULL);
    }
    CHILD_CHECK(shl_map_open(name, SIZE, &second) == SHL_OK);
    if (*inside) {
        CHILD_CHECK(ftruncate(map.fd, 0) == 0);
        CHILD_CHECK(*(volatile uint8_t *)map.base == 0);
        CHILD_CHECK(atomic_load(map.bad));
        return 0;
    }
    expected = unguarded();
    return *expected;
}

static void handlers_that_lead_to_each_other_come_to_an_end(void **state)
{
    struct shl_map map = created();
    int inside = 0;

    (void)state;
    assert_int_equal(child_run(fault_in_a_chain, &inside), 43);
    inside = 1;
    assert_int_equal(child_run(fault_in_a_chain, &inside), 0);
    shl_map_close(&map);
}

static void deaf_handler(int number)
{
    (void)number;
    _exit(1);
}

static void guard_comes_back_with_the_next_mapping(void **state)
{
    struct shl_map map = created(), second = SHL_MAP_NONE;
    struct sigaction action, before;

    (void)state;
    memset(&action, 0, sizeof action);
    action.sa_handler = deaf_handler;
    sigaction(SIGBUS, &action, &before);
    assert_int_equal(shl_map_open(name, SIZE, &second), SHL_OK);
    assert_int_equal(ftruncate(map.fd, 0), 0);
    assert_int_equal(*(volatile uint8_t *)map.base, 0);
    shl_map_close(&second);
    shl_map_close(&map);
    sigaction(SIGBUS, &before, NULL);
}

static int raised_by_hand(void *arg)
{
    const int *ignored = arg;
    struct shl_map map = SHL_MAP_NONE;

    signal(SIGBUS, *ignored ? SIG_IGN : SIG_DFL);
    prctl(PR_SET_DUMPABLE, 0);
    if (shl_map_open(name, SIZE, &map))
        return 1;
    raise(SIGBUS);
    return 44;
}

static void signal_sent_by_hand_does_what_it_did(void **state)
{
    struct shl_map map = created();
    int ignored = 1;

    (void)state;
    assert_int_equal(child_run(raised_by_hand, &ignored), 44);
    ignored = 0;
    assert_int_equal(child_run(raised_by_hand, &ignored), 128 + SIGBUS);
    shl_map_close(&map);
}

static void handler_goes_with_the_last_mapping(void **state)
{
    struct sigaction before, during, after;
    struct shl_map map, second = SHL_MAP_NONE;

    (void)state;
    sigaction(SIGBUS, NULL, &before);
    map = created();
    assert_int_equal(shl_map_open(name, SIZE, &second), SHL_OK);
    sigaction(SIGBUS, NULL, &during);
    assert_true(before.sa_sigaction != during.sa_sigaction);
    shl_map_close(&map);
    sigaction(SIGBUS, NULL, &after);
    assert_true(after.sa_sigaction == during.sa_sigaction);
    shl_map_close(&second);
    sigaction(SIGBUS, NULL, &after);
    assert_true(before.sa_sigaction == after.sa_sigaction);
}

static void mapping_number_257_is_refused(void **state)
{
    static struct shl_map map[257];
    shl_status status = SHL_OK;
    int count = 1;

    (void)state;
    map[0] = created();
    for (; count < 257 && !status; count++)
        status = shl_map_open(name, SIZE, &map[count]);
    assert_int_equal(count, 257);
    assert_int_equal(status, SHL_NO_MEMORY);
    shl_map_close(&map[17]);
    assert_int_equal(shl_map_open(name, SIZE, &map[17]), SHL_OK);
    for (int i = 0; i < 256; i++)
        shl_map_close(&map[i]);
}

/* ---- processes --------------------------------------------------------------- */

static int named_like_a_riddle(void *arg)
{
    struct shl_process *who = arg;

    prctl(PR_SET_NAME, "a) Z 0 (b");
    *who = shl_process_self();
    child_forever();
}

static void *shared_page(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_true(page != MAP_FAILED);
    return page;
}

static void dead_and_only_the_dead_are_dead(void **state)
{
    struct shl_process *who = shared_page();
    struct shl_process other;
    pid_t pid = child_start(named_like_a_riddle, who);
    siginfo_t info;

    (void)state;
    assert_int_equal(who->pid, pid);
    assert_true(who->start_time > 0 && who->pid_namespace > 0);
    assert_true(shl_process_alive(who));
    other = *who;
    other.start_time++; /* the number was given to somebody else */
    assert_false(shl_process_alive(&other));
    other = *who;
    other.pid_namespace++; /* nobody can know */
    other.start_time++;
    assert_true(shl_process_alive(&other));
    kill(pid, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_false(shl_process_alive(who)); /* a zombie */
    child_wait(pid);
    assert_false(shl_process_alive(who));
    other = shl_process_self();
    assert_true(shl_process_alive(&other));
    munmap(who, 4096);
}

static void *go_on(void *arg)
{
    shl_sleep_ms(50);
    (void)arg;
    child_forever();
}

static int first_thread_ends(void *arg)
{
    struct shl_process *who = arg;
    pthread_t thread;

    *who = shl_process_self();
    pthread_create(&thread, NULL, go_on, NULL);
    pthread_exit(NULL);
}

static void process_without_its_first_thread_lives(void **state)
{
    struct shl_process *who = shared_page();
    pid_t pid = child_start(first_thread_ends, who);

    (void)state;
    assert_true(shl_process_alive(who));
    child_kill(pid);
    assert_false(shl_process_alive(who));
    munmap(who, 4096);
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, 6);
}

static void hundred_thousand_random_names_differ(void **state)
{
    enum { COUNT = 100000 };
    uint8_t *random = malloc(COUNT * 6);

    (void)state;
    assert_non_null(random);
    for (size_t i = 0; i < COUNT; i++)
        shl_random_bytes(random + i * 6, 6);
    qsort(random, COUNT, 6, compare);
    for (size_t i = 1; i < COUNT; i++)
        assert_int_not_equal(compare(random + i * 6 - 6, random + i * 6), 0);
    free(random);
}

/* ---- waiting, threads, words --------------------------------------------------- */

static int wake_later(void *arg)
{
    _Atomic uint32_t *bell = arg;

    child_ready();
    shl_sleep_ms(20);
    atomic_store(bell, 1);
    shl_word_wake(bell);
    return 0;
}

static void another_process_wakes_a_sleeper(void **state)
{
    _Atomic uint32_t *bell = shared_page();
    uint64_t began = shl_clock_ns();
    pid_t pid = child_start(wake_later, bell);

    (void)state;
    while (atomic_load(bell) == 0)
        shl_word_wait(bell, 0, 50000000);
    assert_true(shl_clock_ns() - began < UINT64_C(20000000000));
    assert_int_equal(child_wait(pid), 0);
    munmap(bell, 4096);
}

static void waiting_ends_by_itself(void **state)
{
    _Atomic uint32_t bell = 1;
    uint64_t began = shl_clock_ns();

    (void)state;
    shl_word_wait(&bell, 0, 4000000000u); /* it is not 0 */
    shl_word_wait(&bell, 1, 0);
    shl_word_wait(&bell, 1, 1);
    shl_word_wait(&bell, 1, 1500);
    assert_true(shl_clock_ns() - began >= 1500000);
    began = shl_clock_ns();
    shl_word_wait(&bell, 1, 1000001); /* more than a second */
    assert_true(shl_clock_ns() - began >= 1000001000);
    shl_yield();
}

struct work {
    _Atomic uint32_t calls;
    _Atomic uint32_t signals_blocked, faults_blocked;
};

static void work(void *arg)
{
    struct work *w = arg;
    sigset_t set;

    pthread_sigmask(SIG_SETMASK, NULL, &set);
    atomic_store(&w->signals_blocked, (uint32_t)sigismember(&set, SIGINT));
    atomic_store(&w->faults_blocked, (uint32_t)sigismember(&set, SIGBUS));
    atomic_fetch_add(&w->calls, 1);
}

static void wait_for_calls(struct work *w, uint32_t count)
{
    for (int i = 0; i < 2000 && atomic_load(&w->calls) < count; i++)
        shl_sleep_ms(5);
    assert_true(atomic_load(&w->calls) >= count);
}

static void worker_works_at_once_when_woken_and_by_the_clock(void **state)
{
    struct work w = {0};
    shl_worker *worker = NULL;

    (void)state;
    assert_int_equal(shl_worker_new(work, &w, 0, &worker), SHL_OK);
    wait_for_calls(&w, 1);
    for (uint32_t i = 2; i < 200; i++) {
        shl_worker_wake(worker);
        wait_for_calls(&w, i);
    }
    shl_worker_free(worker);
    assert_int_equal(atomic_load(&w.signals_blocked), 1);
    assert_int_equal(atomic_load(&w.faults_blocked), 0);
    atomic_store(&w.calls, 0);
    assert_int_equal(shl_worker_new(work, &w, 1, &worker), SHL_OK);
    wait_for_calls(&w, 10);
    shl_worker_free(worker);
    shl_worker_free(NULL);
}

static void worker_can_be_freed_at_once(void **state)
{
    struct work w = {0};

    (void)state;
    for (int i = 0; i < 200; i++) {
        shl_worker *worker = NULL;
        assert_int_equal(shl_worker_new(work, &w, 60000, &worker), SHL_OK);
        shl_worker_free(worker);
    }
}

__attribute__((visibility("default"))) int test_platform_symbol(void);
int test_platform_symbol(void)
{
    return 1;
}

static char *program;

static void program_is_known(void **state)
{
    (void)state;
    assert_non_null(shl_symbol("malloc"));
    assert_null(shl_symbol("shl_no_such_function"));
    assert_true(shl_command_line_has(program));
    assert_false(shl_command_line_has("-batch"));
    assert_false(shl_command_line_has("-batc"));
    assert_true(shl_cpu() <= 65536);
    assert_true(shl_pauses_per_us() >= 1);
    assert_int_equal(shl_pauses_per_us(), shl_pauses_per_us());
    assert_int_equal(shl_user_id(), geteuid());
}

static int has_arguments(void *arg)
{
    (void)arg;
    execl("/proc/self/exe", "test_platform", "-nogui", "-batch", "-longer",
          (char *)NULL);
    return 1;
}

/** What the program does when it is given -batch: see above. */
static int with_arguments(void)
{
    CHILD_CHECK(shl_command_line_has("-batch"));
    CHILD_CHECK(shl_command_line_has("-longer"));
    CHILD_CHECK(!shl_command_line_has("batch"));
    CHILD_CHECK(!shl_command_line_has("-bat"));
    CHILD_CHECK(!shl_command_line_has("-batch-longer"));
    return 45;
}

static void words_of_the_command_line_are_whole(void **state)
{
    (void)state;
    assert_int_equal(child_run(has_arguments, NULL), 45);
}

static int make_denormal(void *arg)
{
    volatile float small = 1e-30f;
    uint32_t policy, priority;

    (void)arg;
    CHILD_CHECK(small * 1e-10f > 0);
    shl_thread_flush_denormals();
    shl_thread_priority(&policy, &priority);
    CHILD_CHECK(policy == 0 && priority == 0);
#if defined(__SSE2__) || defined(__aarch64__)
    small = 1e-30f;
    CHILD_CHECK(small * 1e-10f == 0);
#endif
    return 0;
}

static void denormals_are_flushed(void **state)
{
    (void)state;
    assert_int_equal(child_run(make_denormal, NULL), 0);
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

int main(int argc, char **argv)
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
        TEST(lease_vanishes_when_its_process_is_killed),
        TEST(inherited_lease_has_a_second_witness),
        TEST(cut_object_turns_to_zeros_and_raises_its_flag),
        TEST(last_page_may_go_first),
        TEST(other_faults_go_to_the_previous_handler),
        TEST(handlers_that_lead_to_each_other_come_to_an_end),
        TEST(guard_comes_back_with_the_next_mapping),
        TEST(signal_sent_by_hand_does_what_it_did),
        TEST(handler_goes_with_the_last_mapping),
        TEST(mapping_number_257_is_refused),
        TEST(dead_and_only_the_dead_are_dead),
        TEST(process_without_its_first_thread_lives),
        TEST(hundred_thousand_random_names_differ),
        TEST(another_process_wakes_a_sleeper),
        TEST(waiting_ends_by_itself),
        TEST(worker_works_at_once_when_woken_and_by_the_clock),
        TEST(worker_can_be_freed_at_once),
        TEST(program_is_known),
        TEST(words_of_the_command_line_are_whole),
        TEST(denormals_are_flushed),
        TEST(running_out_of_descriptors_is_named),
        TEST(full_memory_is_a_status_and_no_signal),
        TEST(missing_shared_memory_is_named),
        TEST(another_users_object_is_out_of_reach),
    };

    program = argv[0];
    if (argc > 2 && strcmp(argv[2], "-batch") == 0)
        return with_arguments();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
