#include "COpenBLAS.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { row_major = 101, no_transpose = 111, transpose = 112 };

typedef void (*sgemm_function)(int order, int trans_a, int trans_b, int m, int n, int k,
                               float alpha, const float *a, int lda, const float *b, int ldb,
                               float beta, float *c, int ldc);

static ExciteBlasInfo info;
static sgemm_function sgemm;
static void (*set_threads)(int);
static pthread_once_t once = PTHREAD_ONCE_INIT;

static const char *const candidates[] = {
#if defined(__APPLE__)
    "/opt/homebrew/opt/openblas/lib/libopenblas.dylib",
    "/usr/local/opt/openblas/lib/libopenblas.dylib",
    "/System/Library/Frameworks/Accelerate.framework/Accelerate",
#else
    "libopenblas.so.0",
    "libopenblas.so",
#endif
};

bool excite_cpu_has_avx512(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512cd");
#else
  return false;
#endif
}

const char *excite_blas_better_core(const char *core, bool has_avx512) {
  // OpenBLAS's x86-64 cores without AVX-512 (driver/others/dynamic.c).
  static const char *const narrow[] = {
      "Prescott",   "Core2",     "Atom",       "Penryn",    "Dunnington",  "Nehalem",
      "Sandybridge", "Haswell",  "Zen",        "Opteron",   "Opteron_SSE3", "Barcelona",
      "Bobcat",     "Bulldozer", "Piledriver", "Steamroller", "Excavator", "Nano", "Generic",
      "Athlon",     "Banias",    "Coppermine", "Katmai",    "Northwood"};
  if (!has_avx512) return NULL;
  for (size_t i = 0; i < sizeof narrow / sizeof *narrow; i++)
    if (strcasecmp(core, narrow[i]) == 0) return "SkylakeX";
  return NULL;
}

static void read_core(void *handle, char *out, size_t size) {
  const char *(*corename)(void) = (const char *(*)(void))dlsym(handle, "openblas_get_corename");
  if (corename) snprintf(out, size, "%s", corename());
}

static void load(void) {
  const char *user_core = getenv("OPENBLAS_CORETYPE");
  bool user_asks = user_core && *user_core;
  if (user_asks) snprintf(info.asked_core, sizeof info.asked_core, "%s", user_core);
  // One thread a call, whatever the environment says: runs are parallel, not matmuls, and some
  // cores' products have other bits with more. Before loading, so that no worker threads start.
  setenv("OPENBLAS_NUM_THREADS", "1", 1);

  void *handle = NULL;
  size_t used = 0;
  for (size_t i = 0; i < sizeof candidates / sizeof *candidates && !handle; i++) {
    handle = dlopen(candidates[i], RTLD_NOW | RTLD_LOCAL);
    if (handle) {
      snprintf(info.library, sizeof info.library, "%s", candidates[i]);
    } else {
      const char *reason = dlerror();
      int n = snprintf(info.error + used, sizeof info.error - used, "%s%s", used ? "; " : "",
                       reason ? reason : candidates[i]);
      if (n > 0 && used + (size_t)n < sizeof info.error) used += (size_t)n;
    }
  }
  if (!handle) return;

  read_core(handle, info.core, sizeof info.core);
  memcpy(info.automatic_core, info.core, sizeof info.core);
  // A name that the library does not know leaves the choice to it.
  info.core_from_user = user_asks && strcasecmp(user_core, info.core) == 0;
  const char *better =
      user_asks ? NULL : excite_blas_better_core(info.core, excite_cpu_has_avx512());
  if (better) {
    dlclose(handle);
    setenv("OPENBLAS_CORETYPE", better, 1);
    handle = dlopen(info.library, RTLD_NOW | RTLD_LOCAL);
    // A child that inherits the environment should choose for itself.
    unsetenv("OPENBLAS_CORETYPE");
    if (handle) read_core(handle, info.core, sizeof info.core);
  }
  if (handle) sgemm = (sgemm_function)dlsym(handle, "cblas_sgemm");
  if (!sgemm) {
    snprintf(info.error, sizeof info.error, "%s has no cblas_sgemm", info.library);
    info.library[0] = 0;
    return;
  }
  info.error[0] = 0;
  const char *(*config)(void) = (const char *(*)(void))dlsym(handle, "openblas_get_config");
  if (config) snprintf(info.config, sizeof info.config, "%s", config());
  set_threads = (void (*)(int))dlsym(handle, "openblas_set_num_threads");
}

bool excite_blas_load(void) {
  pthread_once(&once, load);
  return sgemm != NULL;
}

const ExciteBlasInfo *excite_blas_info(void) { return &info; }

void excite_blas_set_threads(int threads) {
  if (excite_blas_load() && set_threads) set_threads(threads);
}

void excite_sgemm(bool transpose_a, bool transpose_b, int m, int n, int k, float alpha,
                  const float *a, int lda, const float *b, int ldb, float beta, float *c,
                  int ldc) {
  sgemm(row_major, transpose_a ? transpose : no_transpose, transpose_b ? transpose : no_transpose,
        m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
