"""The door for HTTP: the plainest requests for items, from bytes to bytes."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from ddbcore.buffer cimport Buffer
from ddbcore.engine cimport Engine
from ddbcore.json_reader cimport JsonReader
from ddbcore.json_text cimport PlainText
from ddbcore.table cimport CoreTable

cdef enum:
    HEAD_HEADERS_MAX = 100                # of a request that is answered here
    GZIP_BYTES_MIN = 1024                 # a client that takes gzip gets larger bodies elsewhere


# A request as far as it is looked at here. Pointers are into the bytes that were read.
cdef struct PlainRequest:
    const uint8_t* target
    Py_ssize_t target_size
    const uint8_t* signature              # the Authorization header, or NULL
    Py_ssize_t signature_size
    const uint8_t* body
    Py_ssize_t body_size
    bint bare                             # the client takes no compressed body


cdef class JsonDoor:
    cdef readonly Engine engine
    cdef JsonReader reader
    cdef dict tables                      # CoreTable by name
    cdef readonly uint64_t version        # of the schemas, when these were the tables
    cdef bytes head                       # of responses, as far as the number of the request id
    cdef uint64_t number                  # of the last response
    cdef bytes last_name                  # a table that was asked for, and what it is
    cdef CoreTable last_table
    cdef Buffer body

    cdef object answer_plain(self, const PlainRequest* request)
    cdef CoreTable table_of(self, const PlainText* name)
    cdef object get_plain_item(self, const PlainRequest* request)
    cdef object put_plain_item(self, const PlainRequest* request)
    cdef object get_item(self, dict request, bint bare)
    cdef object item_response(self, CoreTable table, Buffer* key, bint bare)
    cdef object put_item(self, dict request)
    cdef object response(self, const uint8_t* body, Py_ssize_t size)


# 0 when `data` is one whole request, and a plain one; else -1.
cdef int plain_request_read(
    const uint8_t* data, Py_ssize_t size, PlainRequest* request,
) noexcept nogil
# The CRC-32 that zlib computes.
cdef uint32_t crc32(const uint8_t* data, Py_ssize_t size) noexcept nogil
