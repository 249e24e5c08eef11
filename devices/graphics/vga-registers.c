/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The VGA's registers at ports 3B4..3DA: miscellaneous output, sequencer, CRT controller,
 * graphics controller, attribute controller, DAC. IBM PS/2 Video Subsystem Technical Reference,
 * chapter 2. */
#include "devices/graphics/vga.h"

/* Bits that exist, by register. */
static const uint8_t sequencer_mask[8] = {0x03, 0x3d, 0x0f, 0x3f, 0x0e, 0x00, 0x00, 0xff};
static const uint8_t graphics_mask[16] = {0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff};

#define CRTC_PROTECT 0x80u /* CRTC 11h bit 7: registers 0..7 are read only */

static uint32_t
expand6(uint8_t value)
{
    return (uint32_t)value << 2 | value >> 4;
}

void
vga_colors_rebuild(Vga *vga)
{
    bool wide = vga_vbe_enabled(vga) && (vga->vbe[VBE_ENABLE] & VBE_8BIT_DAC);

    for (unsigned i = 0; i < 256; i++) {
        const uint8_t *entry = vga->palette[i & vga->dac_mask];
        uint32_t r = wide ? entry[0] : expand6(entry[0] & 0x3f);
        uint32_t g = wide ? entry[1] : expand6(entry[1] & 0x3f);
        uint32_t b = wide ? entry[2] : expand6(entry[2] & 0x3f);
        vga->colors[i] = 0xff000000u | r << 16 | g << 8 | b;
    }
    vga->redraw = true;
}

static uint8_t
status1(Vga *vga)
{
    /* A 60 Hz frame of 525 lines, as time goes by: bit 3 vertical retrace, bit 0 no display. */
    uint64_t in_frame = pdm_now(vga->device) % 16683333;
    uint64_t line = in_frame / 31778;
    bool vertical = line >= 490 && line < 492;
    bool blank = line >= 480 || in_frame % 31778 > 25400;

    vga->attr_flipflop = 0;
    return (vertical ? 0x08 : 0) | (blank ? 0x01 : 0);
}

static void
dac_write(Vga *vga, uint8_t value)
{
    vga->dac_cache[vga->dac_component++] = value;
    if (vga->dac_component < 3)
        return;
    memcpy(vga->palette[vga->dac_write_index], vga->dac_cache, 3);
    vga->dac_component = 0;
    vga->dac_write_index++;
    vga_colors_rebuild(vga);
}

static uint8_t
dac_read(Vga *vga)
{
    uint8_t value = vga->palette[vga->dac_read_index][vga->dac_component];

    if (++vga->dac_component == 3) {
        vga->dac_component = 0;
        vga->dac_read_index++;
    }
    return value;
}

static void
attribute_write(Vga *vga, uint8_t value)
{
    if (!vga->attr_flipflop) {
        if ((vga->attr_index ^ value) & 0x20)
            vga->redraw = true;
        vga->attr_index = value & 0x3f;
    } else {
        unsigned index = vga->attr_index & 0x1f;
        if (index < 0x10 && !(vga->attr_index & 0x20))
            vga->attr[index] = value & 0x3f;
        else if (index >= 0x10 && index <= 0x14)
            vga->attr[index] = value;
        vga->redraw = true;
    }
    vga->attr_flipflop ^= 1;
}

static void
crtc_write(Vga *vga, uint8_t value)
{
    unsigned index = vga->crtc_index;

    if (index > 0x18)
        return;
    if (index <= 7 && (vga->crtc[0x11] & CRTC_PROTECT)) {
        if (index == 7) /* the line-compare bit stays writable */
            vga->crtc[7] = (vga->crtc[7] & ~0x10) | (value & 0x10);
        return;
    }
    /* The text cursor and the start address are looked at when drawing. */
    if (vga->crtc[index] != value && (index < 0x0a || index > 0x0f))
        vga->redraw = true;
    vga->crtc[index] = value;
}

uint32_t
vga_register_read(Vga *vga, uint32_t port)
{
    switch (port) {
    case 0x3c0: return vga->attr_flipflop ? 0 : vga->attr_index;
    case 0x3c1: return vga->attr[vga->attr_index & 0x1f];
    case 0x3c2: return 0x10; /* a colour monitor answers the sense switch */
    case 0x3c4: return vga->seq_index;
    case 0x3c5: return vga->seq[vga->seq_index & 7];
    case 0x3c6: return vga->dac_mask;
    case 0x3c7: return vga->dac_state;
    case 0x3c8: return vga->dac_write_index;
    case 0x3c9: return dac_read(vga);
    case 0x3ca: return vga->feature;
    case 0x3cc: return vga->misc;
    case 0x3ce: return vga->gfx_index;
    case 0x3cf: return vga->gfx[vga->gfx_index & 15];
    case 0x3b4:
    case 0x3d4: return vga->crtc_index;
    case 0x3b5:
    case 0x3d5: return vga->crtc_index <= 0x18 ? vga->crtc[vga->crtc_index] : 0;
    case 0x3ba:
    case 0x3da: return status1(vga);
    default: return 0xff;
    }
}

