/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a guest on HM leaves for and comes back from: ports, MMIO, ROM, MSRs, CPUID, interrupts,
 * kicks, changes of the memory map, the dirty log, and code that hardware cannot fetch. */
#include "tests/unit/hm/hm-bench.h"

#include "vmm/base/clock.h"

#include <string.h>

#define PORT 0x300
#define MMIO 0xd0000u
#define MS 1000000ull

/* A port and a page of MMIO that remember. */
typedef struct {
    HmBench *bench;
    uint32_t port;
    uint64_t mmio;
    unsigned writes;
    PgmRegion *region;
    const uint8_t *code; /* MMIO reads come from here */
} Device;

static uint32_t
read_port(void *user, uint32_t offset, unsigned size)
{
    return ((Device *)user)->port + offset;
}

static void
write_port(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    Device *device = user;

    device->port = value;
    device->writes++;
    if (device->region == NULL)
        return;
    /* Bit 8: the region is there, bit 9: it is not; bit 10: the A20 gate closes. */
    if (value & 0x100)
        pgm_region_map(device->region, MMIO);
    if (value & 0x200)
        pgm_region_unmap(device->region);
    if (value & 0x400)
        pgm_set_a20(device->bench->rooms.pgm, false);
}

static uint64_t
read_mmio(void *user, uint64_t offset, unsigned size)
{
    const Device *device = user;
    uint64_t value = device->mmio + offset;

    if (device->code != NULL)
        memcpy(&value, device->code + offset, size);
    return value;
}

static void
write_mmio(void *user, uint64_t offset, uint64_t value, unsigned size)
{
    Device *device = user;

    device->mmio = value;
    device->writes++;
}

static const IomPortOps port_ops = {.read = read_port, .write = write_port, .sizes = 7};
static const IomMmioOps mmio_ops = {.read = read_mmio, .write = write_mmio};

static IomPorts *
add_port(HmBench *bench, Device *device)
{
    IomPorts *ports = iom_ports_new(bench->rooms.iom, "device", 4, &port_ops, device);

    device->bench = bench;
    iom_ports_map(ports, PORT);
    return ports;
}

/* --- ports --- */

/* mov dx, PORT; mov eax, 12345678; out dx, eax; in ax, dx; mov bx, ax; mov di, 5000; mov cx, 3;
 * cld; rep insb; cli; hlt */
static void
test_ports(void)
{
    static const uint8_t code[] = {0xba, 0x00, 0x03, 0x66, 0xb8, 0x78, 0x56, 0x34, 0x12,
                                   0x66, 0xef, 0xed, 0x89, 0xc3, 0xbf, 0x00, 0x50, 0xb9,
                                   0x03, 0x00, 0xfc, 0xf3, 0x6c, 0xfa, 0xf4};
    Device device = {0};
    IomPorts *ports;
    HmBench bench;

    if (!hm_bench_open(&bench))
        return;
    ports = add_port(&bench, &device);
    hm_bench_load(&bench, code, sizeof code);
    hm_bench_run(&bench);
    g_assert_cmphex(device.port, ==, 0x12345678);
    g_assert_cmphex(bench.vcpu->gpr[X86_RBX] & 0xffff, ==, 0x5678);
    g_assert_cmpuint(bench.vcpu->gpr[X86_RCX], ==, 0);
    g_assert_cmphex(bench.vcpu->gpr[X86_RDI], ==, 0x5003);
    for (unsigned i = 0; i < 3; i++)
        g_assert_cmphex(hm_bench_ram(&bench, 0x5000)[i], ==, 0x78);
    iom_ports_free(ports);
    hm_bench_close(&bench);
}

/* --- memory --- */

static PgmRegion *
add_region(HmBench *bench, PgmKind kind, PgmMem *mem, IomMmio *mmio, bool dirty_log)
{
    const PgmRegionInfo info = {.name = "region",
                                .kind = kind,
                                .mem = mem,
                                .mmio = mmio,
                                .size = 0x2000,
                                .priority = 3,
                                .dirty_log = dirty_log};

    return pgm_region_new(bench->rooms.pgm, &info);
}

/* mov ax, d000; mov ds, ax; mov word [10], 1234; mov bx, [20]; cli; hlt */
static const uint8_t access_code[] = {0xb8, 0x00, 0xd0, 0x8e, 0xd8, 0xc7, 0x06, 0x10, 0x00,
                                      0x34, 0x12, 0x8b, 0x1e, 0x20, 0x00, 0xfa, 0xf4};

