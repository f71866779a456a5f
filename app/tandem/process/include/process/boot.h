/* SPDX-License-Identifier: BSD-3-Clause */
/* boot: the memory that the cores of a chassis share, made from its conf and n_workers before any
 * core runs: main's first stages, and those of whoever runs cores without the rest of the daemon
 * (test/bench). Control core only; the EAL may make each of these calls wait. */
#ifndef TANDEM_BOOT_H
#define TANDEM_BOOT_H

struct tandem;

/* Pools, rings and doors. 0 or -errno; the end frees what there is, after a failure too. */
int boot_memory(struct tandem *t);
void boot_memory_end(struct tandem *t);
/* The side, address pools and session table; which worker owns which shard. 0 or -errno. */
int boot_tables(struct tandem *t);
void boot_tables_end(struct tandem *t);

/* settings.c: the board where the cores' settings are published, with those of conf on it, before
 * the cores are made. 0 or -errno. */
int boot_settings(struct tandem *t);
void boot_settings_end(struct tandem *t);

/* envs.c: what carries the stream, and the kernel's frames on the replication port, before the
 * cores are made. 0 or -errno; the end frees what there is, after a failure too, when the cores are
 * gone. */
int boot_transport(struct tandem *t);
void boot_transport_end(struct tandem *t);

/* envs.c: a worker, the replication core, of what t holds. NULL: as worker_create() and
 * replicator_create(). */
struct worker *boot_worker(struct tandem *t, unsigned int number);
struct replicator *boot_replicator(struct tandem *t);

#endif
