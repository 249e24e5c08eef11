/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The machine as ACPI sees it: i440FX with PIIX3. ACPI Specification 6.4, chapters 6 and 9. The PCI
 * windows are filled in when firmware has chosen them; processors stand in an SSDT of their own.
 * Whether a serial, parallel or floppy port or the HPET is there is asked from the hardware: where
 * nobody answers, the bus reads as ones. */
DefinitionBlock ("", "DSDT", 2, "VITRNE", "VITRINE1", 1)
{
    /* acpi-tables.c writes the real values over these: the PCI memory window below 4 GiB, first and last
     * address, and the one above, first address and length in GiB (length 0: none). */
    Name (P32S, 0x10203040)
    Name (P32E, 0x10203040)
    Name (P64S, 0x10203040)
    Name (P64L, 0x10203040)

    /* Soft off is the only sleeping state. */
    Name (\_S5, Package (4) { Zero, Zero, Zero, Zero })

    Scope (\_SB)
    {
        Device (PCI0)
        {
            Name (_HID, EisaId ("PNP0A03"))
            Name (_UID, Zero)

            Name (CRES, ResourceTemplate ()
            {
                WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode,
                    0x0000, 0x0000, 0x00FF, 0x0000, 0x0100)
                IO (Decode16, 0x0CF8, 0x0CF8, 0x01, 0x08)
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
                    0x0000, 0x0000, 0x0CF7, 0x0000, 0x0CF8)
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
                    0x0000, 0x0D00, 0xFFFF, 0x0000, 0xF300)
                DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, Cacheable, ReadWrite,
                    0x00000000, 0x000A0000, 0x000BFFFF, 0x00000000, 0x00020000)
                DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable, ReadWrite,
                    0x00000000, 0x80000000, 0xFEBFFFFF, 0x00000000, 0x7EC00000, , , PW32)
            })
            Name (CR64, ResourceTemplate ()
            {
                QWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, Cacheable, ReadWrite,
                    0x0000000000000000, 0x0000000100000000, 0x00000001FFFFFFFF, 0x0000000000000000,
                    0x0000000100000000, , , PW64)
            })

            Method (_CRS, 0, Serialized)
            {
                CreateDWordField (CRES, ^PW32._MIN, MIN3)
                CreateDWordField (CRES, ^PW32._MAX, MAX3)
                CreateDWordField (CRES, ^PW32._LEN, LEN3)
                CreateQWordField (CR64, ^PW64._MIN, MIN6)
                CreateQWordField (CR64, ^PW64._MAX, MAX6)
                CreateQWordField (CR64, ^PW64._LEN, LEN6)

                MIN3 = P32S
                MAX3 = P32E
                LEN3 = P32E - P32S + 1
                If (P64L == Zero)
                {
                    Return (CRES)
                }
                MIN6 = P64S << 30
                MAX6 = ((P64S + P64L) << 30) - 1
                LEN6 = P64L << 30
                Return (ConcatenateResTemplate (CRES, CR64))
            }

            /* INTA of slot 1 is the power management interrupt; each further slot turns by one. */
