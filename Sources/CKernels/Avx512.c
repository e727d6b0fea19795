// The kernels compiled for AVX-512 (F, BW, DQ, VL).
#if defined(__x86_64__)
// Before the pragma: the headers' own functions keep their own targets.
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "CKernels.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c,bmi,bmi2,popcnt"))), apply_to = function)
#define EXCITE_KERNELS excite_kernels_avx512
#define EXCITE_NAME "avx512"
#define EXCITE_AVX512 1
#include "KernelBodies.h"
#pragma clang attribute pop
#endif
