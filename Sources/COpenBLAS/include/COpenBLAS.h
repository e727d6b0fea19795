#ifndef OB_H
#define OB_H
void excite_blas_placeholder(void);
#endif
