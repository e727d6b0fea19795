// What the allocator says of this process.
#ifndef EXCITE_CPROCESS_H
#define EXCITE_CPROCESS_H

#include <stdint.h>

/// Bytes that malloc has given out and not got back; negative where the system does not tell.
int64_t excite_allocated_bytes(void);

#endif
