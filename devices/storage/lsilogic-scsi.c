/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * SCSI commands and task management of the Fusion-MPT adapter (MPI 1.2 chapter 7), with its
 * scatter-gather lists (chapter 4). */
#include "devices/storage/lsilogic-private.h"

#include <string.h>

enum {
    FUNCTION_SCSI_IO = 0x00,
    FUNCTION_TASK = 0x01,
    SGE_TYPE = 0x30,
    SGE_SIMPLE = 0x10,
    SGE_CHAIN = 0x30,
    SGE_END_OF_LIST = 0x01,
    SGES_AT = 0x30,
    IO_REPLY_SIZE = 32,
    TASK_REPLY_SIZE = 24,
    STATE_SENSE_VALID = 0x01,
};

enum { TASK_ABORT = 1, TASK_ABORT_SET = 2, TASK_TARGET_RESET = 3, TASK_BUS_RESET = 4 };

#define DIRECTION(control) ((control) >> 24 & 3)
#define DIRECTION_WRITE 1u
#define DIRECTION_READ 2u
/* Elements of one list. */
#define ELEMENTS_MAX 8192u

/* --- lists --- */

/* Where in guest memory a list is being read. */
typedef struct {
    uint64_t at, chain; /* chain: where this part's chain element is, 0: none */
} ListReader;

static uint64_t
element_address(LsiAdapter *lsi, uint64_t at, bool wide)
{
    uint8_t address[8] = {0};

    pdm_phys_read(lsi->device, at + 4, address, wide ? 8 : 4);
    return lsi_get32(address) | (uint64_t)lsi_get32(address + 4) << 32;
}

static void
follow_chain(LsiAdapter *lsi, ListReader *reader, uint32_t head)
{
    uint64_t next = element_address(lsi, reader->at, (head >> 24 & LSI_SGE_64BIT) != 0);
    uint32_t offset = (head >> 16 & 0xff) * 4;

    *reader = (ListReader){next, offset != 0 ? next + offset : 0};
}

/* False: the list is not as it has to be. A list that leads to itself ends with the data or with
 * the number of elements. */
static bool
gather(LsiAdapter *lsi, uint64_t frame, uint32_t chain, uint32_t needed, DmaList *list)
{
    ListReader reader = {frame + SGES_AT, chain != 0 ? frame + chain * 4ull : 0};

    for (unsigned i = 0; i < ELEMENTS_MAX && list->size < needed; i++) {
        uint8_t bytes[4];
        uint32_t head, flags;

        pdm_phys_read(lsi->device, reader.at, bytes, sizeof(bytes));
        head = lsi_get32(bytes);
        flags = head >> 24;
        if (reader.chain == reader.at || (flags & SGE_TYPE) == SGE_CHAIN) {
            follow_chain(lsi, &reader, head);
            continue;
        }
        if ((flags & SGE_TYPE) != SGE_SIMPLE)
            return false;
        dma_list_add(list, element_address(lsi, reader.at, (flags & LSI_SGE_64BIT) != 0),
                     head & 0xffffff);
        if ((flags & SGE_END_OF_LIST) != 0)
            break;
        reader.at += (flags & LSI_SGE_64BIT) != 0 ? 12 : 8;
    }
    return true;
}

/* --- commands --- */

static void
reply_to_command(LsiAdapter *lsi, const uint8_t *head, uint16_t status, uint8_t scsi_status,
                 uint32_t transferred, uint32_t sense_size)
{
    uint8_t reply[IO_REPLY_SIZE] = {0};

    memcpy(reply, head, 2);
    memcpy(reply + 4, head + 4, 2);
    lsi_begin_reply(head, sizeof(reply), status, reply);
    reply[0x0c] = scsi_status;
    reply[0x0d] = sense_size != 0 ? STATE_SENSE_VALID : 0;
    lsi_put32(reply + 0x14, transferred);
    lsi_put32(reply + 0x18, sense_size);
    lsi_reply_frame(lsi, reply, sizeof(reply));
}

static uint32_t
write_sense(LsiAdapter *lsi, const uint8_t *head, const ScsiSense *sense)
{
    uint8_t data[SCSI_SENSE_SIZE];
    uint32_t size = MIN(head[5], SCSI_SENSE_SIZE);

    scsi_put_sense(*sense, data);
    pdm_phys_write(lsi->device, (uint64_t)lsi->sense_high << 32 | lsi_get32(head + 0x2c), data,
                   size);
    return size;
}

static void
finished(ScsiRequest *scsi)
{
    LsiRequest *request = (LsiRequest *)scsi;
    LsiAdapter *lsi = request->lsi;
    uint8_t head[sizeof(request->head)];
    uint32_t length = lsi_get32(request->head + 0x28);
    bool failed = scsi->status != SCSI_GOOD;
    uint64_t moved = failed ? 0 : MIN(scsi->transferred, length);
    bool overrun = !failed && scsi->transferred > length;
    ScsiSense sense = scsi->task.sense;

    memcpy(head, request->head, sizeof(head));
    lsi->running[request->index] = 0;
    drive_job_free(&scsi->job);
    if (!failed && !overrun && moved == length)
        lsi_reply_context(lsi, lsi_get32(head + 8));
    else
        reply_to_command(lsi, head,
                         overrun          ? LSI_OVERRUN
                         : moved < length ? LSI_UNDERRUN
                                          : LSI_OK,
                         failed ? SCSI_CHECK_CONDITION : SCSI_GOOD, (uint32_t)moved,
                         failed ? write_sense(lsi, head, &sense) : 0);
    lsi_run(lsi);
}

