/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Samples, recordings, and the choice of a path; see rem-record.h. */
#include "vmm/rem/rem-record.h"

#define SAMPLES 4 /* before the first recording of a block, four times as many before the next */
#define TRIES 3
#define TRACE_TRIES 6 /* to make a trace anew */
#define RARELY 16     /* turned away in less than one of so many instructions: as it should be */
#define HEADS 24
#define KINDS 8

/* ---- the choice of a path ---- */
/* The instructions from `start` on, until the head comes again: how often, and how often with some
 * that no trace has. */
typedef struct {
    unsigned start, length, count, fresh;
} Kind;

typedef struct {
    int32_t head;
    Kind best;
} Candidate;

static bool
is_same(const RemRecorder *recorder, const Kind *kind, unsigned start, unsigned length)
{
    return kind->length == length && memcmp(recorder->path + kind->start, recorder->path + start,
                                            length * sizeof recorder->path[0]) == 0;
}

static void
count_kind(const RemRecorder *recorder, Kind kinds[KINDS], unsigned start, unsigned length)
{
    const bool fresh = memchr(recorder->told + start, false, length) != NULL;
    unsigned i = 0;

    while (i < KINDS && kinds[i].count != 0 && !is_same(recorder, &kinds[i], start, length))
        i++;
    if (i < KINDS)
        kinds[i] = (Kind){start, length, kinds[i].count + 1, kinds[i].fresh + fresh};
}

/* The way round from the head that was gone most often, if it is most of them. */
static Kind
best_round(const RemRecorder *recorder, int32_t head)
{
    Kind kinds[KINDS] = {{0}}, best = {0};
    /* A short recording may have met an unusual time of the loop around this one. */
    const unsigned needed = recorder->count < REM_RECORD_LONG ? 3 : 2;
    unsigned last = UINT_MAX, rounds = 0;

    for (unsigned i = 0; i < recorder->count; i++) {
        if (recorder->path[i] != head)
            continue;
        if (last != UINT_MAX) {
            count_kind(recorder, kinds, last, i - last);
            rounds++;
        }
        last = i;
    }
    for (unsigned i = 0; i < KINDS; i++)
        if (kinds[i].count > best.count)
            best = kinds[i];
    if (best.count < 2 || best.count < needed * rounds / 4 || best.length > REM_TRACE_INSNS ||
        2 * best.fresh < best.count)
        best.fresh = 0;
    return best;
}

static unsigned
covered(const Candidate *candidate)
{
    return candidate->best.fresh * candidate->best.length;
}

/* Where a jump back leads to is the start of a loop. */
static unsigned
find_heads(const RemRecorder *recorder, Candidate heads[HEADS])
{
    unsigned count = 0;

    for (unsigned i = 1; i < recorder->count && count < HEADS; i++) {
        const int32_t head = recorder->path[i];
        unsigned k = 0;

        if (head == REM_RECORD_ELSEWHERE || recorder->path[i - 1] == REM_RECORD_ELSEWHERE ||
            head > recorder->path[i - 1])
            continue;
        while (k < count && heads[k].head != head)
            k++;
        if (k < count)
            continue;
        heads[count++] = (Candidate){head, best_round(recorder, head)};
    }
    return count;
}

/* The one that covers most; a shorter one if it covers about as much. */
static Candidate *
best_head(Candidate heads[HEADS], unsigned count)
{
    Candidate *best = NULL;

    for (unsigned i = 0; i < count; i++) {
        const unsigned more = covered(&heads[i]), than = best != NULL ? covered(best) : 0;
        const bool shorter = best == NULL || heads[i].best.length < best->best.length;

        if (more != 0 && (shorter ? 8 * more >= 7 * than : 7 * more > 8 * than))
            best = &heads[i];
    }
    return best;
}

/* If the path at `i` is `length` instructions of the round from its `first` one, they are told. */
static bool
tell_at(RemRecorder *recorder, const Kind *kind, unsigned i, unsigned first, unsigned length)
{
    const int32_t *round = recorder->path + kind->start + first;

    if (memcmp(recorder->path + i, round, length * sizeof round[0]) != 0)
        return false;
    memset(recorder->told + i, true, length);
    return true;
}

/* Rounds that an existing trace goes show nothing new, nor do the parts of one in which the
 * recording began and ended. A loop around them may. */
static void
tell(RemRecorder *recorder, const Kind *kind)
{
    const unsigned count = recorder->count, length = kind->length;

    for (unsigned i = 0; i + length <= count; i++)
        tell_at(recorder, kind, i, 0, length);
    for (unsigned k = 1; k < length; k++)
        if (tell_at(recorder, kind, 0, k, length - k))
            break;
    for (unsigned k = length - 1; k > 0; k--)
        if (tell_at(recorder, kind, count - k, 0, k))
            break;
}

