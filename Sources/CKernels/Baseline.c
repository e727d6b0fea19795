// The kernels compiled for whatever the compiler targets by itself: SSE2 on x86-64, NEON on arm64.
#include <math.h>
#include <string.h>

#include "CKernels.h"

#define EXCITE_KERNELS excite_kernels_baseline
#define EXCITE_NAME "baseline"
#include "KernelBodies.h"
