"""The operations of the API: one request in, one response out, as DynamoDB's JSON has them.

`requests` knows the form of every request and refuses what breaks it; `capacity` counts; `tables`
and `tags` are the control plane, over a catalog that the engine backs.
"""
