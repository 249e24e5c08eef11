/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VitrineSettings: all settings of one machine, as a value. A front end gets one from
 * vitrine_machine_load_settings_*(), changes it at will (nobody else sees that), checks it, and
 * gives it back with vitrine_machine_save_settings_*(); dropping it is Cancel.
 *
 * Scalar settings are GObject properties, writable and notified, so widgets can be bound to them:
 * the complete list is app/api/settings-properties.def. Lists (groups, controllers, attachments,
 * serial and parallel ports) have the functions below and the signal VitrineSettings::changed,
 * whose detail is "groups", "storage", "uarts", "lpts", "adapters" or "usb-filters". */
#pragma once

#include "app/api/vitrine-network.h"
#include "app/api/vitrine-storage.h"
#include "app/api/vitrine-usb.h"

G_BEGIN_DECLS

#define VITRINE_TYPE_SETTINGS (vitrine_settings_get_type())
G_DECLARE_FINAL_TYPE(VitrineSettings, vitrine_settings, VITRINE, SETTINGS, GObject)

/* All settings at their defaults. */
VitrineSettings *vitrine_settings_new(void);

/**
 * vitrine_settings_copy:
 * Returns: (transfer full): an independent copy, for instance to compare with later.
 */
VitrineSettings *vitrine_settings_copy(VitrineSettings *settings);
gboolean vitrine_settings_equal(VitrineSettings *settings, VitrineSettings *other);

/* Shorthand for g_object_get() and g_object_set() with a property of settings-properties.def. */
const char *vitrine_settings_get_string(VitrineSettings *settings, const char *property);
guint vitrine_settings_get_uint(VitrineSettings *settings, const char *property);
gint64 vitrine_settings_get_int64(VitrineSettings *settings, const char *property);
gboolean vitrine_settings_get_bool(VitrineSettings *settings, const char *property);
int vitrine_settings_get_enum(VitrineSettings *settings, const char *property);
void vitrine_settings_set_string(VitrineSettings *settings, const char *property,
                                 const char *value);
void vitrine_settings_set_uint(VitrineSettings *settings, const char *property, guint value);
void vitrine_settings_set_int64(VitrineSettings *settings, const char *property, gint64 value);
void vitrine_settings_set_bool(VitrineSettings *settings, const char *property, gboolean value);
void vitrine_settings_set_enum(VitrineSettings *settings, const char *property, int value);

/**
 * vitrine_settings_get_groups:
 * Returns: (transfer none) (array zero-terminated=1): paths such as "/Work/Old"; "/" is no group.
 */
const char *const *vitrine_settings_get_groups(VitrineSettings *settings);
/**
 * vitrine_settings_set_groups:
 * @groups: (array zero-terminated=1): paths; none at all means "/"
 */
void vitrine_settings_set_groups(VitrineSettings *settings, const char *const *groups);

/**
 * vitrine_settings_get_controllers:
 * Returns: (transfer none) (element-type VitrineController): in the file's order. Read only: use
 *   the functions below to change it.
 */
GPtrArray *vitrine_settings_get_controllers(VitrineSettings *settings);

/**
 * vitrine_settings_get_attachments:
 * Returns: (transfer none) (element-type VitrineAttachment): of all controllers, sorted by
 *   controller, port and device. Read only: use the functions below to change it.
 */
GPtrArray *vitrine_settings_get_attachments(VitrineSettings *settings);

/* NULL when there is no controller of this name (compared without case). */
const VitrineController *vitrine_settings_find_controller(VitrineSettings *settings,
                                                          const char *name);
/* NULL when nothing is attached there. */
const VitrineAttachment *vitrine_settings_find_attachment(VitrineSettings *settings,
                                                          const char *controller, guint port,
                                                          guint device);
/* Adds, or replaces the one of the same name. The record is copied. */
void vitrine_settings_put_controller(VitrineSettings *settings,
                                     const VitrineController *controller);
/* Also takes its attachments away. FALSE when there is none of this name. */
gboolean vitrine_settings_remove_controller(VitrineSettings *settings, const char *name);
/* Attachments follow. */
gboolean vitrine_settings_rename_controller(VitrineSettings *settings, const char *name,
                                            const char *new_name);
/* Adds, or replaces what is in the same slot. The record is copied. */
void vitrine_settings_put_attachment(VitrineSettings *settings,
                                     const VitrineAttachment *attachment);