void
vga_register_write(Vga *vga, uint32_t port, uint8_t value)
{
    switch (port) {
    case 0x3c0: attribute_write(vga, value); break;
    case 0x3c2:
        vga->misc = value & ~0x10;
        vga->redraw = true;
        break;
    case 0x3c4: vga->seq_index = value & 7; break;
    case 0x3c5:
        vga->seq[vga->seq_index] = value & sequencer_mask[vga->seq_index];
        if (vga->seq_index != 2) /* the plane mask does not change the picture */
            vga->redraw = true;
        break;
    case 0x3c6:
        vga->dac_mask = value;
        vga_colors_rebuild(vga);
        break;
    case 0x3c7:
        vga->dac_read_index = value;
        vga->dac_component = 0;
        vga->dac_state = 3;
        break;
    case 0x3c8:
        vga->dac_write_index = value;
        vga->dac_component = 0;
        vga->dac_state = 0;
        break;
    case 0x3c9: dac_write(vga, value); break;
    case 0x3ce: vga->gfx_index = value & 15; break;
    case 0x3cf:
        vga->gfx[vga->gfx_index] = value & graphics_mask[vga->gfx_index];
        if (vga->gfx_index == 5 || vga->gfx_index == 6)
            vga->redraw = true;
        break;
    case 0x3b4:
    case 0x3d4: vga->crtc_index = value & 0x1f; break;
    case 0x3b5:
    case 0x3d5: crtc_write(vga, value); break;
    case 0x3ba:
    case 0x3da: vga->feature = value & 3; break;
    default: break;
    }
}

void
vga_registers_reset(Vga *vga)
{
    vga->misc = 0x01;
    vga->feature = 0;
    vga->seq_index = vga->crtc_index = vga->gfx_index = vga->attr_index = 0;
    vga->attr_flipflop = 0;
    memset(vga->seq, 0, sizeof(vga->seq));
    memset(vga->crtc, 0, sizeof(vga->crtc));
    memset(vga->gfx, 0, sizeof(vga->gfx));
    memset(vga->attr, 0, sizeof(vga->attr));
    memset(vga->latch, 0, sizeof(vga->latch));
    memset(vga->palette, 0, sizeof(vga->palette));
    vga->dac_mask = 0xff;
    vga->dac_state = vga->dac_read_index = vga->dac_write_index = vga->dac_component = 0;
    vga_colors_rebuild(vga);
}

static uint32_t
read_at(void *user, uint32_t base, uint32_t offset)
{
    Vga *vga = user;
    bool color = vga->misc & 1;
    uint32_t port = base + offset;

    /* Only one of the two CRTC places answers. */
    if ((base == 0x3b4 && color) || (base == 0x3d4 && !color))
        return 0xff;
    return vga_register_read(vga, port);
}

static void
write_at(void *user, uint32_t base, uint32_t offset, uint32_t value)
{
    Vga *vga = user;
    bool color = vga->misc & 1;

    if ((base == 0x3b4 && color) || (base == 0x3d4 && !color))
        return;
    vga_register_write(vga, base + offset, (uint8_t)value);
}

static uint32_t
main_read(void *user, uint32_t offset, unsigned size)
{
    return read_at(user, 0x3c0, offset);
}

static void
main_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    write_at(user, 0x3c0, offset, value);
}

static uint32_t
mono_read(void *user, uint32_t offset, unsigned size)
{
    return read_at(user, 0x3b4, offset);
}

static void
mono_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    write_at(user, 0x3b4, offset, value);
}

static uint32_t
color_read(void *user, uint32_t offset, unsigned size)
{
    return read_at(user, 0x3d4, offset);
}

static void
color_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    write_at(user, 0x3d4, offset, value);
}

const IomPortOps vga_port_ops = {.read = main_read, .write = main_write, .sizes = 1};
const IomPortOps vga_crtc_mono_ops = {.read = mono_read, .write = mono_write, .sizes = 1};
const IomPortOps vga_crtc_color_ops = {.read = color_read, .write = color_write, .sizes = 1};
