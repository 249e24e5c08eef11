/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * IOM: who answers, in which sizes, what overlapping ranges and missing owners do. */
#include "vmm/iom/iom.h"

#include <string.h>

/* An owner that remembers its last access and reads as a pattern of its offset. */
typedef struct {
    GString *trace;
    uint8_t base;
    uint32_t string_limit;
} Owner;

static uint32_t
owner_read(void *user, uint32_t offset, unsigned size)
{
    Owner *owner = user;
    uint32_t value = 0;

    g_string_append_printf(owner->trace, "r%x.%u ", offset, size);
    for (unsigned i = 0; i < size; i++)
        value |= (uint32_t)(uint8_t)(owner->base + offset + i) << (i * 8);
    return value;
}

static void
owner_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    g_string_append_printf(((Owner *)user)->trace, "w%x.%u=%x ", offset, size, value);
}

static uint32_t
owner_read_string(void *user, uint32_t offset, void *data, uint32_t count, unsigned size)
{
    Owner *owner = user;
    const uint32_t moved = MIN(count, owner->string_limit);

    memset(data, 0x5a, (size_t)moved * size);
    return moved;
}

typedef struct {
    Iom *iom;
    Owner owner;
    IomPorts *ports;
} Fixture;

static IomPorts *
ports_new(Fixture *fixture, Owner *owner, uint32_t count, unsigned sizes)
{
    const IomPortOps ops = {
        .read = owner_read,
        .write = owner_write,
        .read_string = owner_read_string,
        .sizes = sizes,
    };

    return iom_ports_new(fixture->iom, "test", count, &ops, owner);
}

static void
set_up(Fixture *fixture, gconstpointer data)
{
    fixture->iom = iom_new();
    fixture->owner = (Owner){g_string_new(NULL), 0x10, 0};
    fixture->ports = ports_new(fixture, &fixture->owner, 8, GPOINTER_TO_UINT(data));
    iom_ports_map(fixture->ports, 0x100);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    iom_ports_free(fixture->ports);
    g_string_free(fixture->owner.trace, TRUE);
    iom_free(fixture->iom);
}

static void
test_whole(Fixture *fixture, gconstpointer data)
{
    g_assert_cmphex(iom_port_read(fixture->iom, 0x104, 4), ==, 0x17161514);
    g_assert_cmphex(iom_port_read(fixture->iom, 0x101, 1), ==, 0x11);
    iom_port_write(fixture->iom, 0x102, 0xabcd1234, 2);
    g_assert_cmpstr(fixture->owner.trace->str, ==, "r4.4 r1.1 w2.2=1234 ");
}

static void
test_bytes_only(Fixture *fixture, gconstpointer data)
{
    g_assert_cmphex(iom_port_read(fixture->iom, 0x100, 4), ==, 0x13121110);
    iom_port_write(fixture->iom, 0x106, 0x2211, 2);
    g_assert_cmpstr(fixture->owner.trace->str, ==, "r0.1 r1.1 r2.1 r3.1 w6.1=11 w7.1=22 ");
}

static void
test_words_only(Fixture *fixture, gconstpointer data)
{
    g_assert_cmphex(iom_port_read(fixture->iom, 0x100, 4), ==, 0x13121110);
    g_assert_cmphex(iom_port_read(fixture->iom, 0x103, 1), ==, 0x13); /* out of a word */
    iom_port_write(fixture->iom, 0x103, 0xff, 1);                     /* lost */
    g_assert_cmpstr(fixture->owner.trace->str, ==, "r0.2 r2.2 r2.2 ");
}

static void
test_edges(Fixture *fixture, gconstpointer data)
{
    /* Half inside: the outer part is open bus. */
    g_assert_cmphex(iom_port_read(fixture->iom, 0x106, 4), ==, 0xffff1716);
    g_assert_cmphex(iom_port_read(fixture->iom, 0xff, 2), ==, 0x10ff);
    g_assert_cmphex(iom_port_read(fixture->iom, 0x200, 4), ==, 0xffffffff);
    iom_port_write(fixture->iom, 0x200, 1, 4);
    /* The end of port space. */
    g_assert_cmphex(iom_port_read(fixture->iom, 0xffff, 4), ==, 0xffffffff);
    iom_ports_map(fixture->ports, 0xfffc);
    g_assert_cmphex(iom_port_read(fixture->iom, 0xfffc, 4), ==, 0x13121110);
    g_assert_cmphex(iom_port_read(fixture->iom, 0x100, 1), ==, 0xff);
}

