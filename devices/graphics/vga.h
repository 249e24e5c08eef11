/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The state of the VGA with the Bochs VBE extension, shared by the files of this folder.
 *
 * Video memory is kept as the hardware has it: one 32-bit word for each plane address, plane n in
 * byte n. A linear (VBE) mode sees the same bytes as a flat array. */
#pragma once

#include "vmm/pdm/pdm.h"

#define VGA_WINDOW_BASE 0xa0000u
#define VGA_WINDOW_SIZE 0x20000u
#define VGA_MAX_WIDTH 2560u
#define VGA_MAX_HEIGHT 2048u /* a CRTC can be told up to 2048 lines */
#define VGA_MAX_PAGES (256u * 1024 * 1024 / X86_PAGE_SIZE)
#define VGA_MAX_CELLS (256u * 128u)

enum {
    VBE_ID,
    VBE_XRES,
    VBE_YRES,
    VBE_BPP,
    VBE_ENABLE,
    VBE_BANK,
    VBE_VIRT_WIDTH,
    VBE_VIRT_HEIGHT,
    VBE_X_OFFSET,
    VBE_Y_OFFSET,
    VBE_MEMORY,
    VBE_REG_COUNT
};

#define VBE_ENABLED 0x01u
#define VBE_GETCAPS 0x02u
#define VBE_8BIT_DAC 0x20u
#define VBE_LFB 0x40u
#define VBE_NOCLEARMEM 0x80u
#define VBE_ID_MIN 0xb0c0u
#define VBE_ID_MAX 0xb0c5u
#define VBE_MAX_XRES 2560u
#define VBE_MAX_YRES 1600u

/* What is on the screen, derived from the registers; a difference means: draw everything. */
typedef struct {
    enum { VGA_BLANK, VGA_TEXT, VGA_PLANAR, VGA_CGA4, VGA_256, VGA_LINEAR } kind;
    uint32_t width, height; /* of the surface */
    uint32_t columns, rows; /* text */
    uint32_t cell_width, cell_height;
    uint32_t bpp; /* linear */
    bool half_clock;
    unsigned scan_shift; /* each row is shown 1 << scan_shift times (double scan) */
    uint32_t row_scans;  /* scan lines of a row, 1..32 */
} VgaMode;

typedef struct {
    uint8_t misc, feature;
    uint8_t seq_index, seq[8];
    uint8_t crtc_index, crtc[32];
    uint8_t gfx_index, gfx[16];
    uint8_t attr_index, attr[32];
    uint8_t attr_flipflop; /* 1: the next write to 3C0 is data */
    uint8_t latch[4];
    uint8_t dac_mask, dac_state, dac_read_index, dac_write_index, dac_component;
    uint8_t dac_cache[3];
    uint8_t palette[256][3];
    uint16_t vbe_index, vbe[VBE_REG_COUNT];

    PdmDevice *device;
    PdmPci *pci;
    PgmRegion *vram_region;
    uint8_t *vram;
    uint32_t vram_size;
    const PdmDisplayConnector *display;
    PdmDisplayPort port;

    /* Derived; rebuilt after a load. */
    VgaMode mode;
    uint32_t colors[256];               /* 0xffRRGGBB */
    bool redraw;                        /* everything is stale */
    uint8_t *dirty;                     /* a byte for each page of video memory */
    uint16_t *shown;                    /* text cells on the screen: attribute << 8 | character */
    uint32_t shown_cursor, cursor_cell; /* last drawn, for erasing */
    bool shown_blink;
    uint32_t shown_start;
} Vga;

/* vga-registers.c */
extern const IomPortOps vga_port_ops, vga_crtc_mono_ops, vga_crtc_color_ops;
uint32_t vga_register_read(Vga *vga, uint32_t port);
void vga_register_write(Vga *vga, uint32_t port, uint8_t value);
void vga_registers_reset(Vga *vga);
void vga_colors_rebuild(Vga *vga);

/* vga-memory.c */
extern const IomMmioOps vga_window_ops;

/* vga-vbe.c */
extern const IomPortOps vga_vbe_ops;
extern const IomMmioOps vga_mmio_ops;
void vga_vbe_reset(Vga *vga);
static inline bool
vga_vbe_enabled(const Vga *vga)
{
    return vga->vbe[VBE_ENABLE] & VBE_ENABLED;
}
uint32_t vga_vbe_stride(const Vga *vga); /* bytes a line */

/* vga-rom.c: path empty: no ROM. */
bool vga_rom_construct(PdmDevice *device, Vga *vga, const char *path, GError **error);

/* vga-mode.c */
VgaMode vga_mode_derive(const Vga *vga);
/* The plane address of a character clock: `counter` within the frame, in scan line `scan` of its
 * row. */
uint32_t vga_display_address(const Vga *vga, uint32_t counter, uint32_t scan);
uint32_t vga_start_address(const Vga *vga);

/* vga-text.c, vga-graphics.c: draw what changed into the surface and report it. */
void vga_text_draw(Vga *vga, const PdmSurface *surface, bool everything);
char *vga_text_get(const Vga *vga);
void vga_graphics_draw(Vga *vga, const PdmSurface *surface, bool everything);
void vga_linear_draw(Vga *vga, const PdmSurface *surface, bool everything);

static inline uint32_t
vga_plane_word(const Vga *vga, uint32_t address)
{
    /* The classic VGA sees 256 KiB: 64 Ki words. */
    uint32_t word;
    __builtin_memcpy(&word, vga->vram + (size_t)(address & 0xffff) * 4, 4);
    return word;
}

static inline void
vga_mark_dirty(Vga *vga, uint32_t offset)
{
    vga->dirty[offset / X86_PAGE_SIZE] = 1;
}
