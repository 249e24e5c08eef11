/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Boot order: see the header. The CMOS nibbles are those that SeaBIOS documents for its CMOS
 * (0x3D: first low, second high; 0x38: third high). */
#include "devices/firmware/boot-order.h"

#define CMOS_BOOT_THIRD 0x38
#define CMOS_BOOT_FIRST 0x3d

typedef struct {
    uint8_t classes[3];
    unsigned count;
    GString *paths;
    bool in_path; /* the last word belonged to a path */
} BootOrder;

/* The nibble of a class, 0 for no class. */
static uint8_t
boot_order_class(const char *word)
{
    static const char *const names[] = {"floppy", "disk", "dvd", "network"};

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_str_equal(word, names[i]))
            return (uint8_t)(i + 1);
    }
    return 0;
}

static bool
boot_order_add(BootOrder *order, const char *word, GError **error)
{
    uint8_t class = boot_order_class(word);

    if (g_str_equal(word, "HALT")) {
        order->in_path = false;
        g_string_append(order->paths, "HALT\n");
    } else if (class) {
        order->in_path = false;
        if (order->count < G_N_ELEMENTS(order->classes))
            order->classes[order->count++] = class;
    } else if (word[0] == '/') {
        order->in_path = true;
        g_string_append_printf(order->paths, "%s\n", word);
    } else if (order->in_path) {
        /* The comma was the path's: "ide@1,1". */
        g_string_truncate(order->paths, order->paths->len - 1);
        g_string_append_printf(order->paths, ",%s\n", word);
    } else {
        g_set_error(
            error, BASE_ERROR, BASE_ERROR_INVALID,
            "\"%s\" in the boot order is no kind of device; use disk, dvd, floppy, network.", word);
        return false;
    }
    return true;
}

bool
boot_order_offer(PdmDevice *device, const CfgmNode *config, GError **error)
{
    const char *text = cfgm_string(config, "BootOrder", "dvd,disk,floppy,network");
    uint64_t retry = cfgm_uint(config, "BootRetryDelay", 0);
    /* Milliseconds; all ones: stop with a message. */
    uint32_t fail_wait = retry ? (uint32_t)MIN(retry, 3600) * 1000 : UINT32_MAX;
    g_autoptr(GString) paths = g_string_new(NULL);
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    BootOrder order = {.paths = paths};

    for (unsigned i = 0; words[i]; i++) {
        if (*g_strstrip(words[i]) && !boot_order_add(&order, words[i], error))
            return false;
    }
    /* The last byte of the file ends its last line. */
    if (paths->len)
        pdm_fwcfg_add(device, "bootorder", paths->str, paths->len + 1);
    pdm_cmos_set(device, CMOS_BOOT_FIRST, (uint8_t)(order.classes[0] | order.classes[1] << 4));
    /* Bit 0: a floppy needs no signature to be booted. */
    pdm_cmos_set(device, CMOS_BOOT_THIRD, (uint8_t)(order.classes[2] << 4 | 1));
    fail_wait = GUINT32_TO_LE(fail_wait);
    pdm_fwcfg_add(device, "etc/boot-fail-wait", &fail_wait, sizeof(fail_wait));
    return true;
}
