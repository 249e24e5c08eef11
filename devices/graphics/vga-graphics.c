/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Graphics modes: planar 16 colours, CGA's packed pixels, 256 colours, and the linear frame buffers
 * of VBE. A line is drawn when a page that it reads from was written. */
#include "devices/graphics/vga.h"

static bool
range_dirty(const Vga *vga, uint64_t first, uint64_t size)
{
    uint64_t end = MIN(first + size, vga->vram_size);

    for (uint64_t page = first / X86_PAGE_SIZE; page * X86_PAGE_SIZE < end; page++) {
        if (vga->dirty[page])
            return true;
    }
    return false;
}

/* Lines that were drawn, joined into one rectangle as long as they follow each other. */
typedef struct {
    uint32_t first, end;
} LineRun;

static void
run_flush(Vga *vga, LineRun *run, uint32_t width)
{
    if (run->end > run->first)
        vga->display->dirty(vga->display->user, 0, run->first, width, run->end - run->first);
    run->first = run->end = 0;
}

static void
run_add(Vga *vga, LineRun *run, uint32_t line, uint32_t width)
{
    if (run->end == line && run->end > run->first) {
        run->end++;
        return;
    }
    run_flush(vga, run, width);
    run->first = line;
    run->end = line + 1;
}

static inline uint32_t
palette16(const Vga *vga, unsigned index)
{
    unsigned dac;

    if (vga->attr[0x10] & 0x40)
        return vga->colors[index];
    index &= vga->attr[0x12] & 15;
    dac = vga->attr[index] & 0x3f;
    if (vga->attr[0x10] & 0x80)
        dac = (dac & 0x0f) | (vga->attr[0x14] & 3) << 4;
    return vga->colors[dac | (vga->attr[0x14] & 0x0c) << 4];
}

static void
expand_planar(const Vga *vga, uint32_t word, uint32_t *dots)
{
    for (unsigned x = 0; x < 8; x++) {
        uint32_t bits = word >> (7 - x);
        unsigned index = (bits & 1) | (bits >> 7 & 2) | (bits >> 14 & 4) | (bits >> 21 & 8);
        dots[x] = palette16(vga, index);
    }
}

/* Planes 0 and 1 hold four pixels of two bits each, planes 2 and 3 their upper two bits. */
static void
expand_packed(const Vga *vga, uint32_t word, uint32_t *dots)
{
    for (unsigned x = 0; x < 8; x++) {
        unsigned half = x / 4 * 8, shift = 6 - x % 4 * 2;
        unsigned index = (word >> (half + shift) & 3) | (word >> (16 + half + shift) & 3) << 2;
        dots[x] = palette16(vga, index);
    }
}

static void
expand_256(const Vga *vga, uint32_t word, uint32_t *dots)
{
    for (unsigned x = 0; x < 8; x += 2)
        dots[x] = dots[x + 1] = vga->colors[word >> (x * 4) & 0xff];
}

/* The word of a character clock in VBE's planar mode, which has more than 256 KiB. */
static uint32_t
vbe_planar_word(const Vga *vga, uint32_t line, uint32_t column)
{
    uint64_t pitch = vga->vbe[VBE_VIRT_WIDTH] / 8;
    uint64_t word = (line + vga->vbe[VBE_Y_OFFSET]) * pitch + vga->vbe[VBE_X_OFFSET] / 8 + column;
    uint32_t value = 0;

    if (word * 4 + 4 <= vga->vram_size)
        memcpy(&value, vga->vram + word * 4, 4);
    return value;
}

static void
draw_line(const Vga *vga, const PdmSurface *surface, uint32_t line, uint32_t counter, uint32_t scan)
{
    const VgaMode *mode = &vga->mode;
    uint32_t *out = (uint32_t *)(surface->pixels + (size_t)line * surface->stride);
    unsigned pan = mode->kind == VGA_256 ? vga->attr[0x13] & 7 : MIN(vga->attr[0x13] & 15, 7u);
    unsigned left = mode->columns * 8u, skip = vga_vbe_enabled(vga) ? 0 : pan;
    uint32_t dots[8];

    for (uint32_t column = 0; left > 0; column++) {
        uint32_t word = vga_vbe_enabled(vga)
                            ? vbe_planar_word(vga, line, column)
                            : vga_plane_word(vga, vga_display_address(vga, counter + column, scan));
        if (mode->kind == VGA_256)
            expand_256(vga, word, dots);
        else if (mode->kind == VGA_CGA4)
            expand_packed(vga, word, dots);
        else
            expand_planar(vga, word, dots);
        for (unsigned x = skip; x < 8 && left > 0; x++, left--) {
            *out++ = dots[x];
            if (mode->half_clock)
                *out++ = dots[x];
        }
        skip = 0;
    }
}

