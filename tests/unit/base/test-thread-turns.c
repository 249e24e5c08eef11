/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A thread's turns, as the kernel tells them afterwards. What the host is too old for, or does not
 * allow, is skipped. */
#include "vmm/base/clock.h"
#include "vmm/base/thread-turns.h"

#include <glib.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LIMIT_US 200000u

static gpointer
short_turns(gpointer data)
{
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    } attr = {.size = sizeof attr};
    uint64_t usual;

    g_assert_cmpint(syscall(SYS_sched_getattr, 0, &attr, sizeof attr, 0), ==, 0);
    usual = attr.runtime;
    base_thread_take_short_turns();
    g_assert_cmpint(syscall(SYS_sched_getattr, 0, &attr, sizeof attr, 0), ==, 0);
    g_assert_cmpuint(attr.policy, ==, SCHED_OTHER);
    if (usual == 0)
        g_test_skip("this kernel has no length of turns");
    else
        g_assert_cmpuint(attr.runtime, <, usual);
    return NULL;
}

/* Before the others, until it has worked for too long. */
static gpointer
first_turns(gpointer data)
{
    const uint64_t end = base_clock_ns() + 30ull * 1000000000u;

    g_assert_cmpuint(base_thread_id(), ==, (uint64_t)gettid());
    g_assert_true(base_thread_limit_first_turns(LIMIT_US));
    if (!base_thread_take_first_turns()) {
        g_assert_cmpint(sched_getscheduler(0), ==, SCHED_OTHER);
        g_test_skip("this user may not come first");
        return NULL;
    }
    g_assert_cmpint(sched_getscheduler(0) & ~SCHED_RESET_ON_FORK, ==, SCHED_RR);
    while ((sched_getscheduler(0) & ~SCHED_RESET_ON_FORK) == SCHED_RR)
        g_assert_cmpuint(base_clock_ns(), <, end);
    g_assert_cmpint(sched_getscheduler(0) & ~SCHED_RESET_ON_FORK, ==, SCHED_OTHER);
    return NULL;
}

static void
in_a_thread(gconstpointer work)
{
    g_thread_join(g_thread_new("turns", (GThreadFunc)work, NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/base/thread-turns/short", (gconstpointer)short_turns, in_a_thread);
    g_test_add_data_func("/base/thread-turns/first", (gconstpointer)first_turns, in_a_thread);
    return g_test_run();
}
