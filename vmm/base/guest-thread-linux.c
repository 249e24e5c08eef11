/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Threads that run translated code, on Linux: pthread_sigmask(3), arch_prctl(2) where the kernel
 * does not let programs use WRGSBASE (getauxval(3), AT_HWCAP2). */
#include "vmm/base/guest-thread.h"

#include <asm/prctl.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HWCAP2_FSGSBASE 2u

void
base_guest_thread_enter(BaseGuestThread *before)
{
    sigset_t blocked;

    sigfillset(&blocked);
    sigdelset(&blocked, SIGSEGV);
    sigdelset(&blocked, SIGBUS);
    sigdelset(&blocked, SIGFPE);
    sigdelset(&blocked, SIGILL);
    sigdelset(&blocked, SIGTRAP);
    pthread_sigmask(SIG_BLOCK, &blocked, &before->signals);
}

void
base_guest_thread_leave(const BaseGuestThread *before)
{
    pthread_sigmask(SIG_SETMASK, &before->signals, NULL);
}

void
base_guest_thread_set_gs(void *base)
{
    if (getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE)
        __asm__ volatile("wrgsbase %0" : : "r"(base));
    else
        syscall(SYS_arch_prctl, ARCH_SET_GS, base);
}