static void
test_mmio(void)
{
    Device device = {0};
    PgmRegion *region;
    IomMmio *mmio;
    HmBench bench;

    if (!hm_bench_open(&bench))
        return;
    mmio = iom_mmio_new(bench.rooms.iom, "device", &mmio_ops, &device, true);
    region = add_region(&bench, PGM_MMIO, NULL, mmio, false);
    pgm_region_map(region, MMIO);
    hm_bench_load(&bench, access_code, sizeof access_code);
    hm_bench_run(&bench);
    g_assert_cmphex(device.mmio, ==, 0x1234);
    g_assert_cmphex(bench.vcpu->gpr[X86_RBX] & 0xffff, ==, 0x1254);
    pgm_region_free(region);
    iom_mmio_free(mmio);
    hm_bench_close(&bench);
}

/* ROM is read; what is written there is lost, or dispatched where it is flash. */
static void
test_rom(PgmKind kind)
{
    Device device = {0};
    PgmRegion *region;
    IomMmio *mmio;
    HmBench bench;
    PgmMem *mem;
    uint8_t *host;

    if (!hm_bench_open(&bench))
        return;
    mem = pgm_mem_new(bench.rooms.pgm, "rom", 0x2000, NULL);
    host = pgm_mem_host(mem);
    host[0x20] = 0x77;
    mmio = iom_mmio_new(bench.rooms.iom, "device", &mmio_ops, &device, true);
    region = add_region(&bench, kind, mem, kind == PGM_ROMD ? mmio : NULL, false);
    pgm_region_map(region, MMIO);
    hm_bench_load(&bench, access_code, sizeof access_code);
    hm_bench_run(&bench);
    g_assert_cmphex(bench.vcpu->gpr[X86_RBX] & 0xffff, ==, 0x77);
    g_assert_cmphex(host[0x10], ==, 0);
    g_assert_cmpuint(device.writes, ==, kind == PGM_ROMD);
    pgm_region_free(region);
    iom_mmio_free(mmio);
    pgm_mem_free(mem);
    hm_bench_close(&bench);
}

static void
test_plain_rom(void)
{
    test_rom(PGM_ROM);
}

static void
test_flash(void)
{
    test_rom(PGM_ROMD);
}

/* Maps the region by a port, reads there; unmaps it, reads again; then the A20 gate:
 * mov ax, d000; mov ds, ax; mov dx, PORT; mov ax, 100; out dx, ax; mov bx, [20]; mov ax, 200;
 * out dx, ax; mov cx, [20]; mov ax, ffff; mov ds, ax; mov si, [510]; mov ax, 400; out dx, ax;
 * mov di, [510]; cli; hlt */
static void
test_map_changes(void)
{
    static const uint8_t code[] = {0xb8, 0x00, 0xd0, 0x8e, 0xd8, 0xba, 0x00, 0x03, 0xb8, 0x00, 0x01,
                                   0xef, 0x8b, 0x1e, 0x20, 0x00, 0xb8, 0x00, 0x02, 0xef, 0x8b, 0x0e,
                                   0x20, 0x00, 0xb8, 0xff, 0xff, 0x8e, 0xd8, 0x8b, 0x36, 0x10, 0x05,
                                   0xb8, 0x00, 0x04, 0xef, 0x8b, 0x3e, 0x10, 0x05, 0xfa, 0xf4};
    Device device = {0};
    IomPorts *ports;
    HmBench bench;
    PgmMem *mem;

    if (!hm_bench_open(&bench))
        return;
    ports = add_port(&bench, &device);
    mem = pgm_mem_new(bench.rooms.pgm, "rom", 0x2000, NULL);
    ((uint8_t *)pgm_mem_host(mem))[0x20] = 0x77;
    device.region = add_region(&bench, PGM_ROM, mem, NULL, false);
    hm_bench_ram(&bench, MMIO)[0x20] = 0x11;
    hm_bench_ram(&bench, 0x100500)[0] = 0x22;
    hm_bench_ram(&bench, 0x500)[0] = 0x33;
    hm_bench_load(&bench, code, sizeof code);
    hm_bench_run(&bench);
    g_assert_cmphex(bench.vcpu->gpr[X86_RBX] & 0xffff, ==, 0x77);
    g_assert_cmphex(bench.vcpu->gpr[X86_RCX] & 0xffff, ==, 0x11);
    g_assert_cmphex(bench.vcpu->gpr[X86_RSI] & 0xffff, ==, 0x22);
    g_assert_cmphex(bench.vcpu->gpr[X86_RDI] & 0xffff, ==, 0x33);
    pgm_region_free(device.region);
    pgm_mem_free(mem);
    iom_ports_free(ports);
    hm_bench_close(&bench);
}