/* ---- its pages ---- */
static bool
add_page(Vcpu *vcpu, RemRecorder *recorder, int32_t base)
{
    RemTrace *trace = &recorder->trace;
    RemTracePage *page = &trace->pages[trace->page_count];

    for (unsigned i = 0; i < trace->page_count; i++)
        if (trace->pages[i].base == base)
            return true;
    if (trace->page_count == REM_TRACE_PAGES)
        return false;
    *page = (RemTracePage){.base = base, .bytes = recorder->bytes[trace->page_count]};
    if (!rem_cache_trace_page(vcpu, recorder->head + (uint64_t)(int64_t)base, page))
        return false;
    memcpy(recorder->bytes[trace->page_count++], page->host, X86_PAGE_SIZE);
    return true;
}

/* The path from its head's page, and the pages that it leads through. */
static bool
set_path(Vcpu *vcpu, RemRecorder *recorder, const Kind *kind)
{
    const int32_t *path = recorder->path + kind->start;
    const int32_t mask = -(int32_t)X86_PAGE_SIZE, first = path[0] & mask;

    recorder->head = recorder->page + (uint64_t)(int64_t)path[0];
    recorder->trace.page_count = 0;
    for (unsigned i = 0; i < kind->length; i++) {
        if (path[i] == REM_RECORD_ELSEWHERE || ABS(path[i] - first) > REM_TRACE_REACH)
            return false;
        recorder->chosen[i] = path[i] - first;
        if (!add_page(vcpu, recorder, recorder->chosen[i] & mask))
            return false;
    }
    return true;
}

/* ---- the choice ---- */
/* Of the present path; not 0. */
static uint32_t
path_hash(const RemRecorder *recorder, unsigned length)
{
    uint64_t sum = recorder->head;

    for (unsigned i = 0; i < length; i++) {
        sum = (sum ^ (uint32_t)recorder->chosen[i]) * UINT64_C(0x9e3779b97f4a7c15);
        sum ^= sum >> 32;
    }
    return (uint32_t)sum | 1;
}

/* Does the chosen path's head have a trace that is of use? It may have only one. */
static bool
has_trace(const RemVcpu *rem)
{
    const RemRecorder *recorder = rem->recorder;
    const uint8_t *head = recorder->trace.pages[0].host + recorder->chosen[0];
    const RemBlock *block = rem_cache_find_trace(rem, head, recorder->mode);

    return block != NULL && !block->stale;
}

/* Does a trace go this way already? Others may pass its head. */
static bool
is_known(const RemVcpu *rem, unsigned length)
{
    const RemRecorder *recorder = rem->recorder;
    const uint32_t hash = path_hash(recorder, length);

    return recorder->known[hash % REM_RECORD_KNOWN] == hash && has_trace(rem);
}

static void
make_known(RemRecorder *recorder)
{
    const uint32_t hash = path_hash(recorder, recorder->trace.count);

    recorder->known[hash % REM_RECORD_KNOWN] = hash;
}

/* Those of rounds that no trace goes already, from wherever they are looked at. */
static unsigned
find_new_heads(Vcpu *vcpu, RemRecorder *recorder, Candidate heads[HEADS])
{
    unsigned count;

    memset(recorder->told, false, recorder->count);
    count = find_heads(recorder, heads);
    for (unsigned i = 0; i < count; i++) {
        const Kind *kind = &heads[i].best;

        if (kind->fresh == 0 || !set_path(vcpu, recorder, kind) ||
            !is_known(rem_of(vcpu), kind->length))
            continue;
        tell(recorder, kind);
        count = find_heads(recorder, heads);
        i = UINT_MAX; /* from the first one again */
    }
    return count;
}

/* Decodes the best path that can be. */
static bool
choose(Vcpu *vcpu, RemRecorder *recorder)
{
    RemVcpu *rem = rem_of(vcpu);
    RemTrace *trace = &recorder->trace;
    Candidate heads[HEADS], *best;
    unsigned count;

    trace->mode = recorder->mode;
    count = find_new_heads(vcpu, recorder, heads);
    while ((best = best_head(heads, count)) != NULL) {
        if (set_path(vcpu, recorder, &best->best) && !has_trace(rem) &&
            rem_trace_decode(rem, trace, recorder->chosen, best->best.length))
            return true;
        best->best.fresh = 0;
    }
    return false;
}

/* ---- recording ---- */
static bool
can_trace(unsigned mode)
{
    const unsigned flat = REM_MODE_FLAT | REM_MODE_FLAT_CODE, cpu = mode & REM_MODE_CPU;

    return (mode & flat) == flat && !(mode & (REM_MODE_SLOW_MEMORY | REM_MODE_NO_SHARE)) &&
           (cpu == CPUM_MODE_LONG64 || cpu == CPUM_MODE_PROT32);
}

