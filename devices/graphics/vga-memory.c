/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The window at A0000..BFFFF: planes, latches, read and write modes, odd/even and chain 4
 * addressing, the VBE bank. IBM PS/2 Video Subsystem Technical Reference, chapter 2 "Graphics
 * Controller". */
#include "devices/graphics/vga.h"

#define SEQ_PLANES 2
#define SEQ_MEMORY 4
#define SEQ_MEMORY_ODD_EVEN_OFF 0x04u
#define SEQ_MEMORY_CHAIN4 0x08u
#define GFX_MODE 5
#define GFX_MISC 6

/* Where the window is at present, by graphics register 6; false when the address is outside of it.
 */
static bool
window_offset(const Vga *vga, uint64_t offset, uint32_t *in_window)
{
    switch (vga->gfx[GFX_MISC] >> 2 & 3) {
    case 0: *in_window = offset; return true;
    case 1: *in_window = offset; return offset < 0x10000;
    case 2: *in_window = offset - 0x10000; return offset >= 0x10000 && offset < 0x18000;
    default: *in_window = offset - 0x18000; return offset >= 0x18000;
    }
}

static bool
linear_mode(const Vga *vga)
{
    return vga_vbe_enabled(vga) && vga->vbe[VBE_BPP] >= 8;
}

static bool
bank_offset(const Vga *vga, uint64_t offset, uint32_t *place)
{
    uint64_t at = (uint64_t)vga->vbe[VBE_BANK] * 0x10000 + offset;

    *place = (uint32_t)at;
    return offset < 0x10000 && at < vga->vram_size;
}

/* In planar VBE modes the bank counts 64 KiB of one plane; the classic VGA has 64 KiB a plane. */
static uint32_t
plane_offset(const Vga *vga, uint32_t address)
{
    uint64_t word = address;

    if (vga_vbe_enabled(vga))
        word += (uint64_t)vga->vbe[VBE_BANK] * 0x10000;
    else
        word &= 0xffff;
    return word * 4 + 4 <= vga->vram_size ? (uint32_t)(word * 4) : 0;
}

static uint8_t
planes_read(Vga *vga, uint32_t address)
{
    uint8_t *at = vga->vram + plane_offset(vga, address);
    uint8_t result = 0xff;

    memcpy(vga->latch, at, 4);
    if (!(vga->gfx[GFX_MODE] & 0x08))
        return at[vga->gfx[4] & 3];
    /* Read mode 1: a bit is set where all planes that matter have the colour to compare. */
    for (unsigned plane = 0; plane < 4; plane++) {
        uint8_t wanted = (vga->gfx[2] >> plane & 1) ? 0xff : 0;
        if (vga->gfx[7] >> plane & 1)
            result &= ~(at[plane] ^ wanted);
    }
    return result;
}

static uint8_t
window_read8(Vga *vga, uint64_t offset)
{
    uint32_t address;

    if (linear_mode(vga))
        return bank_offset(vga, offset, &address) ? vga->vram[address] : 0xff;
    if (!window_offset(vga, offset, &address))
        return 0xff;
    if (vga->seq[SEQ_MEMORY] & SEQ_MEMORY_CHAIN4) {
        uint8_t *at = vga->vram + plane_offset(vga, address & ~3u);
        memcpy(vga->latch, at, 4);
        return at[address & 3];
    }
    if (vga->gfx[GFX_MODE] & 0x10) { /* odd/even reading: address bit 0 chooses of a pair */
        uint8_t *at = vga->vram + plane_offset(vga, address & ~1u);
        memcpy(vga->latch, at, 4);
        return at[(vga->gfx[4] & 2) | (address & 1)];
    }
    return planes_read(vga, address);
}

static uint8_t
logical(const Vga *vga, uint8_t value, uint8_t latch)
{
    switch (vga->gfx[3] >> 3 & 3) {
    case 1: return value & latch;
    case 2: return value | latch;
    case 3: return value ^ latch;
    default: return value;
    }
}

static uint8_t
rotate_right(uint8_t value, unsigned count)
{
    return (uint8_t)(value >> count | value << (8 - count));
}

/* What the four write modes make of a byte for one plane. */
static uint8_t
plane_value(const Vga *vga, uint8_t value, unsigned plane)
{
    uint8_t mask = vga->gfx[8], latch = vga->latch[plane];
    uint8_t set = (vga->gfx[0] >> plane & 1) ? 0xff : 0;
    uint8_t rotated = rotate_right(value, vga->gfx[3] & 7);

    switch (vga->gfx[GFX_MODE] & 3) {
    case 0:
        if (vga->gfx[1] >> plane & 1)
            rotated = set;
        rotated = logical(vga, rotated, latch);
        break;
    case 1: return latch;
    case 2: rotated = logical(vga, (value >> plane & 1) ? 0xff : 0, latch); break;
    default:
        mask &= rotated;
        rotated = set;
        break;
    }
    return (rotated & mask) | (latch & ~mask);
}

static void
planes_write(Vga *vga, uint32_t address, uint8_t value, uint8_t planes)
{
    uint32_t at = plane_offset(vga, address);

    for (unsigned plane = 0; plane < 4; plane++) {
        if (planes >> plane & 1)
            vga->vram[at + plane] = plane_value(vga, value, plane);
    }
    /* A font in plane 2 changes the look of every cell. */
    if (planes & 4 && vga->mode.kind == VGA_TEXT)
        vga->redraw = true;
    vga_mark_dirty(vga, at);
}

static void
window_write8(Vga *vga, uint64_t offset, uint8_t value)
{
    uint8_t planes = vga->seq[SEQ_PLANES] & 15;
    uint32_t address;

    if (linear_mode(vga)) {
        if (bank_offset(vga, offset, &address)) {
            vga->vram[address] = value;
            vga_mark_dirty(vga, address);
        }
        return;
    }
    if (!window_offset(vga, offset, &address))
        return;
    if (vga->seq[SEQ_MEMORY] & SEQ_MEMORY_CHAIN4)
        planes_write(vga, address & ~3u, value, planes & 1u << (address & 3));
    else if (!(vga->seq[SEQ_MEMORY] & SEQ_MEMORY_ODD_EVEN_OFF))
        planes_write(vga, address & ~1u, value, planes & (address & 1 ? 0x0a : 0x05));
    else
        planes_write(vga, address, value, planes);
}

static uint64_t
window_read(void *user, uint64_t offset, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)window_read8(user, offset + i) << (8 * i);
    return value;
}

static void
window_write(void *user, uint64_t offset, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        window_write8(user, offset + i, (uint8_t)(value >> (8 * i)));
}

const IomMmioOps vga_window_ops = {
    .read = window_read, .write = window_write, .min_size = 1, .max_size = 8};
