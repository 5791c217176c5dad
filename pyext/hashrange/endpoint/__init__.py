"""The HTTP endpoint: DynamoDB's protocol, JSON 1.0 over HTTP/1.1, in front of a database.

    with hashrange.serve() as server:                      # a new database in memory
        client = boto3.client("dynamodb", endpoint_url=server.url, region_name="us-east-1")

It needs the package httptools, and uses uvloop where that is installed (`hashrange[server]`).
"""

from hashrange.endpoint.server import Server, serve, serve_forever

__all__ = ["Server", "serve", "serve_forever"]
