/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Runs random cases (agree.h) on IEM and on REM, which have to end in the same state. A child does
 * the work and is started again behind a case in which it died or hung. Prints how many cases of
 * each kind there were; exit code 1: there was a difference, a crash or a hang.
 *
 *   test-agree --first N --count N         cases N …, in any order and any number of pieces
 *   test-agree --trace N                   one case: after how many instructions IEM and REM
 * differ; the state on IEM and its next instruction up to there test-agree --seconds N as many as
 * there is time for, from a random number on */
#include "tests/fuzz/agree.h"
#include "vmm/x86/x86-decode.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define HANG_SECONDS 30
#define POLL_US 20000
#define ENDLESS_US 150000
#define MOST_DIFFERENCES 20
/* A machine's caches live through so many cases. */
#define RENEW 20000

/* Cases that differed once, one for each kind of defect, as long as what a number makes stays the
 * same: C2 behind FPREM of an empty register; an undefined instruction beyond CS's limit, in a
 * block with what is before it; code that goes on in a device; REP CMPS whose source crosses into a
 * page that is missing, while the TLB does not have the target's; FXRSTOR of an image whose
 * reserved bytes are not zero; an instruction decoded for IEM from the page that its table named by
 * then, instead of the block's; and two in a row: code in a page whose entry in the page table was
 * overwritten, which stayed in the cache; a block in a page table, in whose own bytes an access of
 * it sets A and D. */
static const struct {
    uint64_t first, count;
} known[] = {{20038028, 1}, {944295, 1},   {6208706, 1},  {21675042, 1}, {23209265, 1},
             {23877586, 1}, {23165183, 2}, {28391185, 1}, {71044752, 1}, {72014017, 1}};

static const char *const kinds[AGREE_KINDS] = {"code", "code that writes to itself", "page tables",
                                               "interrupts"};

/* Both processes see it. */
typedef struct {
    _Atomic uint64_t now;
    uint64_t done[AGREE_KINDS], excused, endless, differences;
} Progress;

typedef struct {
    AgreeMachine *iem, *rem;
    AgreeCase *item;
    GMutex lock; /* of the machines' being there */
    Progress *progress;
} Pair;

static void
pair_open(Pair *pair)
{
    pair->iem = agree_machine_new(em_engine_by_name("iem"));
    pair->rem = agree_machine_new(em_engine_by_name("rem"));
}

static void
pair_close(Pair *pair)
{
    agree_machine_free(pair->iem);
    agree_machine_free(pair->rem);
}

typedef enum { AGREE, DIFFER, STOPPED } Outcome;

/* Do both end in the same state after at most so many instructions? */
static Outcome
compare(Pair *pair, unsigned most, GString *out)
{
    agree_machine_load(pair->iem, pair->item);
    agree_machine_load(pair->rem, pair->item);
    if (!agree_machine_run(pair->iem, pair->item, most) ||
        !agree_machine_run(pair->rem, pair->item, most))
        return STOPPED;
    return agree_machines_equal(pair->iem, pair->rem, out) ? AGREE : DIFFER;
}

/* False: the machines have to be made anew, since their clocks may differ from now on. */
static bool
run_case(Pair *pair, uint64_t seed, Progress *progress)
{
    g_autoptr(GString) out = g_string_new(NULL);
    Outcome outcome;

    agree_case_make(pair->item, seed);
    outcome = compare(pair, UINT32_MAX, out);
    if (!agree_machine_kept_within(pair->iem) || !agree_machine_kept_within(pair->rem)) {
        printf("case %" G_GUINT64_FORMAT ": the guest was outside of its memory\n", seed);
        progress->differences++;
    } else if (outcome == STOPPED) {
        progress->endless++;
    } else if (outcome == DIFFER && !agree_machine_changed_tables(pair->iem, pair->item)) {
        printf("case %" G_GUINT64_FORMAT " (%s): IEM and REM differ\n%s", seed,
               kinds[pair->item->kind], out->str);
        progress->differences++;
    } else {
        progress->done[pair->item->kind]++;
        progress->excused += outcome == DIFFER;
    }
    return outcome == AGREE;
}