/* A place among those under way; LSI_CREDITS: there is none. */
static unsigned
free_place(const LsiAdapter *lsi)
{
    unsigned i = 0;

    while (i < LSI_CREDITS && lsi->running[i] != 0)
        i++;
    return i;
}

static uint16_t
check_address(const LsiAdapter *lsi, const uint8_t *head)
{
    static const uint8_t first_unit[8] = {0};

    if (head[1] != 0)
        return LSI_INVALID_BUS;
    return head[0] < LSI_TARGETS && lsi->targets[head[0]].present &&
                   memcmp(head + 0x0c, first_unit, 8) == 0
               ? LSI_OK
               : LSI_NO_DEVICE;
}

static void
begin_command(LsiAdapter *lsi, uint32_t frame, const uint8_t *head)
{
    uint64_t address = (uint64_t)lsi->frames_high << 32 | frame;
    uint32_t length = lsi_get32(head + 0x28);
    uint32_t direction = DIRECTION(lsi_get32(head + 0x14));
    uint16_t status = check_address(lsi, head);
    LsiRequest *request;

    if (status != LSI_OK) {
        reply_to_command(lsi, head, status, SCSI_GOOD, 0, 0);
        return;
    }
    request = (LsiRequest *)drive_job_new(&lsi->jobs);
    request->lsi = lsi;
    request->frame = frame;
    request->index = free_place(lsi);
    memcpy(request->head, head, sizeof(request->head));
    request->scsi.no_in = direction != DIRECTION_READ;
    request->scsi.no_out = direction != DIRECTION_WRITE;
    if (direction != 0 && !gather(lsi, address, head[2], length, &request->scsi.job.list)) {
        drive_job_free(&request->scsi.job);
        reply_to_command(lsi, head, LSI_INVALID_SGL, SCSI_GOOD, 0, 0);
        return;
    }
    lsi->running[request->index] = frame;
    request->scsi.job.media = lsi->targets[head[0]].unit.media;
    scsi_request_start(&request->scsi, &lsi->targets[head[0]].unit, head + 0x18, finished);
}

/* --- task management --- */

typedef struct {
    uint8_t target;
    bool any_target, any_context;
    uint32_t context;
} Selection;

static bool
is_selected(const DriveJob *job, void *user)
{
    const LsiRequest *request = (const LsiRequest *)job;
    const Selection *selection = user;

    return (selection->any_target || request->head[0] == selection->target) &&
           (selection->any_context || lsi_get32(request->head + 8) == selection->context);
}

static uint32_t
terminate(LsiAdapter *lsi, Selection *selection)
{
    uint32_t count = 0;

    drive_jobs_take_back(&lsi->jobs, is_selected, selection);
    for (guint i = 0; i < lsi->jobs.jobs->len; i++) {
        LsiRequest *request = lsi->jobs.jobs->pdata[i];

        if (request->scsi.job.dropped || !is_selected(&request->scsi.job, selection))
            continue;
        lsi->running[request->index] = 0;
        reply_to_command(lsi, request->head, LSI_TERMINATED, SCSI_GOOD, 0, 0);
        count++;
    }
    drive_jobs_drop_matching(&lsi->jobs, is_selected, selection);
    return count;
}

bool
lsi_manage_tasks(LsiAdapter *lsi, const uint8_t *head)
{
    uint8_t type = head[5];
    uint8_t reply[TASK_REPLY_SIZE] = {0};
    Selection selection = {
        .target = head[0],
        .any_target = type == TASK_BUS_RESET,
        .any_context = type != TASK_ABORT,
        .context = lsi_get32(head + 0x30),
    };
    bool known = type >= TASK_ABORT && type <= TASK_BUS_RESET;
    uint32_t count;

    if (head[3] != FUNCTION_TASK)
        return false;
    count = known ? terminate(lsi, &selection) : 0;
    memcpy(reply, head, 2);
    reply[5] = type;
    lsi_begin_reply(head, sizeof(reply), known ? LSI_OK : LSI_INVALID_FIELD, reply);
    lsi_put32(reply + 0x14, count);
    lsi_reply_frame(lsi, reply, sizeof(reply));
    return true;
}

/* --- requests --- */

static void
take_request(LsiAdapter *lsi, uint32_t frame)
{
    uint8_t message[LSI_FRAME_SIZE];
    uint8_t reply[LSI_REPLY_SIZE] = {0};

    pdm_phys_read(lsi->device, (uint64_t)lsi->frames_high << 32 | frame, message, sizeof(message));
    if (message[3] == FUNCTION_SCSI_IO)
        begin_command(lsi, frame, message);
    else if (!lsi_manage_tasks(lsi, message))
        lsi_reply_frame(lsi, reply, lsi_message(lsi, message, reply));
}

void
lsi_run(LsiAdapter *lsi)
{
    uint32_t frame;

    while (lsi->state == LSI_STATE_OPERATIONAL && free_place(lsi) < LSI_CREDITS &&
           lsi_fifo_pop(&lsi->requests, &frame))
        take_request(lsi, frame);
}

/* Commands that were under way when the state was saved. */
void
lsi_restart(void *user, void *item)
{
    LsiAdapter *lsi = user;
    uint32_t frames[LSI_CREDITS];

    memcpy(frames, lsi->running, sizeof(frames));
    memset(lsi->running, 0, sizeof(lsi->running));
    for (unsigned i = 0; i < LSI_CREDITS && lsi->state == LSI_STATE_OPERATIONAL; i++) {
        if (frames[i] != 0)
            take_request(lsi, frames[i]);
    }
    lsi_run(lsi);
}
