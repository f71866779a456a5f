/* SPDX-License-Identifier: BSD-3-Clause */
/* boot: the memory that the cores share, made from T.conf and T.n_workers before any core runs:
 * main's first stages, and those of whoever runs cores without the rest of the daemon (test/bench).
 * Control core only. */
#ifndef TANDEM_BOOT_H
#define TANDEM_BOOT_H

/* Pools, rings and doors. 0 or -errno; the end frees what there is, after a failure too. */
int boot_memory(void);
void boot_memory_end(void);
/* The side, address pools and session table; which worker owns which shard. 0 or -errno. */
int boot_tables(void);
void boot_tables_end(void);

/* settings.c: the board where the cores' settings are published, with T.conf's on it, before the
 * cores are made. 0 or -errno. */
int boot_settings(void);
void boot_settings_end(void);

/* envs.c: a worker, the replication core, of what T holds. NULL: as worker_create() and
 * replicator_create(). */
struct worker *boot_worker(unsigned int number);
struct replicator *boot_replicator(void);

#endif
