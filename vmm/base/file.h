/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Positioned file I/O for what GLib lacks: reads and writes at an offset that never come back short
 * without saying so, flush to the disk itself, preallocation, holes, and locks that follow an open
 * file from process to process. Directory walking, replacing of whole files and the like are
 * GLib's.
 *
 * All functions but base_file_try_read_at() may block; they may not be called with a device lock
 * held. A BaseFile may be used from several threads at once, since every call carries its own
 * offset. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct BaseFile BaseFile;

typedef enum {
    BASE_FILE_READ,   /* an existing file, read only */
    BASE_FILE_WRITE,  /* an existing file, read and write */
    BASE_FILE_CREATE, /* a new file, read and write; BASE_ERROR_EXISTS when the name is taken */
} BaseFileMode;

/* Opens path (GLib file name encoding). NULL and *error when that fails; else close with
 * base_file_close(). The descriptor is not inherited by child processes. */
BaseFile *base_file_open(const char *path, BaseFileMode mode, GError **error);

/* Wraps a descriptor that another process passed to this one, and takes it over. name is for
 * messages only. Whether it is writable is asked from the descriptor itself. */
BaseFile *base_file_new_from_descriptor(int descriptor, const char *name, GError **error);

/* The same file once more, past the host's cache: offset, length and buffer of every transfer have
 * to be multiples of BASE_FILE_UNCACHED_ALIGNMENT. The two agree about the file's content at all
 * times. NULL and BASE_ERROR_NOT_SUPPORTED where the host or the file system can't do that. */
BaseFile *base_file_open_uncached(const BaseFile *file, GError **error);
#define BASE_FILE_UNCACHED_ALIGNMENT 4096u

void base_file_close(BaseFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BaseFile, base_file_close)

/* The name it was opened by; belongs to file. */
const char *base_file_name(const BaseFile *file);
bool base_file_is_writable(const BaseFile *file);

/* A part of the memory of a transfer that is not in one run. */
typedef struct {
    void *data;
    size_t size;
} BaseFilePiece;

/* Reads length bytes at offset. *done (if not NULL) is how many there were before the end of the
 * file; without done a short read is BASE_ERROR_IO. */
bool base_file_read_at(BaseFile *file, uint64_t offset, void *buffer, size_t length, size_t *done,
                       GError **error);

/* The same, if it takes no waiting for a disk: what is read is in the host's memory. False: it is
 * not all there, or the host cannot tell; the buffer holds anything then. Never of files past the
 * cache. */
bool base_file_try_read_at(BaseFile *file, uint64_t offset, void *buffer, size_t length);

/* Writes all of length bytes at offset, or fails: BASE_ERROR_NO_SPACE when the disk is full, and
 * then an unknown part of the bytes has been written. */
bool base_file_write_at(BaseFile *file, uint64_t offset, const void *buffer, size_t length,
                        GError **error);

/* The same two from or to several pieces, in their order. */
bool base_file_read_pieces_at(BaseFile *file, uint64_t offset, const BaseFilePiece *pieces,
                              size_t count, GError **error);
bool base_file_write_pieces_at(BaseFile *file, uint64_t offset, const BaseFilePiece *pieces,
                               size_t count, GError **error);

/* Returns when everything written before is on the disk. After an error what was written since the
 * last success may be lost, and asking again does not bring it back. */
bool base_file_sync(BaseFile *file, GError **error);

/* Makes the directory entry of path as durable as the file: call it after creating or renaming. */
bool base_file_sync_directory_of(const char *path, GError **error);

/* Bytes in a regular file or on a block device. */
bool base_file_size(BaseFile *file, uint64_t *size, GError **error);
/* Cuts, or extends with zeros that take no room. */
bool base_file_truncate(BaseFile *file, uint64_t size, GError **error);

/* Reserves room for a range, extending the file; what was not written reads as zeros.
 * BASE_ERROR_NOT_SUPPORTED where the file system cannot (write zeros instead). */
bool base_file_allocate(BaseFile *file, uint64_t offset, uint64_t length, GError **error);
/* Gives the room of a range back; it reads as zeros afterwards. BASE_ERROR_NOT_SUPPORTED likewise.
 */
bool base_file_punch_hole(BaseFile *file, uint64_t offset, uint64_t length, GError **error);
/* The next range at or after offset that may hold something else than zeros; *start == *end == size
 * when there is none. A file system that does not know reports everything as data. */
bool base_file_next_data(BaseFile *file, uint64_t offset, uint64_t *start, uint64_t *end,
                         GError **error);

/* Takes a lock on the whole file at once or fails with BASE_ERROR_BUSY. It belongs to the open
 * file: closing frees it, and a descriptor that is passed on carries it along. Where the file
 * system has no locks the call succeeds and holds nothing. */
bool base_file_lock(BaseFile *file, bool exclusive, GError **error);
void base_file_unlock(BaseFile *file);