#define SLOT(address, a, b, c, d) \
    Package (4) { address, 0, a, 0 }, Package (4) { address, 1, b, 0 }, \
    Package (4) { address, 2, c, 0 }, Package (4) { address, 3, d, 0 }

            Name (_PRT, Package ()
            {
                SLOT (0x0001FFFF, LNKS, LNKB, LNKC, LNKD),
                SLOT (0x0002FFFF, LNKB, LNKC, LNKD, LNKA),
                SLOT (0x0003FFFF, LNKC, LNKD, LNKA, LNKB),
                SLOT (0x0004FFFF, LNKD, LNKA, LNKB, LNKC),
                SLOT (0x0005FFFF, LNKA, LNKB, LNKC, LNKD),
                SLOT (0x0006FFFF, LNKB, LNKC, LNKD, LNKA),
                SLOT (0x0007FFFF, LNKC, LNKD, LNKA, LNKB),
                SLOT (0x0008FFFF, LNKD, LNKA, LNKB, LNKC),
                SLOT (0x0009FFFF, LNKA, LNKB, LNKC, LNKD),
                SLOT (0x000AFFFF, LNKB, LNKC, LNKD, LNKA),
                SLOT (0x000BFFFF, LNKC, LNKD, LNKA, LNKB),
                SLOT (0x000CFFFF, LNKD, LNKA, LNKB, LNKC),
                SLOT (0x000DFFFF, LNKA, LNKB, LNKC, LNKD),
                SLOT (0x000EFFFF, LNKB, LNKC, LNKD, LNKA),
                SLOT (0x000FFFFF, LNKC, LNKD, LNKA, LNKB),
                SLOT (0x0010FFFF, LNKD, LNKA, LNKB, LNKC),
                SLOT (0x0011FFFF, LNKA, LNKB, LNKC, LNKD),
                SLOT (0x0012FFFF, LNKB, LNKC, LNKD, LNKA),
                SLOT (0x0013FFFF, LNKC, LNKD, LNKA, LNKB),
                SLOT (0x0014FFFF, LNKD, LNKA, LNKB, LNKC),
                SLOT (0x0015FFFF, LNKA, LNKB, LNKC, LNKD),
                SLOT (0x0016FFFF, LNKB, LNKC, LNKD, LNKA),
                SLOT (0x0017FFFF, LNKC, LNKD, LNKA, LNKB),
                SLOT (0x0018FFFF, LNKD, LNKA, LNKB, LNKC),
                SLOT (0x0019FFFF, LNKA, LNKB, LNKC, LNKD),
                SLOT (0x001AFFFF, LNKB, LNKC, LNKD, LNKA),
                SLOT (0x001BFFFF, LNKC, LNKD, LNKA, LNKB),
                SLOT (0x001CFFFF, LNKD, LNKA, LNKB, LNKC),
                SLOT (0x001DFFFF, LNKA, LNKB, LNKC, LNKD),
                SLOT (0x001EFFFF, LNKB, LNKC, LNKD, LNKA),
                SLOT (0x001FFFFF, LNKC, LNKD, LNKA, LNKB)
            })

            Device (ISA)
            {
                Name (_ADR, 0x00010000)
                OperationRegion (ROUT, PCI_Config, 0x60, 4)
                Field (ROUT, ByteAcc, NoLock, Preserve)
                {
                    RTEA, 8, RTEB, 8, RTEC, 8, RTED, 8
                }

                Device (RTC)
                {
                    Name (_HID, EisaId ("PNP0B00"))
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, 0x0070, 0x0070, 0x01, 0x04)
                        IRQNoFlags () { 8 }
                    })
                }

                Device (KBD)
                {
                    Name (_HID, EisaId ("PNP0303"))
                    Name (_STA, 0x0F)
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, 0x0060, 0x0060, 0x01, 0x01)
                        IO (Decode16, 0x0064, 0x0064, 0x01, 0x01)
                        IRQNoFlags () { 1 }
                    })
                }

                Device (MOU)
                {
                    Name (_HID, EisaId ("PNP0F13"))
                    Name (_STA, 0x0F)
                    Name (_CRS, ResourceTemplate ()
                    {
                        IRQNoFlags () { 12 }
                    })
                }

                /* The main status register is never all ones. */
                Device (FDC)
                {
                    Name (_HID, EisaId ("PNP0700"))
                    OperationRegion (FDCR, SystemIO, 0x03F4, 1)
                    Field (FDCR, ByteAcc, NoLock, Preserve) { MSR, 8 }
                    Method (_STA)
                    {
                        If (MSR == 0xFF) { Return (Zero) }
                        Return (0x0F)
                    }
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, 0x03F2, 0x03F2, 0x00, 0x04)
                        IO (Decode16, 0x03F7, 0x03F7, 0x00, 0x01)
                        IRQNoFlags () { 6 }
                        DMA (Compatibility, NotBusMaster, Transfer8) { 2 }
                    })
                }

                /* The top bits of a modem control register read as zeros. */
#define SERIAL(name, uid, port, irq) \
    Device (name) \
    { \
        Name (_HID, EisaId ("PNP0501")) \
        Name (_UID, uid) \
        OperationRegion (UART, SystemIO, port + 4, 1) \
        Field (UART, ByteAcc, NoLock, Preserve) { MCR, 8 } \
        Method (_STA) \
        { \
            If (MCR == 0xFF) { Return (Zero) } \
            Return (0x0F) \
        } \
        Name (_CRS, ResourceTemplate () \
        { \
            IO (Decode16, port, port, 0x00, 0x08) \
            IRQNoFlags () { irq } \
        }) \
    }
                SERIAL (COM1, 1, 0x03F8, 4)
                SERIAL (COM2, 2, 0x02F8, 3)
                SERIAL (COM3, 3, 0x03E8, 4)
                SERIAL (COM4, 4, 0x02E8, 3)

                /* So do those of a parallel port's control register. */
