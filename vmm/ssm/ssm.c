/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Units and the file around them. A file has to hold exactly the units of the machine that loads
 * it, in any order. */
#include "vmm/base/crc32c.h"
#include "vmm/ssm/ssm-private.h"

#include <string.h>

Ssm *
ssm_new(void)
{
    Ssm *ssm = g_new0(Ssm, 1);

    ssm->units = g_ptr_array_new_with_free_func(g_free);
    return ssm;
}

void
ssm_free(Ssm *ssm)
{
    if (ssm == NULL)
        return;
    g_ptr_array_free(ssm->units, TRUE);
    g_free(ssm);
}

static SsmUnit *
find_unit(Ssm *ssm, const char *name, uint32_t instance)
{
    for (guint i = 0; i < ssm->units->len; i++) {
        SsmUnit *unit = ssm->units->pdata[i];

        if (unit->instance == instance && strcmp(unit->name, name) == 0)
            return unit;
    }
    return NULL;
}

void
ssm_register(Ssm *ssm, const char *name, uint32_t instance, const SsmState *state, void *object)
{
    SsmUnit *unit;

    g_return_if_fail(strlen(name) < SSM_NAME_SIZE && find_unit(ssm, name, instance) == NULL);
    unit = g_new0(SsmUnit, 1);
    g_strlcpy(unit->name, name, sizeof(unit->name));
    unit->instance = instance;
    unit->state = state;
    unit->object = object;
    g_ptr_array_add(ssm->units, unit);
}

void
ssm_unregister(Ssm *ssm, const char *name, uint32_t instance)
{
    SsmUnit *unit = find_unit(ssm, name, instance);

    if (unit != NULL)
        g_ptr_array_remove(ssm->units, unit);
}

/* Puts the unit's name before a message of what is inside it. */
static bool
in_unit(const char *name, uint32_t instance, GError **error)
{
    g_prefix_error(error, "In the unit %s/%u: ", name, instance);
    return false;
}

bool
ssm_save_unit(SsmWriter *writer, const SsmUnit *unit, GError **error)
{
    const SsmState *state = unit->state;

    ssm_writer_begin_unit(writer, unit);
    if (state->pre_save != NULL)
        state->pre_save(unit->object);
    if (state->fields != NULL)
        ssm_fields_save(writer, state->fields, unit->object);
    if (state->save != NULL && !state->save(unit->object, writer, error))
        return in_unit(unit->name, unit->instance, error);
    ssm_writer_end_unit(writer);
    return ssm_put_ok(writer, error);
}

void
ssm_write_file_header(SsmWriter *writer, const Ssm *ssm)
{
    uint8_t header[SSM_FILE_HEADER_SIZE] = SSM_MAGIC;

    ssm_store32(header + SSM_MAGIC_SIZE, SSM_FORMAT);
    ssm_store32(header + SSM_MAGIC_SIZE + 4, ssm->units->len);
    ssm_store32(header + 28, base_crc32c(0, header, 28));
    ssm_writer_bytes(writer, header, sizeof(header));
}

void
ssm_write_end(SsmWriter *writer, const Ssm *ssm)
{
    uint8_t end[SSM_END_SIZE];

    ssm_store32(end, SSM_END_MAGIC);
    ssm_store32(end + 4, ssm->units->len);
    ssm_writer_bytes(writer, end, sizeof(end));
}

bool
ssm_save(Ssm *ssm, int fd, const SsmProgress *progress, GError **error)
{
    SsmWriter *writer = ssm_writer_new(fd, NULL, progress);
    bool ok = true;

    ssm_write_file_header(writer, ssm);
    for (guint i = 0; i < ssm->units->len && ok; i++)
        ok = ssm_save_unit(writer, ssm->units->pdata[i], error);
    ssm_write_end(writer, ssm);
    ok = ok && ssm_put_ok(writer, error);
    ssm_writer_free(writer);
    return ok;
}

