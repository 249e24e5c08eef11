/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Host memory on Linux: mmap(2), madvise(2). Memory is not reserved in swap, so that a guest may be
 * given more RAM than it uses. */
#include "vmm/base/memory.h"

#include "vmm/base/error.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)

static void *
map(size_t size, GError **error)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED) {
        base_error_set_errno(error, errno, "Cannot get %" G_GSIZE_FORMAT " MiB of memory",
                             size >> 20);
        return NULL;
    }
    return memory;
}

/* Maps one huge page more and cuts both ends, so that the result starts on a huge page. */
static void *
map_aligned(size_t size, GError **error)
{
    uint8_t *memory;
    size_t head;

    if (size > SIZE_MAX - HUGE_PAGE) {
        base_error_set_errno(error, ENOMEM, "Cannot get so much memory");
        return NULL;
    }
    memory = map(size + HUGE_PAGE, error);
    if (memory == NULL)
        return NULL;
    head = (size_t)(-(uintptr_t)memory & (HUGE_PAGE - 1));
    if (head > 0)
        munmap(memory, head);
    if (head < HUGE_PAGE)
        munmap(memory + head + size, HUGE_PAGE - head);
    return memory + head;
}

static size_t
round_to_page(size_t size)
{
    return (size + 4095) & ~(size_t)4095;
}

void *
base_memory_map(size_t size, unsigned flags, GError **error)
{
    const size_t rounded = round_to_page(size);
    const bool huge = (flags & BASE_MEMORY_HUGE) && rounded >= HUGE_PAGE;
    void *memory = huge ? map_aligned(rounded, error) : map(rounded, error);

    /* Only a hint: a host without huge pages says no, and nothing is lost. */
    if (memory != NULL && huge)
        madvise(memory, rounded, MADV_HUGEPAGE);
    return memory;
}

void
base_memory_unmap(void *memory, size_t size)
{
    if (memory != NULL)
        munmap(memory, round_to_page(size));
}

void
base_memory_discard(void *memory, size_t size)
{
    madvise(memory, round_to_page(size), MADV_DONTNEED);
}

/* proc(5), /proc/pid/statm: the second number, in pages. */
size_t
base_memory_resident(void)
{
    g_autofree char *text = NULL;
    const char *resident;

    if (!g_file_get_contents("/proc/self/statm", &text, NULL, NULL) ||
        (resident = strchr(text, ' ')) == NULL)
        return 0;
    return (size_t)g_ascii_strtoull(resident, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}
