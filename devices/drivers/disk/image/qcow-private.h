/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * QCOW, versions 1 to 3, inside. "The QCOW Image Format" for version 1, docs/interop/qcow2 of QEMU
 * for versions 2 and 3. */
#pragma once

#include "devices/drivers/disk/image/image-codec.h"
#include "devices/drivers/disk/image/image-tables.h"

#define QCOW_HEADER_SIZE 112

typedef struct {
    uint32_t version; /* 1 to 3 */
    uint32_t cluster_bits;
    uint32_t second_bits; /* of the number of entries in a second-level table */
    uint64_t capacity;    /* as it stands there: any number of bytes */
    uint64_t first_position;
    uint64_t first_count;
    ImageCodec codec;
} QcowHeader;

typedef struct {
    QcowHeader header;
    ImageTables tables;
    ImageCoded coded;
    uint64_t file_end;
} QcowState;

bool qcow_header_decode(const uint8_t raw[QCOW_HEADER_SIZE], const char *name, QcowHeader *header,
                        GError **error);
