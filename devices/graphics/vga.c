/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The graphics card: a VGA with the Bochs VBE extension on PCI, as the Bochs and QEMU "standard
 * VGA" ids promise to drivers (1234:1111). BAR 0 is the linear frame buffer, BAR 2 the registers.
 * Leaves out: EDID, hardware cursor. */
#include "devices/graphics/vga.h"

#define MIB (1024u * 1024)
#define ROM_PATH "/usr/share/seabios/vgabios-stdvga.bin"

static void
refresh_dirty(Vga *vga)
{
    size_t pages = vga->vram_size / X86_PAGE_SIZE;
    g_autofree uint8_t *written = g_malloc(pages);

    pdm_dirty_fetch(vga->device, vga->vram_region, written, pages);
    for (size_t i = 0; i < pages; i++)
        vga->dirty[i] |= written[i];
}

static void
draw_blank(Vga *vga, const PdmSurface *surface)
{
    for (uint32_t line = 0; line < surface->height; line++)
        memset(surface->pixels + (size_t)line * surface->stride, 0, (size_t)surface->width * 4);
    vga->display->dirty(vga->display->user, 0, 0, surface->width, surface->height);
}

static bool
same_mode(const VgaMode *a, const VgaMode *b)
{
    return a->kind == b->kind && a->width == b->width && a->height == b->height &&
           a->columns == b->columns && a->rows == b->rows && a->cell_width == b->cell_width &&
           a->cell_height == b->cell_height && a->bpp == b->bpp && a->half_clock == b->half_clock;
}

/* Takes the mode over, with a surface of its size; NULL when there is nothing to draw on. */
static const PdmSurface *
prepare_surface(Vga *vga, bool *everything)
{
    VgaMode mode = vga_mode_derive(vga);
    const PdmSurface *surface = vga->display->surface(vga->display->user);

    if (!same_mode(&mode, &vga->mode))
        *everything = true;
    if (mode.width == 0 || mode.height == 0) { /* dark since power-on */
        mode.width = 720;
        mode.height = 400;
    }
    vga->mode = mode;
    if (!surface || surface->width != mode.width || surface->height != mode.height) {
        surface = vga->display->resize(vga->display->user, mode.width, mode.height);
        *everything = true;
    }
    return surface && surface->width == mode.width ? surface : NULL;
}

static void
vga_update(void *user, bool everything)
{
    Vga *vga = user;
    const PdmSurface *surface;

    everything |= vga->redraw;
    surface = prepare_surface(vga, &everything);
    if (!surface)
        return;
    vga->redraw = false;
    refresh_dirty(vga);
    switch (vga->mode.kind) {
    case VGA_BLANK:
        if (everything)
            draw_blank(vga, surface);
        break;
    case VGA_TEXT: vga_text_draw(vga, surface, everything); break;
    case VGA_LINEAR: vga_linear_draw(vga, surface, everything); break;
    default: vga_graphics_draw(vga, surface, everything); break;
    }
    memset(vga->dirty, 0, vga->vram_size / X86_PAGE_SIZE);
}

static char *
vga_text(void *user)
{
    return vga_text_get(user);
}

static bool
make_ports(PdmDevice *device, Vga *vga)
{
    pdm_ports_map(device, pdm_ports_new(device, "vga", 16, &vga_port_ops, vga), 0x3c0);
    pdm_ports_map(device, pdm_ports_new(device, "vga crtc mono", 7, &vga_crtc_mono_ops, vga),
                  0x3b4);
    pdm_ports_map(device, pdm_ports_new(device, "vga crtc", 7, &vga_crtc_color_ops, vga), 0x3d4);
    pdm_ports_map(device, pdm_ports_new(device, "vbe", 4, &vga_vbe_ops, vga), 0x1ce);
    return true;
}

static bool
make_pci(PdmDevice *device, Vga *vga, GError **error)
{
    static const PdmPciInfo info = {
        .vendor = 0x1234,
        .device = 0x1111,
        .subsystem_vendor = 0x1af4,
        .subsystem = 0x1100,
        .revision = 2,
        .subclass = 0x00,
        .class_code = 0x03,
        .slot = 2,
        .function = 0,
    };
    PgmRegion *registers = pdm_mmio_new(device, "vga registers", 4096, &vga_mmio_ops, vga);

    vga->pci = pdm_pci_new(device, &info, NULL, vga, error);
    return vga->pci &&
           pdm_pci_bar_region(device, vga->pci, 0, vga->vram_region, vga->vram_size, true, false,
                              error) &&
           pdm_pci_bar_region(device, vga->pci, 2, registers, 4096, false, false, error);
}