/* The classic memory is 256 KiB, 64 pages of interleaved planes: one dirty page redraws the
 * picture, which costs about a millisecond at 640x480. */
static bool
classic_dirty(const Vga *vga)
{
    return range_dirty(vga, 0, vga_vbe_enabled(vga) ? vga->vram_size : 256 * 1024);
}

void
vga_graphics_draw(Vga *vga, const PdmSurface *surface, bool everything)
{
    const VgaMode *mode = &vga->mode;
    uint32_t start = vga_start_address(vga), pitch = vga->crtc[0x13] * 2u;
    uint32_t compare = vga->crtc[0x18] | (vga->crtc[7] & 0x10) << 4 | (vga->crtc[9] & 0x40) << 3;
    uint32_t row_lines = mode->row_scans << mode->scan_shift, split = UINT32_MAX;

    if (!everything && start == vga->shown_start && !classic_dirty(vga))
        return;
    vga->shown_start = start;
    if (!vga_vbe_enabled(vga) && compare + 1 < mode->height)
        split = compare + 1; /* below this line the memory starts over at address 0 */
    for (uint32_t line = 0; line < mode->height; line++) {
        uint32_t in_part = line >= split ? line - split : line;
        uint32_t base = line >= split ? 0 : start;
        draw_line(vga, surface, line, base + in_part / row_lines * pitch,
                  in_part % row_lines >> mode->scan_shift);
    }
    vga->display->dirty(vga->display->user, 0, 0, mode->width, mode->height);
}

static inline uint32_t
expand5(uint32_t value)
{
    return value << 3 | value >> 2;
}

static void
convert_line(const Vga *vga, const uint8_t *in, uint32_t *out, uint32_t width)
{
    uint16_t pixel;

    switch (vga->mode.bpp) {
    case 8:
        for (uint32_t x = 0; x < width; x++)
            out[x] = vga->colors[in[x]];
        break;
    case 15:
        for (uint32_t x = 0; x < width; x++) {
            memcpy(&pixel, in + 2 * (size_t)x, 2);
            out[x] = 0xff000000u | expand5(pixel >> 10 & 31) << 16 | expand5(pixel >> 5 & 31) << 8 |
                     expand5(pixel & 31);
        }
        break;
    case 16:
        for (uint32_t x = 0; x < width; x++) {
            memcpy(&pixel, in + 2 * (size_t)x, 2);
            uint32_t green = pixel >> 5 & 63;
            out[x] = 0xff000000u | expand5(pixel >> 11) << 16 | (green << 2 | green >> 4) << 8 |
                     expand5(pixel & 31);
        }
        break;
    case 24:
        for (uint32_t x = 0; x < width; x++, in += 3)
            out[x] = 0xff000000u | (uint32_t)in[2] << 16 | in[1] << 8 | in[0];
        break;
    default: memcpy(out, in, (size_t)width * 4); break;
    }
}

void
vga_linear_draw(Vga *vga, const PdmSurface *surface, bool everything)
{
    const VgaMode *mode = &vga->mode;
    uint32_t stride = vga_vbe_stride(vga), pixel = (mode->bpp + 7) / 8;
    uint64_t start = (uint64_t)vga->vbe[VBE_Y_OFFSET] * stride + vga->vbe[VBE_X_OFFSET] * pixel;
    uint32_t bytes = mode->width * pixel;
    LineRun run = {0, 0};

    everything |= start != vga->shown_start;
    vga->shown_start = (uint32_t)start;
    for (uint32_t line = 0; line < mode->height; line++) {
        uint64_t at = start + (uint64_t)line * stride;
        if (at + bytes > vga->vram_size)
            break;
        if (!everything && !range_dirty(vga, at, bytes))
            continue;
        convert_line(vga, vga->vram + at,
                     (uint32_t *)(surface->pixels + (size_t)line * surface->stride), mode->width);
        run_add(vga, &run, line, mode->width);
    }
    run_flush(vga, &run, mode->width);
}
