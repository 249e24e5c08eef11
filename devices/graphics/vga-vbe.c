/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The Bochs VBE extension ("DISPI"): index and data ports 1CE and 1CF, the same registers and the
 * VGA's own in the memory BAR that Linux's bochs driver uses. The Bochs VBE dispi interface,
 * version 5. */
#include "devices/graphics/vga.h"

static bool
valid_bpp(unsigned bpp)
{
    return bpp == 4 || bpp == 8 || bpp == 15 || bpp == 16 || bpp == 24 || bpp == 32;
}

static uint32_t
line_bytes(unsigned width, unsigned bpp)
{
    if (bpp == 4)
        return width / 8 * 4; /* four planes, a bit each, in one word for eight pixels */
    return width * ((bpp + 7) / 8);
}

uint32_t
vga_vbe_stride(const Vga *vga)
{
    return line_bytes(vga->vbe[VBE_VIRT_WIDTH], vga->vbe[VBE_BPP]);
}

/* Makes virtual size and offsets fit the memory after any of them changed. */
static void
fit_virtual(Vga *vga)
{
    uint32_t stride, lines;

    if (vga->vbe[VBE_VIRT_WIDTH] < vga->vbe[VBE_XRES])
        vga->vbe[VBE_VIRT_WIDTH] = vga->vbe[VBE_XRES];
    stride = vga_vbe_stride(vga);
    if (stride == 0)
        return;
    lines = MIN(vga->vram_size / stride, 0xffffu);
    if (lines < vga->vbe[VBE_YRES]) { /* no room for that pitch: back to the mode's own */
        vga->vbe[VBE_VIRT_WIDTH] = vga->vbe[VBE_XRES];
        stride = vga_vbe_stride(vga);
        lines = stride ? MIN(vga->vram_size / stride, 0xffffu) : 0;
    }
    vga->vbe[VBE_VIRT_HEIGHT] = (uint16_t)lines;
    if (vga->vbe[VBE_X_OFFSET] + vga->vbe[VBE_XRES] > vga->vbe[VBE_VIRT_WIDTH])
        vga->vbe[VBE_X_OFFSET] = 0;
    if (vga->vbe[VBE_Y_OFFSET] + vga->vbe[VBE_YRES] > lines)
        vga->vbe[VBE_Y_OFFSET] = 0;
    vga->redraw = true;
}

static bool
mode_fits(const Vga *vga)
{
    uint64_t bytes =
        (uint64_t)line_bytes(vga->vbe[VBE_XRES], vga->vbe[VBE_BPP]) * vga->vbe[VBE_YRES];

    return vga->vbe[VBE_XRES] && vga->vbe[VBE_YRES] && bytes <= vga->vram_size;
}

static void
enable_write(Vga *vga, uint16_t value)
{
    bool was = vga_vbe_enabled(vga), now = value & VBE_ENABLED;

    if (now && !was) {
        if (!mode_fits(vga)) {
            pdm_guest_error(vga->device, "vbe-mode",
                            "VBE mode %ux%u in %u bits does not fit the video memory",
                            vga->vbe[VBE_XRES], vga->vbe[VBE_YRES], vga->vbe[VBE_BPP]);
            return;
        }
        vga->vbe[VBE_X_OFFSET] = vga->vbe[VBE_Y_OFFSET] = 0;
        vga->vbe[VBE_VIRT_WIDTH] = vga->vbe[VBE_XRES];
        vga->vbe[VBE_ENABLE] = value;
        fit_virtual(vga);
        if (!(value & VBE_NOCLEARMEM))
            memset(vga->vram, 0, (size_t)vga_vbe_stride(vga) * vga->vbe[VBE_YRES]);
    } else {
        vga->vbe[VBE_ENABLE] = value;
        if (!now)
            vga->vbe[VBE_BANK] = 0;
    }
    vga_colors_rebuild(vga);
}

