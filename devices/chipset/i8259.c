/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The pair of 8259A interrupt controllers and their edge/level control registers. Intel 8259A data
 * sheet (231468-003) and 82371SB (PIIX3) data sheet, chapter 3.5; ports 0x20, 0xA0, 0x4D0.
 *
 * Left out: MCS-80/85 call vectors and buffered mode, which a PC cannot use. An edge stays latched
 * until it is acknowledged, so that a short pulse is never lost while the CPU is slow. */
#include "vmm/pdm/pdm.h"

#define PIC_NONE 8 /* no request, in the numbering of priorities and of lines */

enum { PIC_ICW_NONE, PIC_ICW2, PIC_ICW3, PIC_ICW4, PIC_ICW_COUNT };

typedef struct {
    uint8_t irr, isr, imr;
    uint8_t lines;   /* present level of the inputs */
    uint8_t elcr;    /* 1: level-triggered */
    uint8_t first;   /* the line of highest priority */
    uint8_t base;    /* vector of line 0 */
    uint8_t expects; /* PIC_ICW_*: what a write to the odd port means */
    uint8_t needs_icw4, single;
    uint8_t read_isr, poll;
    uint8_t special_mask, auto_eoi, rotate_auto_eoi, nested; /* nested: special fully nested mode */
} PicChip;

typedef struct {
    PdmDevice *device;
    PdmPic offer;
    IomPorts *ports[2], *elcr_ports;
    PicChip chip[2]; /* 0 master, 1 slave */
    uint8_t output;  /* INTR */
} Pic;

/* The priority (0 highest) of the best line in mask, PIC_NONE when mask is empty. */
static unsigned
pic_best(const PicChip *chip, uint8_t mask)
{
    for (unsigned priority = 0; priority < 8; priority++) {
        if (mask >> ((priority + chip->first) & 7) & 1)
            return priority;
    }
    return PIC_NONE;
}

/* The line that the chip asks for now, PIC_NONE when it is quiet. */
static unsigned
pic_request(const PicChip *chip, bool master)
{
    uint8_t busy = chip->isr;

    if (chip->special_mask)
        busy &= ~chip->imr;
    if (chip->nested && master)
        busy &= ~(1u << 2);

    unsigned wanted = pic_best(chip, chip->irr & ~chip->imr);

    /* In special mask mode every line that is not in service may interrupt. */
    if (chip->special_mask) {
        wanted = pic_best(chip, chip->irr & ~chip->imr & ~busy);
        return wanted == PIC_NONE ? PIC_NONE : (wanted + chip->first) & 7;
    }
    return wanted < pic_best(chip, busy) ? (wanted + chip->first) & 7 : PIC_NONE;
}

static void
pic_update(Pic *pic)
{
    PicChip *master = &pic->chip[0];
    bool slave = pic_request(&pic->chip[1], false) != PIC_NONE;

    /* The slave's output is not latched: its edge after each acknowledge cycle makes it a level. */
    if (!master->single) {
        master->irr &= ~(1u << 2);
        master->irr |= (uint8_t)(slave << 2);
    }

    bool output = pic_request(master, true) != PIC_NONE;

    if (output != pic->output) {
        pic->output = output;
        pdm_pic_line(pic->device, output);
    }
}

static void
pic_set_line(PicChip *chip, unsigned line, bool level)
{
    uint8_t bit = (uint8_t)(1u << line);

    if (chip->elcr & bit)
        chip->irr = level ? chip->irr | bit : chip->irr & ~bit;
    else if (level && !(chip->lines & bit))
        chip->irr |= bit;
    chip->lines = level ? chip->lines | bit : chip->lines & ~bit;
}

static void
pic_set_irq(void *user, unsigned line, bool level)
{
    Pic *pic = user;

    if (line > 15 || line == 2)
        return;
    pic_set_line(&pic->chip[line >> 3], line & 7, level);
    pic_update(pic);
}

/* The chip's half of an acknowledge cycle for a line. */
static void
pic_serve(PicChip *chip, unsigned line)
{
    uint8_t bit = (uint8_t)(1u << line);

    if (!(chip->elcr & bit))
        chip->irr &= ~bit;
    if (!chip->auto_eoi)
        chip->isr |= bit;
    else if (chip->rotate_auto_eoi)
        chip->first = (line + 1) & 7;
}

