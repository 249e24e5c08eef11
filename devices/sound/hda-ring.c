/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The HD Audio controller's rings of commands (CORB) and responses (RIRB), chapter 4.4. Both have
 * 256 entries. */
#include "devices/sound/hda-private.h"

#define RUN 0x02u
#define UNSOLICITED 0x10u

static uint64_t
base_of(const Hda *hda, unsigned low)
{
    return hda_get(hda, low, 4) | (uint64_t)hda_get(hda, low + 4, 4) << 32;
}

void
hda_rirb_put(Hda *hda, uint32_t response, bool unsolicited)
{
    uint32_t pointer = (hda_get(hda, HDA_RIRBWP, 2) + 1) & 0xff;
    uint32_t raw[2] = {GUINT32_TO_LE(response), GUINT32_TO_LE(unsolicited ? UNSOLICITED : 0)};
    uint32_t limit = hda->regs[HDA_RINTCNT];

    if (!(hda->regs[HDA_RIRBCTL] & RUN))
        return;
    pdm_phys_write(hda->device, base_of(hda, HDA_RIRBLBASE) + pointer * sizeof raw, raw,
                   sizeof raw);
    hda_set(hda, HDA_RIRBWP, 2, pointer);
    hda->responses++;
    if (hda->responses >= (limit ? limit : 256) ||
        hda_get(hda, HDA_CORBRP, 2) == hda_get(hda, HDA_CORBWP, 2))
        hda->regs[HDA_RIRBSTS] |= 1;
}

/* Until the guest has something to take care of, or no command is left: each of at most 256. */
void
hda_corb_run(Hda *hda)
{
    while (hda->regs[HDA_CORBCTL] & RUN && !(hda->regs[HDA_RIRBSTS] & 1) &&
           hda_get(hda, HDA_CORBRP, 2) != hda_get(hda, HDA_CORBWP, 2)) {
        uint32_t pointer = (hda_get(hda, HDA_CORBRP, 2) + 1) & 0xff, verb = 0;

        pdm_phys_read(hda->device, base_of(hda, HDA_CORBLBASE) + pointer * sizeof verb, &verb,
                      sizeof verb);
        hda_set(hda, HDA_CORBRP, 2, pointer);
        hda_rirb_put(hda, hda_codec_verb(hda, GUINT32_FROM_LE(verb)), false);
    }
}
