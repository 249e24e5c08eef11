/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the host's kernel does with its hardware virtualization: parameters of Linux's kvm_intel and
 * kvm_amd, which machines cannot choose for themselves. Other hosts have nothing to ask. Linux
 * Documentation/admin-guide/kernel-parameters.txt (kvm-intel.ept, kvm-intel.vpid, kvm-amd.npt). */
#include "app/api/vitrine-os-types.h"

/* 1 or 0 as the file says Y or N; -1: there is no such file. */
static int
parameter(const char *path)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return -1;
    return *text == 'Y' || *text == '1';
}

int
vitrine_host_nested_paging(void)
{
    int intel = parameter("/sys/module/kvm_intel/parameters/ept");
    return intel >= 0 ? intel : parameter("/sys/module/kvm_amd/parameters/npt");
}

int
vitrine_host_vpid(void)
{
    int intel = parameter("/sys/module/kvm_intel/parameters/vpid");
    if (intel >= 0)
        return intel;
    /* AMD's address space identifiers are always in use. */
    return parameter("/sys/module/kvm_amd/parameters/npt") >= 0 ? 1 : -1;
}