static bool
read_file_header(SsmReader *reader, uint32_t *units, GError **error)
{
    uint8_t header[SSM_FILE_HEADER_SIZE];

    if (!ssm_reader_bytes(reader, header, sizeof(header), error))
        return false;
    if (memcmp(header, SSM_FOREIGN_MAGIC, strlen(SSM_FOREIGN_MAGIC)) == 0) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED,
                    "This state was saved by VirtualBox, and only VirtualBox can continue from it");
        return false;
    }
    if (memcmp(header, SSM_MAGIC, SSM_MAGIC_SIZE) != 0) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT, "This file is not a saved state");
        return false;
    }
    if (ssm_load32(header + 28) != base_crc32c(0, header, 28)) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                    "The saved state is damaged: the checksum of its header does not hold");
        return false;
    }
    if (ssm_load32(header + SSM_MAGIC_SIZE) != SSM_FORMAT) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_VERSION,
                    "The saved state has the format %u; this program reads format %u",
                    ssm_load32(header + SSM_MAGIC_SIZE), SSM_FORMAT);
        return false;
    }
    *units = ssm_load32(header + SSM_MAGIC_SIZE + 4);
    return true;
}

static bool
load_contents(SsmReader *reader, SsmUnit *unit, uint32_t version, GError **error)
{
    const SsmState *state = unit->state;

    if (version > state->version || version < state->min_version) {
        g_set_error(error, BASE_ERROR,
                    version > state->version ? BASE_ERROR_VERSION : BASE_ERROR_NOT_SUPPORTED,
                    "its version is %u; this program reads %u to %u", version, state->min_version,
                    state->version);
        return false;
    }
    ssm_reader_begin_unit(reader);
    if (state->fields != NULL &&
        !ssm_fields_load(reader, state->fields, version, unit->object, error))
        return false;
    if (state->load != NULL && !state->load(unit->object, reader, version, error))
        return false;
    if (!ssm_reader_end_unit(reader, error))
        return false;
    return state->post_load == NULL || state->post_load(unit->object, version, error);
}

static bool
load_unit(Ssm *ssm, SsmReader *reader, GError **error)
{
    uint8_t header[SSM_UNIT_HEADER_SIZE];
    char name[SSM_NAME_SIZE];
    uint32_t instance;
    SsmUnit *unit;

    if (!ssm_reader_bytes(reader, header, sizeof(header), error))
        return false;
    if (ssm_load32(header) != SSM_UNIT_MAGIC || header[4 + SSM_NAME_SIZE - 1] != 0 ||
        ssm_load32(header + 60) != base_crc32c(0, header, 60)) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                    "The saved state is damaged: a unit does not begin where it should");
        return false;
    }
    memcpy(name, header + 4, sizeof(name));
    instance = ssm_load32(header + 52);
    unit = find_unit(ssm, name, instance);
    if (unit == NULL || unit->loaded) {
        g_autofree char *valid = g_utf8_make_valid(name, -1);

        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    unit != NULL ? "The saved state is damaged: it has the unit %s/%u twice"
                                 : "The saved state is of another machine: this one has no %s/%u",
                    valid, instance);
        return false;
    }
    unit->loaded = true;
    if (!load_contents(reader, unit, ssm_load32(header + 56), error))
        return in_unit(unit->name, unit->instance, error);
    return true;
}

static bool
check_complete(Ssm *ssm, SsmReader *reader, uint32_t units, GError **error)
{
    uint8_t end[SSM_END_SIZE];

    for (guint i = 0; i < ssm->units->len; i++) {
        const SsmUnit *unit = ssm->units->pdata[i];

        if (!unit->loaded) {
            g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                        "The saved state is of another machine: it has no unit %s/%u", unit->name,
                        unit->instance);
            return false;
        }
    }
    if (!ssm_reader_bytes(reader, end, sizeof(end), error))
        return false;
    if (ssm_load32(end) == SSM_END_MAGIC && ssm_load32(end + 4) == units)
        return true;
    g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                "The saved state is damaged: its end mark is missing");
    return false;
}

bool
ssm_load(Ssm *ssm, int fd, const SsmProgress *progress, GError **error)
{
    SsmReader *reader = ssm_reader_new(fd, progress);
    uint32_t units = 0;
    bool ok = read_file_header(reader, &units, error);

    for (guint i = 0; i < ssm->units->len; i++)
        ((SsmUnit *)ssm->units->pdata[i])->loaded = false;
    for (uint32_t i = 0; i < units && ok; i++)
        ok = load_unit(ssm, reader, error);
    ok = ok && check_complete(ssm, reader, units, error);
    ssm_reader_free(reader);
    return ok;
}
