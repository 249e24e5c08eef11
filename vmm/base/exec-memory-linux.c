/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Executable memory on Linux: memfd_create(2), mapped twice. */
#include "vmm/base/exec-memory.h"

#include "vmm/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096u

static void *
map(int fd, size_t size, int protection)
{
    void *memory = mmap(NULL, size, protection, MAP_SHARED | MAP_NORESERVE, fd, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

static bool
map_both(BaseExecMemory *memory, int fd)
{
    if (ftruncate(fd, (off_t)memory->size) != 0)
        return false;
    memory->write = map(fd, memory->size, PROT_READ | PROT_WRITE);
    if (memory->write == NULL)
        return false;
    memory->exec = map(fd, memory->size, PROT_READ | PROT_EXEC);
    return memory->exec != NULL;
}

bool
base_exec_memory_new(BaseExecMemory *memory, size_t size, GError **error)
{
    int fd = memfd_create("translated code", MFD_CLOEXEC);
    bool ok = false;

    *memory = (BaseExecMemory){.size = (size + PAGE - 1) & ~(size_t)(PAGE - 1)};
    if (fd >= 0)
        ok = map_both(memory, fd);
    if (!ok) {
        base_error_set_errno(error, errno, "Cannot get memory for translated code");
        base_exec_memory_free(memory);
    }
    if (fd >= 0)
        close(fd);
    return ok;
}

void
base_exec_memory_free(BaseExecMemory *memory)
{
    if (memory->write != NULL)
        munmap(memory->write, memory->size);
    if (memory->exec != NULL)
        munmap((void *)memory->exec, memory->size);
    *memory = (BaseExecMemory){0};
}

void
base_exec_memory_discard(BaseExecMemory *memory, size_t offset, size_t size)
{
    madvise(memory->write + offset, size, MADV_REMOVE);
}