static void
test_overlap(Fixture *fixture, gconstpointer data)
{
    Owner second = {g_string_new(NULL), 0x80, 0};
    IomPorts *over = ports_new(fixture, &second, 2, 7);

    iom_ports_map(over, 0x102);
    g_assert_cmphex(iom_port_read(fixture->iom, 0x102, 1), ==, 0x80);
    g_assert_cmphex(iom_port_read(fixture->iom, 0x104, 1), ==, 0x14);
    /* Mapped again, the first one covers it. */
    iom_ports_map(fixture->ports, 0x100);
    g_assert_cmphex(iom_port_read(fixture->iom, 0x102, 1), ==, 0x12);
    iom_ports_unmap(fixture->ports);
    g_assert_cmphex(iom_port_read(fixture->iom, 0x102, 1), ==, 0x80);
    g_assert_cmphex(iom_port_read(fixture->iom, 0x104, 1), ==, 0xff);
    iom_ports_free(over);
    g_assert_cmphex(iom_port_read(fixture->iom, 0x102, 1), ==, 0xff);
    g_string_free(second.trace, TRUE);
}

static void
test_strings(Fixture *fixture, gconstpointer data)
{
    uint8_t bytes[256] = {0};

    /* Without the owner's help: one unit after the other, but not for ever. */
    g_assert_cmpuint(iom_port_read_string(fixture->iom, 0x100, bytes, 100, 2), ==, 64);
    g_assert_cmphex(bytes[0], ==, 0x10);
    g_assert_cmphex(bytes[1], ==, 0x11);
    fixture->owner.string_limit = 90;
    g_assert_cmpuint(iom_port_read_string(fixture->iom, 0x100, bytes, 100, 2), ==, 90);
    g_assert_cmphex(bytes[179], ==, 0x5a);
    g_assert_cmpuint(iom_port_write_string(fixture->iom, 0x300, bytes, 3, 4), ==, 3);
}

static uint64_t
mmio_read(void *user, uint64_t offset, unsigned size)
{
    Owner *owner = user;
    uint64_t value = 0;

    g_string_append_printf(owner->trace, "r%x.%u ", (unsigned)offset, size);
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)(uint8_t)(owner->base + offset + i) << (i * 8);
    return value;
}

static void
mmio_write(void *user, uint64_t offset, uint64_t value, unsigned size)
{
    g_string_append_printf(((Owner *)user)->trace, "w%x.%u=%" G_GINT64_MODIFIER "x ",
                           (unsigned)offset, size, value);
}

static void
test_mmio_dwords(void)
{
    Iom *iom = iom_new();
    Owner owner = {g_string_new(NULL), 0, 0};
    const IomMmioOps ops = {mmio_read, mmio_write, 4, 4};
    IomMmio *mmio = iom_mmio_new(iom, "test", &ops, &owner, true);

    g_assert_cmphex(iom_mmio_read(mmio, 5, 1), ==, 0x05);
    g_assert_cmphex(iom_mmio_read(mmio, 0, 8), ==, 0x0706050403020100);
    g_assert_cmphex(iom_mmio_read(mmio, 6, 4), ==, 0x09080706); /* falls apart */
    g_string_truncate(owner.trace, 0);
    iom_mmio_write(mmio, 2, 0xaabb, 2);
    g_assert_cmpstr(owner.trace->str, ==, "r0.4 w0.4=aabb0100 ");
    iom_mmio_free(mmio);
    g_string_free(owner.trace, TRUE);
    iom_free(iom);
}

static void
test_mmio_any(void)
{
    Iom *iom = iom_new();
    Owner owner = {g_string_new(NULL), 0, 0};
    const IomMmioOps ops = {mmio_read, mmio_write, 0, 0}, none = {0};
    IomMmio *mmio = iom_mmio_new(iom, "test", &ops, &owner, false);
    IomMmio *nobody = iom_mmio_new(iom, "none", &none, NULL, true);

    g_assert_cmphex(iom_mmio_read(mmio, 1, 7), ==, 0x07060504030201);
    g_assert_cmpstr(owner.trace->str, ==, "r1.1 r2.2 r4.4 ");
    g_assert_cmphex(iom_mmio_read(nobody, 3, 4), ==, 0xffffffff);
    iom_mmio_write(nobody, 0, 1, 8);
    iom_mmio_free(mmio);
    iom_mmio_free(nobody);
    g_string_free(owner.trace, TRUE);
    iom_free(iom);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/iom/whole", Fixture, GUINT_TO_POINTER(7), set_up, test_whole, tear_down);
    g_test_add("/iom/bytes-only", Fixture, GUINT_TO_POINTER(1), set_up, test_bytes_only, tear_down);
    g_test_add("/iom/words-only", Fixture, GUINT_TO_POINTER(2), set_up, test_words_only, tear_down);
    g_test_add("/iom/edges", Fixture, GUINT_TO_POINTER(7), set_up, test_edges, tear_down);
    g_test_add("/iom/overlap", Fixture, GUINT_TO_POINTER(0), set_up, test_overlap, tear_down);
    g_test_add("/iom/strings", Fixture, GUINT_TO_POINTER(7), set_up, test_strings, tear_down);
    g_test_add_func("/iom/mmio-dwords", test_mmio_dwords);
    g_test_add_func("/iom/mmio-any", test_mmio_any);
    return g_test_run();
}