/* Stops a guest that repeats one instruction for ever; it has to be possible. */
static void *
guard(void *user)
{
    Pair *pair = user;
    uint64_t last = UINT64_MAX;

    for (;;) {
        const uint64_t now = atomic_load(&pair->progress->now);

        if (now == last) {
            g_mutex_lock(&pair->lock);
            agree_machine_stop(pair->iem);
            agree_machine_stop(pair->rem);
            g_mutex_unlock(&pair->lock);
        }
        last = now;
        g_usleep(ENDLESS_US);
    }
    return NULL;
}

static void
renew(Pair *pair)
{
    g_mutex_lock(&pair->lock);
    pair_close(pair);
    pair_open(pair);
    g_mutex_unlock(&pair->lock);
}

/* In the child. */
static void
work(uint64_t first, uint64_t end, Progress *progress)
{
    Pair pair = {.item = g_new(AgreeCase, 1), .progress = progress};

    g_mutex_init(&pair.lock);
    pair_open(&pair);
    g_thread_unref(g_thread_new("guard", guard, &pair));
    for (uint64_t seed = first; seed < end && progress->differences < MOST_DIFFERENCES; seed++) {
        atomic_store(&progress->now, seed);
        if (!run_case(&pair, seed, progress) || seed % RENEW == 0)
            renew(&pair);
    }
    atomic_store(&progress->now, end);
    fflush(stdout);
    _exit(0);
}

/* --- the parent --- */

