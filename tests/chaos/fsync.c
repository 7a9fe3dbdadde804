/* LD_PRELOAD: writes down how long a file surely is on the disk, `SIZE PATH` per fsync, into the file CHAOS_FSYNC.
   The size is taken before the call: what is written during it may or may not get there. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int synced(int file, const char *name) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
  struct stat before;
  int known = fstat(file, &before) == 0 && S_ISREG(before.st_mode);
  int failed = real(file);
  char link[64], path[PATH_MAX], line[PATH_MAX + 64];
  const char *log = getenv("CHAOS_FSYNC");
  if (failed || !known || !log) return failed;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  int out = length > 0 ? open(log, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
  if (out < 0) return failed;
  path[length] = 0;
  int size = snprintf(line, sizeof line, "%lld %s\n", (long long)before.st_size, path);
  if (write(out, line, size) != size) abort();
  close(out);
  return failed;
}

int fsync(int file) { return synced(file, "fsync"); }
int fdatasync(int file) { return synced(file, "fdatasync"); }