static bool
vga_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    Vga *vga = device->data;
    uint64_t bytes = 16;
    PgmRegion *window;

    vga->device = device;
    if (cfgm_has(config, "VRamSize") &&
        !cfgm_query_uint(config, "VRamSize", 1 * MIB, 256 * MIB, &bytes, error))
        return false;
    vga->vram_size = cfgm_has(config, "VRamSize") ? (uint32_t)bytes : 16 * MIB;
    /* A BAR's size is a power of two. */
    vga->vram_size = 1u << (g_bit_storage(vga->vram_size) - 1);
    vga->vram_region =
        pdm_ram_new(device, "vram", vga->vram_size, true, (void **)&vga->vram, error);
    if (!vga->vram_region)
        return false;
    vga->dirty = g_malloc0(vga->vram_size / X86_PAGE_SIZE);
    vga->shown = g_new0(uint16_t, VGA_MAX_CELLS);
    make_ports(device, vga);
    if (!make_pci(device, vga, error) ||
        !vga_rom_construct(device, vga, cfgm_string(config, "RomPath", ROM_PATH), error))
        return false;
    window = pdm_mmio_new(device, "vga window", VGA_WINDOW_SIZE, &vga_window_ops, vga);
    pdm_region_map(device, window, VGA_WINDOW_BASE);
    vga->port = (PdmDisplayPort){.user = vga, .update = vga_update, .text = vga_text};
    return pdm_attach(device, 0, PDM_IF_DISPLAY, &vga->port, (const void **)&vga->display, false,
                      error);
}

static void
vga_reset(PdmDevice *device)
{
    Vga *vga = device->data;

    vga_vbe_reset(vga);
    vga_registers_reset(vga);
    memset(vga->vram, 0, MIN(vga->vram_size, 256u * 1024));
    vga->redraw = true;
}

static void
vga_destruct(PdmDevice *device)
{
    Vga *vga = device->data;

    g_clear_pointer(&vga->dirty, g_free);
    g_clear_pointer(&vga->shown, g_free);
}

static bool
vga_post_load(void *object, uint32_t version, GError **error)
{
    Vga *vga = object;
    uint64_t bytes =
        (uint64_t)vga_vbe_stride(vga) * ((uint64_t)vga->vbe[VBE_Y_OFFSET] + vga->vbe[VBE_YRES]);

    if (vga->vbe[VBE_XRES] > VBE_MAX_XRES || vga->vbe[VBE_YRES] > VBE_MAX_YRES ||
        (vga_vbe_enabled(vga) && bytes > vga->vram_size) ||
        (uint64_t)vga->vbe[VBE_BANK] * 0x10000 >= vga->vram_size) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                    "The VBE mode of the saved state is impossible.");
        return false;
    }
    vga_colors_rebuild(vga);
    return true;
}

static void
vga_info(PdmDevice *device, GString *out)
{
    static const char *const kinds[] = {"blank", "text",        "16 colours",
                                        "CGA",   "256 colours", "linear"};
    const Vga *vga = device->data;

    g_string_append_printf(out, "mode: %s %ux%u, %u bits\n", kinds[vga->mode.kind], vga->mode.width,
                           vga->mode.height, vga->mode.bpp);
}

/* clang-format off */
static const SsmField vga_fields[] = {
    SSM_UINT(Vga, misc), SSM_UINT(Vga, feature),
    SSM_UINT_BELOW(Vga, seq_index, 8), SSM_BYTES(Vga, seq),
    SSM_UINT_BELOW(Vga, crtc_index, 32), SSM_BYTES(Vga, crtc),
    SSM_UINT_BELOW(Vga, gfx_index, 16), SSM_BYTES(Vga, gfx),
    SSM_UINT_BELOW(Vga, attr_index, 64), SSM_BYTES(Vga, attr),
    SSM_UINT_BELOW(Vga, attr_flipflop, 2), SSM_BYTES(Vga, latch),
    SSM_UINT(Vga, dac_mask), SSM_UINT(Vga, dac_state),
    SSM_UINT(Vga, dac_read_index), SSM_UINT(Vga, dac_write_index),
    SSM_UINT_BELOW(Vga, dac_component, 3), SSM_BYTES(Vga, dac_cache), SSM_BYTES(Vga, palette),
    SSM_UINT(Vga, vbe_index), SSM_UINT_ARRAY(Vga, vbe),
    SSM_END,
};
static const SsmState vga_state = {
    .version = 1, .min_version = 1, .fields = vga_fields, .post_load = vga_post_load,
};
static const PdmOption vga_options[] = {
    { "VRamSize", "Video memory in bytes", PDM_OPTION_UINT, 16 * MIB, 1 * MIB, 256 * MIB, NULL, NULL },
    { "RomPath", "Video BIOS image, empty: none", PDM_OPTION_STRING, 0, 0, 0, ROM_PATH, NULL },
    { NULL, NULL, PDM_OPTION_END, 0, 0, 0, NULL, NULL },
};
/* clang-format on */

const PdmDeviceInfo vga_device = {
    .abi = PDM_ABI_VERSION,
    .name = "vga",
    .title = "VGA with VBE",
    .kind = PDM_KIND_GRAPHICS,
    .instance_size = sizeof(Vga),
    .max_instances = 1,
    .options = vga_options,
    .construct = vga_construct,
    .reset = vga_reset,
    .destruct = vga_destruct,
    .state = &vga_state,
    .info = vga_info,
};