/* Waits for the child; true: it came to its end. */
static bool
watch(pid_t child, Progress *progress, double deadline)
{
    const double begin = (double)g_get_monotonic_time() / 1e6;
    uint64_t last = atomic_load(&progress->now);
    double since = begin;
    int status;

    while (waitpid(child, &status, WNOHANG) == 0) {
        const double now = (double)g_get_monotonic_time() / 1e6;
        const uint64_t at = atomic_load(&progress->now);

        if (at != last)
            since = now;
        last = at;
        if (now > deadline || now - since > HANG_SECONDS) {
            kill(child, SIGKILL);
            waitpid(child, &status, 0);
            if (now > deadline)
                return true;
            printf("case %" G_GUINT64_FORMAT ": no end within %d s\n", at, HANG_SECONDS);
            progress->differences++;
            return false;
        }
        g_usleep(POLL_US);
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    printf("case %" G_GUINT64_FORMAT ": the process died (%s %d)\n", atomic_load(&progress->now),
           WIFSIGNALED(status) ? "signal" : "exit code",
           WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    progress->differences++;
    return false;
}

static void
run_range(uint64_t first, uint64_t end, double deadline, Progress *progress)
{
    while (first < end && progress->differences < MOST_DIFFERENCES) {
        pid_t child;

        fflush(stdout);
        atomic_store(&progress->now, first);
        child = fork();
        if (child == 0)
            work(first, end, progress);
        if (child < 0 || watch(child, progress, deadline))
            return;
        first = atomic_load(&progress->now) + 1;
    }
}

static void
report(const Progress *progress, uint64_t first)
{
    uint64_t total = 0;

    for (unsigned i = 0; i < AGREE_KINDS; i++)
        total += progress->done[i];
    printf("cases from %" G_GUINT64_FORMAT " on: %" G_GUINT64_FORMAT " agree", first, total);
    for (unsigned i = 0; i < AGREE_KINDS; i++)
        printf("%s %s %" G_GUINT64_FORMAT, i == 0 ? ":" : ",", kinds[i], progress->done[i]);
    printf("; %" G_GUINT64_FORMAT " of them but for what a TLB may still know; %" G_GUINT64_FORMAT
           " more are endless; %" G_GUINT64_FORMAT " failures\n",
           progress->excused, progress->endless, progress->differences);
}

/* --- one case in detail --- */

static void
print_insn(const Vcpu *vcpu, const uint8_t *ram, unsigned number)
{
    const uint64_t linear = vcpu->seg[X86_CS].base + vcpu->rip;
    const X86CodeSize code = vcpu->mode == CPUM_MODE_LONG64        ? X86_CODE_64
                             : vcpu->seg[X86_CS].attr & X86_SEG_DB ? X86_CODE_32
                                                                   : X86_CODE_16;
    ZydisDecodedInstruction insn = {0};
    X86Decoder decoder;

    printf("%5u %08" G_GINT64_MODIFIER "x cpl %u fl %05" G_GINT64_MODIFIER "x ", number, linear,
           vcpu->cpl, vcpu->rflags);
    if (linear + X86_INSN_MAX < AGREE_RAM) {
        x86_decoder_init(&decoder, X86_DECODE_LZCNT | X86_DECODE_TZCNT);
        x86_decode(&decoder, code, ram + linear, X86_INSN_MAX, &insn);
        printf("%s", x86_mnemonic_name(insn.mnemonic));
        for (unsigned i = 0; i < insn.length; i++)
            printf(" %02x", ram[linear + i]);
    }
    printf("\n     ");
    for (unsigned i = 0; i < X86_GPR_COUNT; i++)
        printf(" %" G_GINT64_MODIFIER "x", vcpu->gpr[i]);
    puts("");
}

/* Like compare(), on machines that have run the cases from `after` to just before `seed`. */
static Outcome
compare_after(Pair *pair, uint64_t after, uint64_t seed, unsigned most, GString *out)
{
    renew(pair);
    for (; after < seed; after++) {
        g_autoptr(GString) ignored = g_string_new(NULL);

        agree_case_make(pair->item, after);
        compare(pair, UINT32_MAX, ignored);
    }
    agree_case_make(pair->item, seed);
    return compare(pair, most, out);
}

static int
trace(uint64_t seed, uint64_t after)
{
    g_autoptr(GString) out = g_string_new(NULL);
    Pair pair = {.item = g_new(AgreeCase, 1)};
    unsigned total = 0, most;

    pair_open(&pair);
    agree_case_make(pair.item, seed);
    for (unsigned i = 0; i < pair.item->pieces; i++)
        total += pair.item->piece[i].instructions;
    printf("case %" G_GUINT64_FORMAT ": %s, mode %d, paging %d, user %d, %u instructions\n", seed,
           kinds[pair.item->kind], pair.item->mode, pair.item->paging, pair.item->user, total);
    agree_machine_load(pair.iem, pair.item);
    print_insn(agree_machine_vcpu(pair.iem), agree_machine_ram(pair.iem), 0);
    for (most = 1; most <= total && compare_after(&pair, after, seed, most, out) == AGREE; most++)
        print_insn(agree_machine_vcpu(pair.iem), agree_machine_ram(pair.iem), most);
    if (most <= total)
        print_insn(agree_machine_vcpu(pair.iem), agree_machine_ram(pair.iem), most);
    if (most <= total)
        printf("after %u instructions (IEM, REM):\n%s", most, out->str);
    else
        puts("no difference");
    pair_close(&pair);
    g_free(pair.item);
    return most <= total;
}

int
main(int argc, char **argv)
{
    gint64 first = 1, count = 0, one = -1, after = G_MAXINT64;
    gboolean also_known = FALSE;
    int seconds = 0;
    const GOptionEntry entries[] = {
        {"first", 0, 0, G_OPTION_ARG_INT64, &first, "number of the first case", "N"},
        {"count", 0, 0, G_OPTION_ARG_INT64, &count, "cases", "N"},
        {"seconds", 0, 0, G_OPTION_ARG_INT, &seconds, "end after so many", "N"},
        {"trace", 0, 0, G_OPTION_ARG_INT64, &one, "one case in detail", "N"},
        {"after", 0, 0, G_OPTION_ARG_INT64, &after, "with --trace: from this case on first", "N"},
        {"known", 0, 0, G_OPTION_ARG_NONE, &also_known, "first what differed once", NULL},
        {NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;
    Progress *progress =
        mmap(NULL, sizeof *progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    double deadline = G_MAXDOUBLE;

    setvbuf(stdout, NULL, _IOLBF, 0);
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        fprintf(stderr, "%s\n", error->message);
        return 2;
    }
    if (one >= 0)
        return trace((uint64_t)one, (uint64_t)MIN(after, one));
    if (seconds > 0) {
        deadline = (double)g_get_monotonic_time() / 1e6 + seconds;
        first = count > 0 ? first : (gint64)g_random_int() << 16;
    }
    if (count == 0)
        count = seconds > 0 ? G_MAXINT32 : 1000;
    for (unsigned i = 0; also_known && i < G_N_ELEMENTS(known); i++)
        run_range(known[i].first, known[i].first + known[i].count, deadline, progress);
    run_range((uint64_t)first, (uint64_t)(first + count), deadline, progress);
    report(progress, (uint64_t)first);
    return progress->differences != 0 || progress->done[0] == 0;
}
