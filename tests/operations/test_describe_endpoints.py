"""DescribeEndpoints: where the service is."""

from __future__ import annotations

from operations.conftest import Run


# API: the Region's address, and for how long it may be kept; a day, as the service has it.
def test_the_address_of_the_region_is_told(run: Run) -> None:
    assert run("DescribeEndpoints") == {
        "Endpoints": [{"Address": "dynamodb.eu-west-1.amazonaws.com", "CachePeriodInMinutes": 1440}]
    }
