/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The network worker's jail on Linux: no new privileges, no core file; by Landlock nothing of the
 * file system but the folders that it has to read; by seccomp sockets of the Internet and waiting.
 * Where there is no Landlock, no file can be opened at all: names are asked of the servers that
 * were known when it began, and TFTP has no files. */
#include "app/worker/confine.h"
#include "app/worker/network.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "app/api/vitrine-types.h"

#define RESOLVER "/etc/resolv.conf"

/* clang-format off */
static const int allowed[] = {
    SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64),
    SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(stat), SCMP_SYS(close),
    SCMP_SYS(fcntl), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(brk), SCMP_SYS(munmap),
    SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(getrandom),
    SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(getpid), SCMP_SYS(gettid),
    SCMP_SYS(tgkill), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sched_yield), SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group),
    SCMP_SYS(ioctl), SCMP_SYS(bind), SCMP_SYS(connect), SCMP_SYS(listen), SCMP_SYS(accept),
    SCMP_SYS(accept4), SCMP_SYS(sendto), SCMP_SYS(recvfrom), SCMP_SYS(sendmsg), SCMP_SYS(recvmsg),
    SCMP_SYS(sendmmsg), SCMP_SYS(recvmmsg), SCMP_SYS(setsockopt), SCMP_SYS(getsockopt),
    SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(shutdown),
};
/* clang-format on */

/* --- files --- */

static void
allow_folder(int rules, const char *path)
{
    struct landlock_path_beneath_attr beneath = {
        .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE,
        .parent_fd = open(path, O_PATH | O_CLOEXEC),
    };

    if (beneath.parent_fd < 0)
        return;
    syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
    close(beneath.parent_fd);
}

/* The file with the name servers is replaced now and then: its folder, and that of what it points
 * to. */
static void
allow_resolver(int rules)
{
    g_autofree char *link = g_path_get_dirname(RESOLVER);
    char *real = realpath(RESOLVER, NULL);

    allow_folder(rules, link);
    if (real != NULL) {
        g_autofree char *folder = g_path_get_dirname(real);

        allow_folder(rules, folder);
    }
    free(real);
}

/* False: the host has no Landlock. */
static bool
confine_files(const char *const *folders)
{
    const struct landlock_ruleset_attr all = {.handled_access_fs =
                                                  LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1};
    int rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
    bool done;

    if (rules < 0)
        return false;
    allow_resolver(rules);
    for (; folders != NULL && *folders != NULL; folders++)
        allow_folder(rules, *folders);
    done = syscall(SYS_landlock_restrict_self, rules, 0) == 0;
    close(rules);
    return done;
}

/* --- system calls --- */

static int
allow_sockets(scmp_filter_ctx filter)
{
    int status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                                  SCMP_A0(SCMP_CMP_EQ, AF_INET));

    if (status == 0)
        status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                                  SCMP_A0(SCMP_CMP_EQ, AF_INET6));
    return status;
}

/* For reading only. */
static int
allow_files(scmp_filter_ctx filter)
{
    const unsigned long writes = O_ACCMODE | O_CREAT | O_TRUNC;

    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                            SCMP_A2(SCMP_CMP_MASKED_EQ, writes, O_RDONLY));
}

/* What is not allowed fails: a gateway that refuses one thing serves the others. */
static bool
confine_calls(bool files, GError **error)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int status = 0;

    if (filter == NULL)
        return confine_fail(error, ENOMEM);
    for (guint i = 0; status == 0 && i < G_N_ELEMENTS(allowed); i++)
        status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    if (status == 0)
        status = allow_sockets(filter);
    if (status == 0)
        status = confine_allow_memory(filter);
    if (status == 0 && files)
        status = allow_files(filter);
    if (status == 0)
        status = seccomp_load(filter);
    seccomp_release(filter);
    return status == 0 || confine_fail(error, -status);
}

bool
network_confine(const char *const *folders, GError **error)
{
    return confine_begin(error) && confine_calls(confine_files(folders), error);
}