gboolean vitrine_settings_remove_attachment(VitrineSettings *settings, const char *controller,
                                            guint port, guint device);
/**
 * vitrine_settings_free_slot:
 * @settings: settings
 * @controller: name of a controller
 * @port: (out): the first free slot's port
 * @device: (out): and device
 *
 * Returns: whether @controller has a slot left.
 */
gboolean vitrine_settings_free_slot(VitrineSettings *settings, const char *controller, guint *port,
                                    guint *device);

/* slot: 0 to VITRINE_UART_COUNT - 1; never NULL. */
const VitrineUart *vitrine_settings_get_uart(VitrineSettings *settings, guint slot);
void vitrine_settings_set_uart(VitrineSettings *settings, guint slot, const VitrineUart *uart);
const VitrineLpt *vitrine_settings_get_lpt(VitrineSettings *settings, guint slot);
void vitrine_settings_set_lpt(VitrineSettings *settings, guint slot, const VitrineLpt *lpt);
/* slot: 0 to VITRINE_ADAPTER_COUNT - 1; never NULL. */
const VitrineAdapter *vitrine_settings_get_adapter(VitrineSettings *settings, guint slot);
void vitrine_settings_set_adapter(VitrineSettings *settings, guint slot,
                                  const VitrineAdapter *adapter);

/**
 * vitrine_settings_get_usb_filters:
 * Returns: (transfer none) (element-type VitrineUsbFilter): in the order in which they are looked
 * at. Read only.
 */
GPtrArray *vitrine_settings_get_usb_filters(VitrineSettings *settings);
/**
 * vitrine_settings_set_usb_filters:
 * @filters: (element-type VitrineUsbFilter): all of them; they are copied
 */
void vitrine_settings_set_usb_filters(VitrineSettings *settings, GPtrArray *filters);

/**
 * VitrineProblem:
 * @field: property ("memory"), or "controller:NAME", "attachment:NAME:PORT:DEVICE", "uart:SLOT",
 *   "lpt:SLOT", "adapter:SLOT:PART" with PART "type", "mac", "name", "nat" or "forwards",
 *   "usb-filter:INDEX:KEY" with KEY as in vitrine_usb_filter_get_text(); owned
 * @code: why
 * @message: a sentence for the user; owned
 * @fatal: FALSE for advice; settings with a fatal problem cannot be saved
 */
typedef struct {
    char *field;
    VitrineError code;
    char *message;
    gboolean fatal;
} VitrineProblem;

#define VITRINE_TYPE_PROBLEM (vitrine_problem_get_type())
GType vitrine_problem_get_type(void);
VitrineProblem *vitrine_problem_copy(const VitrineProblem *problem);
void vitrine_problem_free(VitrineProblem *problem);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VitrineProblem, vitrine_problem_free)

/**
 * vitrine_settings_check:
 * @settings: settings
 *
 * All that is wrong with @settings by themselves; quick, no service is asked. The service makes the
 * same check before it saves, and others that need its knowledge (a name that another machine
 * has, a medium in use).
 *
 * Returns: (transfer container) (element-type VitrineProblem): empty when all is right.
 */
GPtrArray *vitrine_settings_check(VitrineSettings *settings);

/* The model of a controller as the machine's extra data have it (vitrine_controller_model_key()),
 * %NULL or "" for none. */
typedef const char *(*VitrineModelLookup)(gpointer user_data, const char *controller);
/**
 * vitrine_settings_check_models: (skip)
 * @settings: settings
 * @model: tells the models of their controllers
 * @user_data: of @model
 * @problems: (element-type VitrineProblem): what is wrong with drives at controllers of these
 *   models is added
 */
void vitrine_settings_check_models(VitrineSettings *settings, VitrineModelLookup model,
                                   gpointer user_data, GPtrArray *problems);

/**
 * vitrine_settings_to_variant:
 * Returns: (transfer full): the a{sv} that travels over D-Bus.
 */
GVariant *vitrine_settings_to_variant(VitrineSettings *settings);

/* Takes the keys that are there. On a malformed one nothing is changed and *error says which. */
gboolean vitrine_settings_apply_variant(VitrineSettings *settings, GVariant *dictionary,
                                        GError **error);

G_END_DECLS
