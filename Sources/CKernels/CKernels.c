#include "CKernels.h"
void excite_kernels_placeholder(void) {}
