/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VMDK files byte by byte. */
#include "tests/unit/image/vmdk-builder.h"

#include <string.h>
#include <zlib.h>

#define SECTORS_EACH (BUILDER_BLOCK / 512)
#define PARENT_UUID "33333333-3333-3333-3333-333333333333"
#define NULL_UUID "00000000-0000-0000-0000-000000000000"

void
vmdk_describe(GByteArray *file, const char *text)
{
    g_assert_cmpuint(strlen(text), <, VMDK_BUILDER_DESCRIPTOR_SIZE);
    memset(file->data + VMDK_BUILDER_DESCRIPTOR_AT, 0, VMDK_BUILDER_DESCRIPTOR_SIZE);
    memcpy(file->data + VMDK_BUILDER_DESCRIPTOR_AT, text, strlen(text));
}

void
vmdk_redescribe(GByteArray *file, const char *from, const char *to)
{
    char *text = (char *)file->data + VMDK_BUILDER_DESCRIPTOR_AT;
    char *at = strstr(text, from);

    g_assert_nonnull(at);
    g_assert_cmpuint(strlen(from), ==, strlen(to));
    memcpy(at, to, strlen(to));
}

static void
describe(GByteArray *file, uint32_t grains, const char *type, bool child)
{
    /* The comment moves the UUIDs across the border of two sectors. */
    g_autofree char *text =
        g_strdup_printf("# Disk DescriptorFile\r\nversion=1\r\nCID=12345678\r\nparentCID=%s\r\n"
                        "createType=\"%s\"\r\n\r\nRW %u SPARSE \"a.vmdk\"\r\n\r\n#DDB\r\n"
                        "ddb.comment=\"a\\n%0150d\"\r\n"
                        "ddb.geometry.biosCylinders = \"7\"\r\nddb.geometry.biosHeads = \"6\"\r\n"
                        "ddb.geometry.biosSectors = \"5\"\r\n"
                        "ddb.uuid.image=\"44444444-4444-4444-4444-444444444444\"\r\n"
                        "ddb.uuid.modification=\"55555555-5555-5555-5555-555555555555\"\r\n"
                        "ddb.uuid.parent=\"%s\"\r\nddb.uuid.parentmodification=\"%s\"\r\n",
                        child ? "00000001" : "ffffffff", type, grains * SECTORS_EACH, 0,
                        child ? PARENT_UUID : NULL_UUID, NULL_UUID);

    vmdk_describe(file, text);
}

static GByteArray *
start(uint32_t grains, uint32_t version, uint32_t flags)
{
    GByteArray *file = g_byte_array_new();

    g_byte_array_set_size(file, VMDK_BUILDER_DATA_AT);
    memset(file->data, 0, file->len);
    memcpy(file->data, "KDMV", 4);
    builder_poke(file, 4, version);
    builder_poke(file, 8, flags);
    builder_poke(file, 12, grains * SECTORS_EACH);
    builder_poke(file, 20, SECTORS_EACH);
    builder_poke(file, 28, 1);
    builder_poke(file, 36, VMDK_BUILDER_DESCRIPTOR_SIZE / 512);
    builder_poke(file, 44, 512);
    builder_poke(file, 48, VMDK_BUILDER_REDUNDANT_AT / 512);
    builder_poke(file, 56, VMDK_BUILDER_DIRECTORY_AT / 512);
    builder_poke(file, 64, VMDK_BUILDER_DATA_AT / 512);
    memcpy(file->data + 73, "\n \r\n", 4);
    builder_poke(file, VMDK_BUILDER_REDUNDANT_AT, VMDK_BUILDER_REDUNDANT_AT / 512 + 1);
    builder_poke(file, VMDK_BUILDER_DIRECTORY_AT, VMDK_BUILDER_TABLE_AT / 512);
    return file;
}

GByteArray *
vmdk_build(uint32_t grains)
{
    GByteArray *file = start(grains, 1, 3);

    describe(file, grains, "monolithicSparse", false);
    return file;
}

GByteArray *
vmdk_build_child(uint32_t grains)
{
    GByteArray *file = start(grains, 1, 3);

    describe(file, grains, "monolithicSparse", true);
    return file;
}

/* Appends zeros up to the next sector. */
static void
pad(GByteArray *file)
{
    guint old = file->len;

    g_byte_array_set_size(file, (old + 511) / 512 * 512);
    memset(file->data + old, 0, file->len - old);
}

static void
append_grain(GByteArray *file, uint32_t grain, uLong size)
{
    uint8_t plain[BUILDER_BLOCK], packed[BUILDER_BLOCK + 100];
    uint8_t marker[12] = {0};
    uLongf length = sizeof packed;
    const guint at = file->len;

    memset(plain, (int)grain + 1, sizeof plain);
    g_assert_cmpint(compress(packed, &length, plain, size), ==, Z_OK);
    g_byte_array_append(file, marker, sizeof marker);
    builder_poke(file, at, grain * SECTORS_EACH);
    builder_poke(file, at + 8, (uint32_t)length);
    g_byte_array_append(file, packed, (guint)length);
    pad(file);
}

GByteArray *
vmdk_build_stream(uint32_t grains)
{
    GByteArray *file = start(grains, 3, 0x30001);
    g_autoptr(GByteArray) footer = g_byte_array_new();
    uint32_t table[512] = {0}, directory[128] = {0};
    uint8_t end[512] = {0};

    describe(file, grains, "streamOptimized", false);
    file->data[77] = 1;
    for (uint32_t grain = 0; grain < grains; grain += 2) {
        table[grain] = GUINT32_TO_LE(file->len / 512);
        append_grain(file, grain, grain + 1 == grains ? 512 : BUILDER_BLOCK);
    }
    directory[0] = GUINT32_TO_LE(file->len / 512);
    g_byte_array_append(file, (uint8_t *)table, sizeof table);
    g_byte_array_append(footer, file->data, 512);
    builder_poke(footer, 56, file->len / 512);
    g_byte_array_append(file, (uint8_t *)directory, sizeof directory);
    g_byte_array_append(file, footer->data, 512);
    g_byte_array_append(file, end, sizeof end);
    builder_poke(file, 56, 0xffffffff);
    builder_poke(file, 60, 0xffffffff);
    return file;
}
