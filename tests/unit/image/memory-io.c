/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The image file in memory. */
#include "tests/unit/image/memory-io.h"

#include <string.h>

#include "vmm/base/error.h"

#define SECTOR 512u

static void
set_size(GByteArray *content, uint64_t size)
{
    guint old = content->len;

    g_byte_array_set_size(content, (guint)size);
    if (size > old)
        memset(content->data + old, 0, (size_t)size - old);
}

static void
record_op(MemoryIo *self, MemoryOpKind kind, uint64_t offset, const void *data, size_t length)
{
    MemoryOp op = {kind, self->file, offset, data != NULL ? g_bytes_new(data, length) : NULL};

    if (self->record != NULL)
        g_array_append_val(self->record, op);
    else
        g_clear_pointer(&op.data, g_bytes_unref);
}

static bool
check_room(MemoryIo *self, uint64_t end, GError **error)
{
    if (self->size_limit == 0 || end <= self->size_limit)
        return true;
    g_set_error_literal(error, BASE_ERROR, BASE_ERROR_NO_SPACE, "The disk is full.");
    return false;
}

static bool
memory_pread(ImageIo *io, uint64_t offset, void *buffer, size_t length, GError **error)
{
    MemoryIo *self = (MemoryIo *)io;

    if (offset > self->content->len || length > self->content->len - offset) {
        g_set_error_literal(error, BASE_ERROR, BASE_ERROR_IO, "Read beyond the end.");
        return false;
    }
    if (length > 0)
        memcpy(buffer, self->content->data + offset, length);
    return true;
}

static bool
memory_pwrite(ImageIo *io, uint64_t offset, const void *buffer, size_t length, GError **error)
{
    MemoryIo *self = (MemoryIo *)io;

    if (!check_room(self, offset + length, error))
        return false;
    if (offset + length > self->content->len)
        set_size(self->content, offset + length);
    memcpy(self->content->data + offset, buffer, length);
    record_op(self, MEMORY_WRITE, offset, buffer, length);
    return true;
}

static bool
memory_sync(ImageIo *io, GError **error)
{
    MemoryIo *self = (MemoryIo *)io;

    if (self->fail_sync) {
        g_set_error_literal(error, BASE_ERROR, BASE_ERROR_IO, "The disk is broken.");
        return false;
    }
    self->syncs++;
    record_op(self, MEMORY_SYNC, 0, NULL, 0);
    return true;
}

static bool
memory_size(ImageIo *io, uint64_t *size, GError **error)
{
    *size = ((MemoryIo *)io)->content->len;
    return true;
}

/* A sparse file grows without needing room. */
static bool
memory_truncate(ImageIo *io, uint64_t size, GError **error)
{
    MemoryIo *self = (MemoryIo *)io;

    set_size(self->content, size);
    record_op(self, MEMORY_TRUNCATE, size, NULL, 0);
    return true;
}

/* A hole is zeros that are written: what the host's file system makes of it. */
static bool
memory_punch(ImageIo *io, uint64_t offset, uint64_t length, GError **error)
{
    MemoryIo *self = (MemoryIo *)io;
    uint64_t end = MIN(offset + length, self->content->len);
    g_autofree uint8_t *zeros = NULL;

    if (offset >= end)
        return true;
    zeros = g_malloc0(end - offset);
    memset(self->content->data + offset, 0, end - offset);
    record_op(self, MEMORY_WRITE, offset, zeros, end - offset);
    return true;
}

static void
memory_close(ImageIo *io)
{
    g_free(io);
}

static const ImageIoOps memory_ops = {
    .pread = memory_pread,
    .pwrite = memory_pwrite,
    .sync = memory_sync,
    .size = memory_size,
    .truncate = memory_truncate,
    .punch = memory_punch,
    .close = memory_close,
};

MemoryIo *
memory_io_new(GByteArray *content, GArray *record)
{
    MemoryIo *self = g_new0(MemoryIo, 1);

    self->io.ops = &memory_ops;
    self->io.name = "memory";
    self->io.writable = true;
    self->content = content;
    self->record = record;
    return self;
}

Image *
memory_open(GByteArray *content, const char *format, ImageOpenFlags flags, GError **error)
{
    return image_open_io(&memory_io_new(content, NULL)->io, format, flags, error);
}

static void
clear_op(gpointer op)
{
    g_clear_pointer(&((MemoryOp *)op)->data, g_bytes_unref);
}

GArray *
memory_record_new(void)
{
    GArray *record = g_array_new(FALSE, TRUE, sizeof(MemoryOp));

    g_array_set_clear_func(record, clear_op);
    return record;
}

/* --- power loss --- */

static void
apply_sectors(GByteArray *content, const MemoryOp *op, GRand *rand, unsigned percent)
{
    gsize length;
    const uint8_t *data = g_bytes_get_data(op->data, &length);

    for (uint64_t at = op->offset, end = op->offset + length; at < end;) {
        uint64_t next = MIN((at / SECTOR + 1) * SECTOR, end);

        if ((unsigned)g_rand_int_range(rand, 0, 100) < percent) {
            if (next > content->len)
                set_size(content, next);
            memcpy(content->data + at, data + (at - op->offset), (size_t)(next - at));
        }
        at = next;
    }
}

static void
apply(GByteArray *content, const MemoryOp *op, GRand *rand, unsigned percent)
{
    if (op->kind == MEMORY_WRITE)
        apply_sectors(content, op, rand, percent);
    else if (op->kind == MEMORY_TRUNCATE && (unsigned)g_rand_int_range(rand, 0, 100) < percent)
        set_size(content, op->offset);
}

GByteArray *
memory_file_after_power_loss(const GByteArray *before, const GArray *record, unsigned count,
                             unsigned file, GRand *rand)
{
    GByteArray *content = g_byte_array_new();
    unsigned durable = 0;
    /* Sometimes nearly everything arrives, sometimes nearly nothing. */
    unsigned percent = (unsigned)g_rand_int_range(rand, 0, 101);

    g_byte_array_append(content, before->data, before->len);
    for (unsigned i = 0; i < count; i++) {
        const MemoryOp *op = &g_array_index(record, MemoryOp, i);

        if (op->kind == MEMORY_SYNC && op->file == file)
            durable = i + 1;
    }
    for (unsigned i = 0; i < count; i++) {
        const MemoryOp *op = &g_array_index(record, MemoryOp, i);

        if (op->file == file)
            apply(content, op, rand, i < durable ? 100 : percent);
    }
    return content;
}

GByteArray *
memory_after_power_loss(const GByteArray *before, const GArray *record, unsigned count, GRand *rand)
{
    return memory_file_after_power_loss(before, record, count, 0, rand);
}
