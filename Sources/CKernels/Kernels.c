// Chooses among the kernel sets at run time.
#include "CKernels.h"

#include <string.h>

extern const ExciteKernels excite_kernels_plain, excite_kernels_baseline;

#if defined(__x86_64__)
extern const ExciteKernels excite_kernels_avx2, excite_kernels_avx512;

static int runs_avx2(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static int runs_avx512(void) {
  return runs_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

const ExciteKernels *excite_kernels_best(void) {
#if defined(__x86_64__)
  if (runs_avx512()) return &excite_kernels_avx512;
  if (runs_avx2()) return &excite_kernels_avx2;
#endif
  return &excite_kernels_baseline;
}

const ExciteKernels *excite_kernels_named(const char *name) {
#if defined(__x86_64__)
  if (!strcmp(name, "avx512") && runs_avx512()) return &excite_kernels_avx512;
  if (!strcmp(name, "avx2") && runs_avx2()) return &excite_kernels_avx2;
#endif
  if (!strcmp(name, "baseline")) return &excite_kernels_baseline;
  if (!strcmp(name, "plain")) return &excite_kernels_plain;
  return 0;
}
