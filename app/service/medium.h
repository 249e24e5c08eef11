/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A disk, optical or floppy image inside the service. It stands in the registries of the machines
 * that have it, or in the global one while no machine has. */
#pragma once

#include "app/service/service.h"

struct Medium {
    Service *service;
    MediumRecord *record;
    char *object_path;
    VitrineDBusMedium *skeleton;
    GPtrArray *registries; /* Machine: whose files list it */
    gboolean in_global;
};

/* Takes record, adds the medium to the service and offers it. */
Medium *medium_add(Service *service, MediumRecord *record);
void medium_remove(Medium *medium);
void medium_free(Medium *medium);
/* Brings State, Machines and Children up to date. */
void medium_publish(Medium *medium);
void media_publish_all(Service *service);

/* The lists of all files, as they are read; a medium known under its UUID is one medium. */
void media_take_registry(Service *service, GPtrArray *records, Machine *machine);
/* (element-type MediumRecord): what this machine's file lists; machine NULL: the global one. */
GPtrArray *media_of_registry(Service *service, Machine *machine);
/* The medium moves into the machine's registry, with its parents. */
void medium_adopt(Medium *medium, Machine *machine);
/* Takes the machine out of all registries; media that nobody lists any more are forgotten. */
void media_forget_machine(Service *service, Machine *machine);

/* A machine that has it attached and runs, else NULL. */
Machine *medium_running_user(Medium *medium);

/* Asks a worker about the file; done(user_data) is called once the properties are right. */
void medium_refresh(Medium *medium, void (*done)(gpointer user_data), gpointer user_data);

/* medium-calls.c: OpenMedium, CreateMedium, CloseMedium of the service. */
void media_connect_calls(Service *service);
