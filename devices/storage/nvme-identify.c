/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the NVMe controller says about itself and its namespaces: Identify and Get Log Page (NVM
 * Express 1.2 sections 5.10 and 5.11). */
#include "devices/storage/nvme-private.h"

#include <string.h>

enum { IDENTIFY_NAMESPACE, IDENTIFY_CONTROLLER, IDENTIFY_LIST };

#define VERSION 0x00010200u
#define VENDOR 0x80eeu

static void
put(uint8_t *at, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static void
put_text(uint8_t *at, unsigned size, const char *text)
{
    size_t length = strlen(text);

    memset(at, ' ', size);
    memcpy(at, text, MIN(length, size));
}

/* The serial number of the first disk. */
static const char *
serial(const NvmeController *nvme)
{
    for (unsigned i = 0; i < nvme->namespace_count; i++) {
        if (nvme->media[i] != NULL)
            return nvme->media[i]->serial(nvme->media[i]->user);
    }
    return "0";
}

static bool
any_discards(const NvmeController *nvme)
{
    for (unsigned i = 0; i < nvme->namespace_count; i++) {
        if (nvme->media[i] != NULL && nvme->media[i]->discard)
            return true;
    }
    return false;
}

static void
put_controller(const NvmeController *nvme, uint8_t *out)
{
    put(out, VENDOR, 2);
    put(out + 2, VENDOR, 2);
    put_text(out + 4, 20, serial(nvme));
    put_text(out + 24, 40, "Vitrine NVMe Disk");
    put_text(out + 64, 8, "1.0");
    out[72] = 6; /* recommended burst */
    out[77] = NVME_TRANSFER_SHIFT;
    put(out + 80, VERSION, 4);
    out[258] = 3; /* aborts at once, less one */
    out[259] = NVME_EVENTS_MAX - 1;
    out[260] = 0x03; /* one firmware slot, read-only */
    out[262] = 0;    /* one entry in the error log */
    put(out + 266, NVME_TEMPERATURE_WARNING, 2);
    put(out + 268, NVME_TEMPERATURE_WARNING + 20, 2);
    out[512] = 0x66;
    out[513] = 0x44;
    put(out + 516, nvme->namespace_count, 4);
    put(out + 520, 0x08 | (any_discards(nvme) ? 0x04 : 0), 2); /* write zeroes, dataset */
    out[525] = 1;                                              /* a volatile write cache */
    put(out + 2048, 2500, 2);                                  /* power state 0: 25 W */
}

static void
put_namespace(const PdmMediaConnector *media, uint8_t *out)
{
    uint64_t blocks = media->size(media->user) / NVME_BLOCK;

    put(out, blocks, 8);
    put(out + 8, blocks, 8);
    put(out + 16, blocks, 8);
    out[24] = media->discard ? 0x04 : 0; /* what was deallocated reads as it should */
    out[33] = media->discard ? 0x09 : 0; /* zeros, also for write zeroes with deallocation */
    out[130] = 9;                        /* format 0: 512 bytes, no metadata */
}

static void
put_list(const NvmeController *nvme, uint32_t after, uint8_t *out)
{
    for (uint32_t i = after; i < nvme->namespace_count; i++) {
        if (nvme->media[i] == NULL)
            continue;
        put(out, i + 1, 4);
        out += 4;
    }
}

uint16_t
nvme_identify(NvmeController *nvme, const NvmeCommand *command)
{
    uint32_t identifier = nvme_word(command, 1);
    uint8_t page[NVME_PAGE] = {0};

    switch (nvme_word(command, 10) & 0xff) {
    case IDENTIFY_NAMESPACE:
        if (identifier == 0 || identifier > nvme->namespace_count)
            return NVME_INVALID_NAMESPACE;
        if (nvme->media[identifier - 1] != NULL)
            put_namespace(nvme->media[identifier - 1], page);
        break;
    case IDENTIFY_CONTROLLER: put_controller(nvme, page); break;
    case IDENTIFY_LIST:
        if (identifier >= 0xfffffffeu)
            return NVME_INVALID_NAMESPACE;
        put_list(nvme, identifier, page);
        break;
    default: return NVME_INVALID_FIELD;
    }
    return nvme_reply(nvme, command, page, sizeof(page));
}

/* Data are counted in thousands of 512 bytes. */
static void
put_health(const NvmeController *nvme, uint8_t *out)
{
    uint64_t bytes[2] = {0}, commands[2] = {0};

    for (unsigned i = 0; i < nvme->namespace_count; i++) {
        const PdmActivity *activity = nvme->media[i] != NULL ? nvme->media[i]->activity : NULL;

        if (activity == NULL)
            continue;
        bytes[0] += activity->bytes_read;
        bytes[1] += activity->bytes_written;
        commands[0] += activity->reads;
        commands[1] += activity->writes;
    }
    out[0] = nvme_warnings(nvme);
    put(out + 1, NVME_TEMPERATURE, 2);
    out[3] = 100; /* percent of spare blocks */
    out[4] = 10;
    for (unsigned i = 0; i < 2; i++) {
        put(out + 32 + 16 * i, (bytes[i] + 511999) / 512000, 8);
        put(out + 64 + 16 * i, commands[i], 8);
    }
}

uint16_t
nvme_log_page(NvmeController *nvme, const NvmeCommand *command)
{
    uint8_t page[512] = {0};
    uint32_t size = ((nvme_word(command, 10) >> 16 & 0xfff) + 1) * 4;
    const unsigned log = nvme_word(command, 10) & 0xff;

    switch (log) {
    case NVME_LOG_ERRORS: nvme_put_error_log(nvme, page); break;
    case NVME_LOG_HEALTH: put_health(nvme, page); break;
    case NVME_LOG_FIRMWARE:
        page[0] = 1;
        put_text(page + 8, 8, "1.0");
        break;
    default: return NVME_LOG_INVALID;
    }
    nvme_log_was_read(nvme, log);
    return nvme_reply(nvme, command, page, MIN(size, sizeof(page)));
}
