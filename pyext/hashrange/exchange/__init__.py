"""Items in files: DynamoDB's export lines, plain JSON lines, CSV; plain, gzipped or zstd.

`typed` has the values, `packing` the compression, `sources` the files, `folders` what an export to
S3 leaves. All of it is hostile input: lines, numbers and nesting are bounded before they are
converted, and what is wrong is a ValueError that names file and line.
"""