static void
vbe_write(Vga *vga, uint16_t value)
{
    unsigned index = vga->vbe_index;
    bool enabled = vga_vbe_enabled(vga);

    switch (index) {
    case VBE_ID:
        if (value >= VBE_ID_MIN && value <= VBE_ID_MAX)
            vga->vbe[VBE_ID] = value;
        break;
    case VBE_XRES:
        if (!enabled && value <= VBE_MAX_XRES && value % 8 == 0)
            vga->vbe[VBE_XRES] = value;
        break;
    case VBE_YRES:
        if (!enabled && value <= VBE_MAX_YRES)
            vga->vbe[VBE_YRES] = value;
        break;
    case VBE_BPP:
        if (!enabled && valid_bpp(value ? value : 8))
            vga->vbe[VBE_BPP] = value ? value : 8;
        break;
    case VBE_ENABLE: enable_write(vga, value); break;
    case VBE_BANK:
        if ((uint64_t)value * 0x10000 < vga->vram_size)
            vga->vbe[VBE_BANK] = value;
        break;
    case VBE_VIRT_WIDTH:
    case VBE_X_OFFSET:
    case VBE_Y_OFFSET:
        vga->vbe[index] = value;
        fit_virtual(vga);
        break;
    default: break;
    }
}

static uint16_t
vbe_read(const Vga *vga)
{
    unsigned index = vga->vbe_index;

    if (vga->vbe[VBE_ENABLE] & VBE_GETCAPS) {
        switch (index) {
        case VBE_XRES: return VBE_MAX_XRES;
        case VBE_YRES: return VBE_MAX_YRES;
        case VBE_BPP: return 32;
        default: break;
        }
    }
    if (index == VBE_MEMORY)
        return vga->vram_size / 0x10000;
    return index < VBE_REG_COUNT ? vga->vbe[index] : 0;
}

void
vga_vbe_reset(Vga *vga)
{
    memset(vga->vbe, 0, sizeof(vga->vbe));
    vga->vbe[VBE_ID] = VBE_ID_MAX;
    vga->vbe[VBE_BPP] = 8;
    vga->vbe_index = 0;
}

/* Ports 1CE (index) and 1CF (data, also at 1D0) are 16 bits wide each and overlap: one range, so
 * that an access to the index does not reach into the data. */
static uint32_t
port_read(void *user, uint32_t offset, unsigned size)
{
    const Vga *vga = user;

    return offset == 0 ? vga->vbe_index : vbe_read(vga);
}

static void
port_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    Vga *vga = user;

    if (offset == 0)
        vga->vbe_index = (uint16_t)value;
    else
        vbe_write(vga, (uint16_t)value);
}

/* The memory BAR: 400h..41Fh are ports 3C0h..3DFh, 500h.. the DISPI registers, 600h the size of the
 * extension block and the byte order of the frame buffer. */
#define MMIO_VGA 0x400u
#define MMIO_VBE 0x500u
#define MMIO_EXTENSION 0x600u
#define LITTLE_ENDIAN_MARK 0x1e1e1e1eu

static uint64_t
mmio_read(void *user, uint64_t offset, unsigned size)
{
    Vga *vga = user;
    uint64_t value = 0;

    if (offset >= MMIO_VGA && offset < MMIO_VGA + 0x20) {
        for (unsigned i = 0; i < size; i++)
            value |= (uint64_t)(vga_register_read(vga, 0x3c0 + offset - MMIO_VGA + i) & 0xff)
                     << (8 * i);
    } else if (offset >= MMIO_VBE && offset < MMIO_VBE + 2 * VBE_REG_COUNT) {
        uint16_t saved = vga->vbe_index;
        vga->vbe_index = (uint16_t)((offset - MMIO_VBE) / 2);
        value = vbe_read(vga);
        vga->vbe_index = saved;
    } else if (offset == MMIO_EXTENSION) {
        value = 8;
    } else if (offset == MMIO_EXTENSION + 4) {
        value = LITTLE_ENDIAN_MARK;
    }
    return value;
}

static void
mmio_write(void *user, uint64_t offset, uint64_t value, unsigned size)
{
    Vga *vga = user;

    if (offset >= MMIO_VGA && offset < MMIO_VGA + 0x20) {
        for (unsigned i = 0; i < size; i++)
            vga_register_write(vga, 0x3c0 + offset - MMIO_VGA + i, (uint8_t)(value >> (8 * i)));
    } else if (offset >= MMIO_VBE && offset < MMIO_VBE + 2 * VBE_REG_COUNT) {
        uint16_t saved = vga->vbe_index;
        vga->vbe_index = (uint16_t)((offset - MMIO_VBE) / 2);
        vbe_write(vga, (uint16_t)value);
        vga->vbe_index = saved;
    }
}

const IomPortOps vga_vbe_ops = {.read = port_read, .write = port_write, .sizes = 7};
const IomMmioOps vga_mmio_ops = {
    .read = mmio_read, .write = mmio_write, .min_size = 1, .max_size = 4};
