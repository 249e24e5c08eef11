/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Floppy drives and what is in them: the geometry follows from the image's size. */
#include "devices/storage/fdc-private.h"

#define RATE_500 0x01
#define RATE_300 0x02
#define RATE_250 0x04
#define RATE_1000 0x08
#define RATES_DD (RATE_250 | RATE_300) /* the latter in a 1.2 MB drive */

#define TRACK_MAX 85

/* Sorted by size. */
/* clang-format off */
static const FdcGeometry geometries[] = {
    { 320, 40, 1,  8, RATES_DD},
    { 360, 40, 1,  9, RATES_DD},
    { 640, 40, 2,  8, RATES_DD},
    { 720, 40, 2,  9, RATES_DD},
    {1440, 80, 2,  9, RATES_DD},
    {2400, 80, 2, 15, RATE_500},
    {2880, 80, 2, 18, RATE_500},
    {3360, 80, 2, 21, RATE_500},
    {3444, 82, 2, 21, RATE_500},
    {5760, 80, 2, 36, RATE_1000},
};
/* clang-format on */

bool
fdc_has_medium(const FdcDrive *drive)
{
    return drive->media != NULL && drive->media->present(drive->media->user);
}

bool
fdc_is_protected(const FdcDrive *drive)
{
    return drive->media == NULL || drive->media->read_only(drive->media->user);
}

/* An image of an odd size is the smallest disk that holds it; what it lacks can't be read. False
 * when nothing can be read at the present data rate. */
bool
fdc_geometry(const Fdc *fdc, unsigned index, FdcGeometry *geometry)
{
    const FdcDrive *drive = &fdc->drives[index];
    uint64_t sectors;
    unsigned row = 0;

    if (!fdc_has_medium(drive))
        return false;
    sectors = drive->media->size(drive->media->user) / FDC_SECTOR;
    while (row + 1 < G_N_ELEMENTS(geometries) && geometries[row].sectors < sectors)
        row++;
    *geometry = geometries[row];
    geometry->sectors = (uint32_t)MIN(geometry->sectors, sectors);
    return (geometry->rates & (1u << fdc->rate)) != 0;
}

/* The kind that can read the disk which is there at power-on; else the common one, of 1.44 MB. */
uint8_t
fdc_drive_type(const FdcDrive *drive)
{
    if (drive->media == NULL)
        return 0;
    switch (drive->media->size(drive->media->user) / FDC_SECTOR) {
    case 2400: return 2;
    case 5760: return 5;
    default: return 4;
    }
}

/* A step with a disk in the drive makes the change line quiet. */
void
fdc_seek(Fdc *fdc, unsigned index, int track)
{
    FdcDrive *drive = &fdc->drives[index];
    uint8_t target = (uint8_t)CLAMP(track, 0, TRACK_MAX);

    if (target != drive->track && fdc_has_medium(drive))
        drive->changed = false;
    drive->track = target;
}

void
fdc_medium_changed(void *user, bool present)
{
    ((FdcDrive *)user)->changed = true;
}
