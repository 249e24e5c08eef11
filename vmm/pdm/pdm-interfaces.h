/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The interfaces between a device and the driver below it. A "port" is what the device offers to
 * its driver, a "connector" what the driver offers to its device. A device cannot tell which driver
 * is attached. All port calls are made with the device lock held; all connector calls too, unless
 * the comment says otherwise. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/base/file.h"

typedef enum {
    PDM_IF_NONE,
    PDM_IF_MEDIA,    /* PdmMediaPort, PdmMediaConnector */
    PDM_IF_CHAR,     /* PdmCharPort, PdmCharConnector */
    PDM_IF_DISPLAY,  /* PdmDisplayPort, PdmDisplayConnector */
    PDM_IF_KEYBOARD, /* PdmKeyboardPort, PdmKeyboardConnector */
    PDM_IF_MOUSE,    /* PdmMousePort, PdmMouseConnector */
    PDM_IF_NETWORK,  /* PdmNetworkPort, PdmNetworkConnector */
    PDM_IF_AUDIO,    /* of audio/audio.h */
    PDM_IF_USB,      /* a root hub's ports: of usb/vusb.h */
    PDM_IF_SPEAKER,  /* PdmSpeakerPort, PdmSpeakerConnector */
} PdmInterface;

/* Activity lamps: counters that only rise; read from any thread without a lock. */
typedef struct {
    _Atomic uint64_t bytes_read, bytes_written, reads, writes;
} PdmActivity;

/* --- disks, optical and floppy media --- */
typedef enum { PDM_MEDIA_DISK, PDM_MEDIA_OPTICAL, PDM_MEDIA_FLOPPY } PdmMediaType;

typedef enum {
    PDM_IO_READ,
    PDM_IO_WRITE,
    PDM_IO_FLUSH,
    PDM_IO_DISCARD,
    PDM_IO_COMMAND, /* the request has a command, size and buffer are its data */
} PdmIoKind;

/* A SCSI command for a drive of the host. */
typedef struct {
    uint8_t cdb[16];
    uint8_t cdb_size;
    bool to_device; /* which way the data go */
    /* Answers, when the request ends without an error. */
    bool failed;
    uint8_t sense_key, asc, ascq; /* why */
    uint32_t transferred;         /* bytes of data */
} PdmMediaCommand;

/* A request: owned by the device, not touched by it until done. buffer is host memory (a bounce
 * buffer or mapped guest memory). Exactly one completion per request, on virtual CPU 0's thread
 * under the device lock, never before submit returns. error is 0 or an errno value. */
typedef struct PdmIoRequest {
    PdmIoKind kind;
    uint64_t offset; /* bytes; multiple of the sector size */
    uint32_t size;   /* bytes; multiple of the sector size; 0 for FLUSH */
    void *buffer;
    void (*done)(void *user, struct PdmIoRequest *request, int error);
    void *user;
    void *driver_data; /* the driver's own while it is under way */
    /* In the place of buffer, where the connector takes pieces: so many of host memory that are
     * size bytes together. NULL: there is a buffer. */
    const BaseFilePiece *pieces;
    uint32_t piece_count;
    PdmMediaCommand *command; /* of COMMAND */
} PdmIoRequest;

struct PdmMediaConnector;

typedef struct {
    void *user;
    PdmMediaType type;
    /* The medium was removed or another one was inserted (never both at once); may be NULL. */
    void (*medium_changed)(void *user, bool present);
    /* The user wants to eject: false when the guest has locked the tray and force is false. */
    bool (*eject_request)(void *user, bool force);
    /* A drive has been plugged in while the machine runs, or, with NULL, is pulled out: the device
     * forgets its requests and waits with cancel_all() until the driver has, too. NULL: drives come
     * and go only with the machine. */
    void (*plugged)(void *user, const struct PdmMediaConnector *connector);
} PdmMediaPort;

/* One more file of an image that lies in several. */
typedef struct {
    const char *name; /* as the image calls it */
    int descriptor;   /* taken over in any case */
} PdmMediaPart;

