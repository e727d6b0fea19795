// The kernels compiled for AVX2 and FMA.
#if defined(__x86_64__)
// Before the pragma: the headers' own functions keep their own targets.
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "CKernels.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,bmi,bmi2,popcnt"))), apply_to = function)
#define EXCITE_KERNELS excite_kernels_avx2
#define EXCITE_NAME "avx2"
#define EXCITE_AVX2 1

#include "KernelBodies.h"
#pragma clang attribute pop
#endif
