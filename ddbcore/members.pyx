"""The members of an encoded set: ordered by their bytes, without duplicates.

Theory of operation
    Equal sets must have equal bytes, so members are sorted by their encoded bytes: by insertion
    while they are few, by merging else. They are sorted as pointers into a copy of their bytes, and
    written back in order behind the head of the set.

Threads
    Kernels on a buffer that one caller owns.

Format
    FORMAT.md, section "Items".
"""

from libc.string cimport memcpy

from ddbcore.buffer cimport store_u32
from ddbcore.value cimport member_compare, value_size, varint_write


cdef void members_insert(Member* members, size_t count) noexcept nogil:
    cdef Member member
    cdef size_t index, place
    for index in range(1, count):
        member = members[index]
        place = index
        while place > 0 and member_compare(
            members[place - 1].data, members[place - 1].size, member.data, member.size
        ) > 0:
            members[place] = members[place - 1]
            place -= 1
        members[place] = member


# Merge sort; `spare` has room for `count` members.
cdef void members_sort(Member* members, Member* spare, size_t count) noexcept nogil:
    cdef size_t half = count // 2
    cdef size_t left = 0
    cdef size_t right = half
    cdef size_t index
    if count <= MEMBER_COUNT_SMALL:
        members_insert(members, count)
        return
    members_sort(members, spare, half)
    members_sort(members + half, spare, count - half)
    memcpy(spare, members, count * sizeof(Member))
    for index in range(count):
        if right == count or (left < half and member_compare(
            spare[left].data, spare[left].size, spare[right].data, spare[right].size
        ) <= 0):
            members[index] = spare[left]
            left += 1
        else:
            members[index] = spare[right]
            right += 1


# DynamoDB's size of an encoded scalar. Members have no names.
cdef inline int64_t member_weight(const Member* member) noexcept nogil:
    return value_size(member.data, member.data + member.size, NULL, 0)


cdef int64_t members_close(
    Buffer* out, uint8_t tag, size_t start, Member* members, size_t count, uint8_t* scratch,
) noexcept nogil:
    cdef size_t bytes_total = out.size - start
    cdef size_t index, kept = 0, content
    cdef int64_t dropped = 0
    cdef uint8_t head[8]
    cdef uint8_t* target
    memcpy(scratch, out.data + start, bytes_total)
    target = scratch
    for index in range(count):
        members[index].data = target
        target += members[index].size
    members_sort(members, members + count, count)
    for index in range(count):
        if index > 0 and member_compare(
            members[kept - 1].data, members[kept - 1].size, members[index].data, members[index].size
        ) == 0:
            dropped += member_weight(&members[index])
            bytes_total -= members[index].size
            continue
        members[kept] = members[index]
        kept += 1
    target = out.data + start
    target[0] = tag
    content = varint_write(head, kept) + bytes_total
    if content < 0xFF:
        target[1] = <uint8_t>content
        target += 2
    else:
        target[1] = 0xFF
        store_u32(target + 2, <uint32_t>content)
        target += 6
    target += varint_write(target, kept)
    for index in range(kept):
        memcpy(target, members[index].data, members[index].size)
        target += members[index].size
    out.size = target - out.data
    return dropped