/* An image that a running disk is given. */
typedef struct {
    const char *source;        /* a path or "fd:<number>", which is taken over in any case */
    const char *name;          /* for messages; NULL: source */
    const char *format;        /* NULL: probed */
    const char *uuid;          /* of the image, as text; NULL: not compared */
    const PdmMediaPart *parts; /* of an image in several files */
    unsigned part_count;
    bool writable;
} PdmMediaSource;

/* 0.0 to 1.0; false cancels. */
typedef bool (*PdmMediaProgress)(void *user, double fraction);

typedef struct PdmMediaConnector {
    void *user;
    bool (*present)(void *user);
    bool (*read_only)(void *user);
    uint64_t (*size)(void *user);        /* bytes, 0 without a medium */
    uint32_t (*sector_size)(void *user); /* 512 or 2048 */
    void (*submit)(void *user, PdmIoRequest *request);
    /* Waits until all requests under way are completed or have failed with ECANCELED (reset,
     * detach). */
    void (*cancel_all)(void *user);
    /* The same for one request; no other is completed by it. Drivers whose requests may have pieces
     * have it: it is how a device makes sure that nothing comes into that memory any more. */
    void (*cancel)(void *user, PdmIoRequest *request);
    /* The guest ejected the medium. */
    void (*eject)(void *user);
    /* The guest moves the tray, full or empty; locks the door. NULL: the device keeps these by
     * itself. */
    void (*move_tray)(void *user, bool open);
    void (*lock)(void *user, bool locked);
    /* There is a drive that PDM_IO_COMMAND reaches; NULL: there never is. */
    bool (*takes_commands)(void *user);
    const char *(*serial)(void *user); /* stable, for IDENTIFY; at most 20 characters */
    PdmActivity *activity;
    bool non_rotational;
    PdmMediaType type; /* what kind of drive the device has to be for it */
    bool takes_pieces; /* requests may have pieces; there is cancel() */
    /* The user changes the medium: source is a path, "fd:<number>" or, for a drive of the host,
     * "drive:<number>:<name>", a descriptor of it, too. NULL takes the medium out.
     * False when the guest has locked the tray and force is false, or when the drive is not for
     * removable media. The medium is opened by a worker: medium_changed() follows, or a message. */
    bool (*change_medium)(void *user, const char *source, bool force);

    /* Of hard disks only (else NULL), for snapshots. These block: they are called from any thread
     * but a virtual CPU's, without the device lock, whether the machine runs, is paused or being
     * saved; one at a time. Requests that the guest makes meanwhile are held and then go on. On
     * failure the chain is as before. Levels of the chain are counted from 0, the newest. */

    /* Puts a new differencing image on top: flushes what is there, which is only read from then on.
     * child was made for the present top image (writable, empty); if the guest has written since it
     * was made, the parent's modification UUID in it is put right. */
    bool (*push_image)(void *user, const PdmMediaSource *child, GError **error);
    /* While the guest goes on: from < to merges the levels from .. to - 1 into level to; from > to
     * merges the levels to + 1 .. from into level to. target is the image at level `to`, to be
     * written to; NULL when that is level 0. Afterwards the chain reads the same with and without
     * the images that were merged, and the parents' UUIDs in the target (from > to), or in the
     * newest image if it stands on level from, say that they are not there; what the guest writes
     * keeps it so. The chain cannot change in another way until settle_merge() is called. */
    bool (*merge_images)(void *user, unsigned from, unsigned to, const PdmMediaSource *target,
                         PdmMediaProgress progress, void *progress_user, GError **error);
    /* After merge_images(). done: the images are closed, and the target is in their place; the
     * caller sets UUIDs of other children (before) and deletes files. Else the chain stays, and the
     * UUIDs in it are put back. */
    bool (*settle_merge)(void *user, bool done, GError **error);
    /* Puts another chain in the place of the present one, sources[0] the newest (after a restore,
     * or a merge elsewhere). The disk's size has to stay. */
    bool (*replace_chain)(void *user, const PdmMediaSource *sources, unsigned count,
                          GError **error);
    /* How many levels there are. */
    unsigned (*chain_length)(void *user);

    /* The guest is told that it may discard: PDM_IO_DISCARD gives ranges up; they read as zeros
     * afterwards. */
    bool discard;

    /* Of removable media (else NULL), for the embedder. watch_ejects: told() is called, with the
     * device lock held, when the guest has ejected an image. take_ejected: true once after that,
     * unless the user has changed the medium since; from any thread. is_ejected: the same, however
     * often it was taken; from any thread. */
    void (*watch_ejects)(void *user, void (*told)(void *watcher), void *watcher);
    bool (*take_ejected)(void *user);
    bool (*is_ejected)(void *user);
} PdmMediaConnector;

