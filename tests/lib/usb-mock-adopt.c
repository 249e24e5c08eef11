/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Preloaded behind umockdev's library into programs that get a descriptor of the mocked USB device
 * from another process: umockdev knows only descriptors that the process itself opened, so the node
 * is opened anew where libusb takes the descriptor over. */
#include <dlfcn.h>
#include <fcntl.h>
#include <libusb.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef int (*WrapFunction)(libusb_context *, intptr_t, libusb_device_handle **);

int libusb_wrap_sys_device(libusb_context *context, intptr_t node, libusb_device_handle **handle);

int
libusb_wrap_sys_device(libusb_context *context, intptr_t node, libusb_device_handle **handle)
{
    const WrapFunction next = (WrapFunction)dlsym(RTLD_NEXT, "libusb_wrap_sys_device");
    char link[64], path[PATH_MAX] = "";
    const char *mocked;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", (int)node);
    if (readlink(link, path, sizeof(path) - 1) > 0 &&
        (mocked = strstr(path, "/dev/bus/usb/")) != NULL)
        node = open(mocked, O_RDWR | O_CLOEXEC);
    return next(context, node, handle);
}
