/* The groups of rows, and what is told besides them. */
#pragma once

/* memory.c */
void memory_rows(void);
void fork_by_size(void);	/* only when asked for by name */

/* ipc.c */
void ipc_rows(int ncpu);
void waiting_rows(void);

/* tasks.c */
void thread_rows(void);
void process_rows(void);

/* machine.c: INFO lines */
void cat(const char *path, const char *const *keys);
void env_report(void);
void meminfo_line(const char *tag);