/* --- character streams --- */
typedef struct {
    void *user;
    /* How many bytes the device can take now, and take them. */
    size_t (*can_receive)(void *user);
    void (*receive)(void *user, const uint8_t *data, size_t size);
    /* Modem status from the other side (carrier) changed. */
    void (*connected)(void *user, bool connected);
    /* The driver can take data again after a short send. */
    void (*can_send)(void *user);
} PdmCharPort;

typedef struct {
    void *user;
    /* Takes bytes without blocking; returns how many; the rest is retried after can_send. */
    size_t (*send)(void *user, const uint8_t *data, size_t size);
    /* The device has room again after can_receive was 0. */
    void (*receive_ready)(void *user);
    /* Line parameters; NULL where they mean nothing. */
    void (*set_line)(void *user, unsigned baud, unsigned data_bits, char parity,
                     unsigned stop_bits);
    void (*set_modem)(void *user, bool dtr, bool rts);
    void (*set_break)(void *user, bool on);
} PdmCharConnector;

/* --- display --- */
typedef struct {
    uint32_t width, height, stride; /* stride in bytes */
    uint8_t *pixels;                /* 32 bits a pixel, B G R X in memory */
} PdmSurface;

typedef struct {
    void *user;
    /* Draws what changed since the last call into the surface and reports it with dirty(); with
     * everything = true, draws all. Called by the driver with the device lock held, about 60 times
     * a second while somebody looks, less often otherwise. Costs at most a few milliseconds. */
    void (*update)(void *user, bool everything);
    /* Text of the 80x25-like screen for tests and accessibility: UTF-8 lines, or NULL in graphics
     * modes. Free with g_free(). */
    char *(*text)(void *user);
} PdmDisplayPort;

typedef struct {
    void *user;
    /* A new guest mode; the old surface is gone. Bounded by the device: 1..2560 x 1..1600 and more
     * where a device says so. Never fails: when memory is short the surface has width 0. */
    const PdmSurface *(*resize)(void *user, uint32_t width, uint32_t height);
    const PdmSurface *(*surface)(void *user);
    void (*dirty)(void *user, uint32_t x, uint32_t y, uint32_t width, uint32_t height);
    /* A guest-drawn hardware cursor; pixels are premultiplied ARGB32, NULL: hidden. */
    void (*cursor)(void *user, uint32_t width, uint32_t height, uint32_t hot_x, uint32_t hot_y,
                   const uint32_t *pixels);
} PdmDisplayConnector;

/* --- keyboard and mouse --- */
typedef struct {
    void *user;
    /* One byte of scan code set 1 (E0/E1 prefixes as bytes of their own); false: queue full. */
    bool (*scancode)(void *user, uint8_t code);
} PdmKeyboardPort;

typedef struct {
    void *user;
    void (*leds)(void *user, bool num, bool caps, bool scroll);
} PdmKeyboardConnector;

typedef struct {
    void *user;
    /* Buttons: bit 0 left, 1 right, 2 middle, 3 and 4 side. dz positive: towards the user. */
    void (*relative)(void *user, int dx, int dy, int dz, int dw, unsigned buttons);
    /* 0..0xffff across the screen; NULL where the device is relative only. */
    void (*absolute)(void *user, unsigned x, unsigned y, int dz, int dw, unsigned buttons);
} PdmMousePort;

typedef struct {
    void *user;
    /* What the guest's driver listens to at present. */
    void (*enabled)(void *user, bool relative, bool absolute);
} PdmMouseConnector;

/* --- the PC's speaker: a line that is high or low --- */
typedef struct {
    void *user;
    uint32_t hz; /* of the clock that ticks count */
    /* Whether the line is high at a tick, and the first one after it at which it changes by itself
     * (UINT64_MAX: it stays). For ticks that never go back. */
    bool (*level)(void *user, uint64_t tick, uint64_t *until);
} PdmSpeakerPort;