#define PARALLEL(name, uid, port, irq) \
    Device (name) \
    { \
        Name (_HID, EisaId ("PNP0400")) \
        Name (_UID, uid) \
        OperationRegion (PORT, SystemIO, port + 2, 1) \
        Field (PORT, ByteAcc, NoLock, Preserve) { CTRL, 8 } \
        Method (_STA) \
        { \
            If (CTRL == 0xFF) { Return (Zero) } \
            Return (0x0F) \
        } \
        Name (_CRS, ResourceTemplate () \
        { \
            IO (Decode16, port, port, 0x08, 0x08) \
            IRQNoFlags () { irq } \
        }) \
    }
                PARALLEL (LPT1, 1, 0x0378, 7)
                PARALLEL (LPT2, 2, 0x0278, 5)
            }
        }

        /* Edge/level control and the general-purpose events. */
        Device (MBRD)
        {
            Name (_HID, EisaId ("PNP0C02"))
            Name (_UID, Zero)
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x04D0, 0x04D0, 0x01, 0x02)
                IO (Decode16, 0xAFE0, 0xAFE0, 0x01, 0x04)
            })
        }

        Device (HPET)
        {
            Name (_HID, EisaId ("PNP0103"))
            Name (_UID, Zero)
            OperationRegion (HPTR, SystemMemory, 0xFED00000, 0x08)
            Field (HPTR, DWordAcc, NoLock, Preserve) { IDEN, 32, TICK, 32 }
            Method (_STA)
            {
                If (IDEN == 0xFFFFFFFF || TICK == Zero) { Return (Zero) }
                Return (0x0F)
            }
            Name (_CRS, ResourceTemplate ()
            {
                Memory32Fixed (ReadOnly, 0xFED00000, 0x00000400)
            })
        }

        /* A PIRQ and the register that routes it. */
#define LINK(name, uid, reg) \
    Device (name) \
    { \
        Name (_HID, EisaId ("PNP0C0F")) \
        Name (_UID, uid) \
        Name (_PRS, ResourceTemplate () \
        { \
            Interrupt (ResourceConsumer, Level, ActiveHigh, Shared) { 5, 10, 11 } \
        }) \
        Name (CURR, ResourceTemplate () \
        { \
            Interrupt (ResourceConsumer, Level, ActiveHigh, Shared, , , PIRQ) { 0 } \
        }) \
        Method (_STA) \
        { \
            If (\_SB.PCI0.ISA.reg & 0x80) { Return (0x09) } \
            Return (0x0B) \
        } \
        Method (_DIS) { \_SB.PCI0.ISA.reg |= 0x80 } \
        Method (_CRS, 0, Serialized) \
        { \
            CreateDWordField (CURR, ^PIRQ._INT, LINE) \
            If (\_SB.PCI0.ISA.reg & 0x80) { LINE = Zero } \
            Else { LINE = \_SB.PCI0.ISA.reg & 0x0F } \
            Return (CURR) \
        } \
        Method (_SRS, 1, Serialized) \
        { \
            CreateDWordField (Arg0, 0x05, WANT) \
            \_SB.PCI0.ISA.reg = WANT \
        } \
    }
        LINK (LNKA, 0, RTEA)
        LINK (LNKB, 1, RTEB)
        LINK (LNKC, 2, RTEC)
        LINK (LNKD, 3, RTED)

        /* Power management is wired to irq 9. */
        Device (LNKS)
        {
            Name (_HID, EisaId ("PNP0C0F"))
            Name (_UID, 4)
            Name (_PRS, ResourceTemplate ()
            {
                Interrupt (ResourceConsumer, Level, ActiveHigh, Shared) { 9 }
            })
            Name (_STA, 0x0B)
            Method (_DIS) { }
            Method (_CRS) { Return (_PRS) }
            Method (_SRS, 1) { }
        }
    }
}
