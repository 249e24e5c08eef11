/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Filters of USB devices: their fields' language, and whether a device fits. */
#include "usb/host/usb-host-list.h"
#include "vmm/base/error.h"

#include <string.h>

#define NUMBER_MAX 0xffffu

/* --- numbers --- */

/* One number at *text, which moves behind it. */
static bool
parse_number(const char **text, guint base, guint *value)
{
    const char *start = *text;
    char *end;
    guint64 number;

    if (g_str_has_prefix(start, "0x") || g_str_has_prefix(start, "0X")) {
        start += 2;
        base = 16;
    }
    if (!g_ascii_isxdigit(*start))
        return false;
    number = g_ascii_strtoull(start, &end, base);
    if (end == start || number > NUMBER_MAX)
        return false;
    *text = end;
    *value = (guint)number;
    return true;
}

/* "5", "5-", "-7" or "5-7". */
static bool
parse_range(const char *text, guint base, guint *from, guint *to)
{
    const bool open = *text == '-';

    *from = 0;
    *to = NUMBER_MAX;
    if (!open && !parse_number(&text, base, from))
        return false;
    if (*text == '\0') {
        *to = *from;
        return !open;
    }
    if (*text++ != '-')
        return false;
    if (*text == '\0')
        return !open;
    return parse_number(&text, base, to) && *text == '\0' && *from <= *to;
}

/* Whether the expression can be read; *fits: whether the value is in it. */
static bool
parse_numbers(const char *expression, guint base, guint value, bool *fits)
{
    g_auto(GStrv) words = NULL;

    if (g_str_has_prefix(expression, "int:"))
        expression += strlen("int:");
    words = g_strsplit_set(expression, ",|", -1);
    *fits = false;
    for (char **word = words; *word != NULL; word++) {
        guint from, to;

        if (!parse_range(g_strstrip(*word), base, &from, &to))
            return false;
        *fits |= value >= from && value <= to;
    }
    return words[0] != NULL;
}

/* --- the fields --- */
static bool
is_any(const char *expression)
{
    return expression == NULL || *expression == '\0';
}

static bool
number_fits(const char *expression, guint base, guint value)
{
    bool fits;

    return is_any(expression) || (parse_numbers(expression, base, value, &fits) && fits);
}

static bool
text_fits(const char *expression, const char *value)
{
    if (is_any(expression))
        return true;
    return value != NULL && g_pattern_match_simple(expression, value);
}

static bool
parse_truth(const char *expression, bool *value)
{
    static const char *const words[] = {"0", "false", "no", "1", "true", "yes"};

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (g_ascii_strcasecmp(expression, words[i]) == 0) {
            *value = i >= G_N_ELEMENTS(words) / 2;
            return true;
        }
    }
    return false;
}

static bool
truth_fits(const char *expression, bool value)
{
    bool wanted;

    return is_any(expression) || (parse_truth(expression, &wanted) && wanted == value);
}

/* --- filters --- */
bool
usb_host_filter_check(const UsbHostFilter *filter, GError **error)
{
    const struct {
        const char *name, *expression;
        guint base;
    } numbers[] = {
        {"vendor", filter->vendor_id, 16},
        {"product", filter->product_id, 16},
        {"revision", filter->revision, 16},
        {"port", filter->port, 10},
    };
    bool ignored;

    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        if (is_any(numbers[i].expression) ||
            parse_numbers(numbers[i].expression, numbers[i].base, 0, &ignored))
            continue;
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "“%s” is not a number or a range of numbers for the %s of a USB filter.",
                    numbers[i].expression, numbers[i].name);
        return false;
    }
    if (is_any(filter->remote) || parse_truth(filter->remote, &ignored))
        return true;
    g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                "“%s” is neither yes nor no for whether a USB filter is for remote devices.",
                filter->remote);
    return false;
}

bool
usb_host_filter_fits(const UsbHostFilter *filter, const UsbHostInfo *info)
{
    return number_fits(filter->vendor_id, 16, info->vendor) &&
           number_fits(filter->product_id, 16, info->product) &&
           number_fits(filter->revision, 16, info->revision) &&
           number_fits(filter->port, 10, info->port) &&
           text_fits(filter->manufacturer, info->manufacturer) &&
           text_fits(filter->product, info->title) &&
           text_fits(filter->serial_number, info->serial) &&
           truth_fits(filter->remote, info->remote);
}

int
usb_host_filter_find(const UsbHostFilter *filters, size_t count, const UsbHostInfo *info)
{
    for (size_t i = 0; i < count; i++) {
        if (filters[i].active && usb_host_filter_fits(&filters[i], info))
            return (int)i;
    }
    return -1;
}
