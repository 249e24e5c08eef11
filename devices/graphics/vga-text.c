/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Text modes: only cells that changed are drawn. Fonts, underline, blink, cursor, 9-dot line
 * graphics. IBM PS/2 Video Subsystem Technical Reference, chapter 2. */
#include "devices/graphics/vga.h"

#define BLINK_HALF_PERIOD_NS 266666666ull

/* Code page 437, 00h..1Fh and 7Fh..FFh as Unicode. */
static const uint16_t cp437_low[32] = {
    0x0020, 0x263a, 0x263b, 0x2665, 0x2666, 0x2663, 0x2660, 0x2022, 0x25d8, 0x25cb, 0x25d9,
    0x2642, 0x2640, 0x266a, 0x266b, 0x263c, 0x25ba, 0x25c4, 0x2195, 0x203c, 0x00b6, 0x00a7,
    0x25ac, 0x21a8, 0x2191, 0x2193, 0x2192, 0x2190, 0x221f, 0x2194, 0x25b2, 0x25bc};
static const uint16_t cp437_high[129] = {
    0x2302, 0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4, 0x00e0, 0x00e5, 0x00e7, 0x00ea, 0x00eb, 0x00e8,
    0x00ef, 0x00ee, 0x00ec, 0x00c4, 0x00c5, 0x00c9, 0x00e6, 0x00c6, 0x00f4, 0x00f6, 0x00f2, 0x00fb,
    0x00f9, 0x00ff, 0x00d6, 0x00dc, 0x00a2, 0x00a3, 0x00a5, 0x20a7, 0x0192, 0x00e1, 0x00ed, 0x00f3,
    0x00fa, 0x00f1, 0x00d1, 0x00aa, 0x00ba, 0x00bf, 0x2310, 0x00ac, 0x00bd, 0x00bc, 0x00a1, 0x00ab,
    0x00bb, 0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x2561, 0x2562, 0x2556, 0x2555, 0x2563, 0x2551,
    0x2557, 0x255d, 0x255c, 0x255b, 0x2510, 0x2514, 0x2534, 0x252c, 0x251c, 0x2500, 0x253c, 0x255e,
    0x255f, 0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550, 0x256c, 0x2567, 0x2568, 0x2564, 0x2565,
    0x2559, 0x2558, 0x2552, 0x2553, 0x256b, 0x256a, 0x2518, 0x250c, 0x2588, 0x2584, 0x258c, 0x2590,
    0x2580, 0x03b1, 0x00df, 0x0393, 0x03c0, 0x03a3, 0x03c3, 0x00b5, 0x03c4, 0x03a6, 0x0398, 0x03a9,
    0x03b4, 0x221e, 0x03c6, 0x03b5, 0x2229, 0x2261, 0x00b1, 0x2265, 0x2264, 0x2320, 0x2321, 0x00f7,
    0x2248, 0x00b0, 0x2219, 0x00b7, 0x221a, 0x207f, 0x00b2, 0x25a0, 0x00a0};

static gunichar
unicode_of(uint8_t code)
{
    if (code < 0x20)
        return cp437_low[code];
    return code < 0x7f ? code : cp437_high[code - 0x7f];
}

static uint32_t
row_start(const Vga *vga, uint32_t row)
{
    return vga_start_address(vga) + row * vga->crtc[0x13] * 2u;
}

static uint16_t
cell_at(const Vga *vga, uint32_t row, uint32_t column)
{
    uint32_t word = vga_plane_word(vga, vga_display_address(vga, row_start(vga, row) + column, 0));

    return (uint16_t)word;
}

static uint32_t
text_color(const Vga *vga, unsigned index)
{
    unsigned dac = vga->attr[index] & 0x3f;

    if (vga->attr[0x10] & 0x80)
        dac = (dac & 0x0f) | (vga->attr[0x14] & 3) << 4;
    return vga->colors[dac | (vga->attr[0x14] & 0x0c) << 4];
}

/* Plane 2 address of a glyph; attribute bit 3 chooses between the two character maps. */
static uint32_t
glyph_address(const Vga *vga, uint8_t character, bool map_a)
{
    uint8_t select = vga->seq[3];
    unsigned map = map_a ? (select >> 2 & 3) | (select >> 3 & 4) : (select & 3) | (select >> 2 & 4);

    return (map & 3) * 0x4000 + (map >> 2) * 0x2000 + character * 32u;
}

typedef struct {
    uint32_t foreground, background;
    uint32_t glyph;     /* plane 2 address */
    bool nine, extend;  /* nine dots; the ninth repeats the eighth */
    unsigned underline; /* scan line, 32: none */
    bool hidden;        /* blinked away */
} CellLook;

static CellLook
look_of(const Vga *vga, uint16_t cell, bool blink_on)
{
    uint8_t character = (uint8_t)cell, attribute = cell >> 8;
    bool blinking = vga->attr[0x10] & 0x08;
    CellLook look = {
        .foreground = text_color(vga, attribute & 15),
        .background = text_color(vga, attribute >> 4 & (blinking ? 7 : 15)),
        .glyph = glyph_address(vga, character, attribute & 8),
        .nine = vga->mode.cell_width == 9,
        .extend = (vga->attr[0x10] & 0x04) && character >= 0xc0 && character <= 0xdf,
        .underline = (attribute & 7) == 1 && (vga->attr[0x10] & 2) ? vga->crtc[0x14] & 31 : 32,
        .hidden = blinking && (attribute & 0x80) && !blink_on,
    };
    return look;
}

