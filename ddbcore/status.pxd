"""Results of kernels. Values >= 0 are successes; a boundary turns the others into exceptions."""

cdef enum:
    OK = 0
    FOUND = 1
    ERR_CORRUPT = -2          # stored bytes are damaged
    ERR_IO = -3               # the operating system said no; errno is kept by the module concerned
    ERR_MEMORY = -4
    ERR_FULL = -5             # a structure is at its named bound
