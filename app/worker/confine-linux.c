/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The worker's jail on Linux: no new privileges, no core file, and a list of system calls that are
 * enough to work on descriptors that are open. Opening a file is refused; any
 * other call ends the process. */
#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "app/api/vitrine-types.h"
#include "app/worker/confine.h"
#include "app/worker/worker.h"

/* clang-format off */
static const int allowed[] = {
    SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64),
    SCMP_SYS(pwrite64), SCMP_SYS(preadv), SCMP_SYS(pwritev), SCMP_SYS(lseek), SCMP_SYS(fstat),
    SCMP_SYS(newfstatat), SCMP_SYS(fstatfs), SCMP_SYS(preadv2), SCMP_SYS(pwritev2), SCMP_SYS(ftruncate), SCMP_SYS(fallocate), SCMP_SYS(fsync),
    SCMP_SYS(fdatasync), SCMP_SYS(close), SCMP_SYS(fcntl), SCMP_SYS(poll), SCMP_SYS(ppoll),
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex),
    SCMP_SYS(getrandom), SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(tgkill),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity), SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group),
    SCMP_SYS(fadvise64), SCMP_SYS(sysinfo), /* the C library asks before it sorts */
};
/* clang-format on */

bool
confine_fail(GError **error, int errnum)
{
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_SUPPORTED,
                "The worker cannot be confined on this host: %s.", g_strerror(errnum));
    return false;
}

/* The size of a block device is asked by this one request. */
static int
allow_block_size(scmp_filter_ctx filter)
{
    const unsigned long blkgetsize64 = 0x80081272;
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                            SCMP_A1(SCMP_CMP_EQ, blkgetsize64));
}

int
confine_allow_memory(scmp_filter_ctx filter)
{
    const unsigned long exec = 4; /* PROT_EXEC */
    int status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                                  SCMP_A2(SCMP_CMP_MASKED_EQ, exec, 0));
    if (status == 0)
        status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                                  SCMP_A2(SCMP_CMP_MASKED_EQ, exec, 0));
    return status;
}

bool
confine_begin(GError **error)
{
    const struct rlimit none = {0, 0};
    g_random_int(); /* seeds itself from a file: while files can be opened */
    setrlimit(RLIMIT_CORE, &none);
    /* Nobody waits for the work of a service that is gone, and the next one may do it again. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 || confine_fail(error, errno);
}

bool
worker_confine(GError **error)
{
    if (!confine_begin(error))
        return false;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (filter == NULL)
        return confine_fail(error, ENOMEM);
    /* Terminal requests of the C library's output are refused, not fatal. */
    int status = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOTTY), SCMP_SYS(ioctl), 1,
                                  SCMP_A1(SCMP_CMP_EQ, 0x5401));
    if (status == 0)
        status = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat), 0);
    for (guint i = 0; status == 0 && i < G_N_ELEMENTS(allowed); i++)
        status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    if (status == 0)
        status = allow_block_size(filter);
    if (status == 0)
        status = confine_allow_memory(filter);
    if (status == 0)
        status = seccomp_load(filter);
    seccomp_release(filter);
    return status == 0 || confine_fail(error, -status);
}