static void
draw_scan(const Vga *vga, const CellLook *look, unsigned scan, bool cursor, uint32_t *out)
{
    unsigned width = vga->mode.cell_width, twice = vga->mode.half_clock;
    uint8_t bits = vga_plane_word(vga, look->glyph + MIN(scan, 31u)) >> 16;
    unsigned dots;

    if (look->hidden)
        bits = 0;
    dots = (unsigned)bits << 1 | (look->nine && look->extend ? bits & 1 : 0);
    if ((scan == look->underline && !look->hidden) || cursor)
        dots = 0x1ff;
    for (unsigned x = 0; x < width; x++) {
        uint32_t color = dots >> (8 - x) & 1 ? look->foreground : look->background;
        *out++ = color;
        if (twice)
            *out++ = color;
    }
}

static void
draw_cell(const Vga *vga, const PdmSurface *surface, uint32_t row, uint32_t column, uint16_t cell,
          bool cursor, bool blink_on)
{
    const VgaMode *mode = &vga->mode;
    CellLook look = look_of(vga, cell, blink_on);
    uint32_t x = (column * mode->cell_width) << mode->half_clock, y = row * mode->cell_height;
    unsigned first = vga->crtc[0x0a] & 31, last = vga->crtc[0x0b] & 31;

    for (unsigned line = 0; line < mode->cell_height && y + line < surface->height; line++) {
        unsigned scan = line >> mode->scan_shift;
        uint32_t *out = (uint32_t *)(surface->pixels + (size_t)(y + line) * surface->stride) + x;
        draw_scan(vga, &look, scan, cursor && scan >= first && scan <= last, out);
    }
}

/* The cell under the visible cursor, or UINT32_MAX. */
static uint32_t
cursor_cell(const Vga *vga, bool blink_on)
{
    uint32_t counter = vga->crtc[0x0e] << 8 | vga->crtc[0x0f], pitch = vga->crtc[0x13] * 2u;
    uint32_t relative = (counter - vga_start_address(vga)) & 0xffff;

    if ((vga->crtc[0x0a] & 0x20) || !blink_on || pitch == 0)
        return UINT32_MAX;
    if (relative % pitch >= vga->mode.columns || relative / pitch >= vga->mode.rows)
        return UINT32_MAX;
    return relative / pitch * vga->mode.columns + relative % pitch;
}

/* What differs from the frame before. */
typedef struct {
    uint32_t cursor; /* cell, UINT32_MAX: not visible */
    bool cursor_changed, blink_on, blink_changed;
} FrameLook;

static void
report_run(Vga *vga, uint32_t row, uint32_t first, uint32_t end)
{
    const VgaMode *mode = &vga->mode;
    uint32_t unit = mode->cell_width << mode->half_clock, y = row * mode->cell_height;

    vga->display->dirty(vga->display->user, first * unit, y, (end - first) * unit,
                        MIN(mode->cell_height, mode->height - y));
}

static void
draw_row(Vga *vga, const PdmSurface *surface, uint32_t row, bool everything, const FrameLook *look)
{
    uint32_t columns = vga->mode.columns, first = columns, end = 0;

    for (uint32_t column = 0; column < columns; column++) {
        uint32_t index = row * columns + column;
        uint16_t cell = cell_at(vga, row, column);
        bool blinks = look->blink_changed && (cell & 0x8000) && (vga->attr[0x10] & 8);
        bool touched = look->cursor_changed && (index == look->cursor || index == vga->cursor_cell);

        if (!everything && cell == vga->shown[index] && !blinks && !touched)
            continue;
        vga->shown[index] = cell;
        draw_cell(vga, surface, row, column, cell, index == look->cursor, look->blink_on);
        first = MIN(first, column);
        end = column + 1;
    }
    if (first < end)
        report_run(vga, row, first, end);
}

void
vga_text_draw(Vga *vga, const PdmSurface *surface, bool everything)
{
    uint64_t half_periods = pdm_now(vga->device) / BLINK_HALF_PERIOD_NS;
    uint32_t shape = vga->crtc[0x0a] << 8 | vga->crtc[0x0b];
    uint32_t rows = MIN(vga->mode.rows, VGA_MAX_CELLS / MAX(vga->mode.columns, 1u));
    FrameLook look = {
        .cursor = cursor_cell(vga, half_periods % 2 == 0),
        .blink_on = half_periods / 2 % 2 == 0, /* characters blink at half the cursor's rate */
    };

    look.cursor_changed = look.cursor != vga->cursor_cell || shape != vga->shown_cursor;
    look.blink_changed = look.blink_on != vga->shown_blink;
    for (uint32_t row = 0; row < rows; row++)
        draw_row(vga, surface, row, everything, &look);
    vga->cursor_cell = look.cursor;
    vga->shown_cursor = shape;
    vga->shown_blink = look.blink_on;
}

char *
vga_text_get(const Vga *vga)
{
    VgaMode mode = vga_mode_derive(vga);
    GString *text;

    if (mode.kind != VGA_TEXT)
        return NULL;
    text = g_string_new(NULL);
    for (uint32_t row = 0; row < mode.rows; row++) {
        gsize line = text->len;
        for (uint32_t column = 0; column < mode.columns; column++)
            g_string_append_unichar(text, unicode_of((uint8_t)cell_at(vga, row, column)));
        while (text->len > line && text->str[text->len - 1] == ' ')
            g_string_truncate(text, text->len - 1);
        g_string_append_c(text, '\n');
    }
    return g_string_free(text, FALSE);
}
