#include "COpenBLAS.h"
void excite_blas_placeholder(void) {}