/* Code without loops would be recorded for ever. What loops before it did not use is no credit of
 * its own: a compiler that ran after them was recorded hundreds of times. */
static bool
has_credit(const RemVcpu *rem)
{
    const uint64_t share = rem->vcpu->retired / REM_RECORD_SHARE;
    RemRecorder *recorder = rem->recorder;

    if (share > REM_RECORD_SAVED)
        recorder->steps = MAX(recorder->steps, share - REM_RECORD_SAVED);
    return rem->eager || recorder->steps <= share;
}

/* Does the trace's guard turn away much of what it is there for? It was made for another process,
 * whose stack or libraries were elsewhere: operands that shared a page may lie in two now. */
static bool
is_stale(const Vcpu *vcpu, RemBlock *block, unsigned needed)
{
    const uint64_t plain = (uint64_t)block->turned_away * block->count;
    const uint64_t since = vcpu->retired - block->counted_from;

    if (plain < (uint64_t)needed * REM_QUANTUM)
        return false;
    block->turned_away = 0;
    block->counted_from = vcpu->retired;
    return plain > since / RARELY;
}

/* Is it time to record from the block's start? */
static bool
is_due(const Vcpu *vcpu, RemBlock *block, unsigned needed)
{
    if (!block->trace)
        return ++block->samples >= needed;
    block->stale |= is_stale(vcpu, block, needed);
    return block->stale;
}

bool
rem_record_sample(Vcpu *vcpu, RemBlock *block)
{
    RemVcpu *rem = rem_of(vcpu);
    RemRecorder *recorder = rem->recorder;
    const unsigned tries = block->trace ? TRACE_TRIES : TRIES;
    const unsigned needed = rem->eager ? 1 : SAMPLES << (2 * block->tries);

    if (block->tries == tries || recorder->state != REM_RECORD_OFF || block->code.host == NULL ||
        !can_trace(block->mode) || !has_credit(rem) || !is_due(vcpu, block, needed))
        return false;
    block->samples = 0;
    block->tries++;
    rem->recordings++;
    recorder->state = REM_RECORD_PATH;
    recorder->mode = block->mode;
    recorder->count = 0;
    recorder->page = vcpu->rip & ~(uint64_t)X86_PAGE_OFFSET_MASK;
    return true;
}

static void
record(Vcpu *vcpu, RemRecorder *recorder)
{
    const int64_t offset = (int64_t)(vcpu->rip - recorder->page);

    recorder->path[recorder->count++] =
        ABS(offset) < REM_TRACE_REACH ? (int32_t)offset : REM_RECORD_ELSEWHERE;
    if (recorder->count != REM_RECORD_SHORT && recorder->count != REM_RECORD_LONG)
        return;
    if (choose(vcpu, recorder)) {
        recorder->state = REM_RECORD_WAIT;
        recorder->patience = 2 * REM_RECORD_LONG;
    } else if (recorder->count == REM_RECORD_LONG) {
        recorder->state = REM_RECORD_OFF;
    }
}

/* The trace is made for registers as they are when it begins. */
static void
wait_for_start(Vcpu *vcpu, RemRecorder *recorder)
{
    RemVcpu *rem = rem_of(vcpu);
    RemTrace *trace = &recorder->trace;

    if (--recorder->patience == 0)
        recorder->state = REM_RECORD_OFF;
    if (vcpu->rip != recorder->head)
        return;
    rem_mode_changed(vcpu);
    if (rem->mode != trace->mode)
        return;
    recorder->state = REM_RECORD_OFF;
    recorder->steps -= MIN(recorder->steps, recorder->count);
    make_known(recorder);
    if (rem_trace_analyse(vcpu, trace) && rem_trace_place(trace))
        rem_cache_add_trace(vcpu, trace);
}

bool
rem_record_step(Vcpu *vcpu)
{
    RemRecorder *recorder = rem_of(vcpu)->recorder;

    if (recorder->state == REM_RECORD_PATH)
        record(vcpu, recorder);
    else if (recorder->state == REM_RECORD_WAIT)
        wait_for_start(vcpu, recorder);
    recorder->steps += recorder->state != REM_RECORD_OFF;
    return recorder->state != REM_RECORD_OFF;
}

void
rem_record_cancel(RemVcpu *rem)
{
    if (rem->recorder != NULL)
        rem->recorder->state = REM_RECORD_OFF;
}

void
rem_record_init(RemVcpu *rem)
{
    rem->recorder = g_new0(RemRecorder, 1);
}
