/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * OHCI: lists of endpoints (4.2, 5.2.7, 6.4). The guest owns them, so they may lead anywhere,
 * themselves included: a frame looks at a bounded number of endpoints. */
#include "devices/usb-controllers/ohci-private.h"

void
ohci_read_ed(OhciController *ohci, uint32_t at, OhciEd *ed)
{
    uint32_t words[4] = {0};

    pdm_phys_read(ohci->device, at, words, sizeof(words));
    *ed = (OhciEd){words[0], words[1], words[2], words[3], at};
}

/* Has it something to do? */
static bool
serve(OhciController *ohci, const OhciEd *ed, OhciList list)
{
    if ((ed->flags & ED_SKIP) != 0 || (ed->head & ED_HALTED) != 0 ||
        (ed->head & POINTER) == (ed->tail & POINTER))
        return false;
    if ((ed->flags & ED_ISOCHRONOUS) != 0 && list == OHCI_LIST_PERIODIC)
        ohci_run_isochronous(ohci, ed);
    else if (!ohci_is_under_way(ohci, ed->at) && ohci->bytes > 0)
        ohci_begin(ohci, ed, list);
    return true;
}

void
ohci_run_ed(OhciController *ohci, uint32_t at, OhciList list)
{
    OhciEd ed;

    if (ohci_state_of(ohci) != OHCI_OPERATIONAL || ohci->saving)
        return;
    ohci_read_ed(ohci, at, &ed);
    serve(ohci, &ed, list);
}

static bool
walk(OhciController *ohci, uint32_t at, OhciList list)
{
    bool busy = false;

    for (at &= POINTER; at != 0 && ohci->eds > 0; ohci->eds--) {
        OhciEd ed;

        ohci_read_ed(ohci, at, &ed);
        busy = serve(ohci, &ed, list) || busy;
        if ((ed.next & POINTER) == at)
            break;
        at = ed.next & POINTER;
    }
    return busy;
}

void
ohci_run_lists(OhciController *ohci, uint64_t first_frame, uint64_t last_frame)
{
    if (ohci_state_of(ohci) != OHCI_OPERATIONAL || ohci->saving)
        return;
    for (uint64_t frame = first_frame; frame <= last_frame && frame < first_frame + 32; frame++) {
        uint32_t at = 0;

        if ((ohci->control & OHCI_CONTROL_PERIODIC) == 0)
            break;
        pdm_phys_read(ohci->device, ohci->hcca + 4 * (uint32_t)(frame % 32), &at, sizeof(at));
        walk(ohci, at, OHCI_LIST_PERIODIC);
    }
    /* Filled stays as long as there is something in the list. */
    if ((ohci->control & OHCI_CONTROL_CONTROL) != 0 &&
        (ohci->command_status & OHCI_CONTROL_FILLED) != 0 &&
        !walk(ohci, ohci->control_head, OHCI_LIST_CONTROL) && ohci->eds > 0)
        ohci->command_status &= ~(uint32_t)OHCI_CONTROL_FILLED;
    if ((ohci->control & OHCI_CONTROL_BULK) != 0 &&
        (ohci->command_status & OHCI_BULK_FILLED) != 0 &&
        !walk(ohci, ohci->bulk_head, OHCI_LIST_BULK) && ohci->eds > 0)
        ohci->command_status &= ~(uint32_t)OHCI_BULK_FILLED;
}
