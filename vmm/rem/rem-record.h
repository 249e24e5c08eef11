/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Finding hot loops: a block at whose start the count of instructions runs out is a sample of what
 * is executed most. When one has been met often enough, IEM executes the next some hundred
 * instructions, whose addresses show the loops; the path that covers most of them becomes a trace
 * (rem-trace.h) when its start comes by. A trace whose guard turns nearly all away is recorded
 * anew in the same way. */
#pragma once

#include "vmm/rem/rem-trace.h"

/* Instructions to record at first, and if they show no loop. */
#define REM_RECORD_SHORT 512
#define REM_RECORD_LONG 2048

/* One instruction in so many may be executed in vain for that: it takes up to a thousand times as
 * long so. At most REM_RECORD_SAVED are saved up for later. */
#define REM_RECORD_SHARE 8192
#define REM_RECORD_SAVED (16u * REM_RECORD_LONG)

#define REM_RECORD_ELSEWHERE INT32_MIN
#define REM_RECORD_KNOWN 1024u

typedef enum { REM_RECORD_OFF, REM_RECORD_PATH, REM_RECORD_WAIT } RemRecordState;

struct RemRecorder {
    RemRecordState state;
    uint64_t page; /* RIP of the first byte of the page that it began in */
    uint64_t head; /* RIP at which the trace begins */
    uint16_t mode;
    unsigned count;
    uint64_t steps;                /* executed for recordings that showed nothing, or forfeited */
    unsigned patience;             /* instructions to wait for the start */
    int32_t path[REM_RECORD_LONG]; /* offsets from the page, or REM_RECORD_ELSEWHERE */
    bool told[REM_RECORD_LONG];    /* some trace goes there already */
    uint32_t known[REM_RECORD_KNOWN];              /* hashes of paths that became traces */
    int32_t chosen[REM_TRACE_INSNS];               /* the trace's path, from its head's page */
    uint8_t bytes[REM_TRACE_PAGES][X86_PAGE_SIZE]; /* of its pages, when it was decoded */
    RemTrace trace;
};
