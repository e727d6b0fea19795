#ifndef CK_H
#define CK_H
void excite_kernels_placeholder(void);
#endif
