/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Saves and loads structs by their tables of fields. */
#include "vmm/ssm/ssm-private.h"

#include <string.h>

static uint64_t
read_member(const void *at, uint32_t size)
{
    uint64_t value = 0;

    memcpy(&value, at, size); /* the host is little-endian, as is the file */
    return value;
}

static void
save_element(SsmWriter *writer, const SsmField *field, const uint8_t *at)
{
    switch (field->type) {
    case SSM_FIELD_UINT:
    case SSM_FIELD_ENUM: ssm_put_uint(writer, read_member(at, field->size), field->size); break;
    case SSM_FIELD_BYTES: ssm_put_bytes(writer, at, field->size); break;
    case SSM_FIELD_STRUCT: ssm_fields_save(writer, field->fields, at); break;
    case SSM_FIELD_BUFFER: ssm_put_bytes(writer, *(void *const *)at, field->size); break;
    case SSM_FIELD_END: break;
    }
}

void
ssm_fields_save(SsmWriter *writer, const SsmField *fields, const void *object)
{
    for (const SsmField *field = fields; field->type != SSM_FIELD_END; field++) {
        for (uint32_t i = 0; i < field->count; i++)
            save_element(writer, field,
                         (const uint8_t *)object + field->offset + (size_t)i * field->size);
    }
}

static bool
load_number(SsmReader *reader, const SsmField *field, uint8_t *at, GError **error)
{
    uint64_t value;

    if (!ssm_get_uint(reader, &value, field->size, error))
        return false;
    if (field->limit != 0 && value >= field->limit) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                    "The saved state is damaged: %s has the impossible value %" G_GUINT64_FORMAT,
                    field->name, value);
        return false;
    }
    memcpy(at, &value, field->size);
    return true;
}

static bool
load_element(SsmReader *reader, const SsmField *field, uint32_t version, uint8_t *at,
             GError **error)
{
    switch (field->type) {
    case SSM_FIELD_UINT:
    case SSM_FIELD_ENUM: return load_number(reader, field, at, error);
    case SSM_FIELD_BYTES: return ssm_get_bytes(reader, at, field->size, error);
    case SSM_FIELD_STRUCT: return ssm_fields_load(reader, field->fields, version, at, error);
    case SSM_FIELD_BUFFER: return ssm_get_bytes(reader, *(void **)at, field->size, error);
    case SSM_FIELD_END: break;
    }
    return true;
}

bool
ssm_fields_load(SsmReader *reader, const SsmField *fields, uint32_t version, void *object,
                GError **error)
{
    for (const SsmField *field = fields; field->type != SSM_FIELD_END; field++) {
        if (field->since > version)
            continue;
        for (uint32_t i = 0; i < field->count; i++) {
            if (!load_element(reader, field, version,
                              (uint8_t *)object + field->offset + (size_t)i * field->size, error))
                return false;
        }
    }
    return true;
}
