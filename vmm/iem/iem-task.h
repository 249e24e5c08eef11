/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What iem-task.c and iem-task-load.c share. */
#pragma once

#include "vmm/iem/iem-system.h"

typedef struct {
    bool wide; /* a 32-bit TSS: cr3, FS, GS and trap are in it */
    bool trap;
    uint16_t ldt;
    uint16_t seg[X86_SEG_COUNT];
    uint32_t ip, flags, cr3;
    uint32_t gpr[8];
} IemTaskState;

/* CR3, LDTR and the segment registers of the new task; faults are raised in its context. */
void iem_task_load(Vcpu *vcpu, const IemTaskState *task, uint32_t ext);
