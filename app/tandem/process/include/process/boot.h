/* SPDX-License-Identifier: BSD-3-Clause */
/* boot: the memory that the cores of a chassis share, made from its conf and n_workers before any
 * core runs: main's first stages, and those of whoever runs cores without the rest of the daemon
 * (test/bench). Control core only; the EAL may make each of these calls wait. */
#ifndef TANDEM_BOOT_H
#define TANDEM_BOOT_H

struct tandem;

/* Makes pools of memory, rings and doors. 0 or -errno. */
int boot_memory(struct tandem *t);
/* Frees what of them there is, after a failure of boot_memory() too. */
void boot_memory_end(struct tandem *t);
/* Makes the address pools and the session table, and decides the seat and which worker owns which
 * shard. 0 or -errno. */
int boot_tables(struct tandem *t);
/* Frees what of them there is, after a failure of boot_tables() too. */
void boot_tables_end(struct tandem *t);

/* settings.c: makes the board where the cores' settings are published, with those of conf on it,
 * before the cores are made. 0 or -errno. */
int boot_settings(struct tandem *t);
/* Frees the board, after the cores have ended. */
void boot_settings_end(struct tandem *t);

/* envs.c: makes what carries the stream, and the kernel's frames on the replication port, before
 * the cores are made. 0 or -errno. */
int boot_transport(struct tandem *t);
/* Frees what of them there is, after a failure of boot_transport() too, when the cores are gone. */
void boot_transport_end(struct tandem *t);

/* envs.c: makes a worker of what t holds. NULL: as worker_create(). */
struct worker *boot_worker(struct tandem *t, unsigned int number);
/* Makes the replication core of what t holds. NULL: as replicator_create(). */
struct replicator *boot_replicator(struct tandem *t);

#endif