/* One page of video memory is written, the other is not; and not again the next time. */
static void
test_dirty_log(void)
{
    uint8_t dirty[2];
    PgmRegion *region;
    HmBench bench;
    PgmMem *mem;

    if (!hm_bench_open(&bench))
        return;
    mem = pgm_mem_new(bench.rooms.pgm, "video", 0x2000, NULL);
    region = add_region(&bench, PGM_RAM, mem, NULL, true);
    pgm_region_map(region, MMIO);
    hm_bench_load(&bench, access_code, sizeof access_code);
    hm_bench_run(&bench);
    pgm_dirty_fetch(region, dirty, 2);
    g_assert_cmpuint(dirty[0], ==, 1);
    g_assert_cmpuint(dirty[1], ==, 0);
    g_assert_cmphex(((uint8_t *)pgm_mem_host(mem))[0x10], ==, 0x34);
    for (unsigned i = 0; i < 2; i++)
        pgm_dirty_fetch(region, dirty, 2);
    g_assert_cmpuint(dirty[0], ==, 0);
    hm_bench_load(&bench, access_code, sizeof access_code);
    hm_bench_run(&bench);
    pgm_dirty_fetch(region, dirty, 2);
    g_assert_cmpuint(dirty[0], ==, 1);
    pgm_region_free(region);
    pgm_mem_free(mem);
    hm_bench_close(&bench);
}

/* Code in MMIO cannot be fetched by hardware: the interpreter executes it. jmp far d000:0; there:
 * mov bx, 55aa; cli; hlt */
static void
test_fallback(void)
{
    static const uint8_t code[] = {0xea, 0x00, 0x00, 0x00, 0xd0};
    static const uint8_t there[64] = {0xbb, 0xaa, 0x55, 0xfa, 0xf4};
    Device device = {.code = there};
    g_autoptr(GString) info = g_string_new(NULL);
    PgmRegion *region;
    IomMmio *mmio;
    HmBench bench;

    if (!hm_bench_open(&bench))
        return;
    mmio = iom_mmio_new(bench.rooms.iom, "device", &mmio_ops, &device, true);
    region = add_region(&bench, PGM_MMIO, NULL, mmio, false);
    pgm_region_map(region, MMIO);
    hm_bench_load(&bench, code, sizeof code);
    hm_bench_run(&bench);
    g_assert_cmphex(bench.vcpu->gpr[X86_RBX], ==, 0x55aa);
    g_assert_cmpuint(bench.vcpu->retired, >=, 2);
    em_info(bench.vcpu, info);
    g_assert_null(strstr(info->str, "em-fallbacks 0\n"));
    pgm_region_free(region);
    iom_mmio_free(mmio);
    hm_bench_close(&bench);
}

/* --- MSRs and CPUID --- */

/* mov ecx, MSR; rdmsr; mov esi, eax; mov edi, edx; cli; hlt */
static uint64_t
read_msr(HmBench *bench, uint32_t msr)
{
    static const uint8_t code[] = {0x66, 0xb9, 0,    0,    0,    0,    0x0f, 0x32,
                                   0x66, 0x89, 0xc6, 0x66, 0x89, 0xd7, 0xfa, 0xf4};
    Vcpu *vcpu = bench->vcpu;

    hm_bench_load(bench, code, sizeof code);
    memcpy(hm_bench_ram(bench, HM_BENCH_CODE + 2), &msr, sizeof msr);
    hm_bench_run(bench);
    return vcpu->gpr[X86_RDI] << 32 | vcpu->gpr[X86_RSI];
}

/* The vector of #GP: mov bx, 66; cli; hlt */
static void
catch_gp(HmBench *bench)
{
    static const uint8_t handler[] = {0xbb, 0x66, 0x00, 0xfa, 0xf4};
    const uint32_t entry = 0x6000;

    memcpy(hm_bench_ram(bench, entry), handler, sizeof handler);
    memcpy(hm_bench_ram(bench, X86_XCPT_GP * 4), &entry, sizeof entry);
}