/* INTA: the vector. A request that went away in between is answered as line 7, not in service. */
static uint8_t
pic_acknowledge(void *user)
{
    Pic *pic = user;
    PicChip *chip = &pic->chip[0];
    unsigned line = pic_request(chip, true);

    if (line != PIC_NONE)
        pic_serve(chip, line);
    if (line == 2 && !chip->single) {
        chip = &pic->chip[1];
        line = pic_request(chip, false);
        if (line != PIC_NONE)
            pic_serve(chip, line);
    }
    if (line == PIC_NONE)
        line = 7;

    uint8_t vector = chip->base + line;

    pic_update(pic);
    return vector;
}

/* Ends the service of one line; `rotate` makes it the one of lowest priority. */
static void
pic_end(PicChip *chip, unsigned line, bool rotate)
{
    chip->isr &= ~(1u << line);
    if (rotate)
        chip->first = (line + 1) & 7;
}

static void
pic_write_ocw2(PicChip *chip, uint8_t value)
{
    unsigned line = value & 7;
    bool rotate = value & 0x80;

    switch (value >> 5 & 3) {
    case 0: chip->rotate_auto_eoi = rotate; break;
    case 1: {
        uint8_t served = chip->special_mask ? chip->isr & ~chip->imr : chip->isr;
        unsigned priority = pic_best(chip, served);

        if (priority != PIC_NONE)
            pic_end(chip, (priority + chip->first) & 7, rotate);
        break;
    }
    case 2:
        if (rotate)
            chip->first = (line + 1) & 7;
        break;
    case 3: pic_end(chip, line, rotate); break;
    }
}

static void
pic_write_ocw3(PicChip *chip, uint8_t value)
{
    if (value & 0x40)
        chip->special_mask = value >> 5 & 1;
    if (value & 2)
        chip->read_isr = value & 1;
    if (value & 4)
        chip->poll = 1;
}

static void
pic_write_icw1(PicChip *chip, uint8_t value)
{
    chip->irr &= chip->elcr;
    chip->imr = chip->isr = chip->first = 0;
    chip->read_isr = chip->poll = chip->special_mask = 0;
    chip->auto_eoi = chip->rotate_auto_eoi = chip->nested = 0;
    chip->needs_icw4 = value & 1;
    chip->single = value >> 1 & 1;
    chip->expects = PIC_ICW2;
}

static void
pic_write_odd(PicChip *chip, uint8_t value)
{
    switch (chip->expects) {
    case PIC_ICW2:
        chip->base = value & 0xf8;
        chip->expects = PIC_ICW3;
        if (chip->single)
            chip->expects = chip->needs_icw4 ? PIC_ICW4 : PIC_ICW_NONE;
        break;
    case PIC_ICW3: /* the cascade is wired in a PC */
        chip->expects = chip->needs_icw4 ? PIC_ICW4 : PIC_ICW_NONE;
        break;
    case PIC_ICW4:
        chip->auto_eoi = value >> 1 & 1;
        chip->nested = value >> 4 & 1;
        chip->expects = PIC_ICW_NONE;
        break;
    default: chip->imr = value; break;
    }
}

static void
pic_chip_write(PicChip *chip, uint32_t offset, uint8_t value)
{
    if (offset & 1)
        pic_write_odd(chip, value);
    else if (value & 0x10)
        pic_write_icw1(chip, value);
    else if (value & 8)
        pic_write_ocw3(chip, value);
    else
        pic_write_ocw2(chip, value);
}

static uint8_t
pic_chip_read(PicChip *chip, bool master, uint32_t offset)
{
    if (chip->poll) {
        unsigned line = pic_request(chip, master);

        chip->poll = 0;
        if (line == PIC_NONE)
            return 0;
        pic_serve(chip, line);
        return (uint8_t)(0x80 | line);
    }
    if (offset & 1)
        return chip->imr;
    return chip->read_isr ? chip->isr : chip->irr;
}

static uint32_t
pic_port_read(Pic *pic, unsigned which, uint32_t offset)
{
    uint8_t value = pic_chip_read(&pic->chip[which], which == 0, offset);

    pic_update(pic);
    return value;
}

static uint32_t
pic_master_read(void *user, uint32_t offset, unsigned size)
{
    return pic_port_read(user, 0, offset);
}

static uint32_t
pic_slave_read(void *user, uint32_t offset, unsigned size)
{
    return pic_port_read(user, 1, offset);
}

static void
pic_master_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    Pic *pic = user;

    pic_chip_write(&pic->chip[0], offset, (uint8_t)value);
    pic_update(pic);
}

static void
pic_slave_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    Pic *pic = user;

    pic_chip_write(&pic->chip[1], offset, (uint8_t)value);
    pic_update(pic);
}

