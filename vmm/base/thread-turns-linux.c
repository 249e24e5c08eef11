/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Turns of threads on Linux: sched_setattr(2), whose sched_runtime is the length of an ordinary
 * thread's turns since 6.12, sched_setscheduler(2), setrlimit(2) with RLIMIT_RTTIME. */
#include "vmm/base/thread-turns.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The shortest that the scheduler takes. */
#define SHORT_TURN_NS 100000u

/* The C library has no name for it yet; the first version, which every kernel takes. */
typedef struct {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
} SchedAttr;

void
base_thread_take_short_turns(void)
{
    SchedAttr attr = {.size = sizeof attr};

    if (syscall(SYS_sched_getattr, 0, &attr, sizeof attr, 0) != 0 || attr.policy != SCHED_OTHER)
        return;
    attr.runtime = SHORT_TURN_NS;
    syscall(SYS_sched_setattr, 0, &attr, 0);
}

bool
base_thread_take_first_turns(void)
{
    const struct sched_param param = {.sched_priority = BASE_FIRST_TURNS_PRIORITY};

    return sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &param) == 0;
}

uint64_t
base_thread_id(void)
{
    return (uint64_t)gettid();
}

/* The kernel sends this to the thread that works for too long. */
static void
become_ordinary(int signal)
{
    const struct sched_param param = {0};
    const int kept = errno;

    sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &param);
    errno = kept;
}

bool
base_thread_limit_first_turns(uint64_t us)
{
    const struct sigaction action = {.sa_handler = become_ordinary, .sa_flags = SA_RESTART};
    struct rlimit limit;

    if (getrlimit(RLIMIT_RTTIME, &limit) != 0 || sigaction(SIGXCPU, &action, NULL) != 0)
        return false;
    limit.rlim_max = limit.rlim_max < us ? limit.rlim_max : us;
    /* The warning comes in time before the end. */
    limit.rlim_cur = limit.rlim_max / 2;
    return setrlimit(RLIMIT_RTTIME, &limit) == 0;
}
