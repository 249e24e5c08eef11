/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the registers add up to: the mode on the screen and the address counter of the CRT
 * controller. IBM PS/2 Video Subsystem Technical Reference, chapter 2 "CRT Controller". */
#include "devices/graphics/vga.h"

static VgaMode
linear_mode(const Vga *vga)
{
    bool planar = vga->vbe[VBE_BPP] == 4;

    return (VgaMode){
        .kind = planar ? VGA_PLANAR : VGA_LINEAR,
        .width = vga->vbe[VBE_XRES],
        .height = vga->vbe[VBE_YRES],
        .columns = vga->vbe[VBE_XRES] / 8,
        .cell_width = 8,
        .cell_height = 1,
        .row_scans = 1,
        .bpp = vga->vbe[VBE_BPP],
    };
}

static uint32_t
display_lines(const Vga *vga)
{
    uint8_t overflow = vga->crtc[7];

    return (vga->crtc[0x12] | (overflow & 0x02) << 7 | (overflow & 0x40) << 3) + 1u;
}

VgaMode
vga_mode_derive(const Vga *vga)
{
    VgaMode mode = {.kind = VGA_PLANAR};

    if (vga_vbe_enabled(vga))
        return linear_mode(vga);
    if ((vga->seq[1] & 0x20) || !(vga->attr_index & 0x20)) {
        mode = vga->mode; /* dark, but the monitor keeps its size */
        mode.kind = VGA_BLANK;
        return mode;
    }
    mode.columns = vga->crtc[1] + 1u;
    mode.half_clock = vga->seq[1] & 0x08;
    mode.row_scans = (vga->crtc[9] & 31) + 1u;
    mode.scan_shift = vga->crtc[9] >> 7;
    mode.cell_width = 8;
    mode.height = MIN(display_lines(vga), VGA_MAX_HEIGHT);
    if (!(vga->gfx[6] & 1)) {
        mode.kind = VGA_TEXT;
        mode.cell_width = vga->seq[1] & 1 ? 8 : 9;
        mode.cell_height = mode.row_scans << mode.scan_shift;
        mode.rows = (mode.height + mode.cell_height - 1) / mode.cell_height;
    } else if (vga->gfx[5] & 0x40) {
        mode.kind = VGA_256;
    } else if (vga->gfx[5] & 0x20) {
        mode.kind = VGA_CGA4;
    }
    mode.columns = MIN(mode.columns, VGA_MAX_WIDTH / (mode.cell_width << mode.half_clock));
    mode.width = (mode.columns * mode.cell_width) << mode.half_clock;
    return mode;
}

uint32_t
vga_start_address(const Vga *vga)
{
    return vga->crtc[0x0c] << 8 | vga->crtc[0x0d];
}

uint32_t
vga_display_address(const Vga *vga, uint32_t counter, uint32_t scan)
{
    uint8_t control = vga->crtc[0x17];
    uint32_t address;

    if (vga->crtc[0x14] & 0x40)
        address = counter << 2 | (counter >> 14 & 3);
    else if (!(control & 0x40))
        address = counter << 1 | (counter >> (control & 0x20 ? 15 : 13) & 1);
    else
        address = counter;
    if (!(control & 1))
        address = (address & ~0x2000u) | (scan & 1) << 13;
    if (!(control & 2))
        address = (address & ~0x4000u) | (scan >> 1 & 1) << 14;
    return address & 0xffff;
}