typedef struct {
    void *user;
    /* Plays what the line did before `tick`, which is now: the device may forget it afterwards.
     * True: there is something to hear, and it is to be called again within 5 ms, also when the
     * guest changes nothing. */
    bool (*play)(void *user, uint64_t tick);
} PdmSpeakerConnector;

/* --- network --- */
#define PDM_NETWORK_FRAME_MAX                                                                      \
    65562 /* bytes: the largest segment with its Ethernet and VLAN header */

/* What a frame still wants to have done, or has had done, beside its bytes. All 0: an ordinary
 * frame. */
typedef enum {
    PDM_SEGMENT_NONE,
    PDM_SEGMENT_TCP4, /* cut into TCP segments of segment_size payload bytes, over IPv4 */
    PDM_SEGMENT_TCP6,
    PDM_SEGMENT_UDP, /* cut into UDP datagrams */
} PdmSegmentKind;

typedef struct {
    bool needs_checksum;      /* the ones-complement sum from checksum_start on has to be put ... */
    uint16_t checksum_start;  /* ... counted from the frame's first byte ... */
    uint16_t checksum_offset; /* ... at this place, counted from checksum_start */
    bool checksum_good;       /* received: the sender's checksums are known to be right */
    PdmSegmentKind segment;
    uint16_t segment_size;  /* payload bytes of each piece */
    uint16_t header_length; /* bytes up to the payload */
} PdmFrameOffload;

/* What a side can take beside ordinary frames of at most 1522 bytes (without the checksum of the
 * Ethernet itself, which no frame has here). */
typedef enum {
    PDM_OFFLOAD_CHECKSUM = 1, /* frames with needs_checksum */
    PDM_OFFLOAD_TCP4 = 2,     /* frames to be segmented */
    PDM_OFFLOAD_TCP6 = 4,
    PDM_OFFLOAD_UDP = 8,
} PdmOffloads;

/* A piece of a frame in host memory. */
typedef struct {
    const void *data;
    size_t size;
} PdmFramePiece;

typedef struct {
    void *user;
    /* Takes a frame from the network and returns true; false: there is no buffer for it now, and
     * the driver keeps it (in a bounded queue) until it is told receive_ready(). A frame that the
     * card's address filter does not want is taken and dropped. data is valid during the call. */
    bool (*receive)(void *user, const void *data, size_t size, const PdmFrameOffload *offload);
    /* The cable was plugged in or pulled out. */
    void (*link_changed)(void *user, bool up);
    /* After send() had no room: it has again. */
    void (*can_send)(void *user);
    PdmOffloads offloads; /* that receive() can take at present */
    uint8_t mac[6];       /* the card's permanent address */
} PdmNetworkPort;

typedef struct {
    void *user;
    /* Takes a frame: copied or sent before it returns. False when there is no room now: nothing was
     * taken, can_send() follows. A frame that nobody wants, or while the cable is out, is taken and
     * lost. At most PDM_NETWORK_FRAME_MAX bytes. */
    bool (*send)(void *user, const PdmFramePiece *pieces, unsigned count,
                 const PdmFrameOffload *offload);
    /* The card has buffers again after receive() was false. */
    void (*receive_ready)(void *user);
    /* The card takes frames for every address, or only for its own (and groups). */
    void (*promiscuous)(void *user, bool on);
    bool (*link_up)(void *user);
    /* The user plugs the cable in or pulls it out; link_changed() follows when that is new. */
    void (*set_link)(void *user, bool up);
    PdmOffloads offloads; /* that send() can take */
    PdmActivity *activity;
    /* For the embedder, while the machine runs: what is behind the cable (names as the driver's
     * option "Wire" has them; the descriptor is taken over; -1: nothing), and a file that every
     * frame is recorded in (taken over; -1: none any more). False: the descriptor is no good. */
    bool (*set_wire)(void *user, const char *wire, int descriptor);
    bool (*set_trace)(void *user, int descriptor);
} PdmNetworkConnector;