static uint32_t
pic_elcr_read(void *user, uint32_t offset, unsigned size)
{
    Pic *pic = user;

    return pic->chip[offset & 1].elcr;
}

static void
pic_elcr_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    Pic *pic = user;
    PicChip *chip = &pic->chip[offset & 1];

    /* Lines 0, 1, 2, 8 and 13 are always edge-triggered. */
    chip->elcr = value & (offset & 1 ? 0xde : 0xf8);
    chip->irr = (chip->irr & ~chip->elcr) | (chip->lines & chip->elcr);
    pic_update(pic);
}

/* clang-format off */
static const IomPortOps pic_master_ops = { .read = pic_master_read, .write = pic_master_write, .sizes = 1 };
static const IomPortOps pic_slave_ops = { .read = pic_slave_read, .write = pic_slave_write, .sizes = 1 };
static const IomPortOps pic_elcr_ops = { .read = pic_elcr_read, .write = pic_elcr_write, .sizes = 1 };

static const SsmField pic_chip_fields[] = {
    SSM_UINT(PicChip, irr), SSM_UINT(PicChip, isr), SSM_UINT(PicChip, imr),
    SSM_UINT(PicChip, lines), SSM_UINT(PicChip, elcr), SSM_UINT_BELOW(PicChip, first, 8),
    SSM_UINT(PicChip, base), SSM_UINT_BELOW(PicChip, expects, PIC_ICW_COUNT),
    SSM_UINT_BELOW(PicChip, needs_icw4, 2), SSM_UINT_BELOW(PicChip, single, 2),
    SSM_UINT_BELOW(PicChip, read_isr, 2), SSM_UINT_BELOW(PicChip, poll, 2),
    SSM_UINT_BELOW(PicChip, special_mask, 2), SSM_UINT_BELOW(PicChip, auto_eoi, 2),
    SSM_UINT_BELOW(PicChip, rotate_auto_eoi, 2), SSM_UINT_BELOW(PicChip, nested, 2), SSM_END
};
static const SsmField pic_fields[] = {
    SSM_STRUCT_ARRAY(Pic, chip, pic_chip_fields), SSM_UINT_BELOW(Pic, output, 2), SSM_END
};
/* clang-format on */

static bool
pic_post_load(void *object, uint32_t version, GError **error)
{
    Pic *pic = object;

    pdm_pic_line(pic->device, pic->output);
    return true;
}

static void
pic_reset(PdmDevice *device)
{
    Pic *pic = device->data;

    for (unsigned i = 0; i < 2; i++)
        pic->chip[i] = (PicChip){.lines = pic->chip[i].lines};
    pic_update(pic);
}

static bool
pic_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    Pic *pic = device->data;

    pic->device = device;
    pic->ports[0] = pdm_ports_new(device, "pic-master", 2, &pic_master_ops, pic);
    pic->ports[1] = pdm_ports_new(device, "pic-slave", 2, &pic_slave_ops, pic);
    pic->elcr_ports = pdm_ports_new(device, "pic-elcr", 2, &pic_elcr_ops, pic);
    pdm_ports_map(device, pic->ports[0], 0x20);
    pdm_ports_map(device, pic->ports[1], 0xa0);
    pdm_ports_map(device, pic->elcr_ports, 0x4d0);
    pic->offer = (PdmPic){pic, pic_set_irq, pic_acknowledge};
    pdm_offer_pic(device, &pic->offer);
    return true;
}

static void
pic_info(PdmDevice *device, GString *out)
{
    const Pic *pic = device->data;

    for (unsigned i = 0; i < 2; i++) {
        const PicChip *chip = &pic->chip[i];

        g_string_append_printf(out,
                               "%s: irr %02x isr %02x imr %02x elcr %02x lines %02x base %02x\n",
                               i ? "slave" : "master", chip->irr, chip->isr, chip->imr, chip->elcr,
                               chip->lines, chip->base);
    }
}

static const SsmState pic_state = {
    .version = 1, .min_version = 1, .fields = pic_fields, .post_load = pic_post_load};

const PdmDeviceInfo pic_device = {
    .abi = PDM_ABI_VERSION,
    .name = "pic",
    .title = "8259A interrupt controllers",
    .kind = PDM_KIND_CHIPSET,
    .instance_size = sizeof(Pic),
    .max_instances = 1,
    .construct = pic_construct,
    .reset = pic_reset,
    .state = &pic_state,
    .info = pic_info,
};