static void
test_msrs(void)
{
    HmBench bench;
    uint64_t value;

    if (!hm_bench_open(&bench))
        return;
    g_assert_cmphex(read_msr(&bench, X86_MSR_APIC_BASE), ==, 0xfee00900);
    g_assert_cmphex(read_msr(&bench, X86_MSR_PAT), ==, bench.vcpu->pat);
    g_assert_true(cpum_rdmsr(bench.vcpu, X86_MSR_MTRR_CAP, &value));
    g_assert_cmphex(read_msr(&bench, X86_MSR_MTRR_CAP), ==, value);
    /* Not even KVM's own are there. */
    catch_gp(&bench);
    read_msr(&bench, 0x4b564d01);
    g_assert_cmphex(bench.vcpu->gpr[X86_RBX], ==, 0x66);
    hm_bench_close(&bench);
}

/* mov eax, LEAF; xor ecx, ecx; cpuid; cli; hlt */
static void
test_cpuid(void)
{
    static const uint8_t code[] = {0x66, 0xb8, 0,    0,    0,    0,   0x66,
                                   0x31, 0xc9, 0x0f, 0xa2, 0xfa, 0xf4};
    static const uint32_t leaves[] = {0, 1, 7, 0x40000000u, 0x80000001u, 0x80000002u, 0x80000008u};
    CpumCpuid expected;
    HmBench bench;
    Vcpu *vcpu;

    if (hm_host()->kind == HM_HOST_EMULATED) {
        g_test_skip("KVM's emulator adds features of its own to CPUID");
        return;
    }
    if (!hm_bench_open(&bench))
        return;
    vcpu = bench.vcpu;
    for (unsigned i = 0; i < G_N_ELEMENTS(leaves); i++) {
        hm_bench_load(&bench, code, sizeof code);
        memcpy(hm_bench_ram(&bench, HM_BENCH_CODE + 2), &leaves[i], sizeof leaves[i]);
        hm_bench_run(&bench);
        cpum_cpuid(vcpu, leaves[i], 0, &expected);
        g_assert_cmphex(vcpu->gpr[X86_RAX], ==, expected.eax);
        g_assert_cmphex(vcpu->gpr[X86_RBX], ==, expected.ebx);
        g_assert_cmphex(vcpu->gpr[X86_RCX], ==, expected.ecx);
        g_assert_cmphex(vcpu->gpr[X86_RDX], ==, expected.edx);
    }
    hm_bench_close(&bench);
}

/* --- interrupts and kicks --- */

/* The handler of a vector: inc word [500]; mov ax, fee0..: no EOI, one is enough; iret */
static void
set_handler(HmBench *bench, unsigned vector)
{
    static const uint8_t handler[] = {0x2e, 0xff, 0x06, 0x00, 0x05, 0xcf};
    const uint32_t entry = 0x6000;

    memcpy(hm_bench_ram(bench, entry), handler, sizeof handler);
    memcpy(hm_bench_ram(bench, vector * 4), &entry, sizeof entry);
}

static void
arm_apic(HmBench *bench, uint32_t count)
{
    static const struct {
        uint32_t reg, value;
    } writes[] = {{0xf0, 0x1ff}, {0x320, 0x40}, {0x3e0, 0xb}};

    for (unsigned i = 0; i < G_N_ELEMENTS(writes); i++)
        pgm_cpu_phys_write(bench->vcpu, 0xfee00000u + writes[i].reg, writes[i].value, 4);
    pgm_cpu_phys_write(bench->vcpu, 0xfee00380u, count, 4);
}

static unsigned
interrupts(const HmBench *bench)
{
    return hm_bench_ram(bench, 0x500)[0];
}

/* sti; hlt; cli; hlt: the timer wakes the first one. */
static void
test_halt(void)
{
    static const uint8_t code[] = {0xfb, 0xf4, 0xfa, 0xf4};
    HmBench bench;

    if (!hm_bench_open(&bench))
        return;
    hm_bench_load(&bench, code, sizeof code);
    set_handler(&bench, 0x40);
    arm_apic(&bench, 20000000);
    hm_bench_run(&bench);
    g_assert_cmpuint(interrupts(&bench), ==, 1);
    g_assert_cmphex(bench.vcpu->rip, ==, HM_BENCH_CODE + 4);
    hm_bench_close(&bench);
}

/* It comes while IF is 0 and is delivered some time after STI, which an emulating host does not
 * look at after each instruction: mov cx, 1000; loop $; sti; mov cx, 4000; loop $; cli; hlt */
