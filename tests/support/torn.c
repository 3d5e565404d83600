/* SPDX-License-Identifier: MIT */
#include "torn.h"

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static uint8_t *pages;
static size_t page_size;
static void (*volatile then_call)(void);
static volatile sig_atomic_t happened;

static void on_touch(int signal, siginfo_t *info, void *context)
{
    const uint8_t *at = info->si_addr;

    (void)signal;
    (void)context;
    if (!pages || at < pages + page_size || at >= pages + 2 * page_size ||
        happened || mprotect(pages, 2 * page_size, PROT_READ | PROT_WRITE))
        _exit(99); /* a fault of the program, not of the test */
    happened = 1;
    then_call();
}

void *torn_new(size_t before)
{
    page_size = (size_t)sysconf(_SC_PAGESIZE);
    pages = mmap(NULL, 2 * page_size, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || before > page_size)
        abort();
    return pages + page_size - before;
}

void torn_free(void)
{
    munmap(pages, 2 * page_size);
    pages = NULL;
}

void torn_arm(void (*then)(void))
{
    struct sigaction action = {.sa_sigaction = on_touch,
                               .sa_flags = SA_SIGINFO};

    /* here, not before: cmocka takes the signal when it begins a test, and gives it
     * back when it ends one */
    sigemptyset(&action.sa_mask);
    then_call = then;
    happened = 0;
    if (sigaction(SIGSEGV, &action, NULL) ||
        mprotect(pages + page_size, page_size, PROT_NONE))
        abort();
}

int torn_happened(void)
{
    return happened;
}
