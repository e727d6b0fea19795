// A BLAS that is loaded at run time.
//
// OpenBLAS picks its kernels while it is being loaded, and some versions take slow ones on CPUs
// that are newer than they are. Loading it ourselves lets us look at what it picked and load it
// again with better ones, before any thread runs; and a machine without it gets a message
// instead of a loader error.
#ifndef EXCITE_COPENBLAS_H
#define EXCITE_COPENBLAS_H

#include <stdbool.h>

typedef struct {
  /// The library's file or framework name; empty when none could be loaded.
  char library[256];
  /// OpenBLAS's own version and build line, empty for other libraries.
  char config[256];
  /// Kernel set in use ("SkylakeX", "Haswell", …), empty when the library does not tell.
  char core[64];
  /// Kernel set the library took by itself, before we asked for another.
  char automatic_core[64];
  /// OPENBLAS_CORETYPE as the user set it; empty where it is not set.
  char asked_core[64];
  /// True when the user's own OPENBLAS_CORETYPE was obeyed. Where it is set, right or wrong, the
  /// library is not loaded a second time.
  bool core_from_user;
  /// Why nothing could be loaded: what was tried.
  char error[1024];
} ExciteBlasInfo;

/// Loads the library at the first call (thread-safe); false when there is none, see `error`.
bool excite_blas_load(void);
/// What was loaded. Call `excite_blas_load` first.
const ExciteBlasInfo *_Nonnull excite_blas_info(void);
/// Threads that one call may use; 1 unless set.
void excite_blas_set_threads(int threads);

/// C = alpha·op(A)·op(B) + beta·C, row-major; op(A) is m×k, op(B) is k×n, C is m×n.
/// Requires a loaded library.
void excite_sgemm(bool transpose_a, bool transpose_b, int m, int n, int k, float alpha,
                  const float *_Nonnull a, int lda, const float *_Nonnull b, int ldb, float beta,
                  float *_Nonnull c, int ldc);

/// The core type that suits a CPU with AVX-512 better than `core`, or NULL to keep it. Names that
/// are not known to lack AVX-512 kernels are kept: a newer library knows its cores better.
const char *_Nullable excite_blas_better_core(const char *_Nonnull core, bool has_avx512);
/// True on CPUs with the AVX-512 subset that SkylakeX kernels need.
bool excite_cpu_has_avx512(void);

#endif