static void
test_window(void)
{
    static const uint8_t code[] = {0xb9, 0x00, 0x10, 0xe2, 0xfe, 0xfb, 0xb9,
                                   0x00, 0x40, 0xe2, 0xfe, 0xfa, 0xf4};
    HmBench bench;

    if (!hm_bench_open(&bench))
        return;
    hm_bench_load(&bench, code, sizeof code);
    set_handler(&bench, 0x40);
    arm_apic(&bench, 0);
    trpm_apic_message(bench.rooms.trpm, 0, false, TRPM_FIXED, 0x40, false);
    hm_bench_run(&bench);
    g_assert_cmpuint(interrupts(&bench), ==, 1);
    g_assert_cmphex(bench.vcpu->rip, ==, HM_BENCH_CODE + sizeof code);
    hm_bench_close(&bench);
}

/* An NMI comes through although IF is 0; the handler halts in the end. jmp $ */
static void
test_nmi(void)
{
    static const uint8_t code[] = {0xeb, 0xfe};
    static const uint8_t handler[] = {0xbb, 0x77, 0x00, 0xf4};
    const uint32_t entry = 0x6000;
    HmBench bench;

    if (!hm_bench_open(&bench))
        return;
    hm_bench_load(&bench, code, sizeof code);
    memcpy(hm_bench_ram(&bench, entry), handler, sizeof handler);
    memcpy(hm_bench_ram(&bench, X86_XCPT_NMI * 4), &entry, sizeof entry);
    trpm_nmi(bench.vcpu);
    hm_bench_run(&bench);
    g_assert_cmphex(bench.vcpu->gpr[X86_RBX], ==, 0x77);
    g_assert_cmpuint(bench.vcpu->nmi_blocked, ==, 1);
    hm_bench_close(&bench);
}

static void *
run_thread(void *data)
{
    HmBench *bench = data;

    return GINT_TO_POINTER(em_run(bench->vcpu));
}

/* An endless loop is left soon, each time. */
static void
test_kick(void)
{
    static const uint8_t code[] = {0x40, 0xeb, 0xfd}; /* inc ax; jmp -3 */
    uint64_t slowest = 0;
    HmBench bench;

    if (!hm_bench_open(&bench))
        return;
    hm_bench_load(&bench, code, sizeof code);
    tm_resume(bench.rooms.tm);
    for (unsigned i = 0; i < 20; i++) {
        GThread *thread = g_thread_new("cpu", run_thread, &bench);
        uint64_t began;

        g_usleep(1000 + 300 * i);
        began = base_clock_ns();
        cpum_pend(bench.vcpu, CPUM_PEND_REQUEST);
        g_assert_cmpint(GPOINTER_TO_INT(g_thread_join(thread)), ==, EM_RESULT_REQUEST);
        slowest = MAX(slowest, base_clock_ns() - began);
        cpum_unpend(bench.vcpu, CPUM_PEND_REQUEST);
    }
    g_assert_cmpuint(slowest, <, 2000 * MS);
    hm_bench_close(&bench);
}

/* --- the host --- */

static void
test_host(void)
{
    const HmHost *host = hm_host();

    g_assert_true(host == hm_host());
    g_assert_true((host->reason == NULL) == (host->kind == HM_HOST_HARDWARE));
    g_assert_cmpuint(hm_engine.rank(), ==,
                     host->kind == HM_HOST_HARDWARE ? EM_RANK_HARDWARE : EM_RANK_NEVER);
    g_assert_true(hm_engine.probe(NULL) == (host->kind != HM_HOST_NONE));
    g_test_message("%s", host->reason != NULL ? host->reason : "hardware");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hm/host", test_host);
    g_test_add_func("/hm/ports", test_ports);
    g_test_add_func("/hm/mmio", test_mmio);
    g_test_add_func("/hm/rom", test_plain_rom);
    g_test_add_func("/hm/flash", test_flash);
    g_test_add_func("/hm/map-changes", test_map_changes);
    g_test_add_func("/hm/dirty-log", test_dirty_log);
    g_test_add_func("/hm/fallback", test_fallback);
    g_test_add_func("/hm/msrs", test_msrs);
    g_test_add_func("/hm/cpuid", test_cpuid);
    g_test_add_func("/hm/halt", test_halt);
    g_test_add_func("/hm/window", test_window);
    g_test_add_func("/hm/nmi", test_nmi);
    g_test_add_func("/hm/kick", test_kick);
    return g_test_run();
}
